using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>What the solver finds by a shorter way is what it finds by the longer one, to the bit.</summary>
public class ShortcutTests
{
    [Fact]
    public void Tangent_search_finds_what_branch_and_bound_proves_and_mostly_finds_something()
    {
        var (asked, found) = (0, 0);
        for (var seed = 0; seed < 2_000; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 8, seed % 2 == 0);
            var model = new AllocationModel(problem);
            var solution = AllocationSolver.Solve(problem, new SolverOptions { Rounding = RoundingMethod.Exchange });
            long[] known = [.. solution.Allocation!.Select(type => type.Tokens)];
            var best = TangentSearch.Best(model, new ContinuousSolver(model).Solve(), known);
            if (seed % 2 == 1)
                (asked, found) = (asked + 1, found + (best is null ? 0 : 1));
            if (best is not null)
                Assert.Equal((string.Join(' ', best), true), Proven(problem, known));
        }

        Assert.True(found > 0.8 * asked, $"{found} of {asked}");
    }

    [Fact]
    public void Tangent_search_is_silent_between_two_that_are_equally_good()
    {
        // Two types alike that share one token: whichever has it.
        var type = new TaskType
        {
            Id = "a",
            Share = 0.5,
            MaxTokens = 1_000,
            Service = new ServiceLine(0.1, 0.01),
            Accuracy = new AccuracyCurve(0.2, 0.5, 0.002),
        };
        var silent = 0;
        for (var weight = 20; weight < 120; weight++)
        {
            var problem = new AllocationProblem
            {
                ArrivalRate = 0.5,
                AccuracyWeight = weight,
                TaskTypes = [type, type with { Id = "b" }],
            };
            var model = new AllocationModel(problem);
            var point = new ContinuousSolver(model).Solve();
            var best = TangentSearch.Best(model, point, new WholeTokens(model).Nearest(point.Tokens));
            if (best is null)
                silent++;
            else
                Assert.Equal(best[0], best[1]);
        }

        Assert.InRange(silent, 1, 99);
    }

    [Fact]
    public void Uniform_budget_by_slopes_is_the_one_by_figures()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 6, seed % 2 == 0);
            if (seed % 3 == 0)
                problem = problem with
                {
                    TaskTypes = [.. problem.TaskTypes.Select(type => type with { MinTokens = 0, MaxTokens = 32_768 })],
                };
            if (seed % 5 == 0)
                problem = problem with { MaxUtilization = 0.9, MeanTokenBudget = 500, MaxMeanSystemTimeSeconds = 20 };
            var model = new AllocationModel(problem);
            Assert.Equal(UniformBudget.FindByFigures(model), UniformBudget.Find(model));
        }
    }

    [Fact]
    public void Limited_search_finds_what_trying_all_finds()
    {
        var searched = 0;
        for (var seed = 0; seed < 600; seed++)
        {
            var problem = Binding(seed, GeneratedProblems.Make(seed, 3, seed % 3 == 0) with { Servers = 1 }, 40);
            if (problem is null)
                continue;
            var solution = AllocationSolver.Solve(problem);
            if (solution is not { Status: SolutionStatus.Optimal, ShadowPrices.Bind: true })
                continue;
            var best = EveryAllocation.BestObjective(problem);
            Assert.True(solution.Rounding!.ProvenOptimal, $"{seed}");
            Assert.Equal(best, solution.Objective!.Value, 1e-11 * (1 + Math.Abs(best)));
            searched += Searched(problem, solution) ? 1 : 0;
        }

        Assert.True(searched > 100, $"{searched}");
    }

    [Fact]
    public void Limited_search_is_nowhere_worse_than_branch_and_bound_and_proves_where_that_does()
    {
        var (asked, searched, better) = (0, 0, 0);
        for (var seed = 0; seed < 400; seed++)
        {
            var problem = Binding(
                seed,
                GeneratedProblems.Make(seed, BranchAndBound.MaxTypes, seed % 4 == 0),
                int.MaxValue
            );
            if (problem is null)
                continue;
            var before = AllocationSolver.Solve(problem, AllocationSolver.Versions["dual-newton/3"]);
            var solution = AllocationSolver.Solve(problem);
            Assert.True(
                solution.Objective >= before.Objective - (1e-11 * (1 + Math.Abs(before.Objective!.Value))),
                $"{seed}: {solution.Objective:R} {before.Objective:R}"
            );
            Assert.True(solution.Rounding!.ProvenOptimal || !before.Rounding!.ProvenOptimal, $"{seed}");
            better += solution.Objective > before.Objective ? 1 : 0;
            if (seed % 4 != 0 && solution.ShadowPrices!.Bind)
                (asked, searched) = (asked + 1, searched + (Searched(problem, solution) ? 1 : 0));
        }

        Assert.True(searched > 0.9 * asked && better > 0, $"{searched} of {asked}, {better} better");
    }

    /// <summary>
    /// Problems of which the version before said that its answer was proven, and it was not the best.
    /// </summary>
    [Theory]
    [InlineData(608)]
    [InlineData(2_540)]
    [InlineData(9_668)]
    [InlineData(13_874)]
    public void Branch_and_bound_leaves_no_box_because_its_optimum_is_whole(int seed)
    {
        var problem = GeneratedProblems.Make(seed, 4, true) with { Servers = 1 };
        var free = AllocationSolver.Solve(problem, new SolverOptions { Rounding = RoundingMethod.Exchange });
        problem = problem with { MeanTokenBudget = Math.Floor(0.7 * free.MeanTokens!.Value) };
        var solution = AllocationSolver.Solve(problem, new SolverOptions { Rounding = RoundingMethod.Exchange });
        long[] known = [.. solution.Allocation!.Select(type => type.Tokens)];

        var best = AllocationSolver.Solve(problem).Objective!.Value;
        var (before, wasProven) = BranchAndBound.Search(new AllocationModel(problem), known, asBefore: true);
        var (now, isProven) = BranchAndBound.Search(new AllocationModel(problem), known);
        Assert.True(wasProven && AllocationSolver.Objective(problem, before) < best - (1e-11 * (1 + Math.Abs(best))));
        Assert.True(isProven);
        Assert.Equal(best, AllocationSolver.Objective(problem, now), 1e-11 * (1 + Math.Abs(best)));
    }

    /// <summary>The problem with limits that its optimum without them breaks; null where there is no optimum.</summary>
    private static AllocationProblem? Binding(int seed, AllocationProblem problem, long mostTokens)
    {
        problem = problem with
        {
            TaskTypes =
            [
                .. problem.TaskTypes.Select(type =>
                    type with
                    {
                        MaxTokens = Math.Min(type.MaxTokens, mostTokens),
                        MinTokens = Math.Min(type.MinTokens, mostTokens / 4),
                    }
                ),
            ],
        };
        var free = AllocationSolver.Solve(problem, new SolverOptions { Rounding = RoundingMethod.Exchange });
        if (free.Status != SolutionStatus.Optimal || free.MeanTokens < 1)
            return null;
        var random = new Random(seed);
        double Part() => 0.5 + (random.NextDouble() / 2);
        problem = random.Next(2) == 0 ? problem with { MeanTokenBudget = Part() * free.MeanTokens } : problem;
        problem = random.Next(2) == 0 ? problem with { MaxUtilization = Part() * free.Utilization } : problem;
        problem =
            random.Next(2) == 0
                ? problem with
                {
                    MaxMeanSystemTimeSeconds = Part() * free.MeanSystemTimeSeconds,
                }
                : problem;
        return
            AllocationSolver.Solve(problem, new SolverOptions { Rounding = RoundingMethod.Exchange }).Status
            == SolutionStatus.Optimal
            ? problem
            : null;
    }

    private static bool Searched(AllocationProblem problem, AllocationSolution solution)
    {
        var model = new AllocationModel(problem);
        return LimitedSearch.Best(
            model,
            new ContinuousSolver(model).Solve(),
            [.. solution.Allocation!.Select(type => type.Tokens)]
        )
            is not null;
    }

    private static (string Tokens, bool Proven) Proven(AllocationProblem problem, long[] known)
    {
        var (tokens, proven) = BranchAndBound.Search(new AllocationModel(problem), known);
        return (string.Join(' ', tokens), proven);
    }
}
