using Platform.Domain.Allocation;
using Platform.Domain.Simulation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Simulation;

public sealed class AdaptiveSimulatorTests
{
    private const double CalmSeconds = 200,
        SurgeSeconds = 60;

    private static AllocationProblem Split { get; } =
        new()
        {
            ArrivalRate = 0.43,
            AccuracyWeight = 30,
            TaskTypes = [Definitions.Math, Definitions.Chat],
        };

    private static AllocationProblem Shared { get; } =
        Split with
        {
            ArrivalRate = 1.7,
            Servers = 4,
            Dispatch = Dispatch.Shared,
        };

    private static AllocationProblem Sharing { get; } =
        new()
        {
            ArrivalRate = 4,
            AccuracyWeight = 60,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(0.0066, 256),
            TaskTypes =
            [
                .. Split.TaskTypes.Select(type =>
                    type with
                    {
                        AnswerTokens = 150,
                        Service = new ServiceLine(0.016 + (150 * 0.00666), 0.00666),
                    }
                ),
            ],
        };

    public static TheoryData<Dispatch> Disciplines => [Dispatch.Split, Dispatch.Shared, Dispatch.Sharing];

    [Theory]
    [MemberData(nameof(Disciplines))]
    public void With_fixed_tokens_queries_fare_as_in_the_other_simulator(Dispatch dispatch)
    {
        var problem = Of(dispatch);
        long[] tokens = [20, 10];
        var trace = new ArrivalTrace(Instants(problem.ArrivalRate, 1, 30_000));
        var other = QueueSimulator.Simulate(problem, tokens, trace, new SimulationOptions { Seed = 5 });
        var queries = AdaptiveSimulator.Run(problem, trace, query => tokens[query.TaskType], 5);
        Assert.Equal(trace.Length, queries.Count);
        Assert.All(queries, query => Assert.True(query.SystemSeconds > 0));
        var mean = queries.Average(query => query.SystemSeconds);
        Assert.Equal(other.SystemTime.MeanSeconds, mean, 0.03 * mean);
    }

    [Fact]
    public void A_query_finds_those_that_have_not_ended()
    {
        // A query of 1 s at 0, 0.5, 0.9 and 2.1, one after another on one server: ends at 1, 2, 3 and 4.
        var problem = Split with
        {
            TaskTypes = [Definitions.Math with { Share = 1, Service = new ServiceLine(1, 0) }],
        };
        var queries = AdaptiveSimulator.Run(problem, new ArrivalTrace([0, 0.5, 0.9, 2.1, 9]), _ => 0, 1);
        Assert.Equal([0, 1, 2, 1, 0], queries.Select(query => query.Arriving.InFlight));
        Assert.Equal([1, 1.5, 2.1, 1.9, 1], queries.Select(query => Math.Round(query.SystemSeconds, 9)));
    }

    /// <summary>
    /// Surges of five times: with one allocation the queue grows and does not recover, with its ladder queries fare
    /// nearly as well as where each second is solved for its own rate.
    /// </summary>
    [Theory]
    [MemberData(nameof(Disciplines))]
    public void In_surges_a_ladder_is_near_to_a_clairvoyant_and_one_allocation_is_not(Dispatch dispatch)
    {
        var problem = Of(dispatch);
        var calm = AllocationSolver.Solve(problem);
        var surge = AllocationSolver.Solve(problem with { ArrivalRate = 5 * problem.ArrivalRate });
        SentTokens[] granted = [.. calm.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens))];
        var ladder = LadderDerivation.Of(problem, granted, null, 16);
        var trace = new ArrivalTrace(Instants(problem.ArrivalRate, 5, 12_000));

        var one = Play(query => calm.Allocation![query.TaskType].Tokens);
        var rungs = Play(query =>
            ladder.At((double)query.InFlight / problem.Servers).Allocation[query.TaskType].Tokens
        );
        var clairvoyant = Play(query =>
            (IsSurge(query.InstantSeconds) ? surge : calm).Allocation![query.TaskType].Tokens
        );
        var mean = calm.MeanSystemTimeSeconds!.Value;
        Assert.True(Objective(rungs) > Objective(one));
        Assert.True(Objective(clairvoyant) - Objective(rungs) < 0.2 * (Objective(clairvoyant) - Objective(one)));
        Assert.True(rungs.Max(query => query.Arriving.InFlight) < one.Max(query => query.Arriving.InFlight));
        Assert.Equal(0, rungs.Count(query => query.SystemSeconds > 10 * mean));

        IReadOnlyList<AdaptedQuery> Play(Func<ArrivingQuery, long> tokens) =>
            AdaptiveSimulator.Run(problem, trace, tokens, 1);

        double Objective(IReadOnlyList<AdaptedQuery> queries) =>
            queries.Average(query =>
            {
                var curve = problem.TaskTypes[query.Arriving.TaskType].Accuracy;
                var accuracy = curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * query.Tokens)));
                return (problem.AccuracyWeight * accuracy) - query.SystemSeconds;
            });
    }

    /// <summary>Steady traffic is hardly ever above the first rung, and loses nothing by the ladder.</summary>
    [Theory]
    [MemberData(nameof(Disciplines))]
    public void In_steady_traffic_the_first_rung_holds(Dispatch dispatch)
    {
        var problem = Of(dispatch);
        var calm = AllocationSolver.Solve(problem);
        SentTokens[] granted = [.. calm.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens))];
        var ladder = LadderDerivation.Of(problem, granted, null, 16);
        var trace = new ArrivalTrace(Instants(problem.ArrivalRate, 1, 50_000));
        var queries = AdaptiveSimulator.Run(problem, trace, query => granted[query.TaskType].Tokens, 1);
        var above = queries.Count(query =>
            (double)query.Arriving.InFlight / problem.Servers >= ladder.Rungs[1].InFlightPerServer
        );
        Assert.InRange((double)above / queries.Count, 0, 0.07);
    }

    private static AllocationProblem Of(Dispatch dispatch) =>
        dispatch switch
        {
            Dispatch.Split => Split,
            Dispatch.Shared => Shared,
            _ => Sharing,
        };

    private static bool IsSurge(double instant) => instant % (CalmSeconds + SurgeSeconds) >= CalmSeconds;

    /// <summary>Poisson arrivals, so many times as many in surges: thinned from the greatest rate.</summary>
    private static List<double> Instants(double rate, double times, int count)
    {
        var random = new Random(11);
        var instants = new List<double>();
        var now = 0.0;
        while (instants.Count < count)
        {
            now -= Math.Log(1 - random.NextDouble()) / (rate * times);
            if (IsSurge(now) || random.NextDouble() * times < 1)
                instants.Add(now);
        }

        return instants;
    }
}
