namespace Platform.Domain.Estimation;

/// <summary>Everything that was seen in one stretch of time of fixed length.</summary>
internal sealed class AgeBucket
{
    /// <summary>
    /// Most task types in a bucket: as many again as a fleet may have. Publishers that make up names cannot grow the state without end.
    /// </summary>
    public const int MaxTaskTypes = 2_000;

    private readonly SortedList<string, TaskSums> _tasks = new(StringComparer.Ordinal);

    /// <param name="width">Length in seconds.</param>
    public AgeBucket(int width) => Covered = new CoveredSeconds(width);

    public CoveredSeconds Covered { get; }

    /// <summary>Sums by task type id, in ordinal order.</summary>
    public IReadOnlyDictionary<string, TaskSums> Tasks => _tasks;

    /// <summary>
    /// The sums of a task type, made if need be; null when there is no room. Of too many names those that sort first are kept: the
    /// names only ever grow in number, so one that has lost its place can never win it back, and what is kept is whole in every order.
    /// </summary>
    public TaskSums? For(string taskType)
    {
        if (_tasks.TryGetValue(taskType, out var sums))
            return sums;
        if (_tasks.Count == MaxTaskTypes)
        {
            if (string.CompareOrdinal(taskType, _tasks.GetKeyAtIndex(MaxTaskTypes - 1)) > 0)
                return null;
            _tasks.RemoveAt(MaxTaskTypes - 1);
        }

        sums = new TaskSums();
        _tasks.Add(taskType, sums);
        return sums;
    }
}
