using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Estimation;

/// <summary>
/// What a fleet's workload windows add up to, exactly: 128-bit whole-number sums for each age bucket and task type, and
/// the seconds that were covered. <see cref="Fold"/>, <see cref="Add(WorkloadSums)"/> and <see cref="Prune"/> commute:
/// any order and any batching of the same calls gives the same <see cref="ToBytes"/>. Not safe for use from several
/// threads at once.
/// </summary>
/// <remarks>
/// Buckets have a fixed width, a 64th of the horizon in whole seconds but at least 5, and begin at multiples of it
/// since 1970-01-01T00:00:00Z. Of a window that spans several, the arrivals are dealt out in proportion to time, by
/// cumulative floors (bucket i of x arrivals over T gets ⌊x·cᵢ/T⌋ − ⌊x·cᵢ₋₁/T⌋ with cᵢ the window's time up to the end
/// of bucket i), coverage lies where it lies, and what happened to queries that ended goes to the bucket in which the
/// window ends. The window's first and last second are covered whole. Young buckets count arrivals by
/// <see cref="TrafficParts"/> too, dealt out alike, and <see cref="QuarterHours"/> those of days.
/// </remarks>
public sealed class WorkloadSums
{
    private const int BucketsPerHorizon = 64;

    // Windows may end 5 minutes ahead: with narrower buckets a short horizon would keep hundreds of them for that time
    // alone.
    private const int LeastBucketSeconds = 5;

    private readonly List<AgeBucket> _buckets;
    private long _firstKept;
    private long _firstWithParts;

    /// <summary>No windows yet, and no days kept.</summary>
    /// <param name="horizonSeconds">Age in seconds beyond which evidence no longer counts, 60 to 604,800 (7
    /// days).</param>
    public WorkloadSums(int horizonSeconds)
        : this(new WorkloadReach(horizonSeconds, 0)) { }

    /// <summary>No windows yet.</summary>
    /// <param name="reach">How far back windows count.</param>
    public WorkloadSums(WorkloadReach reach)
        : this(reach, null, (long.MinValue, long.MinValue), [], new QuarterHours(long.MinValue, [])) { }

    internal WorkloadSums(
        WorkloadReach reach,
        DateTimeOffset? lastWindowEnd,
        (long Kept, long WithParts) first,
        List<AgeBucket> buckets,
        QuarterHours quarters
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(reach.HorizonSeconds, 60);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reach.HorizonSeconds, 604_800);
        ArgumentOutOfRangeException.ThrowIfNegative(reach.Days);
        Reach = reach;
        Quarters = quarters;
        LastWindowEnd = lastWindowEnd;
        _firstKept = first.Kept;
        _firstWithParts = first.WithParts;
        _buckets = buckets;
    }

    /// <summary>How far back windows count. Sums of another reach are other sums: fold anew.</summary>
    public WorkloadReach Reach { get; }

    /// <summary>Age in seconds beyond which evidence no longer counts.</summary>
    public int HorizonSeconds => Reach.HorizonSeconds;

    /// <summary>Width of a bucket in seconds.</summary>
    public int BucketSeconds => WidthFor(HorizonSeconds);

    /// <summary>The latest end of any window folded in, also of one too old to count; null before the first.</summary>
    public DateTimeOffset? LastWindowEnd { get; private set; }

    /// <summary>The first bucket that is kept; what falls before it is dropped, whenever it comes.</summary>
    internal long FirstKept => _firstKept;

    /// <summary>The first bucket that counts arrivals by its parts too.</summary>
    internal long FirstWithParts => _firstWithParts;

    /// <summary>Arrivals by quarters of an hour, of <see cref="WorkloadReach.Days"/>; none where that is 0.</summary>
    internal QuarterHours Quarters { get; }

    /// <summary>Buckets by ascending index (Unix time in seconds over <see cref="BucketSeconds"/>, floored).</summary>
    internal IReadOnlyList<AgeBucket> Buckets => _buckets;

    /// <summary>Windows in the buckets that are kept, each counted once.</summary>
    internal UInt128 Windows
    {
        get
        {
            var windows = UInt128.Zero;
            foreach (var bucket in _buckets)
                windows = checked(windows + bucket.Windows);
            return windows;
        }
    }

    /// <summary>Width in seconds of the buckets for a horizon.</summary>
    internal static int WidthFor(int horizonSeconds) =>
        Math.Max((horizonSeconds + BucketsPerHorizon - 1) / BucketsPerHorizon, LeastBucketSeconds);

    /// <summary>
    /// Adds a window that has passed <see cref="WorkloadWindowReader"/>, and drops what no as-of instant can ask for
    /// any more now that this window has been seen: a window ends at most <see cref="WorkloadWindowReader.MaxLead"/>
    /// after it is read.
    /// </summary>
    public void Fold(WorkloadWindow window)
    {
        if (window.WindowEnd <= window.WindowStart)
            throw new ArgumentException("A window ends after it starts.", nameof(window));
        KeepFrom(window.WindowEnd.ToUnixTimeSeconds() - (long)WorkloadWindowReader.MaxLead.TotalSeconds);
        if (LastWindowEnd is not { } last || window.WindowEnd > last)
            LastWindowEnd = window.WindowEnd;

        var span = new WindowSpan(window.WindowStart, window.WindowEnd, BucketSeconds);
        for (var index = Math.Max(span.FirstBucket, _firstKept); index <= span.LastBucket; index++)
            FoldInto(index, span, window.Tasks);
        if (Reach.Days > 0)
            Quarters.Fold(window.WindowStart, window.WindowEnd, ArrivalsOf(window));
    }

    /// <summary>Adds the sums of other windows: the same as to fold those here.</summary>
    /// <param name="other">Sums of the same reach; they stay as they are.</param>
    /// <exception cref="ArgumentException">Another reach has other buckets.</exception>
    public void Add(WorkloadSums other)
    {
        if (other.Reach != Reach)
            throw new ArgumentException($"Sums of {other.Reach} cannot be added to sums of {Reach}.", nameof(other));
        Quarters.Add(other.Quarters);
        KeepFromBucket(other._firstKept, other._firstWithParts);
        if (LastWindowEnd is not { } last || other.LastWindowEnd > last)
            LastWindowEnd = other.LastWindowEnd;
        foreach (var bucket in other._buckets)
        {
            if (bucket.Index >= _firstKept)
                BucketAt(bucket.Index).Add(bucket);
            if (bucket.Index >= _firstKept && bucket.Index < _firstWithParts)
                BucketAt(bucket.Index).DropParts();
        }
    }

    /// <summary>
    /// Drops what no longer counts at an instant, now and when it comes late. Estimates as of that
    /// instant or any later one stay the same; earlier ones can no longer be had from these sums.
    /// </summary>
    public void Prune(DateTimeOffset asOf) => KeepFrom(asOf.ToUnixTimeSeconds());

    /// <summary>
    /// The sums as they would be had every window named the task types by their ids, for reading alone; these sums
    /// themselves for a definition without aliases.
    /// </summary>
    /// <param name="types">The task types of a definition.</param>
    public WorkloadSums Renamed(IReadOnlyList<TaskType> types)
    {
        var ids = TaskTypeAliases.IdsByAlias(types);
        if (ids.Count == 0)
            return this;
        List<AgeBucket> renamed = [.. _buckets.Select(bucket => bucket.Renamed(ids))];
        return new WorkloadSums(Reach, LastWindowEnd, (_firstKept, _firstWithParts), renamed, Quarters);
    }

    /// <summary>The sums in a compact form that depends on nothing but the sums: equal sums give equal bytes.</summary>
    public byte[] ToBytes() => WorkloadSumsForm.Write(this);

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are not of this form or version: fold anew from the
    /// events.</exception>
    public static WorkloadSums FromBytes(ReadOnlySpan<byte> bytes) => WorkloadSumsForm.Read(bytes);

    /// <summary>The first bucket that has parts as of an instant.</summary>
    internal long FirstWithPartsAt(long asOfSecond) =>
        WindowSpan.FloorDivide(asOfSecond - TrafficParts.KeptSeconds, BucketSeconds);

    private static UInt128 ArrivalsOf(WorkloadWindow window)
    {
        UInt128 arrivals = 0;
        foreach (var task in window.Tasks)
            arrivals = checked(arrivals + (UInt128)task.Arrivals);
        return arrivals;
    }

    private void KeepFrom(long asOfSecond)
    {
        KeepFromBucket(
            WindowSpan.FloorDivide(asOfSecond - HorizonSeconds, BucketSeconds),
            FirstWithPartsAt(asOfSecond)
        );
        if (Reach.Days > 0)
            Quarters.KeepFrom(asOfSecond, Reach.Days);
    }

    private void KeepFromBucket(long first, long firstWithParts)
    {
        _firstKept = Math.Max(_firstKept, first);
        var old = 0;
        while (old < _buckets.Count && _buckets[old].Index < _firstKept)
            old++;
        _buckets.RemoveRange(0, old);
        if (firstWithParts <= _firstWithParts)
            return;
        for (var i = _buckets.Count - 1; i >= 0 && _buckets[i].Index >= _firstWithParts; i--)
        {
            if (_buckets[i].Index < firstWithParts)
                _buckets[i].DropParts();
        }

        _firstWithParts = firstWithParts;
    }

    private void FoldInto(long index, WindowSpan span, IReadOnlyList<TaskWindow> tasks)
    {
        var bucket = BucketAt(index);
        var (from, to) = span.SecondsIn(index);
        bucket.Covered.Mark(from, to);
        if (index == span.LastBucket)
            bucket.AddWindows(1, span.Ticks);
        foreach (var task in tasks)
        {
            var arrivals = span.PartIn(index, checked((UInt128)task.Arrivals));
            if (arrivals > 0 && bucket.For(task.TaskType) is { } sums)
                AddArrivals(sums, index, span, (UInt128)task.Arrivals, arrivals);
            if (index == span.LastBucket)
                bucket.For(task.TaskType)?.AddEnded(task);
        }
    }

    private void AddArrivals(TaskSums sums, long index, WindowSpan span, UInt128 inWindow, UInt128 inBucket)
    {
        sums.Add(WorkloadSum.Arrivals, inBucket);
        if (index < _firstWithParts)
            return;
        var parts = TrafficParts.CountFor(BucketSeconds);
        var (from, to) = span.SecondsIn(index);
        for (var part = 0; part < parts; part++)
        {
            var start = TrafficParts.StartOf(part, BucketSeconds);
            var end = TrafficParts.StartOf(part + 1, BucketSeconds);
            if (end > from && start < to)
                sums.AddArrivals(
                    part,
                    parts,
                    span.PartIn((index * BucketSeconds) + start, (index * BucketSeconds) + end, inWindow)
                );
        }
    }

    private AgeBucket BucketAt(long index)
    {
        // Windows come nearly in order: the search begins at the newest.
        var at = _buckets.Count;
        while (at > 0 && _buckets[at - 1].Index > index)
            at--;
        if (at > 0 && _buckets[at - 1].Index == index)
            return _buckets[at - 1];
        var bucket = new AgeBucket(index, BucketSeconds);
        _buckets.Insert(at, bucket);
        return bucket;
    }
}
