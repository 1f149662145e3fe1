using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

public sealed class SharedQueueTests
{
    [Fact]
    public void Nothing_found_by_chance_is_better_than_the_certificate_allows()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var problem = Make(seed);
            var solution = AllocationSolver.Solve(problem);
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            Assert.True(solution.Continuous!.KktResidual < 1e-6, $"{seed}: {solution.Continuous}");
            Assert.True(
                solution.Continuous.OptimalityGap <= 3e-6 * (1 + Math.Abs(solution.Objective!.Value)),
                $"{seed}: {solution.Continuous}"
            );
            Assert.True(
                solution.Objective >= solution.Rounding!.NearestObjective
                    && solution.Objective >= solution.Uniform!.Objective
            );
            var random = new Random(seed);
            for (var attempt = 0; attempt < 200; attempt++)
            {
                var tokens = Attempt(problem, solution, random, attempt);
                var found = AllocationSolver.Objective(problem, tokens);
                Assert.True(
                    found <= solution.Continuous.Objective + solution.Continuous.OptimalityGap + 1e-9,
                    $"{seed}: {found:R}"
                );
            }
        }
    }

    [Fact]
    public void The_answer_says_that_its_wait_is_an_approximation() =>
        Assert.Equal(QueueingApproximation.LeeLongton, AllocationSolver.Solve(Make(1)).Diagnostics!.Approximation);

    [Fact]
    public void Utilization_is_capped_and_the_cap_has_its_price()
    {
        var problem = Make(3);
        var free = AllocationSolver.Solve(problem).Utilization!.Value;
        var cap = 0.9 * free;
        var capped = AllocationSolver.Solve(problem with { MaxUtilization = cap });
        Assert.InRange(capped.Utilization!.Value, 0.8 * cap, cap);
        var more = AllocationSolver.Solve(problem with { MaxUtilization = cap + 1e-5 });
        var slope = (more.Continuous!.Objective - capped.Continuous!.Objective) / 1e-5;
        Assert.Equal(slope, capped.ShadowPrices!.MaxUtilization, 1e-3 * slope);
    }

    [Fact]
    public void Limits_that_could_not_be_proven_are_refused()
    {
        var problem = Make(1) with { MeanTokenBudget = 10, MaxMeanSystemTimeSeconds = 10 };
        Assert.Equal(
            ["/meanTokenBudget", "/maxMeanSystemTimeSeconds"],
            ProblemValidation.Validate(problem).Select(e => e.Pointer)
        );
    }

    [Fact]
    public void Without_arrivals_a_shared_queue_is_as_a_split_one()
    {
        var problem = Make(1) with { ArrivalRate = 0 };
        var split = AllocationSolver.Solve(problem with { Dispatch = Dispatch.Split });
        Assert.Equal(
            split.Allocation!.Select(a => a.Tokens),
            AllocationSolver.Solve(problem).Allocation!.Select(a => a.Tokens)
        );
    }

    private static AllocationProblem Make(int seed) =>
        GeneratedProblems.Make(seed, 8, false) with
        {
            Dispatch = Dispatch.Shared,
            Servers = 2 + (seed % 7),
        };

    private static long[] Attempt(AllocationProblem problem, AllocationSolution solution, Random random, int attempt)
    {
        var tokens = new long[problem.TaskTypes.Count];
        for (var k = 0; k < tokens.Length; k++)
        {
            var (type, best) = (problem.TaskTypes[k], solution.Allocation![k].Tokens);
            var wild = type.MinTokens + (long)((type.MaxTokens - type.MinTokens) * Math.Pow(random.NextDouble(), 4));
            tokens[k] =
                attempt % 2 == 0 ? wild : Math.Clamp(best + random.Next(-20, 21), type.MinTokens, type.MaxTokens);
        }

        return tokens;
    }
}
