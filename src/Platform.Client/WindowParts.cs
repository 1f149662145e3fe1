using Platform.Domain.Contracts;

namespace Platform.Client;

/// <summary>What was seen in one stretch of time: as many windows as its sums need, one as a rule.</summary>
internal sealed class WindowParts
{
    private readonly List<SortedDictionary<string, TaskSums>> _full = [];
    private SortedDictionary<string, TaskSums> _open = new(StringComparer.Ordinal);

    /// <summary>The open sums of a task type.</summary>
    public TaskSums Of(string taskType)
    {
        if (!_open.TryGetValue(taskType, out var sums))
            _open[taskType] = sums = new TaskSums();
        return sums;
    }

    /// <summary>Counts a query that ended; where the open sums have no room for it, further ones begin.</summary>
    public void Complete(
        string taskType,
        long tokensUsed,
        long? tokensGranted,
        long serviceMillis,
        long? systemMillis,
        long? answerTokens,
        ConcurrencySums? concurrency
    )
    {
        var sums = Of(taskType);
        if (sums.TryAddCompletion(tokensUsed, tokensGranted, serviceMillis, systemMillis, answerTokens, concurrency))
            return;
        _full.Add(_open);
        _open = new SortedDictionary<string, TaskSums>(StringComparer.Ordinal);
        sums = Of(taskType);
        sums.AddCompletion(tokensUsed, tokensGranted, serviceMillis, systemMillis, answerTokens, concurrency);
    }

    /// <summary>The task types of each window.</summary>
    public IEnumerable<IReadOnlyList<TaskWindow>> ToTasks()
    {
        foreach (var sums in _full.Append(_open))
            yield return [.. sums.Select(it => it.Value.ToWindow(it.Key))];
    }
}
