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
            var problem = new AllocationProblem { ArrivalRate = 0.5, AccuracyWeight = weight, TaskTypes = [type, type with { Id = "b" }] };
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
                problem = problem with { TaskTypes = [.. problem.TaskTypes.Select(type => type with { MinTokens = 0, MaxTokens = 32_768 })] };
            if (seed % 5 == 0)
                problem = problem with { MaxUtilization = 0.9, MeanTokenBudget = 500, MaxMeanSystemTimeSeconds = 20 };
            var model = new AllocationModel(problem);
            Assert.Equal(UniformBudget.FindByFigures(model), UniformBudget.Find(model));
        }
    }

    private static (string Tokens, bool Proven) Proven(AllocationProblem problem, long[] known)
    {
        var (tokens, proven) = BranchAndBound.Search(problem, known);
        return (string.Join(' ', tokens), proven);
    }
}
