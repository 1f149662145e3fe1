namespace Platform.Domain.Estimation;

/// <summary>
/// The sums within the horizon as of an instant, each bucket with its weight by age. The likelihood of a bucket is raised to that
/// weight (the power prior of Ibrahim and Chen, Statistical Science 15(1), 2000), so that a weighted count acts as a count.
/// </summary>
internal sealed class WorkloadEvidence
{
    private readonly SortedDictionary<string, TaskEvidence> _tasks = new(StringComparer.Ordinal);
    private readonly int _horizon;
    private UInt128 _weightedExposure;

    public WorkloadEvidence(WorkloadSums sums, DateTimeOffset asOf)
    {
        _horizon = sums.HorizonSeconds;
        foreach (var (index, bucket) in sums.Buckets)
        {
            var end = (index + 1) * sums.BucketSeconds;
            var weight = AgeWeight(asOf.ToUnixTimeSeconds() - end, _horizon);
            if (weight > 0)
                Add(bucket, weight);
        }
    }

    /// <summary>Seconds covered, unweighted.</summary>
    public long ExposureSeconds { get; private set; }

    /// <summary>Seconds covered, weighted by age.</summary>
    public double WeightedExposureSeconds => (double)_weightedExposure / _horizon;

    /// <summary>Every task type that a window named, by id in ordinal order.</summary>
    public IReadOnlyDictionary<string, TaskEvidence> Tasks => _tasks;

    /// <summary>
    /// Weight of a bucket, in units of 1/horizon: the whole up to half the horizon, from there falling on a straight line to nothing
    /// at the horizon.
    /// </summary>
    /// <param name="age">Seconds since the bucket's end; negative while it is still filling.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    internal static int AgeWeight(long age, int horizon) => (int)Math.Clamp(2 * (horizon - age), 0, horizon);

    /// <summary>The evidence on a task type; empty when no window named it.</summary>
    public TaskEvidence For(string taskType) => _tasks.GetValueOrDefault(taskType) ?? new TaskEvidence(_horizon);

    private void Add(AgeBucket bucket, int weight)
    {
        var covered = bucket.Covered.Count;
        ExposureSeconds += covered;
        _weightedExposure += (UInt128)covered * (UInt128)weight;
        foreach (var (taskType, sums) in bucket.Tasks)
        {
            if (!_tasks.TryGetValue(taskType, out var evidence))
                _tasks.Add(taskType, evidence = new TaskEvidence(_horizon));
            evidence.Add(sums, weight);
        }
    }
}

/// <summary>Verdicts of one cell, weighted by age.</summary>
/// <param name="TokenTrials">Σ tokens · trials.</param>
/// <param name="Trials">Trials, above 0.</param>
/// <param name="Correct">Correct ones.</param>
internal readonly record struct WeightedCell(double TokenTrials, double Trials, double Correct);

/// <summary>The evidence on one task type within the horizon, as it came and weighted by age.</summary>
internal sealed class TaskEvidence(int horizon)
{
    private readonly UInt128[] _counted = new UInt128[TaskSums.Count];
    private readonly UInt128[] _weighted = new UInt128[TaskSums.Count];
    private readonly SortedList<int, WeightedCell> _cells = [];

    /// <summary>Queries with a verdict, unweighted.</summary>
    public UInt128 Trials { get; private set; }

    /// <summary>Verdicts by ascending tokens, weighted; cells without a trial are left out.</summary>
    public IList<WeightedCell> Cells => _cells.Values;

    /// <summary>A sum, unweighted.</summary>
    public UInt128 Counted(WorkloadSum sum) => _counted[(int)sum];

    /// <summary>A sum with weights in units of 1/horizon: exact, so that differences of sums lose nothing.</summary>
    public UInt128 WeightedExactly(WorkloadSum sum) => _weighted[(int)sum];

    /// <summary>A sum, weighted.</summary>
    public double Weighted(WorkloadSum sum) => (double)_weighted[(int)sum] / horizon;

    public void Add(TaskSums sums, int weight)
    {
        for (var sum = 0; sum < TaskSums.Count; sum++)
        {
            _counted[sum] = checked(_counted[sum] + sums[(WorkloadSum)sum]);
            _weighted[sum] = checked(_weighted[sum] + sums[(WorkloadSum)sum] * (UInt128)weight);
        }

        foreach (var (cell, counts) in sums.Cells)
        {
            Trials = checked(Trials + counts.Trials);
            if (counts.Trials > 0)
                AddCell(cell, counts, (double)weight / horizon);
        }
    }

    // Token trials reach 2^106: with weights they would not fit in 128 bits, and a likelihood needs no exact sums.
    private void AddCell(int cell, AccuracyCell counts, double weight)
    {
        var old = _cells.GetValueOrDefault(cell);
        _cells[cell] = new WeightedCell(
            old.TokenTrials + (weight * (double)counts.TokenTrials),
            old.Trials + (weight * (double)counts.Trials),
            old.Correct + (weight * (double)counts.Correct));
    }
}
