using Platform.Domain.Contracts;

namespace Platform.Client;

/// <summary>
/// Builds workload windows from single observations. May be called by many threads at once. Several builders, in several processes, may
/// report the same fleet: windows add up.
/// </summary>
public sealed class WindowBuilder
{
    /// <summary>A window may last no longer, and is cut when it would.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private SortedDictionary<string, TaskSums> _tasks = new(StringComparer.Ordinal);
    private DateTimeOffset _start;

    /// <summary>Begins the first window.</summary>
    /// <param name="fleet">Id of the fleet.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">That is no fleet's id.</exception>
    public WindowBuilder(string fleet, TimeProvider time)
    {
        if (!Identifiers.IsFleet(fleet))
            throw new ArgumentException($"\"{fleet}\" is no fleet's id: it must match {Identifiers.FleetPattern}.", nameof(fleet));
        (Fleet, _time, _start) = (fleet, time, Now(time));
    }

    /// <summary>Id of the fleet.</summary>
    public string Fleet { get; }

    /// <summary>A query has arrived.</summary>
    /// <param name="taskType">Its task type.</param>
    /// <exception cref="ArgumentException">That is no task type's id.</exception>
    public void Arrived(string taskType)
    {
        lock (_gate)
            Of(taskType).AddArrival();
    }

    /// <summary>A query has ended.</summary>
    /// <param name="taskType">Its task type.</param>
    /// <param name="tokensUsed">Reasoning tokens that it used, at least 0.</param>
    /// <param name="tokensGranted">Reasoning tokens that it was granted; null where that is not known, which leaves the sum out of the window.</param>
    /// <param name="service">Its time on the server, without the wait. Rounded to the nearest millisecond.</param>
    /// <param name="system">Its time from arrival to end, wait included; null where that is not known.</param>
    /// <exception cref="ArgumentException">A number is negative, or that is no task type's id.</exception>
    public void Completed(string taskType, long tokensUsed, long? tokensGranted, TimeSpan service, TimeSpan? system = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokensUsed);
        ArgumentOutOfRangeException.ThrowIfNegative(tokensGranted ?? 0, nameof(tokensGranted));
        ArgumentOutOfRangeException.ThrowIfLessThan(service, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(system ?? TimeSpan.Zero, TimeSpan.Zero, nameof(system));
        lock (_gate)
            Of(taskType).AddCompletion(tokensUsed, tokensGranted, Millis(service), system is null ? null : Millis(system.Value));
    }

    /// <summary>Somebody has judged the answer to a query, then or later.</summary>
    /// <param name="taskType">Its task type.</param>
    /// <param name="tokensGranted">Reasoning tokens that it was granted, at least 0.</param>
    /// <param name="isCorrect">The verdict.</param>
    /// <exception cref="ArgumentException">The number is negative, or that is no task type's id.</exception>
    public void Judged(string taskType, long tokensGranted, bool isCorrect)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokensGranted);
        lock (_gate)
            Of(taskType).AddVerdict(tokensGranted, isCorrect);
    }

    /// <summary>
    /// Ends the window and begins the next. One in which nothing happened is worth sending too: that somebody watched is what the arrival
    /// rate is counted against.
    /// </summary>
    /// <returns>The window; null when no millisecond has passed since the last.</returns>
    public WorkloadWindow? Take()
    {
        lock (_gate)
        {
            var end = Now(_time);
            if (end <= _start)
                return null;
            var window = new WorkloadWindow
            {
                Fleet = Fleet,
                WindowStart = end - _start > Longest ? end - Longest : _start,
                WindowEnd = end,
                Tasks = [.. _tasks.Select(it => it.Value.ToWindow(it.Key))],
            };
            (_tasks, _start) = (new(StringComparer.Ordinal), end);
            return window;
        }
    }

    private static long Millis(TimeSpan time) => (long)Math.Round(time.TotalMilliseconds);

    // Whole milliseconds: the next window begins exactly where this one ends, however its instants are written.
    private static DateTimeOffset Now(TimeProvider time) => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    private TaskSums Of(string taskType)
    {
        if (_tasks.TryGetValue(taskType, out var sums))
            return sums;
        if (!Identifiers.IsTaskType(taskType))
            throw new ArgumentException($"\"{taskType}\" is no task type's id: it must match {Identifiers.TaskTypePattern}.", nameof(taskType));
        return _tasks[taskType] = new TaskSums();
    }
}
