namespace Platform.Domain.Estimation;

/// <summary>
/// How a window from <see cref="_start"/> to <see cref="_end"/> (ticks of 100 ns, UTC) lies over the buckets.
/// </summary>
internal readonly struct WindowSpan
{
    private readonly long _start;
    private readonly long _end;
    private readonly long _firstSecond;
    private readonly long _lastSecond;
    private readonly int _width;

    /// <param name="start">Start, inclusive.</param>
    /// <param name="end">End, exclusive, after the start.</param>
    /// <param name="width">Width of a bucket in seconds.</param>
    public WindowSpan(DateTimeOffset start, DateTimeOffset end, int width)
    {
        (_start, _end, _width) = (start.UtcTicks, end.UtcTicks, width);
        _firstSecond = start.ToUnixTimeSeconds();
        _lastSecond = end.AddTicks(-1).ToUnixTimeSeconds();
        FirstBucket = FloorDivide(_firstSecond, width);
        LastBucket = FloorDivide(_lastSecond, width);
    }

    /// <summary>The bucket of the window's first instant.</summary>
    public long FirstBucket { get; }

    /// <summary>The bucket of the window's last instant.</summary>
    public long LastBucket { get; }

    /// <summary>The window's length in ticks of 100 ns.</summary>
    public UInt128 Ticks => (UInt128)(_end - _start);

    /// <summary>⌊a / b⌋ also for negative a; b > 0.</summary>
    public static long FloorDivide(long a, long b) => (a / b) - (a % b < 0 ? 1 : 0);

    /// <summary>
    /// The seconds of a bucket that the window touches, counted from the bucket's start; the end is exclusive.
    /// </summary>
    public (int From, int To) SecondsIn(long bucket) =>
        (
            (int)Math.Max(_firstSecond - (bucket * _width), 0),
            (int)Math.Min(_lastSecond + 1 - (bucket * _width), _width)
        );

    /// <summary>The part of an amount that falls to a bucket; over all buckets the parts sum to the amount.</summary>
    /// <param name="bucket">From <see cref="FirstBucket"/> to <see cref="LastBucket"/>.</param>
    /// <param name="amount">At most 2^64, so that times a day in ticks it stays below 2^104.</param>
    public UInt128 PartIn(long bucket, UInt128 amount) => PartIn(bucket * _width, (bucket + 1) * _width, amount);

    /// <summary>The part of an amount that falls to a stretch of time.</summary>
    /// <param name="fromSecond">Its begin, Unix time in seconds.</param>
    /// <param name="toSecond">Its end.</param>
    /// <param name="amount">At most 2^64.</param>
    public UInt128 PartIn(long fromSecond, long toSecond, UInt128 amount) =>
        PartBefore(toSecond, amount) - PartBefore(fromSecond, amount);

    private UInt128 PartBefore(long second, UInt128 amount)
    {
        var boundary = DateTime.UnixEpoch.Ticks + (second * TimeSpan.TicksPerSecond);
        var elapsed = Math.Clamp(boundary, _start, _end) - _start;
        return checked(amount * (UInt128)elapsed) / (UInt128)(_end - _start);
    }
}
