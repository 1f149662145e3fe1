using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary>
/// What one server's gateway reports: sums over windows of equal length. A window in which nothing happened is reported too: that the
/// server was watched is what the arrival rate is counted against.
/// </summary>
/// <param name="taskTypes">Ids of the fleet's task types.</param>
/// <param name="length">Length of a window.</param>
/// <param name="count">Number of windows; what ends after the last is not reported.</param>
internal sealed class ServerWindows(IReadOnlyList<string> taskTypes, TimeSpan length, int count)
{
    private readonly TaskSums?[,] _sums = new TaskSums?[count, taskTypes.Count];

    /// <summary>Counts a query in the window it arrived in and in the window it ended in.</summary>
    public void Record(in ServedQuery query)
    {
        At(query.Arrived, query.Task)?.AddArrival();
        At(query.Ended, query.Task)?.AddEnd(query);
    }

    /// <summary>A window; whole when every query that arrived before its end has been recorded.</summary>
    /// <param name="index">Its index, from 0.</param>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="start">The start of the first window.</param>
    public WorkloadWindow Window(int index, string fleet, DateTimeOffset start) => new()
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

    private sealed class TaskSums
    {
        private readonly SortedDictionary<long, (long Trials, long Correct)> _verdicts = [];
        private long _arrivals, _completions, _tokens, _tokensSquared, _tokensGranted, _tokenMillis;
        private long _serviceMillis, _serviceMillisSquared, _systemMillis, _systemMillisSquared;

        public void AddArrival() => _arrivals++;

        public void AddEnd(in ServedQuery query)
        {
            _completions++;
            _tokens += query.TokensUsed;
            _tokensSquared += query.TokensUsed * query.TokensUsed;
            _tokensGranted += query.TokensGranted;
            _tokenMillis += query.TokensUsed * query.ServiceMillis;
            _serviceMillis += query.ServiceMillis;
            _serviceMillisSquared += query.ServiceMillis * query.ServiceMillis;
            _systemMillis += query.SystemMillis;
            _systemMillisSquared += query.SystemMillis * query.SystemMillis;
            var (trials, correct) = _verdicts.GetValueOrDefault(query.TokensGranted);
            _verdicts[query.TokensGranted] = (trials + 1, correct + (query.IsCorrect ? 1 : 0));
        }

        public TaskWindow ToWindow(string taskType) => new()
        {
            TaskType = taskType,
            Arrivals = _arrivals,
            Service = _completions == 0 ? null : new ServiceSums
            {
                Completions = _completions,
                Tokens = _tokens,
                TokensSquared = _tokensSquared,
                TokensGranted = _tokensGranted,
                Millis = _serviceMillis,
                MillisSquared = _serviceMillisSquared,
                TokenMillis = _tokenMillis,
            },
            System = _completions == 0 ? null : new SystemSums
            {
                Completions = _completions,
                Millis = _systemMillis,
                MillisSquared = _systemMillisSquared,
            },
            Accuracy = _completions == 0 ? null : [.. _verdicts.Select(it => new AccuracyCount
            {
                Tokens = it.Key,
                Trials = it.Value.Trials,
                Correct = it.Value.Correct,
            })],
        };
    }
}
