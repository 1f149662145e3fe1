namespace Platform.Domain.Estimation;

/// <summary>
/// The parts of an age bucket in which arrivals are counted while it is young: arrival rates change faster than service
/// times and accuracy do, and a bucket of minutes would hide a change for as long as it is.
/// </summary>
internal static class TrafficParts
{
    /// <summary>A bucket that ended so many seconds ago, or longer, has no parts any more.</summary>
    public const int KeptSeconds = 1_200;

    private const int AimedSeconds = 15;
    private const int MostParts = 64;

    /// <summary>Parts of a bucket, 1 to 64: as near to 15 seconds each as whole seconds allow.</summary>
    /// <param name="width">The bucket's width in seconds.</param>
    public static int CountFor(int width) => Math.Clamp(width / AimedSeconds, 1, MostParts);

    /// <summary>
    /// The second of a bucket at which a part begins; that at which the bucket ends for the part after the last.
    /// </summary>
    /// <param name="part">From 0 on.</param>
    /// <param name="width">The bucket's width in seconds.</param>
    public static int StartOf(int part, int width) => (int)((long)part * width / CountFor(width));
}
