using Platform.Domain.Contracts;

namespace Platform.Client;

/// <summary>
/// Builds workload windows from single observations. May be called by many threads at once. Several builders, in
/// several processes, may report the same fleet: windows add up.
/// </summary>
public sealed class WindowBuilder : IWindowSource
{
    /// <summary>A window may last no longer, and is cut when it would.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>Length of the windows in which earlier observations are reported, aligned to the clock.</summary>
    private static readonly TimeSpan LateLength = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Queue<WorkloadWindow> _ready = new();
    private readonly SortedDictionary<DateTimeOffset, WindowParts> _late = [];
    private WindowParts _current = new();
    private DateTimeOffset _start;

    /// <summary>Begins the first window.</summary>
    /// <param name="fleet">Id of the fleet.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">That is no fleet's id.</exception>
    public WindowBuilder(string fleet, TimeProvider time)
    {
        if (!Identifiers.IsFleet(fleet))
            throw new ArgumentException(
                $"\"{fleet}\" is no fleet's id: it must match {Identifiers.FleetPattern}.",
                nameof(fleet)
            );
        (Fleet, _time, _start) = (fleet, time, Now(time));
    }

    /// <summary>Id of the fleet.</summary>
    public string Fleet { get; }

    /// <summary>A query has arrived, now.</summary>
    /// <param name="taskType">Its task type.</param>
    /// <exception cref="ArgumentException">That is no task type's id.</exception>
    public void Arrived(string taskType)
    {
        CheckTaskType(taskType);
        lock (_gate)
            _current.Of(taskType).AddArrival();
    }

    /// <summary>
    /// A query has arrived at a moment of which is heard only now. When that moment's window is gone, a further window
    /// tells of that time: several windows may report the same interval, arrivals add up and time is covered once.
    /// </summary>
    /// <param name="taskType">Its task type.</param>
    /// <param name="at">When it arrived. A moment to come is taken for now.</param>
    /// <exception cref="ArgumentException">That is no task type's id.</exception>
    public void Arrived(string taskType, DateTimeOffset at)
    {
        CheckTaskType(taskType);
        lock (_gate)
            PartsAt(at).Of(taskType).AddArrival();
    }

    /// <summary>A query has ended, now.</summary>
    /// <param name="taskType">Its task type.</param>
    /// <param name="tokensUsed">Reasoning tokens that it used, 0 to <see cref="TaskSums.MostTokens"/>.</param>
    /// <param name="tokensGranted">Reasoning tokens that it was granted; null where that is not known, which leaves the
    /// sum out of the window.</param>
    /// <param name="service">Its time on the server, without the wait, at most a day. Rounded to the nearest
    /// millisecond.</param>
    /// <param name="system">Its time from arrival to end, wait included, at most a day; null where that is not
    /// known.</param>
    /// <param name="answerTokens">Output tokens beside the reasoning ones, at least 0; null where that is not known.
    /// One query that does not tell them leaves the sum out of the window.</param>
    /// <param name="concurrency">Of servers that batch: output tokens of this query, all or a sample, with the sum over
    /// them of the queries that its server had in service, this one included; null where that is not known. Tell it
    /// only as the server knows it: a gateway that counts its own queries misses those of others.</param>
    /// <exception cref="ArgumentException">A number is out of its range, or that is no task type's id.</exception>
    public void Completed(
        string taskType,
        long tokensUsed,
        long? tokensGranted,
        TimeSpan service,
        TimeSpan? system = null,
        long? answerTokens = null,
        ConcurrencySums? concurrency = null
    ) => Complete(taskType, tokensUsed, tokensGranted, service, system, at: null, answerTokens, concurrency);

    /// <summary>
    /// A query has ended at a moment of which is heard only now: <see cref="Arrived(string, DateTimeOffset)"/> says
    /// what that means.
    /// </summary>
    /// <param name="taskType">Its task type.</param>
    /// <param name="tokensUsed">Reasoning tokens that it used, 0 to <see cref="TaskSums.MostTokens"/>.</param>
    /// <param name="tokensGranted">Reasoning tokens that it was granted; null where that is not known, which leaves the
    /// sum out of the window.</param>
    /// <param name="service">Its time on the server, without the wait, at most a day. Rounded to the nearest
    /// millisecond.</param>
    /// <param name="system">Its time from arrival to end, wait included, at most a day; null where that is not
    /// known.</param>
    /// <param name="at">When it ended. A moment to come is taken for now.</param>
    /// <param name="answerTokens">Output tokens beside the reasoning ones, at least 0; null where that is not known.
    /// One query that does not tell them leaves the sum out of the window.</param>
    /// <param name="concurrency">Of servers that batch: output tokens of this query, all or a sample, with the sum over
    /// them of the queries that its server had in service, this one included; null where that is not known. Tell it
    /// only as the server knows it: a gateway that counts its own queries misses those of others.</param>
    /// <exception cref="ArgumentException">A number is out of its range, or that is no task type's id.</exception>
    public void Completed(
        string taskType,
        long tokensUsed,
        long? tokensGranted,
        TimeSpan service,
        TimeSpan? system,
        DateTimeOffset at,
        long? answerTokens = null,
        ConcurrencySums? concurrency = null
    ) => Complete(taskType, tokensUsed, tokensGranted, service, system, at, answerTokens, concurrency);

    /// <summary>Somebody has judged the answer to a query, then or later.</summary>
    /// <param name="taskType">Its task type.</param>
    /// <param name="tokensGranted">Reasoning tokens that it was granted, at least 0.</param>
    /// <param name="isCorrect">The verdict.</param>
    /// <exception cref="ArgumentException">The number is negative, or that is no task type's id.</exception>
    public void Judged(string taskType, long tokensGranted, bool isCorrect)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokensGranted);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokensGranted, WorkloadWindowReader.MaxSum);
        CheckTaskType(taskType);
        lock (_gate)
            _current.Of(taskType).AddVerdict(tokensGranted, isCorrect);
    }

    /// <summary>
    /// Ends the window and begins the next. One in which nothing happened is worth sending too: that somebody watched
    /// is what the arrival rate is counted against. Where a window comes in several parts, each call gives one:
    /// <see cref="TakeAll"/> gives them at once.
    /// </summary>
    /// <returns>The window; null when no millisecond has passed since the last.</returns>
    public WorkloadWindow? Take()
    {
        lock (_gate)
        {
            if (_ready.Count == 0)
                EndWindows();
            return _ready.TryDequeue(out var window) ? window : null;
        }
    }

    /// <summary>
    /// Ends the window and begins the next: the windows of earlier times of which was heard since, the one that ends
    /// now, and what goes beyond the sums that one window can tell.
    /// </summary>
    /// <returns>The windows, by their start; none when no millisecond has passed since the last.</returns>
    public IReadOnlyList<WorkloadWindow> TakeAll()
    {
        lock (_gate)
        {
            EndWindows();
            WorkloadWindow[] windows = [.. _ready];
            _ready.Clear();
            return windows;
        }
    }

    /// <summary>Counts a query that ended at a moment, or now.</summary>
    private void Complete(
        string taskType,
        long tokensUsed,
        long? tokensGranted,
        TimeSpan service,
        TimeSpan? system,
        DateTimeOffset? at,
        long? answerTokens,
        ConcurrencySums? concurrency
    )
    {
        CheckTaskType(taskType);
        CheckTokens(tokensUsed, tokensGranted, answerTokens);
        CheckTimes(service, system);
        CheckConcurrency(concurrency);
        lock (_gate)
        {
            var parts = at is { } moment ? PartsAt(moment) : _current;
            parts.Complete(
                taskType,
                tokensUsed,
                tokensGranted,
                Millis(service),
                Millis(system),
                answerTokens,
                concurrency
            );
        }
    }

    private void EndWindows()
    {
        var end = Now(_time);
        if (end <= _start)
            return;
        foreach (var (start, parts) in _late)
            Add(parts, start, LateEnd(start));
        _late.Clear();
        Add(_current, end - _start > Longest ? end - Longest : _start, end);
        _current = new WindowParts();
        _start = end;
    }

    private void Add(WindowParts parts, DateTimeOffset start, DateTimeOffset end)
    {
        foreach (var tasks in parts.ToTasks())
            _ready.Enqueue(
                new WorkloadWindow
                {
                    Fleet = Fleet,
                    WindowStart = start,
                    WindowEnd = end,
                    Tasks = tasks,
                }
            );
    }

    private WindowParts PartsAt(DateTimeOffset at)
    {
        if (at >= _start)
            return _current;
        var start = new DateTimeOffset(at.UtcTicks - (at.UtcTicks % LateLength.Ticks), TimeSpan.Zero);
        if (!_late.TryGetValue(start, out var parts))
            _late[start] = parts = new WindowParts();
        return parts;
    }

    /// <summary>
    /// A window of an earlier time ends before the one that is open, whose time is not watched to its end.
    /// </summary>
    private DateTimeOffset LateEnd(DateTimeOffset start) => start + LateLength < _start ? start + LateLength : _start;

    private static void CheckTaskType(string taskType)
    {
        if (!Identifiers.IsTaskType(taskType))
            throw new ArgumentException(
                $"\"{taskType}\" is no task type's id: it must match {Identifiers.TaskTypePattern}.",
                nameof(taskType)
            );
    }

    private static void CheckTokens(long tokensUsed, long? tokensGranted, long? answerTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokensUsed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokensUsed, TaskSums.MostTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(tokensGranted ?? 0, nameof(tokensGranted));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            tokensGranted ?? 0,
            WorkloadWindowReader.MaxSum,
            nameof(tokensGranted)
        );
        ArgumentOutOfRangeException.ThrowIfNegative(answerTokens ?? 0, nameof(answerTokens));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            answerTokens ?? 0,
            WorkloadWindowReader.MaxSum,
            nameof(answerTokens)
        );
    }

    private static void CheckTimes(TimeSpan service, TimeSpan? system)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(service, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(service, Longest);
        ArgumentOutOfRangeException.ThrowIfLessThan(system ?? TimeSpan.Zero, TimeSpan.Zero, nameof(system));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(system ?? TimeSpan.Zero, Longest, nameof(system));
    }

    private static void CheckConcurrency(ConcurrencySums? concurrency)
    {
        if (concurrency is null)
            return;
        ArgumentOutOfRangeException.ThrowIfNegative(concurrency.Tokens, nameof(concurrency));
        ArgumentOutOfRangeException.ThrowIfLessThan(concurrency.InService, concurrency.Tokens, nameof(concurrency));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            concurrency.InService,
            WorkloadWindowReader.MaxSum,
            nameof(concurrency)
        );
        if (concurrency.Tokens == 0)
            ArgumentOutOfRangeException.ThrowIfNotEqual(concurrency.InService, 0, nameof(concurrency));
    }

    private static long Millis(TimeSpan time) => (long)Math.Round(time.TotalMilliseconds);

    private static long? Millis(TimeSpan? time) => time is null ? null : Millis(time.Value);

    // Whole milliseconds: the next window begins exactly where this one ends, however its instants are written.
    private static DateTimeOffset Now(TimeProvider time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}
