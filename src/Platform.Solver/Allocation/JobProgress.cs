namespace Platform.Solver.Allocation;

/// <summary>
/// How far a job is: a bar on a terminal, a plain line now and then elsewhere; nothing for what is soon done.
/// Thread-safe.
/// </summary>
internal sealed class JobProgress(TextWriter error, bool isTerminal, TimeProvider clock)
{
    private const int BarWidth = 40;

    private readonly Lock _lock = new();
    private readonly TimeSpan _every = isTerminal ? TimeSpan.FromSeconds(0.2) : TimeSpan.FromSeconds(5);
    private long _shownAt = clock.GetTimestamp();
    private double _done;
    private int _shown = -1;

    /// <summary>Items of the job.</summary>
    public int Items { get; set; } = 1;

    /// <summary>Tells that so many items more, or such a part of one, are done.</summary>
    public void Advance(double items)
    {
        lock (_lock)
        {
            _done += items;
            if (clock.GetElapsedTime(_shownAt) < _every)
                return;
            var percent = (int)Math.Clamp(100 * _done / Items, 0, 100);
            if (percent == _shown)
                return;
            (_shown, _shownAt) = (percent, clock.GetTimestamp());
            var filled = percent * BarWidth / 100;
            error.Write(
                isTerminal
                    ? $"\r[{new string('#', filled)}{new string(' ', BarWidth - filled)}] {percent} %"
                    : $"{percent} % done{Environment.NewLine}"
            );
        }
    }

    /// <summary>Leaves no bar behind.</summary>
    public void End()
    {
        if (isTerminal && _shown >= 0)
            error.Write("\r\e[K");
    }
}
