using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>
/// Curves that begin below 0: an accuracy is never below 0, in what is optimised no more than in what is shown.
/// </summary>
public sealed class FlatStartsTests
{
    /// <summary>
    /// The report that this is about: a curve that is below 0 at every number of tokens was granted all of them.
    /// </summary>
    [Fact]
    public void A_type_that_is_never_right_gets_no_tokens()
    {
        var hopeless = Type("hopeless", 0.5, new(-0.7981147278347706, 1.596229455669541, 1.9772183079278246e-05)) with
        {
            MaxTokens = 32_768,
        };
        var good = Type("good", 0.5, new(0.2, 0.6, 0.001)) with { MaxTokens = 32_768 };
        var problem = Problem(hopeless, good) with { ArrivalRate = 0.0005, AccuracyWeight = 600, MaxUtilization = 0.9 };

        var solution = AllocationSolver.Solve(problem);

        Assert.Equal((0, 0.0), (solution.Allocation![0].Tokens, solution.Allocation[0].Accuracy));
        Assert.True(solution.Allocation[1].Tokens > 1_000);
        Assert.Equal(solution.WeightedAccuracy, solution.MeanAccuracy);
        Assert.True(solution.Rounding!.ProvenOptimal);
        Assert.True(solution.Uniform!.Objective <= solution.Objective);
    }

    [Theory]
    [InlineData(Dispatch.Split, 1)]
    [InlineData(Dispatch.Split, 3)]
    [InlineData(Dispatch.Shared, 2)]
    [InlineData(Dispatch.Sharing, 1)]
    [InlineData(Dispatch.Sharing, 2)]
    public void Whole_tokens_are_the_best_of_all(Dispatch dispatch, int servers)
    {
        var served = 0;
        for (var seed = 0; seed < 120; seed++)
        {
            var problem = Small(seed, 1 + (seed % 3)) with
            {
                Dispatch = dispatch,
                Servers = servers,
                Sharing = dispatch == Dispatch.Sharing ? new SharingServer(0.004) : null,
            };
            var solution = AllocationSolver.Solve(problem);
            var best = EveryAllocation.BestObjective(problem);
            if (solution.Status == SolutionStatus.Infeasible)
            {
                Assert.Equal(double.NegativeInfinity, best);
                continue;
            }

            var slack = 1e-11 * (1 + Math.Abs(best));
            Assert.True(solution.Objective >= best - slack, $"{seed}: {solution.Objective:R}, best {best:R}");
            Assert.True(best <= solution.Continuous!.Objective + solution.Continuous.OptimalityGap + slack, $"{seed}");
            Assert.True(dispatch == Dispatch.Shared || solution.Rounding!.ProvenOptimal, $"{seed}");
            served += solution
                .Allocation!.Where(
                    (type, k) => Curve(problem.TaskTypes[k], type.Tokens) > 0 && problem.TaskTypes[k].Accuracy.Floor < 0
                )
                .Count();
        }

        Assert.True(served > 20, $"{served}");
    }

    [Fact]
    public void Whole_tokens_are_the_best_within_limits()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var free = Small(seed, 2);
            if (
                AllocationSolver.Solve(free) is not { Status: SolutionStatus.Optimal } unlimited
                || unlimited.MeanTokens < 1
            )
                continue;
            var problem =
                seed % 2 == 0
                    ? free with
                    {
                        MeanTokenBudget = 0.6 * unlimited.MeanTokens,
                    }
                    : free with
                    {
                        MaxMeanSystemTimeSeconds = 0.8 * unlimited.MeanSystemTimeSeconds,
                    };
            var solution = AllocationSolver.Solve(problem);
            var best = EveryAllocation.BestObjective(problem);
            if (solution.Status == SolutionStatus.Optimal)
                Assert.Equal(best, solution.Objective!.Value, 1e-9 * (1 + Math.Abs(best)));
        }
    }

    [Fact]
    public void The_best_single_budget_counts_accuracies_as_the_optimum_does()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var problem = Small(seed, 1 + (seed % 3));
            if (AllocationSolver.Solve(problem).Uniform is not { } uniform)
                continue;
            var best = Enumerable
                .Range(0, 41)
                .Max(budget => AllocationSolver.Objective(problem, Clipped(problem, budget)));
            Assert.Equal(best, uniform.Objective, 1e-11 * (1 + Math.Abs(best)));
        }
    }

    [Fact]
    public void What_can_be_sent_is_as_good_as_any_combination()
    {
        var actuator = new Actuator { Allowed = [new(0, 0, "off"), new(7, 7, "low"), new(15, 22), new(35, 40)] };
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = Small(seed, 1);
            if (AllocationSolver.Solve(problem) is not { Status: SolutionStatus.Optimal } solution)
                continue;
            var sent = Actuation.Choose(problem, solution, actuator);
            long[] candidates =
            [
                .. Enumerable
                    .Range(0, 41)
                    .Select(l => (long)l)
                    .Where(l => actuator.Allowed.Any(range => l >= range.Min && l <= range.Max)),
            ];
            var best = candidates.Max(tokens => AllocationSolver.Objective(problem, [tokens]));
            if (double.IsFinite(best))
                Assert.Equal(best, sent.Objective!.Value, 1e-11 * (1 + Math.Abs(best)));
        }
    }

    /// <summary>Many such types: the answer keeps its bound though not every combination is looked at.</summary>
    [Fact]
    public void Hundreds_of_types_have_an_answer_with_a_bound()
    {
        var random = new Random(7);
        TaskType[] types =
        [
            .. Enumerable
                .Range(0, 300)
                .Select(k =>
                    Type(
                        $"type-{k}",
                        1 / 300.0,
                        new(
                            -0.3 * random.NextDouble(),
                            0.3 + (0.6 * random.NextDouble()),
                            1e-3 * (0.2 + random.NextDouble())
                        )
                    ) with
                    {
                        MaxTokens = 8_000,
                    }
                ),
        ];
        var problem = Problem(types) with { ArrivalRate = 0.05, AccuracyWeight = 300 };

        var solution = AllocationSolver.Solve(problem);

        Assert.True(solution.Continuous!.OptimalityGap >= 0);
        Assert.True(solution.Objective >= solution.Uniform!.Objective);
        Assert.All(solution.Allocation!, type => Assert.InRange(type.Accuracy, 0, 1));
    }

    private static AllocationProblem Small(int seed, int count)
    {
        var random = new Random(seed);
        var types = Enumerable
            .Range(0, count)
            .Select(k =>
            {
                var floor = random.Next(3) == 0 ? 0.3 * random.NextDouble() : -random.NextDouble();
                return Type(
                    $"type-{k}",
                    1.0 / count,
                    new(
                        floor,
                        Math.Min(-floor + (0.9 * random.NextDouble()) + (floor > 0 ? 2 * floor : 0), 1 - floor),
                        0.02 + (0.2 * random.NextDouble())
                    )
                ) with
                {
                    MinTokens = random.Next(4) == 0 ? random.Next(5) : 0,
                    MaxTokens = count < 3 ? 40 : 20,
                    Service = new(0.2 * random.NextDouble(), 0.005 + (0.05 * random.NextDouble())),
                    AccuracyFloor = random.Next(6) == 0 ? 0.05 : null,
                };
            })
            .ToArray();
        return Problem(types) with
        {
            ArrivalRate = 0.3 + (2 * random.NextDouble()),
            AccuracyWeight = 5 + (40 * random.NextDouble()),
        };
    }

    private static double Curve(TaskType type, long tokens) =>
        type.Accuracy.Floor + (type.Accuracy.Gain * (1 - Math.Exp(-type.Accuracy.RatePerToken * tokens)));

    private static long[] Clipped(AllocationProblem problem, long budget) =>
        [
            .. problem.TaskTypes.Select(type =>
                Math.Clamp(budget, Math.Max(type.MinTokens, Least(type)), type.MaxTokens)
            ),
        ];

    /// <summary>Fewest tokens within an accuracy floor.</summary>
    private static long Least(TaskType type) =>
        type.AccuracyFloor is not { } floor
            ? 0
            : Enumerable.Range(0, 41).FirstOrDefault(l => Math.Max(Curve(type, l), 0) >= floor);

    private static TaskType Type(string id, double share, AccuracyCurve curve) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 40,
            Service = new(0.4, 0.005),
            Accuracy = curve,
        };

    private static AllocationProblem Problem(params TaskType[] types) =>
        new()
        {
            ArrivalRate = 0.1,
            AccuracyWeight = 30,
            TaskTypes = types,
        };
}
