using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

public sealed class ActuationTests
{
    private static readonly TokenRange[] Levels =
    [
        new(0, 0, "none"),
        new(512, 512, "low"),
        new(2_048, 2_048, "medium"),
        new(8_192, 8_192, "high"),
    ];

    private static readonly TokenRange[] OffOrMore = [new(0, 0), new(1_024, 60_000)];

    [Fact]
    public void Where_everything_can_be_sent_the_optimum_is()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var (problem, solution) = Solved(seed, 6);
            var sent = Actuation.Choose(problem, solution, new Actuator { Allowed = [new(0, 1L << 40)] });
            Assert.Equal(
                solution.Allocation!.Select(it => (it.TaskType, it.Tokens)),
                sent.Allocation.Select(it => (it.TaskType, it.Tokens))
            );
            Assert.Equal(
                (true, solution.Objective!.Value, 0.0, solution.MeanAccuracy!.Value),
                (sent.KeepsLimits, sent.Objective!.Value, sent.Loss!.Value, sent.MeanAccuracy)
            );
            Assert.Equal(solution.MeanSystemTimeSeconds!.Value, sent.MeanSystemTimeSeconds!.Value, 1e-12);
            Assert.Equal(solution.Utilization!.Value, sent.Utilization, 1e-12);
        }
    }

    /// <summary>
    /// Of all combinations of levels the best one, or one that is not worse by more than a thousandth of what is lost
    /// at most.
    /// </summary>
    [Fact]
    public void Of_levels_it_takes_the_best_combination()
    {
        var (compared, best) = (0, 0);
        for (var seed = 0; seed < 600; seed++)
        {
            var (problem, solution) = Solved(seed, 4);
            var sent = Actuation.Choose(problem, solution, new Actuator { Allowed = Levels });
            var most = BruteForce(problem, new long[problem.TaskTypes.Count], 0);
            if (double.IsNegativeInfinity(most))
                continue;
            compared++;
            Assert.True(sent.KeepsLimits, $"seed {seed}");
            Assert.Equal(
                AllocationSolver.Objective(problem, [.. sent.Allocation.Select(it => it.Tokens)]),
                sent.Objective!.Value,
                1e-9 * (1 + Math.Abs(most))
            );
            Assert.Equal(solution.Objective!.Value - sent.Objective.Value, sent.Loss!.Value);
            Assert.All(
                sent.Allocation,
                it => Assert.Equal(Levels.Single(level => level.Min == it.Tokens).Name, it.Name)
            );
            Assert.InRange(sent.Objective.Value, double.NegativeInfinity, most + (1e-9 * (1 + Math.Abs(most))));
            best += sent.Objective.Value >= most - (1e-9 * (1 + Math.Abs(most))) ? 1 : 0;
        }

        Assert.True(compared > 200, $"{compared} problems have a combination of levels that keeps the limits");
        Assert.True(best >= compared * 0.99, $"the best in {best} of {compared}");
    }

    /// <summary>Who cannot be told a little is told nothing or much; the others make room, or use it.</summary>
    [Fact]
    public void Across_a_hole_nothing_is_better_for_any_type_by_itself()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var (problem, solution) = Solved(seed, 6);
            var sent = Actuation.Choose(problem, solution, new Actuator { Allowed = OffOrMore });
            long[] tokens = [.. sent.Allocation.Select(it => it.Tokens)];
            if (!sent.KeepsLimits)
                continue;
            Assert.All(tokens, it => Assert.True(it is 0 or >= 1_024, $"seed {seed}: {it} tokens"));
            Assert.True(sent.Loss >= -1e-9 * (1 + Math.Abs(sent.Objective!.Value)), $"seed {seed}: {sent.Loss} lost");
            for (var k = 0; k < tokens.Length; k++)
            {
                foreach (var other in (long[])[0, 1_024, tokens[k] - 1, tokens[k] + 1, tokens[k] / 2, tokens[k] * 2])
                {
                    long[] changed = [.. tokens];
                    changed[k] = other;
                    if (other is 0 or >= 1_024)
                        Assert.True(
                            AllocationSolver.Objective(problem, changed)
                                <= sent.Objective + (1e-12 * (1 + Math.Abs(sent.Objective.Value))),
                            $"seed {seed}: {other} for type {k} is better"
                        );
                }
            }
        }
    }

    [Fact]
    public void Where_nothing_that_can_be_sent_keeps_the_limits_it_says_so_and_sends_the_least()
    {
        var (problem, solution) = Solved(3, 4);
        var sent = Actuation.Choose(problem, solution, new Actuator { Allowed = [new(1L << 40, 1L << 40, "endless")] });
        Assert.False(sent.KeepsLimits);
        Assert.Null(sent.Objective);
        Assert.Null(sent.MeanSystemTimeSeconds);
        Assert.All(sent.Allocation, it => Assert.Equal((1L << 40, "endless"), (it.Tokens, it.Name)));
    }

    private static (AllocationProblem Problem, AllocationSolution Solution) Solved(int seed, int most)
    {
        var problem = GeneratedProblems.Make(seed, most, wild: false);
        return (problem, AllocationSolver.Solve(problem));
    }

    private static double BruteForce(AllocationProblem problem, long[] tokens, int k)
    {
        if (k == tokens.Length)
            return AllocationSolver.Objective(problem, tokens);
        var most = double.NegativeInfinity;
        foreach (var level in Levels)
        {
            tokens[k] = level.Min;
            most = Math.Max(most, BruteForce(problem, tokens, k + 1));
        }

        return most;
    }
}
