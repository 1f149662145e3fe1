using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Collection.Scraping;

/// <summary>
/// Makes a fleet's windows of what its servers' pages tell: arrivals, and times from arrival to end. A page tells no
/// squares and no products of tokens and times, without which no service can be told. May be called by several threads
/// at once.
/// </summary>
/// <param name="fleet">The fleet.</param>
/// <param name="taskType">The task type of all queries: a server knows none.</param>
internal sealed class ScrapedWindows(string fleet, string taskType) : IWindowSource
{
    private readonly Lock _gate = new();
    private readonly List<WorkloadWindow> _ended = [];
    private OpenWindow? _open;
    private DateTimeOffset _watchedUntil;
    private double _arrivalsOwed;

    /// <summary>Adds what was told of an interval, the next one or a later one.</summary>
    public void Add(ScrapedInterval interval)
    {
        lock (_gate)
        {
            if (interval.Start != _watchedUntil)
                ForgetWhatIsOwed();
            var isTooLong = _open is { } open && interval.End - open.Start > WorkloadWindowReader.MaxLength;
            if (isTooLong)
                EndWindow();
            _open ??= new OpenWindow(interval.Start);
            _open.Sums.Add(interval);
            _watchedUntil = interval.End;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<WorkloadWindow> TakeAll()
    {
        lock (_gate)
        {
            EndWindow();
            WorkloadWindow[] windows = [.. _ended];
            _ended.Clear();
            return windows;
        }
    }

    /// <summary>After time that nobody watched, what is in the system is counted anew.</summary>
    private void ForgetWhatIsOwed()
    {
        EndWindow();
        _arrivalsOwed = 0;
    }

    private void EndWindow()
    {
        if (_open is not { } open)
            return;
        var task = new TaskWindow
        {
            TaskType = taskType,
            Arrivals = WholeArrivals(open.Sums.Arrivals),
            System = SystemOf(open.Sums.Totals),
        };
        var hasReport = task.Arrivals > 0 || task.System is not null;
        _ended.Add(
            new WorkloadWindow
            {
                Fleet = fleet,
                WindowStart = open.Start,
                WindowEnd = _watchedUntil,
                Tasks = hasReport ? [task] : [],
            }
        );
        _open = null;
    }

    /// <summary>
    /// The arrivals that this window tells. A page that shows a query's end before the query has left those in service
    /// makes one window too small and the next too large: what is below 0 is taken from the next.
    /// </summary>
    private long WholeArrivals(double arrivals)
    {
        _arrivalsOwed += arrivals;
        var whole = Math.Max(Math.Round(_arrivalsOwed), 0);
        _arrivalsOwed -= whole;
        return (long)whole;
    }

    private static SystemSums? SystemOf(PageTotals totals)
    {
        const double MillisPerSecond = 1_000;
        var completions = (long)Math.Round(totals[PageFigure.Ended]);
        if (completions == 0)
            return null;
        var millis = Math.Max(Math.Round(MillisPerSecond * totals[PageFigure.SystemSeconds]), 0);
        return new SystemSums { Completions = completions, Millis = (long)millis };
    }

    private sealed record OpenWindow(DateTimeOffset Start)
    {
        public ScrapedSums Sums { get; } = new();
    }
}
