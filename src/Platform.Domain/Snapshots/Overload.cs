using System.Globalization;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Domain.Snapshots;

/// <summary>A stretch of time in which most of the arrivals fell.</summary>
/// <param name="From">Its begin.</param>
/// <param name="To">Its end.</param>
/// <param name="Arrivals">Arrivals in it.</param>
/// <param name="AllArrivals">Arrivals within the horizon.</param>
public sealed record BusyStretch(DateTimeOffset From, DateTimeOffset To, double Arrivals, double AllArrivals);

/// <summary>The window with the most arrivals of a stretch of time.</summary>
/// <param name="MessageId">The message that brought it.</param>
/// <param name="From">Its begin.</param>
/// <param name="To">Its end.</param>
/// <param name="Arrivals">Its arrivals.</param>
public sealed record HeaviestWindow(Guid MessageId, DateTimeOffset From, DateTimeOffset To, double Arrivals);

/// <summary>
/// More arrivals than a fleet can carry, and where they come from. A counter that was sent as a delta makes a fleet
/// unsolvable, and people must find the window that did it.
/// </summary>
/// <param name="ArrivalRate">λ of the estimate, per second.</param>
/// <param name="MaxArrivalRate">The largest λ that the fewest tokens allowed carry.</param>
/// <param name="Stretch">Where most of the arrivals fell; null where they are spread.</param>
public sealed record Overload(double ArrivalRate, double MaxArrivalRate, BusyStretch? Stretch)
{
    /// <summary>
    /// A bucket next to the stretch belongs to it when it has this part of the busiest bucket's arrivals: a window may
    /// lie across an edge.
    /// </summary>
    private const double NeighbourPart = 0.25;

    /// <summary>A stretch may be this part of the time that was seen: beyond it nothing stands out.</summary>
    private const double LongestPart = 0.25;

    /// <summary>So few windows are looked through however long the stretch is.</summary>
    private const int FewWindows = 1_000;

    /// <summary>What overloads a fleet; null where the fewest tokens allowed carry the arrivals.</summary>
    public static Overload? Find(SnapshotInputs inputs, DerivedAllocation derived) =>
        derived.Shortfall is { Reason: InfeasibilityReason.Unstable, ArrivalRate: var rate, MaxArrivalRate: var most }
            ? new Overload(rate, most ?? 0, FindStretch(inputs.Sums))
            : null;

    /// <summary>What a person should know and do about it.</summary>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="window">The window with the most arrivals in the stretch, or null.</param>
    public string Describe(string fleet, HeaviestWindow? window)
    {
        var rates = $"the windows say {Rate(ArrivalRate)} per second";
        if (Stretch is not { } stretch)
            return rates;
        var ask = $"POST /v1/fleets/{fleet}/voids";
        return window is not null && window.Arrivals > stretch.AllArrivals / 2
            ? $"{rates}. {Describe(window, stretch.AllArrivals, ask)}"
            : $"{rates}. {Describe(stretch, ask)}";
    }

    private static string Describe(HeaviestWindow window, double all, string ask) =>
        $"One window holds {Percent(window.Arrivals / all)} of the arrivals: {Count(window.Arrivals)} "
        + $"from {Time(window.From)} to {Time(window.To)}. "
        + "If it is wrong, for example a counter sent as a delta, void it: "
        + $"{ask} with {{\"messageId\": \"{window.MessageId}\", \"reason\": \"...\"}}";

    private static string Describe(BusyStretch stretch, string ask) =>
        $"{Percent(stretch.Arrivals / stretch.AllArrivals)} of the arrivals, {Count(stretch.Arrivals)}, "
        + $"fell between {Time(stretch.From)} and {Time(stretch.To)}. "
        + "If the windows of that time are wrong, void them: "
        + $"{ask} with {{\"from\": \"{Time(stretch.From)}\", \"to\": \"{Time(stretch.To)}\", \"reason\": \"...\"}}";

    private static BusyStretch? FindStretch(WorkloadSums sums)
    {
        var buckets = sums.Buckets;
        double[] arrivals = [.. buckets.Select(ArrivalsOf)];
        var all = arrivals.Sum();
        if (all == 0)
            return null;
        var busiest = Array.IndexOf(arrivals, arrivals.Max());
        var first = busiest;
        while (first > 0 && Belongs(first - 1, first))
            first--;
        var last = busiest;
        while (last < arrivals.Length - 1 && Belongs(last + 1, last))
            last++;
        var inStretch = arrivals[first..(last + 1)].Sum();
        var windows = buckets.Sum(bucket => (double)bucket.Windows);
        var isLong = last - first + 1 > LongestPart * arrivals.Length;
        if ((isLong && windows > FewWindows) || inStretch <= all / 2)
            return null;
        var from = DateTimeOffset.FromUnixTimeSeconds(buckets[first].Index * sums.BucketSeconds);
        var to = DateTimeOffset.FromUnixTimeSeconds((buckets[last].Index + 1) * sums.BucketSeconds);
        return new BusyStretch(from, to, inStretch, all);

        bool Belongs(int candidate, int neighbour) =>
            Math.Abs(buckets[candidate].Index - buckets[neighbour].Index) == 1
            && arrivals[candidate] >= NeighbourPart * arrivals[busiest];
    }

    private static double ArrivalsOf(AgeBucket bucket) => bucket.Tasks.Sum(task => task.Of(WorkloadSum.Arrivals));

    private static string Rate(double rate) => rate.ToString(rate < 1 ? "G3" : "0.##", CultureInfo.InvariantCulture);

    private static string Percent(double part) =>
        (Math.Min(part, 1) * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    private static string Count(double count) => Math.Round(count).ToString("#,0", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture);
}
