namespace Platform.Cli.Demo;

/// <summary>
/// The order in which messages go out: roughly that of time, but shuffled, with some sent again later, as publishers do that retry. The
/// platform must not care.
/// </summary>
internal static class PublishingOrder
{
    /// <summary>How far a message may slip, in places.</summary>
    private const int Slip = 200;

    /// <summary>How much later a message may be sent again, in places.</summary>
    private const int RepeatWithin = 1_000;

    /// <summary>Indices of the messages in the order of sending; every one comes once, and a part of them twice.</summary>
    public static int[] Create(int messages, double repeated, Random random)
    {
        var sendings = new List<(double Place, int Message)>(messages);
        for (var i = 0; i < messages; i++)
        {
            var place = i + (Slip * random.NextDouble());
            sendings.Add((place, i));
            if (random.NextDouble() < repeated)
                sendings.Add((place + (RepeatWithin * random.NextDouble()), i));
        }

        return [.. sendings.OrderBy(it => it.Place).Select(it => it.Message)];
    }
}
