using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The sums within the horizon as of an instant: for each bucket, oldest first, its weight by age, the seconds covered,
/// and the sums of each task type. The likelihood of a bucket is raised to its weight (the power prior of Ibrahim and
/// Chen, Statistical Science 15(1),
/// 2000), so that a weighted count acts as a count on the estimate. Its uncertainty is another matter: see
/// docs/estimation.md.
/// </summary>
internal sealed class WorkloadEvidence
{
    /// <summary>
    /// Mean windows that the stretches whose counts are compared must hold: the arrivals of a window that lies across
    /// an edge are dealt out evenly, which hides a part of their scatter, here a seventh or less.
    /// </summary>
    internal const int WindowsInStretch = 4;

    private readonly TaskSums?[] _known;
    private readonly long[] _index;
    private readonly long _firstWithParts;
    private readonly SortedDictionary<string, UnknownTaskType> _unknown = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _indices;

    public WorkloadEvidence(IReadOnlyList<TaskType> types, WorkloadSums sums, DateTimeOffset asOf)
    {
        sums = sums.Renamed(types);
        (Sums, _firstWithParts) = (sums, sums.FirstWithPartsAt(asOf.ToUnixTimeSeconds()));
        Types = types.Count;
        _indices = new Dictionary<string, int>(types.Count, StringComparer.Ordinal);
        for (var k = 0; k < types.Count; k++)
            _indices[types[k].Id] = k;
        var most = sums.Buckets.Count;
        _known = new TaskSums?[most * types.Count];
        _index = new long[most];
        (Weight, Covered, Arrivals, KnownArrivals) = (
            new double[most],
            new double[most],
            new double[most],
            new double[most]
        );
        Ended = new EndedSums[most];
        WindowSeconds = new double[most];
        UInt128 windows = 0,
            ticks = 0;
        foreach (var bucket in sums.Buckets)
        {
            var end = (bucket.Index + 1) * sums.BucketSeconds;
            var weight = AgeWeight(asOf.ToUnixTimeSeconds() - end, sums.HorizonSeconds);
            if (weight == 0)
                continue;
            Weight[Count] = (double)weight / sums.HorizonSeconds;
            _index[Count] = bucket.Index;
            Add(bucket);
            (windows, ticks) = checked((windows + bucket.Windows, ticks + bucket.WindowTicks));
        }

        if (windows > 0)
            MeanWindowSeconds = (double)ticks / (double)windows / TimeSpan.TicksPerSecond;
        WindowsAtATime = ExposureSeconds > 0 ? (double)ticks / TimeSpan.TicksPerSecond / ExposureSeconds : 0;
        Stretch = (int)Math.Max(Math.Ceiling(WindowsInStretch * (MeanWindowSeconds ?? 0) / sums.BucketSeconds), 1);
        StretchSeconds = Stretch * sums.BucketSeconds;
    }

    /// <summary>The sums, with the task types by their ids.</summary>
    public WorkloadSums Sums { get; }

    /// <summary>Number of buckets that count.</summary>
    public int Count { get; private set; }

    /// <summary>Number of buckets in a stretch.</summary>
    private int Stretch { get; }

    /// <summary>Number of task types of the definition.</summary>
    public int Types { get; }

    /// <summary>Weight by age of each bucket, above 0, at most 1.</summary>
    public double[] Weight { get; }

    /// <summary>Seconds covered of each bucket.</summary>
    public double[] Covered { get; }

    /// <summary>Arrivals in each bucket, of all task types.</summary>
    public double[] Arrivals { get; }

    /// <summary>Arrivals in each bucket of the definition's task types.</summary>
    public double[] KnownArrivals { get; }

    /// <summary>What the queries that ended in each bucket took, of all task types, unweighted.</summary>
    public EndedSums[] Ended { get; }

    /// <summary>Lengths of the windows that ended in each bucket, added up, in seconds.</summary>
    public double[] WindowSeconds { get; }

    /// <summary>Seconds covered, unweighted.</summary>
    public long ExposureSeconds { get; private set; }

    /// <summary>Mean length of the windows that ended in these buckets; null without any.</summary>
    public double? MeanWindowSeconds { get; }

    /// <summary>Windows that cover a second in the mean: publishers that report side by side.</summary>
    public double WindowsAtATime { get; }

    /// <summary>
    /// Length of the stretches of time whose counts are compared: one bucket, or as many as long windows ask for.
    /// </summary>
    public int StretchSeconds { get; }

    /// <summary>What windows named and the definition does not know, in ordinal order.</summary>
    public IEnumerable<UnknownTaskType> Unknown => _unknown.Values;

    /// <summary>Totals over all task types, unweighted: arrivals, completions, verdicts.</summary>
    public (UInt128 Arrivals, UInt128 Completions, UInt128 Trials) Totals { get; private set; }

    /// <summary>Weighted sums over all task types.</summary>
    public (double SystemMillis, double SystemCompletions, double Used, double Granted) Ratios { get; private set; }

    /// <summary>The sums of a task type by bucket; null where it was silent.</summary>
    public ReadOnlySpan<TaskSums?> Of(int type) => _known.AsSpan(type * (Weight.Length), Count);

    /// <summary>Goes through the arrivals of the definition's task types, as finely as they are counted.</summary>
    /// <param name="take">Receives the type, the begin of a stretch of time (Unix time in seconds), and its
    /// arrivals.</param>
    public void VisitKnownArrivals(Action<int, long, double> take)
    {
        var width = Sums.BucketSeconds;
        for (var k = 0; k < Types; k++)
        {
            var tasks = Of(k);
            for (var i = 0; i < Count; i++)
            {
                if (tasks[i] is { } task)
                    Visit(task, k, _index[i], width, take);
            }
        }
    }

    private void Visit(TaskSums task, int type, long index, int width, Action<int, long, double> take)
    {
        if (index < _firstWithParts)
        {
            take(type, index * width, task.Of(WorkloadSum.Arrivals));
            return;
        }

        for (var part = 0; part < task.ArrivalsByPart.Length; part++)
        {
            var start = (index * width) + TrafficParts.StartOf(part, width);
            take(type, start, TaskSums.Nearest(task.ArrivalsByPart[part]));
        }
    }

    /// <summary>
    /// The sums of a figure over stretches of <see cref="StretchSeconds"/>, which begin at multiples of it since 1970.
    /// </summary>
    /// <param name="buckets">The figure by bucket.</param>
    public ReadOnlySpan<double> InStretches(ReadOnlySpan<double> buckets)
    {
        if (Stretch == 1)
            return buckets[..Count];
        var (sums, count) = (new double[Count], 0);
        for (var i = 0; i < Count; i++)
        {
            var isNext =
                i > 0 && WindowSpan.FloorDivide(_index[i], Stretch) != WindowSpan.FloorDivide(_index[i - 1], Stretch);
            count += isNext ? 1 : 0;
            sums[count] += buckets[i];
        }

        return sums.AsSpan(0, Count > 0 ? count + 1 : 0);
    }

    /// <summary>The number of each bucket's stretch of <see cref="StretchSeconds"/>, from 0 on, oldest first.</summary>
    public int[] StretchNumbers()
    {
        var numbers = new int[Count];
        for (var i = 1; i < Count; i++)
        {
            var isNext = WindowSpan.FloorDivide(_index[i], Stretch) != WindowSpan.FloorDivide(_index[i - 1], Stretch);
            numbers[i] = numbers[i - 1] + (isNext ? 1 : 0);
        }

        return numbers;
    }

    /// <summary>
    /// Weight of a bucket, in units of 1/horizon: the whole up to half the horizon, from there falling on a straight
    /// line to nothing at the horizon.
    /// </summary>
    /// <param name="age">Seconds since the bucket's end; negative while it is still filling.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    internal static int AgeWeight(long age, int horizon) => (int)Math.Clamp(2 * (horizon - age), 0, horizon);

    /// <summary>
    /// A count for people and for JSON: beyond 2^53 − 1, which no honest fleet reaches, it says 2^53 − 1.
    /// </summary>
    internal static long Shown(UInt128 total) =>
        (long)UInt128.Min(total, (UInt128)Contracts.WorkloadWindowReader.MaxSum);

    private void Add(AgeBucket bucket)
    {
        var covered = bucket.Covered.Count;
        ExposureSeconds += covered;
        Covered[Count] = covered;
        WindowSeconds[Count] = TaskSums.Nearest(bucket.WindowTicks) / TimeSpan.TicksPerSecond;
        UInt128 arrivals = 0,
            known = 0;
        for (var i = 0; i < bucket.Tasks.Count; i++)
        {
            var task = bucket.Tasks[i];
            arrivals = checked(arrivals + task[WorkloadSum.Arrivals]);
            AddTotals(task);
            if (_indices.TryGetValue(task.TaskType, out var k))
            {
                _known[(k * Weight.Length) + Count] = task;
                known = checked(known + task[WorkloadSum.Arrivals]);
            }
            else
            {
                AddUnknown(task);
            }
        }

        Arrivals[Count] = TaskSums.Nearest(arrivals);
        KnownArrivals[Count] = TaskSums.Nearest(known);
        Count++;
    }

    private void AddTotals(TaskSums task)
    {
        var (arrivals, completions, trials) = Totals;
        foreach (var cell in task.Cells)
            trials = checked(trials + cell.Trials);
        Totals = checked((arrivals + task[WorkloadSum.Arrivals], completions + task[WorkloadSum.Completions], trials));
        Ended[Count] = Ended[Count].Plus(task);
        var weight = Weight[Count];
        var (millis, ended, used, granted) = Ratios;
        Ratios = (
            millis + (weight * task.Of(WorkloadSum.SystemMillis)),
            ended + (weight * task.Of(WorkloadSum.SystemCompletions)),
            used + (weight * task.Of(WorkloadSum.TokensUsedOfGranted)),
            granted + (weight * task.Of(WorkloadSum.TokensGranted))
        );
    }

    // Shown counts never exceed 2^53 − 1, so that they add up in 64 bits.
    private void AddUnknown(TaskSums task)
    {
        var old = _unknown.GetValueOrDefault(task.TaskType);
        _unknown[task.TaskType] = new UnknownTaskType(
            task.TaskType,
            Shown((UInt128)(old?.Arrivals ?? 0) + (UInt128)Shown(task[WorkloadSum.Arrivals])),
            Shown((UInt128)(old?.Completions ?? 0) + (UInt128)Shown(task[WorkloadSum.Completions]))
        );
    }
}

/// <summary>
/// Sums over queries that ended: time on the server, and the time from arrival to end of those of which it was told.
/// </summary>
/// <param name="Completions">Queries with a time on the server.</param>
/// <param name="Millis">Their time on the server.</param>
/// <param name="MillisSquared">Its squares.</param>
/// <param name="SystemCompletions">Queries with a system time.</param>
/// <param name="SystemMillis">Their system times.</param>
internal readonly record struct EndedSums(
    double Completions,
    double Millis,
    double MillisSquared,
    double SystemCompletions,
    double SystemMillis
)
{
    /// <summary>Together with those of a task type.</summary>
    public EndedSums Plus(TaskSums task) =>
        new(
            Completions + task.Of(WorkloadSum.Completions),
            Millis + task.Of(WorkloadSum.Millis),
            MillisSquared + task.Of(WorkloadSum.MillisSquared),
            SystemCompletions + task.Of(WorkloadSum.SystemCompletions),
            SystemMillis + task.Of(WorkloadSum.SystemMillis)
        );

    /// <summary>Together with others that count with a weight.</summary>
    public EndedSums Plus(double weight, in EndedSums other) =>
        new(
            Completions + (weight * other.Completions),
            Millis + (weight * other.Millis),
            MillisSquared + (weight * other.MillisSquared),
            SystemCompletions + (weight * other.SystemCompletions),
            SystemMillis + (weight * other.SystemMillis)
        );
}
