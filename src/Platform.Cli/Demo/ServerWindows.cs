using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary>
/// What one server's gateway reports: sums over windows of equal length. A window in which nothing happened is reported
/// too: that the server was watched is what the arrival rate is counted against.
/// </summary>
/// <param name="taskTypes">Ids of the fleet's task types.</param>
/// <param name="length">Length of a window.</param>
/// <param name="count">Number of windows; what ends after the last is not reported.</param>
internal sealed class ServerWindows(IReadOnlyList<string> taskTypes, TimeSpan length, int count)
{
    private readonly TaskSums?[,] _sums = new TaskSums?[count, taskTypes.Count];

    /// <summary>Counts a query in the window it arrived in.</summary>
    public void RecordArrival(in SentQuery query) => At(query.Arrived, query.Task)?.AddArrival();

    /// <summary>Counts a query in the window it ended in.</summary>
    public void RecordEnd(in ServedQuery query)
    {
        if (At(query.Ended, query.Task) is not { } ended)
            return;
        ended.AddCompletion(
            query.TokensUsed,
            query.TokensGranted,
            query.ServiceMillis,
            query.SystemMillis,
            query.AnswerTokens,
            query.Concurrency
        );
        ended.AddVerdict(query.TokensGranted, query.IsCorrect);
    }

    /// <summary>A window; whole when every query that arrived or ended before its end has been recorded.</summary>
    /// <param name="index">Its index, from 0.</param>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="start">The start of the first window.</param>
    public WorkloadWindow Window(int index, string fleet, DateTimeOffset start) =>
        new()
        {
            Fleet = fleet,
            WindowStart = start + (length * index),
            WindowEnd = start + (length * (index + 1)),
            Tasks = [.. taskTypes.Select((id, task) => _sums[index, task]?.ToWindow(id)).OfType<TaskWindow>()],
        };

    private TaskSums? At(TimeSpan time, int task)
    {
        var window = time.Ticks / length.Ticks;
        return window < count ? _sums[window, task] ??= new TaskSums() : null;
    }
}
