using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Ingestion;

/// <summary>
/// Holds the windows of one fleet against what its last solve expects, as they come: arrivals and service times, more
/// and less. Five tests of Page's. What it decides is a reason to solve and nothing more, so it may be thrown away at
/// any time. Not safe for use from several threads at once.
/// </summary>
public sealed class WorkloadWatch
{
    /// <summary>
    /// Where the sum of a test must come to. Each test comes there by chance at most once in e^h observations in the
    /// mean (Lorden, Annals of Mathematical Statistics 42, 1971), the five of them once in 30,000.
    /// </summary>
    internal const double Threshold = 12;

    /// <summary>
    /// The ratios upward that are looked for: that at which the allocation in force reaches its limit, but none so
    /// small that an estimate hardly tells it, and at the latest twice.
    /// </summary>
    private const double LeastRise = 1.1,
        MostRise = 2;

    /// <summary>
    /// The ratio of a surge, which is looked for beside: a morning after a quiet night brings many times what the night
    /// did, and a test for twice as much would let many windows go by. So much more is never taken for scatter.
    /// </summary>
    private const double Surge = 16;

    /// <summary>
    /// Where its sum must come to: each worker sees a part of the windows, and sixteen times as much is seldom chance,
    /// at most once in 1,000 windows.
    /// </summary>
    private const double SurgeThreshold = 7;

    /// <summary>
    /// Scatter beyond which a burst is not excused any more: it loads the servers all the same, and a solve costs
    /// little. What windows of gateways with different parts of the traffic scatter by is another matter.
    /// </summary>
    private const double MostScatter = 3;

    /// <summary>The part of a fleet's traffic from which on a publisher's windows tell all of it.</summary>
    private const double NearlyAll = 0.9;

    /// <summary>
    /// The part of the servers' capacity that is held possible at most: from there a rise finds it out in time.
    /// </summary>
    private const double NearlySaturated = 0.63;

    /// <summary>The ratio downward.</summary>
    private const double Fall = 0.5;

    private readonly Scatter _arrivals = new(),
        _service = new();
    private readonly Dictionary<string, ExpectedService> _types = new(StringComparer.Ordinal);
    private PageTest _moreArrivals = new(MostRise),
        _surge = new(Surge, SurgeThreshold),
        _fewerArrivals = new(Fall),
        _slower = new(MostRise),
        _faster = new(Fall);
    private WorkloadExpectation? _expectation;

    /// <summary>What is expected now; null for nothing.</summary>
    public WorkloadExpectation? Expectation => _expectation;

    /// <summary>From now on this counts, and the tests begin again; what is known of the scatter stays.</summary>
    public void Expect(WorkloadExpectation? expectation)
    {
        _expectation = expectation;
        _types.Clear();
        foreach (var type in expectation?.TaskTypes ?? [])
        {
            _types[type.TaskType] = type;
            foreach (var alias in type.Aliases ?? [])
                _types[alias] = type;
        }

        var rise = expectation is { Utilization: > 0 }
            ? Math.Clamp(expectation.UtilizationLimit / expectation.Utilization, LeastRise, MostRise)
            : MostRise;
        (_moreArrivals, _slower) = (new PageTest(rise), new PageTest(rise));
        _surge = new PageTest(Surge, SurgeThreshold);
        (_fewerArrivals, _faster) = (new PageTest(Fall), new PageTest(Fall));
    }

    /// <summary>Takes windows into account that came together, as one observation.</summary>
    /// <returns>Why the fleet should be solved, with how much more or less came; or null.</returns>
    public WorkloadExcess? Observe(IEnumerable<WorkloadWindow> windows)
    {
        if (_expectation is not { } expectation)
            return null;
        double arrivals = 0,
            length = 0;
        var service = default(ServiceTotals);
        foreach (var window in windows.Where(window => window.WindowEnd >= expectation.CountsFrom))
        {
            length += (window.WindowEnd - window.WindowStart).TotalSeconds;
            foreach (var task in window.Tasks)
            {
                arrivals += task.Arrivals;
                if (task.Service is { } sums && _types.TryGetValue(task.TaskType, out var type))
                    service.Add(sums, type);
            }
        }

        AddArrivals(expectation, arrivals, length);
        AddService(service);
        return Decide(expectation);
    }

    private void AddArrivals(WorkloadExpectation expectation, double arrivals, double length)
    {
        var middle = expectation.ArrivalRate * length;
        _arrivals.Add(arrivals, middle, middle);
        var scatter = Math.Max(expectation.Dispersion, _arrivals.Inflation);
        var isOfOne = IsOfOnePublisher(expectation);
        var excused = isOfOne ? Math.Min(scatter, MostScatter) : scatter;
        var highest = Math.Max(
            middle,
            Math.Min(expectation.HighestArrivalRate, MostHeldPossible(expectation)) * length
        );
        _moreArrivals.AddCount(arrivals, middle, highest, excused);
        _surge.AddCount(arrivals, middle, highest, isOfOne ? 1 : scatter);
        _fewerArrivals.AddCount(arrivals, middle, expectation.LowestArrivalRate * length, scatter);
    }

    /// <summary>
    /// A rate at which the servers are nearly saturated is no longer as expected, however little is known of it.
    /// </summary>
    private static double MostHeldPossible(WorkloadExpectation expectation) =>
        expectation.Utilization > 0
            ? NearlySaturated * expectation.ArrivalRate / expectation.Utilization
            : double.PositiveInfinity;

    /// <summary>Whether hardly ever two windows cover the same time.</summary>
    private static bool IsOfOnePublisher(WorkloadExpectation expectation) =>
        expectation.ArrivalRate > NearlyAll * expectation.FleetArrivalRate;

    private void AddService(ServiceTotals service)
    {
        if (!(service.Expected > 0) || !(service.Scatter > 0))
            return;
        _service.Add(service.Seen, service.Expected, service.Scatter);
        var (doubt, variation) = (
            Interval.Z * Math.Sqrt(service.Doubt),
            service.Scatter / (service.Expected * service.Expected) * _service.Inflation
        );
        _slower.AddTime(service.Seen, service.Expected, service.Expected + doubt, variation);
        if (service.Expected > doubt)
            _faster.AddTime(service.Seen, service.Expected, service.Expected - doubt, variation);
    }

    private WorkloadExcess? Decide(WorkloadExpectation expectation)
    {
        PageTest[] tests = [_moreArrivals, _surge, _fewerArrivals, _slower, _faster];
        if (!tests.Any(test => test.IsDecided))
            return null;
        var arrivals = Ratio(_surge.IsDecided ? _surge : _moreArrivals, _fewerArrivals);
        var service = Ratio(_slower, _faster);
        var load = Math.Max(arrivals, 1) * Math.Max(service, 1);
        var isUnstable = load * expectation.Utilization >= 1;
        return new WorkloadExcess(isUnstable ? SolveReason.Instability : SolveReason.Drift, arrivals, service);
    }

    private static double Ratio(PageTest more, PageTest less)
    {
        if (more.IsDecided)
            return more.Ratio;
        return less.IsDecided ? less.Ratio : 1;
    }

    private struct ServiceTotals
    {
        public double Seen;
        public double Expected;
        public double Doubt;
        public double Scatter;

        public void Add(ServiceSums seen, ExpectedService type)
        {
            var (seconds, doubt, scatter) = type.Expect(seen);
            (Seen, Expected, Doubt, Scatter) = (
                Seen + (seen.Millis / 1e3),
                Expected + seconds,
                Doubt + doubt,
                Scatter + scatter
            );
        }
    }
}
