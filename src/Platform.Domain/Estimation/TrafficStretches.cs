namespace Platform.Domain.Estimation;

/// <summary>
/// Arrivals and covered time over stretches of time, oldest first, the finer the younger: a stretch is at least as long
/// as a window is in the mean, and at least an eighth of its age. So some sixty tell a day as well as all of it.
/// </summary>
internal sealed class TrafficStretches
{
    /// <summary>A stretch may be this part of its age.</summary>
    private const int AgeParts = 6;

    private readonly List<Stretch> _stretches = [];

    /// <summary>The stretches as of an instant.</summary>
    /// <param name="sums">The fleet's sums.</param>
    /// <param name="asOf">The instant.</param>
    /// <param name="meanWindowSeconds">Mean length of the windows; null without any.</param>
    public TrafficStretches(WorkloadSums sums, DateTimeOffset asOf, double? meanWindowSeconds)
    {
        var least = Math.Max(meanWindowSeconds ?? 0, 1);
        var newest = 0L;
        Stretch? open = null;
        foreach (var cell in Cells(sums, asOf.ToUnixTimeSeconds()))
        {
            if (open is null)
                newest = cell.End;
            if (open is { } full && (IsFull(full, newest, least) || IsApart(cell, full, newest, least)))
            {
                _stretches.Add(full);
                open = null;
            }

            open = open is { } part ? part.WithBefore(cell) : cell;
        }

        if (open is { } last)
            _stretches.Add(last);
        _stretches.Reverse();
    }

    private TrafficStretches(List<Stretch> stretches) => _stretches = stretches;

    /// <summary>Their number.</summary>
    public int Count => _stretches.Count;

    /// <summary>One of them, from 0, the oldest.</summary>
    public Stretch this[int i] => _stretches[i];

    /// <summary>Those that ended by an instant.</summary>
    /// <param name="second">Unix time in seconds.</param>
    public TrafficStretches EndedBy(double second) => new(_stretches.FindAll(it => it.End <= second));

    private static double LengthAt(long begin, long newest, double least) =>
        Math.Max(least, (double)(newest - begin) / AgeParts);

    private static bool IsFull(in Stretch stretch, long newest, double least) =>
        stretch.End - stretch.Start >= LengthAt(stretch.Start, newest, least);

    /// <summary>Time without windows that would hide in one stretch with what lies on both sides of it.</summary>
    private static bool IsApart(in Stretch before, in Stretch stretch, long newest, double least) =>
        stretch.Start - before.End > LengthAt(stretch.Start, newest, least);

    /// <summary>
    /// Parts of young buckets and whole older ones, newest first; those without a covered second are left out.
    /// </summary>
    private static IEnumerable<Stretch> Cells(WorkloadSums sums, long now)
    {
        var firstWithParts = sums.FirstWithPartsAt(now);
        for (var i = sums.Buckets.Count - 1; i >= 0; i--)
        {
            var bucket = sums.Buckets[i];
            if (WorkloadEvidence.AgeWeight(now - ((bucket.Index + 1) * sums.BucketSeconds), sums.HorizonSeconds) == 0)
                yield break;
            var first = bucket.Index >= firstWithParts ? TrafficParts.CountFor(sums.BucketSeconds) - 1 : -1;
            if (first < 0 && bucket.Covered.Count > 0)
                yield return Whole(bucket, sums.BucketSeconds);
            for (var part = first; part >= 0; part--)
            {
                if (Part(bucket, part, sums.BucketSeconds) is { Covered: > 0 } cell)
                    yield return cell;
            }
        }
    }

    private static Stretch Whole(AgeBucket bucket, int width)
    {
        UInt128 arrivals = 0;
        foreach (var task in bucket.Tasks)
            arrivals = checked(arrivals + task[WorkloadSum.Arrivals]);
        var start = bucket.Index * width;
        return new Stretch(start, start + width, bucket.Covered.Count, TaskSums.Nearest(arrivals));
    }

    private static Stretch Part(AgeBucket bucket, int part, int width)
    {
        UInt128 arrivals = 0;
        foreach (var task in bucket.Tasks)
        {
            if (!task.ArrivalsByPart.IsEmpty)
                arrivals = checked(arrivals + task.ArrivalsByPart[part]);
        }

        var (from, to) = (TrafficParts.StartOf(part, width), TrafficParts.StartOf(part + 1, width));
        var start = bucket.Index * width;
        return new Stretch(start + from, start + to, bucket.Covered.CountIn(from, to), TaskSums.Nearest(arrivals));
    }
}

/// <summary>Arrivals in a stretch of time.</summary>
/// <param name="Start">Its begin, Unix time in seconds.</param>
/// <param name="End">Its end.</param>
/// <param name="Covered">Seconds of it that some window covers, above 0.</param>
/// <param name="Arrivals">Queries that arrived.</param>
internal readonly record struct Stretch(long Start, long End, double Covered, double Arrivals)
{
    /// <summary>Together with one before it.</summary>
    public Stretch WithBefore(in Stretch before) =>
        this with
        {
            Start = before.Start,
            Covered = Covered + before.Covered,
            Arrivals = Arrivals + before.Arrivals,
        };
}
