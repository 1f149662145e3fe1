using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

public sealed class GeneratedProblemTests
{
    [Theory]
    [InlineData(false, 400)]
    [InlineData(true, 800)]
    public void Continuous_optimum_proves_itself(bool wild, int count)
    {
        var faults = new List<string>();
        for (var seed = 0; seed < count; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 40, wild);
            var solution = AllocationSolver.Solve(problem);
            if (Fault(problem, solution) is { } fault)
                faults.Add($"{seed}: {fault}");
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
    }

    [Fact]
    public void Limits_are_kept_priced_and_certified()
    {
        var faults = new List<string>();
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = Limited(seed, 12);
            var solution = AllocationSolver.Solve(problem);
            if (
                solution.Status == SolutionStatus.Optimal
                && (Fault(problem, solution) ?? PriceFault(problem, solution)) is { } fault
            )
                faults.Add($"{seed}: {fault}");
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
    }

    [Fact]
    public void Whole_tokens_agree_with_brute_force()
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var problem = seed % 2 == 0 ? GeneratedProblems.Make(seed, 3, false) : Limited(seed, 3);
            problem = problem with { TaskTypes = [.. problem.TaskTypes.Select(t => Small(t, seed))] };
            var solution = AllocationSolver.Solve(problem);
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            var best = EveryAllocation.BestObjective(problem);
            Assert.True(
                solution.Objective >= best - (2e-11 * (1 + Math.Abs(best))),
                $"{seed}: {solution.Objective:R} against {best:R}"
            );
            Assert.True(solution.Rounding!.ProvenOptimal, $"{seed}: not proven");
        }
    }

    [Fact]
    public void Whole_tokens_fill_a_tight_budget_as_well_as_brute_force_does()
    {
        for (var seed = 0; seed < 120; seed++)
        {
            // Unequal shares and few tokens make a knapsack, which moving single tokens does not solve.
            var problem = GeneratedProblems.Make(seed, 4, false);
            var types = problem.TaskTypes.Select(t =>
                Small(t, 3) with
                {
                    MinTokens = 0,
                    MaxTokens = Math.Min(t.MaxTokens, 5),
                }
            );
            problem = problem with
            {
                AccuracyWeight = 1000,
                ArrivalRate = 0.01,
                MeanTokenBudget = 1.3,
                TaskTypes = [.. types],
            };
            var solution = AllocationSolver.Solve(problem);
            var best = EveryAllocation.BestObjective(problem);
            Assert.True(
                solution.Objective >= best - (2e-11 * (1 + Math.Abs(best))),
                $"{seed}: {solution.Objective:R} against {best:R}"
            );
            Assert.True(solution.Rounding!.ProvenOptimal, $"{seed}: not proven");
        }
    }

    [Fact]
    public void Uniform_budget_agrees_with_trying_every_one()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = seed % 2 == 0 ? GeneratedProblems.Make(seed, 5, false) : Limited(seed, 5);
            problem = problem with { TaskTypes = [.. problem.TaskTypes.Select(t => Small(t, seed))] };
            var solution = AllocationSolver.Solve(problem);
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            var best = Enumerable
                .Range(0, 60)
                .Max(budget =>
                    AllocationSolver.Objective(
                        problem,
                        [.. problem.TaskTypes.Select(t => Math.Clamp(budget, t.MinTokens, t.MaxTokens))]
                    )
                );
            Assert.Equal(best, solution.Uniform!.Objective);
        }
    }

    [Fact]
    public void Order_of_the_task_types_does_not_matter()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 12, false);
            var there = AllocationSolver.Solve(problem);
            var back = AllocationSolver.Solve(problem with { TaskTypes = [.. problem.TaskTypes.Reverse()] });
            Assert.Equal(there.Objective!.Value, back.Objective!.Value, 1e-11 * Math.Abs(there.Objective.Value));
            foreach (var (a, b) in there.Allocation!.Zip(back.Allocation!.Reverse()))
                Assert.True(
                    Math.Abs(a.TokensContinuous - b.TokensContinuous) <= 1e-6 + (1e-8 * a.TokensContinuous),
                    $"{seed}: {a} {b}"
                );
        }
    }

    [Fact]
    public void Another_unit_of_time_changes_the_unit_of_the_answer_and_nothing_else()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var (problem, unit) = (seed % 2 == 0 ? GeneratedProblems.Make(seed, 12, false) : Limited(seed, 12), 1000.0);
            var seconds = AllocationSolver.Solve(problem);
            var millis = AllocationSolver.Solve(
                problem with
                {
                    ArrivalRate = problem.ArrivalRate / unit,
                    AccuracyWeight = problem.AccuracyWeight * unit,
                    MaxMeanSystemTimeSeconds = problem.MaxMeanSystemTimeSeconds * unit,
                    TaskTypes =
                    [
                        .. problem.TaskTypes.Select(t =>
                            t with
                            {
                                Service = new(
                                    t.Service.BaseSeconds * unit,
                                    t.Service.SecondsPerToken * unit,
                                    t.Service.VarianceSecondsSquared * unit * unit
                                ),
                            }
                        ),
                    ],
                }
            );
            SameTokens(seconds, millis, 1, seed);
            Assert.Equal(seconds.Status, millis.Status);
            if (seconds.Continuous is { } continuous)
                Assert.Equal(
                    continuous.Objective * unit,
                    millis.Continuous!.Objective,
                    1e-9 * unit * (1 + Math.Abs(continuous.Objective))
                );
        }
    }

    [Fact]
    public void Tokens_of_half_the_size_are_twice_as_many()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var problem = seed % 2 == 0 ? GeneratedProblems.Make(seed, 12, false) : Limited(seed, 12);
            var halves = problem with
            {
                MeanTokenBudget = problem.MeanTokenBudget * 2,
                TaskTypes =
                [
                    .. problem.TaskTypes.Select(t =>
                        t with
                        {
                            MinTokens = t.MinTokens * 2,
                            MaxTokens = t.MaxTokens * 2,
                            Service = t.Service with { SecondsPerToken = t.Service.SecondsPerToken / 2 },
                            Accuracy = t.Accuracy with { RatePerToken = t.Accuracy.RatePerToken / 2 },
                        }
                    ),
                ],
            };
            SameTokens(AllocationSolver.Solve(problem), AllocationSolver.Solve(halves), 2, seed);
        }
    }

    private static void SameTokens(AllocationSolution expected, AllocationSolution actual, double times, int seed)
    {
        foreach (var (a, b) in (expected.Allocation ?? []).Zip(actual.Allocation ?? []))
        {
            var most = 1e-5 + (1e-7 * a.TokensContinuous);
            Assert.True(
                Math.Abs((a.TokensContinuous * times) - b.TokensContinuous) <= times * most,
                $"{seed}: {a} {b}"
            );
        }
    }

    [Fact]
    public void Equal_problems_have_answers_equal_to_the_byte()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var one = StrictJson.Write(AllocationSolver.Solve(Limited(seed, 12)));
            Assert.Equal(one, StrictJson.Write(AllocationSolver.Solve(Limited(seed, 12))));
        }
    }

    /// <summary>A problem with some of the three limits, set where they are likely to bind.</summary>
    private static AllocationProblem Limited(int seed, int most)
    {
        var problem = GeneratedProblems.Make(seed, most, false);
        var free = AllocationSolver.Solve(problem);
        var random = new Random(seed);
        double? Cut(double value, double least) =>
            random.Next(2) == 0 ? least + ((value - least) * random.NextDouble() * 1.2) : null;
        var least = AllocationSolver.Solve(problem with { AccuracyWeight = 0 });
        return problem with
        {
            MaxUtilization = Cut(free.Utilization!.Value, least.Utilization!.Value) is { } cap && cap < 1 ? cap : null,
            MeanTokenBudget = Cut(free.MeanTokens!.Value, least.MeanTokens!.Value),
            MaxMeanSystemTimeSeconds = Cut(free.MeanSystemTimeSeconds!.Value, least.MeanSystemTimeSeconds!.Value),
        };
    }

    private static string? Fault(AllocationProblem problem, AllocationSolution solution)
    {
        var scale = 1 + Math.Abs(solution.Continuous!.Objective);
        var tokens = solution.Allocation!.Select(a => a.Tokens).ToArray();
        if (solution.Status != SolutionStatus.Optimal || solution.Diagnostics!.Exit != SolverExit.Converged)
            return "did not converge";
        if (!(solution.Continuous.KktResidual <= 1e-7))
            return $"KKT residual {solution.Continuous.KktResidual}";
        if (!(solution.Continuous.OptimalityGap <= 1e-8 * scale))
            return $"gap {solution.Continuous.OptimalityGap} at {scale}";
        if (AllocationSolver.Objective(problem, tokens) != solution.Objective)
            return $"objective {solution.Objective} is not that of its tokens, {AllocationSolver.Objective(problem, tokens)}";
        if (
            solution.Objective < solution.Rounding!.NearestObjective
            || solution.Rounding.LossBound < solution.Rounding.Loss
        )
            return $"rounding {solution.Rounding}";
        if (solution.Uniform is { } uniform && uniform.Objective > solution.Objective + (1e-6 * scale))
            return $"uniform {uniform.Objective} beats {solution.Objective}";
        return Perturbed(problem, tokens)
            .Any(o => o > solution.Continuous.Objective + solution.Continuous.OptimalityGap + (1e-12 * scale))
            ? "a neighbour is better"
            : null;
    }

    private static IEnumerable<double> Perturbed(AllocationProblem problem, long[] tokens)
    {
        for (var k = 0; k < tokens.Length; k++)
        {
            foreach (var by in (long[])[-1, 1])
            {
                var moved = (long[])tokens.Clone();
                moved[k] += by;
                yield return AllocationSolver.Objective(problem, moved);
            }
        }
    }

    // J is concave in the limits: a step brings no more than the prices before it promise and no less than those after
    // it.
    private static string? PriceFault(AllocationProblem problem, AllocationSolution solution)
    {
        var prices = solution.ShadowPrices!;
        if (prices.MeanTokenBudget < 0 || prices.MaxMeanSystemTime < 0 || prices.MaxUtilization < 0)
            return $"negative price {prices}";
        var more = problem with
        {
            MeanTokenBudget = (problem.MeanTokenBudget * (1 + 1e-5)) + 1e-6,
            MaxMeanSystemTimeSeconds = problem.MaxMeanSystemTimeSeconds * (1 + 1e-5),
            MaxUtilization = problem.MaxUtilization is { } cap ? Math.Min(cap * (1 + 1e-5), 0.999999999) : null,
        };
        var then = AllocationSolver.Solve(more);
        var gain = then.Continuous!.Objective - solution.Continuous!.Objective;
        var noise = 1e-11 * (1 + Math.Abs(solution.Continuous.Objective));
        var (most, least) = (Promise(prices, problem, more), Promise(then.ShadowPrices!, problem, more));
        return gain > most + noise || gain < least - noise
            ? $"the limits bring {gain:E3}, not {least:E3} to {most:E3}; {prices}"
            : null;
    }

    private static double Promise(ShadowPrices prices, AllocationProblem from, AllocationProblem to) =>
        (prices.MeanTokenBudget * (to.MeanTokenBudget - from.MeanTokenBudget) ?? 0)
        + (prices.MaxMeanSystemTime * (to.MaxMeanSystemTimeSeconds - from.MaxMeanSystemTimeSeconds) ?? 0)
        + (prices.MaxUtilization * (to.MaxUtilization - from.MaxUtilization) ?? 0);

    private static TaskType Small(TaskType type, int seed)
    {
        var most = 3 + (seed % 11);
        return type with
        {
            MinTokens = Math.Min(type.MinTokens, 2),
            MaxTokens = Math.Min(type.MaxTokens, most),
            Service = type.Service with { SecondsPerToken = type.Service.SecondsPerToken * 100 },
            Accuracy = type.Accuracy with { RatePerToken = type.Accuracy.RatePerToken * 30 },
        };
    }
}
