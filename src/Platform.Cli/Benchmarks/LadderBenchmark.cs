using Platform.Client;
using Platform.Domain.Allocation;
using Platform.Domain.Simulation;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// Plays surges against one allocation, its ladder and a clairvoyant, and takes the time of making ladders.
/// </summary>
/// <param name="instants">Recorded arrivals, or null for Poisson ones.</param>
/// <param name="surges">Surges of each kind.</param>
internal sealed class LadderBenchmark(double[]? instants, int surges)
{
    private const int Seed = 1;

    /// <summary>
    /// Part of the greatest load, with the fewest tokens, that calm traffic is: 8 times it is nearly all.
    /// </summary>
    private const double CalmPart = 0.12;

    /// <summary>A query that takes so many times the mean system time of calm traffic is far too slow.</summary>
    private const double FarTooSlow = 10;

    /// <summary>Calm between surges, in mean system times of calm traffic.</summary>
    private const double CalmTimes = 200;

    private static readonly double[] Multiples = [2, 3, 5, 10];
    private static readonly double[] Lengths = [10, 60, 300];
    private static readonly double[] OtherDeviations = [1, 2, 3];

    /// <summary>Plays all.</summary>
    public LadderReport Run() =>
        new()
        {
            Arrivals = instants is null ? "Poisson" : "trace",
            Surges = surges,
            Steady = [.. SurgeFleets.All.Select(fleet => Play(fleet, 1, 60))],
            Played =
            [
                .. SurgeFleets.All.SelectMany(fleet =>
                    Multiples.SelectMany(times => Lengths.Select(length => Play(fleet, times, length)))
                ),
            ],
            Alternatives = [.. SurgeFleets.All.SelectMany(fleet => OtherDeviations.Select(it => Compare(fleet, it)))],
            Costs = LadderCosts.Measure(),
        };

    /// <summary>What a ladder of so many deviations comes to, beside the clairvoyant.</summary>
    private DeviationsOutcome Compare(SurgeFleet fleet, double deviations)
    {
        var steady = Play(fleet, 1, 60, deviations);
        var surges = Multiples.Select(times => Play(fleet, times, 60, deviations)).ToList();
        return new DeviationsOutcome(
            fleet.Name,
            deviations,
            steady.Ladder.Objective - steady.One.Objective,
            surges.Average(it => it.Ladder.Objective - it.Clairvoyant.Objective)
        );
    }

    private SurgeOutcome Play(
        SurgeFleet fleet,
        double times,
        double length,
        double deviations = LadderDerivation.Deviations
    )
    {
        var problem = fleet.At(CalmPart);
        var solution = AllocationSolver.Solve(problem);
        SentTokens[] granted = [.. solution.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens))];
        var ladder = LadderDerivation.Of(problem, granted, null, SurgeLadder.MostRungs, deviations);
        var mean = solution.MeanSystemTimeSeconds!.Value;
        var traffic = new SurgeTraffic(problem.ArrivalRate, times, length, CalmTimes * mean);
        var trace = instants is null ? traffic.Generate(surges, Seed) : traffic.Replay(instants, surges);
        var judge = new SurgeJudge(problem, traffic, surges, FarTooSlow * mean);
        var level = new SurgeLevel();
        var clairvoyant = new Clairvoyant(problem, traffic, ladder.Rungs[^1]);
        return new SurgeOutcome
        {
            Fleet = fleet.Name,
            Times = times,
            SurgeSeconds = length,
            MeanSystemTimeSeconds = mean,
            Queries = trace.Length,
            One = judge.Of(Simulate(_ => ladder.Rungs[0])),
            Ladder = judge.Of(Simulate(query => ladder.At(level.Observe((double)query.InFlight / problem.Servers)))),
            Clairvoyant = judge.Of(Simulate(query => clairvoyant.At(query.InstantSeconds))),
        };

        IReadOnlyList<AdaptedQuery> Simulate(Func<ArrivingQuery, LadderRung> rung) =>
            AdaptiveSimulator.Run(problem, trace, query => rung(query).Allocation[query.TaskType].Tokens, Seed);
    }
}

/// <summary>Knows each second's rate, and solves for it.</summary>
/// <param name="problem">The problem of calm traffic.</param>
/// <param name="traffic">The traffic.</param>
/// <param name="fewest">What is granted where the rate is more than anything carries.</param>
internal sealed class Clairvoyant(AllocationProblem problem, SurgeTraffic traffic, LadderRung fewest)
{
    private readonly Dictionary<double, LadderRung> _known = [];

    /// <summary>The allocation of the second that an instant lies in.</summary>
    public LadderRung At(double instantSeconds)
    {
        var rate = traffic.RateAt(instantSeconds);
        if (!_known.TryGetValue(rate, out var rung))
        {
            rung = Solve(rate);
            _known[rate] = rung;
        }

        return rung;
    }

    private LadderRung Solve(double rate)
    {
        var solution = AllocationSolver.Solve(problem with { ArrivalRate = rate });
        return solution.Status == SolutionStatus.Infeasible
            ? fewest
            : new LadderRung(0, [.. solution.Allocation!.Select(it => new SentTokens(it.TaskType, it.Tokens))], rate);
    }
}

/// <summary>Says what queries came to.</summary>
/// <param name="problem">The problem of calm traffic.</param>
/// <param name="traffic">The traffic.</param>
/// <param name="surges">How many surges there are.</param>
/// <param name="farTooSlowSeconds">System time beyond which a query is far too slow.</param>
internal sealed class SurgeJudge(AllocationProblem problem, SurgeTraffic traffic, int surges, double farTooSlowSeconds)
{
    /// <summary>The figures of a run.</summary>
    public PolicyFigures Of(IReadOnlyList<AdaptedQuery> queries) =>
        new(
            queries.Average(Objective),
            queries.Average(query => query.SystemSeconds),
            queries.Average(query => (double)query.Tokens),
            (double)queries.Count(query => query.SystemSeconds > farTooSlowSeconds) / queries.Count,
            queries.Max(query => query.Arriving.InFlight),
            SecondsToRecover(queries)
        );

    private double Objective(AdaptedQuery query)
    {
        var type = problem.TaskTypes[query.Arriving.TaskType];
        var curve = type.Accuracy;
        var accuracy = curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * query.Tokens)));
        return (problem.AccuracyWeight * type.Weight * accuracy) - query.SystemSeconds;
    }

    /// <summary>
    /// From the end of a surge to the first query after it that is fast enough, in the mean over the surges; a surge
    /// whose calm ends before that counts as all of the calm.
    /// </summary>
    private double SecondsToRecover(IReadOnlyList<AdaptedQuery> queries)
    {
        var recovered = new SortedDictionary<long, double>();
        foreach (var query in queries)
        {
            var period = (long)Math.Floor(query.Arriving.InstantSeconds / traffic.PeriodSeconds);
            var isFast = query.SystemSeconds <= farTooSlowSeconds;
            if (period > 0 && isFast && !traffic.IsSurge(query.Arriving.InstantSeconds))
                recovered.TryAdd(period, query.Arriving.InstantSeconds - (period * traffic.PeriodSeconds));
        }

        var total = 0.0;
        for (var period = 1L; period <= surges; period++)
            total += recovered.GetValueOrDefault(period, traffic.CalmSeconds);
        return total / surges;
    }
}
