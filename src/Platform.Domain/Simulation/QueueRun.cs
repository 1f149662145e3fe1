using Platform.Domain.Allocation;

namespace Platform.Domain.Simulation;

/// <summary>One run of a queue. Nothing is allocated for an arrival.</summary>
internal sealed class QueueRun<TArrivals, TServers>(
    TArrivals arrivals,
    TServers servers,
    double[] serviceSeconds,
    GammaLaw[]? scatter,
    SimulationOptions options
)
    where TArrivals : struct, IArrivalProcess
    where TServers : struct, IServerPool
{
    // Instants are kept small by counting them anew from time to time, or a long run would lose the digits of its
    // waits.
    private const int ArrivalsBetweenRebases = 1 << 16;

    private readonly double[] _systemSeconds = new double[serviceSeconds.Length];
    private readonly long[] _counts = new long[serviceSeconds.Length];
    private Xoshiro256 _random = new(options.Seed);
    private long _arrived;
    private double _now;
    private double _lastService;
    private double _elapsed;

    public SimulationResult Measure(AllocationProblem problem, long count)
    {
        var batched = count >= BatchMeans.LeastArrivals;
        var warmUp = batched ? BatchMeans.WarmUp(count) : 0;
        Serve(warmUp, default);
        var (first, measured) = (BeginMeasuring(), count - warmUp);
        var (waits, systems) = (new double[batched ? BatchMeans.Count : 1], new double[batched ? BatchMeans.Count : 1]);
        var (work, length) = (0.0, measured / waits.Length);
        for (var i = 0; i < waits.Length; i++)
        {
            var sums = i == 0 ? Serve(length - 1, first) : Serve(length, default);
            work += sums.Service;
            (waits[i], systems[i]) = (sums.Wait / length, (sums.Wait + sums.Service) / length);
        }

        return Result(problem, waits, systems, measured, work, first.Unfinished) with
        {
            WarmUpArrivals = warmUp,
        };
    }

    private readonly record struct Sums(double Wait, double Service, double Unfinished = 0);

    /// <summary>Serves the first measured query, from whose arrival on time and work are counted.</summary>
    private Sums BeginMeasuring()
    {
        var service = Arrive(out var type);
        Rebase();
        _elapsed = 0;
        var unfinished = Unfinished();
        Array.Clear(_systemSeconds);
        Array.Clear(_counts);
        var wait = Admit(type, service);
        return new(wait, service, unfinished);
    }

    private Sums Serve(long count, Sums sums)
    {
        for (var left = count; left > 0; left -= ArrivalsBetweenRebases)
        {
            var block = (int)Math.Min(left, ArrivalsBetweenRebases);
            sums = ServeBlock(block, sums);
            Rebase();
            options.Progress?.Invoke(_arrived);
        }

        return sums;
    }

    private Sums ServeBlock(int count, Sums sums)
    {
        var (waits, work) = (sums.Wait, sums.Service);
        for (var i = 0; i < count; i++)
        {
            var service = Arrive(out var type);
            waits += Admit(type, service);
            work += service;
        }

        return new(waits, work, sums.Unfinished);
    }

    /// <summary>Goes on to the next arrival. The one place where a query's service time is decided.</summary>
    private double Arrive(out int type)
    {
        _now += arrivals.Next(_arrived++, ref _random, out type);
        if (_now == double.PositiveInfinity)
            EmptyFleet();
        return scatter is null ? serviceSeconds[type] : scatter[type].Next(ref _random);
    }

    private double Admit(int type, double service)
    {
        var wait = servers.Admit(_now, service, ref _random);
        _systemSeconds[type] += wait + service;
        _counts[type]++;
        _lastService = service;
        return wait;
    }

    private void EmptyFleet()
    {
        servers.FreeAt.Clear();
        (_now, _elapsed) = (0, double.PositiveInfinity);
    }

    private void Rebase()
    {
        foreach (ref var freeAt in servers.FreeAt)
            freeAt = Math.Max(0, freeAt - _now);
        (_elapsed, _now) = (_elapsed + _now, 0);
    }

    /// <summary>
    /// Seconds of work that have arrived and are not done. A server is never idle before it has done all it was given.
    /// </summary>
    private double Unfinished()
    {
        var sum = 0.0;
        foreach (var freeAt in servers.FreeAt)
            sum += Math.Max(0, freeAt - _now);
        return sum;
    }

    private SimulationResult Result(
        AllocationProblem problem,
        double[] waits,
        double[] systems,
        long measured,
        double work,
        double unfinishedBefore
    )
    {
        var batched = waits.Length == BatchMeans.Count;
        var capacity = (_elapsed + _now) * problem.Servers;

        // The last arrival ends the time that is counted, so that its own work comes after it.
        var offered = work - _lastService;
        var done = unfinishedBefore + offered - (Unfinished() - _lastService);
        var load =
            capacity > 0 ? offered / capacity
            : offered > 0 ? double.PositiveInfinity
            : 0;
        return new()
        {
            Batches = batched ? BatchMeans.Count : 0,
            WarmUpArrivals = 0,
            MeasuredArrivals = measured,
            BatchCorrelation = batched ? BatchMeans.Correlation(systems) : null,
            SystemTime = BatchMeans.Estimate(systems),
            Wait = BatchMeans.Estimate(waits),
            MeanServiceSeconds = work / measured,
            Utilization = capacity > 0 ? Math.Clamp(done / capacity, 0, 1) : 0,
            OfferedLoad = double.IsFinite(load) ? load : null,
            Stable = load < 1,
            TaskTypes =
            [
                .. problem.TaskTypes.Select(
                    (type, k) =>
                        new SimulatedTaskType(
                            type.Id,
                            _counts[k],
                            _counts[k] > 0 ? _systemSeconds[k] / _counts[k] : null
                        )
                ),
            ],
        };
    }
}
