namespace Platform.Domain.Estimation;

/// <summary>Everything that was seen in one stretch of time of fixed length.</summary>
internal sealed class AgeBucket
{
    /// <summary>
    /// Most task types in a bucket: as many again as a fleet may have. Publishers that make up names cannot grow the
    /// state without end.
    /// </summary>
    public const int MaxTaskTypes = 2_000;

    private readonly List<TaskSums> _tasks = [];

    /// <param name="index">Unix time of its start in seconds, over the width.</param>
    /// <param name="width">Length in seconds.</param>
    public AgeBucket(long index, int width)
        : this(index, new CoveredSeconds(width)) { }

    private AgeBucket(long index, CoveredSeconds covered) => (Index, Covered) = (index, covered);

    public long Index { get; }

    public CoveredSeconds Covered { get; }

    /// <summary>Windows that ended in this bucket, each counted once.</summary>
    public UInt128 Windows { get; private set; }

    /// <summary>Σ length of those windows, in ticks of 100 ns.</summary>
    public UInt128 WindowTicks { get; private set; }

    /// <summary>Sums by task type id, in ordinal order.</summary>
    public IReadOnlyList<TaskSums> Tasks => _tasks;

    public void AddWindows(UInt128 windows, UInt128 ticks) =>
        (Windows, WindowTicks) = checked((Windows + windows, WindowTicks + ticks));

    /// <summary>Adds what another bucket of the same time and width holds.</summary>
    public void Add(AgeBucket other)
    {
        Covered.Mark(other.Covered);
        AddWindows(other.Windows, other.WindowTicks);
        foreach (var task in other._tasks)
            For(task.TaskType)?.Add(task);
    }

    /// <summary>Forgets in which part of the bucket the queries arrived.</summary>
    public void DropParts()
    {
        foreach (var task in _tasks)
            task.DropParts();
    }

    /// <summary>
    /// The same with other names: sums that come under one name add up. The time covered is shared with this bucket.
    /// </summary>
    /// <param name="names">New name by old name; a task type that is not in it keeps its name.</param>
    public AgeBucket Renamed(IReadOnlyDictionary<string, string> names)
    {
        var renamed = new AgeBucket(Index, Covered);
        renamed.AddWindows(Windows, WindowTicks);
        foreach (var task in _tasks)
            renamed.For(names.GetValueOrDefault(task.TaskType, task.TaskType))?.Add(task);
        return renamed;
    }

    /// <summary>
    /// The sums of a task type, made if need be; null when there is no room. Of too many names those that sort first
    /// are kept: the names only ever grow in number, so one that has lost its place can never win it back, and what is
    /// kept is whole in every order.
    /// </summary>
    public TaskSums? For(string taskType)
    {
        var (low, high) = (0, _tasks.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(_tasks[middle].TaskType, taskType);
            if (order == 0)
                return _tasks[middle];
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle);
        }

        if (low == MaxTaskTypes)
            return null;
        if (_tasks.Count == MaxTaskTypes)
            _tasks.RemoveAt(MaxTaskTypes - 1);
        var sums = new TaskSums(taskType);
        _tasks.Insert(low, sums);
        return sums;
    }

    /// <summary>
    /// Adds sums whose id sorts after all that are there; false when it does not, or when there is no room.
    /// </summary>
    public bool Append(TaskSums sums)
    {
        if (
            _tasks.Count == MaxTaskTypes
            || (_tasks.Count > 0 && string.CompareOrdinal(_tasks[^1].TaskType, sums.TaskType) >= 0)
        )
            return false;
        _tasks.Add(sums);
        return true;
    }
}
