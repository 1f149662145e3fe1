using Platform.Domain.Allocation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Allocation;

public sealed class LadderDerivationTests
{
    private static readonly Actuator Levels = new()
    {
        Allowed = [new(0, 0, "none"), new(64, 64, "low"), new(512, 512, "medium"), new(4_096, 60_000)],
    };

    /// <summary>The quick start's fleet at an eighth of what it carries with the fewest tokens.</summary>
    private static AllocationProblem Chat { get; } =
        new()
        {
            ArrivalRate = 0.43,
            AccuracyWeight = 30,
            MaxUtilization = 0.9,
            TaskTypes = [Definitions.Math, Definitions.Chat],
        };

    public static TheoryData<string> Kinds => [.. Problems.Keys];

    private static Dictionary<string, Func<int, AllocationProblem>> Problems { get; } =
        new()
        {
            ["split"] = seed => GeneratedProblems.Make(seed, 6, wild: false),
            ["wild"] = seed => GeneratedProblems.Make(seed, 6, wild: true),
            ["shared"] = seed =>
                GeneratedProblems.Make(seed, 4, wild: false) with
                {
                    Dispatch = Dispatch.Shared,
                    Servers = 3,
                },
            ["sharing"] = seed => SharingProblems.Make(seed, 6, SharingProblems.Costs.Near),
            ["sharing with a cap"] = seed => SharingProblems.Make(seed, 6, SharingProblems.Costs.Common, capped: true),
            ["time limit"] = WithTimeLimit,
            ["token budget"] = seed => GeneratedProblems.Make(seed, 6, wild: false) with { MeanTokenBudget = 200 },
        };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void From_rung_to_rung_no_type_gets_more_and_the_number_rises(string kind)
    {
        var ladders = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var problem = Problems[kind](seed);
            var solution = AllocationSolver.SolveInSteps(problem, AllocationSolver.ForMany).Answer;
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            Check(
                LadderDerivation.Of(problem, Granted(solution), null, 16),
                Granted(solution),
                problem,
                $"seed {seed}"
            );
            ladders++;
        }

        Assert.True(ladders >= 20, $"{ladders} ladders were looked at");
    }

    [Fact]
    public void With_levels_each_rung_can_be_sent()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 6, wild: false);
            var sent = Actuation.Choose(problem, AllocationSolver.Solve(problem), Levels);
            var ladder = LadderDerivation.Of(problem, sent.Allocation, Levels, 16);
            Check(ladder, sent.Allocation, problem, $"seed {seed}");
            foreach (var type in ladder.Rungs.SelectMany(rung => rung.Allocation))
            {
                var range = Levels.Allowed.Single(it => type.Tokens >= it.Min && type.Tokens <= it.Max);
                Assert.Equal(range.Name, type.Name);
            }
        }
    }

    /// <summary>Each rung is what a solve at its rate would grant, whole tokens by plain rounding.</summary>
    [Fact]
    public void A_rung_is_the_optimum_for_its_load()
    {
        var ladder = Ladder(Chat, 16);
        var rates = ladder.Rungs.Select(rung => rung.ArrivalRate).ToArray();
        Assert.Equal(0.43, rates[0]);
        Assert.Null(rates[^1]);
        Assert.True(rates.Length >= 5);
        foreach (var rung in ladder.Rungs.Where(rung => rung.ArrivalRate is not null))
        {
            var problem = Chat with { ArrivalRate = rung.ArrivalRate!.Value };
            var best = AllocationSolver.Solve(problem);
            var objective = AllocationSolver.Objective(problem, Tokens(rung));
            Assert.Equal(best.Objective!.Value, objective, 1e-3 * Math.Abs(best.Objective.Value));
        }
    }

    [Fact]
    public void The_first_number_is_two_deviations_above_what_the_present_load_makes()
    {
        // One type of fixed time s: M/D/1, E[N] = ρ + ρ²/(2 (1 − ρ)).
        var one = Definitions.Math with
        {
            Share = 1,
            MaxTokens = 100,
            Accuracy = new(0.2, 0.8, 1),
        };
        var problem = Chat with { TaskTypes = [one], MaxUtilization = null };
        var solution = AllocationSolver.Solve(problem);
        var seconds = solution.MeanServiceSeconds!.Value;
        var load = 0.43 * seconds;
        var mean = load + (load * load / (2 * (1 - load)));

        // Var[N] of M/D/1: mean + λ² Var[W], with Var[W] = λ s³/(3 (1 − ρ)) + E[W]².
        var wait = load * seconds / (2 * (1 - load));
        var ofWait = (load * seconds * seconds / (3 * (1 - load))) + (wait * wait);
        var deviation = Math.Sqrt(mean + (0.43 * 0.43 * ofWait));
        Assert.Equal(mean + (2 * deviation), Ladder(problem, 2).Rungs[1].InFlightPerServer, 1e-12);
    }

    [Fact]
    public void Of_the_fewest_tokens_there_is_one_rung()
    {
        var fixedTypes = Chat.TaskTypes.Select(type => type with { MinTokens = 10, MaxTokens = 10 });
        Assert.Single(Ladder(Chat with { TaskTypes = [.. fixedTypes] }, 16).Rungs);
    }

    [Fact]
    public void An_accuracy_floor_and_the_fewest_tokens_hold_on_the_last_rung()
    {
        var floored = Chat with
        {
            TaskTypes = [Definitions.Math with { AccuracyFloor = 0.25 }, Definitions.Chat with { MinTokens = 7 }],
        };
        var last = Ladder(floored, 16).Rungs[^1];
        Assert.True(last.Allocation[0].Tokens > 50);
        Assert.Equal(7, last.Allocation[1].Tokens);
        Assert.NotEqual(double.NegativeInfinity, AllocationSolver.Objective(floored, Tokens(last)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e-9)]
    public void Without_traffic_there_is_a_ladder_up_to_what_the_servers_carry(double rate)
    {
        // Worth so much that one query alone is given all.
        var ladder = Ladder(Chat with { ArrivalRate = rate, AccuracyWeight = 1e6 }, 8);
        Check(ladder, ladder.Rungs[0].Allocation, Chat, "no traffic");
        Assert.True(ladder.Rungs[1].InFlightPerServer >= 1);
        Assert.True(ladder.Rungs.Count > 2);
    }

    [Fact]
    public void Where_no_load_is_too_much_the_fewest_tokens_are_far_away()
    {
        var free = Chat.TaskTypes.Select(type => type with { Service = new ServiceLine(0, 0.02) });
        var ladder = Ladder(Chat with { TaskTypes = [.. free] }, 16);
        Check(ladder, ladder.Rungs[0].Allocation, Chat, "no base");
        Assert.InRange(ladder.Rungs[^2].ArrivalRate!.Value, 0.86, 43);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    public void Too_few_or_too_many_rungs_are_refused(int rungs) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Ladder(Chat, rungs));

    [Fact]
    public void The_rung_of_a_number_is_the_highest_reached()
    {
        var ladder = Ladder(Chat, 4);
        Assert.Same(ladder.Rungs[0], ladder.At(0));
        Assert.Same(ladder.Rungs[0], ladder.At(Math.BitDecrement(ladder.Rungs[1].InFlightPerServer)));
        Assert.Same(ladder.Rungs[1], ladder.At(ladder.Rungs[1].InFlightPerServer));
        Assert.Same(ladder.Rungs[^1], ladder.At(1e9));
    }

    private static void Check(
        SurgeLadder ladder,
        IReadOnlyList<SentTokens> granted,
        AllocationProblem problem,
        string which
    )
    {
        var first = ladder.Rungs[0];
        Assert.Equal(0, first.InFlightPerServer);
        Assert.Equal(granted, first.Allocation);
        Assert.InRange(ladder.Rungs.Count, 1, 16);
        foreach (var (below, above) in ladder.Rungs.Zip(ladder.Rungs.Skip(1)))
        {
            Assert.True(above.InFlightPerServer > below.InFlightPerServer, which);
            Assert.True(double.IsFinite(above.InFlightPerServer), which);
            Assert.Equal(below.Allocation.Select(it => it.TaskType), above.Allocation.Select(it => it.TaskType));
            Assert.True(Tokens(above).Zip(Tokens(below)).All(it => it.First <= it.Second), which);
            Assert.False(Tokens(above).SequenceEqual(Tokens(below)), which);
        }

        // What can be sent may lie below the bounds; no rung then goes further down.
        var fewest = problem.TaskTypes.Zip(granted, (type, given) => Math.Min(type.MinTokens, given.Tokens));
        Assert.True(Tokens(ladder.Rungs[^1]).Zip(fewest).All(it => it.First >= it.Second), which);
        Assert.Null(ladder.Rungs.Count > 1 ? ladder.Rungs[^1].ArrivalRate : null);
    }

    private static AllocationProblem WithTimeLimit(int seed)
    {
        var problem = GeneratedProblems.Make(seed, 6, wild: false);
        var time = AllocationSolver.Solve(problem).MeanSystemTimeSeconds!.Value;
        return problem with { MaxMeanSystemTimeSeconds = 0.8 * time };
    }

    private static SurgeLadder Ladder(AllocationProblem problem, int rungs) =>
        LadderDerivation.Of(problem, Granted(AllocationSolver.Solve(problem)), null, rungs);

    private static SentTokens[] Granted(AllocationSolution solution) =>
        [.. solution.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens))];

    private static long[] Tokens(LadderRung rung) => [.. rung.Allocation.Select(type => type.Tokens)];
}
