using Platform.Domain.Allocation;
using Costs = Platform.Domain.Tests.Allocation.SharingProblems.Costs;

namespace Platform.Domain.Tests.Allocation;

/// <summary>Whole tokens, single budgets and what can be sent, against all there are, where servers share.</summary>
public sealed class SharingWholeTokensTests
{
    private static readonly TokenRange[] Levels =
    [
        new(0, 0, "none"),
        new(3, 3, "low"),
        new(6, 6, "medium"),
        new(12, 12, "high"),
    ];

    [Theory]
    [InlineData(0, false, 150)]
    [InlineData(1, false, 150)]
    [InlineData(2, false, 150)]
    [InlineData(0, true, 100)]
    [InlineData(1, true, 100)]
    public void Whole_tokens_agree_with_brute_force(int costs, bool capped, int count)
    {
        var feasible = 0;
        var proven = 0;
        var moved = 0;
        for (var seed = 0; seed < count; seed++)
        {
            var problem = Small(seed, 3, (Costs)costs, capped);
            if (seed % 3 == 2)
                problem = Limited(problem, seed);
            var solution = AllocationSolver.SolveInSteps(problem).Answer;
            var best = EveryAllocation.BestObjective(problem);
            if (solution.Status == SolutionStatus.Infeasible)
            {
                Assert.Equal(double.NegativeInfinity, best);
                continue;
            }

            var slack = 2e-11 * (1 + Math.Abs(best));
            feasible++;
            proven += solution.Rounding!.ProvenOptimal ? 1 : 0;
            moved += solution.MeanTokens > 0.5 ? 1 : 0;
            Assert.True(
                !solution.Rounding.ProvenOptimal || solution.Objective >= best - slack,
                $"{seed}: {solution.Objective:R} against {best:R}"
            );
            Assert.True(
                solution.Objective >= best - (1e-3 * (1 + Math.Abs(best))),
                $"{seed}: {solution.Objective:R} against {best:R}"
            );
            Assert.True(
                best <= solution.Continuous!.Objective + solution.Continuous.OptimalityGap + slack,
                $"{seed}: {best:R} above the continuous optimum {solution.Continuous}"
            );
        }

        Assert.True(moved > count / 2, $"{moved} grant tokens");
        Assert.True(
            costs == (int)Costs.Wild ? proven > 0.9 * feasible : proven == feasible,
            $"{proven} of {feasible} proven"
        );
    }

    /// <summary>
    /// Where a limit binds and tokens cost differently, the search by the limit's tangent is nowhere worse than branch
    /// and bound, which takes a hundred times as long.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_search_by_a_limits_tangent_agrees_with_branch_and_bound(bool capped)
    {
        var searched = 0;
        var asked = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var problem = Limited(Small(seed, 5, Costs.Near, capped), seed);
            var model = new AllocationModel(problem);
            if (AllocationSolver.Infeasibility(model) is not null)
                continue;
            var point = model.Method().Solve();
            if (!point.Prices.Bind || model.Sharing!.HasCommonCost)
                continue;
            asked++;
            var known = new WholeTokens(model).Nearest(point.Tokens);
            if (LimitedSearch.Best(model, point, known) is not { } found)
                continue;
            searched++;
            var (expected, proven) = BranchAndBound.Search(model, known);
            var best = AllocationSolver.Objective(problem, expected);
            var objective = AllocationSolver.Objective(problem, found);
            var slack = 2e-11 * (1 + Math.Abs(best));
            Assert.True(objective >= best - slack, $"{seed}: {objective:R} against {best:R}");
            Assert.True(!proven || objective <= best + slack, $"{seed}: {objective:R} above the proven {best:R}");
        }

        Assert.True(searched > (capped ? 0.6 : 0.8) * asked && searched > 50, $"{searched} of {asked}");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public void The_best_single_budget_by_slopes_is_the_one_by_figures(int costs, bool capped)
    {
        for (var seed = 0; seed < 400; seed++)
        {
            var problem = SharingProblems.Make(seed, 6, (Costs)costs, capped);
            if (seed % 3 == 0)
            {
                var types = problem.TaskTypes.Select(type => type with { MinTokens = 0 });
                problem = problem with { TaskTypes = [.. types] };
            }

            if (seed % 2 == 0)
                problem = Limited(problem, seed);
            var model = new AllocationModel(problem);
            Assert.Equal(UniformBudget.FindByFigures(model), UniformBudget.Find(model));
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public void The_best_single_budget_agrees_with_trying_every_one(int costs, bool capped)
    {
        for (var seed = 0; seed < 150; seed++)
        {
            var problem = Small(seed, 4, (Costs)costs, capped);
            problem = seed % 2 == 0 ? problem : Limited(problem, seed);
            var solution = AllocationSolver.Solve(problem, new SolverOptions { Rounding = RoundingMethod.Nearest });
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            var best = Enumerable
                .Range(0, 30)
                .Max(budget =>
                    AllocationSolver.Objective(
                        problem,
                        [.. problem.TaskTypes.Select(type => Math.Clamp(budget, type.MinTokens, type.MaxTokens))]
                    )
                );
            Assert.Equal(best, solution.Uniform?.Objective ?? double.NegativeInfinity);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    public void What_can_be_sent_is_the_best_combination(int costs, bool capped)
    {
        var compared = 0;
        var best = 0;
        var actuator = new Actuator { Allowed = Levels };
        for (var seed = 0; seed < 300; seed++)
        {
            var problem = Small(seed, 3, (Costs)costs, capped);
            var types = problem.TaskTypes.Select(type => type with { MinTokens = 0, MaxTokens = 12 });
            problem = problem with { TaskTypes = [.. types] };
            problem = seed % 3 == 0 ? Limited(problem, seed) : problem;
            var solution = AllocationSolver.SolveInSteps(problem).Answer;
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            var most = OfLevels(problem, new long[problem.TaskTypes.Count], 0);
            var sent = Actuation.Choose(problem, solution, actuator);
            var slack = 1e-9 * (1 + Math.Abs(most));
            Assert.True(sent.KeepsLimits, $"{seed}");
            Assert.Equal(solution.Objective!.Value - sent.Objective!.Value, sent.Loss!.Value);
            Assert.InRange(sent.Objective.Value, double.NegativeInfinity, most + slack);
            compared++;
            best += sent.Objective >= most - slack ? 1 : 0;
        }

        Assert.True(compared > 200, $"{compared}");
        Assert.True(best >= compared * 0.98, $"the best in {best} of {compared}");
    }

    /// <summary>Few tokens, each dear: whole ones then differ from real ones by much.</summary>
    private static AllocationProblem Small(int seed, int most, Costs costs, bool capped)
    {
        const double Dearer = 100;
        var problem = SharingProblems.Make(seed, most, costs, capped);
        var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value * Dearer;
        TaskType[] types = [.. problem.TaskTypes.Select(type => Small(type, 3 + (seed % 10), Dearer))];
        problem = problem with
        {
            Sharing = problem.Sharing with { OverheadSecondsPerToken = overhead },
            AccuracyWeight = 20 + (seed % 7 * 40),
            TaskTypes = types,
        };
        var slots = problem.Sharing.MaxInService is { } cap ? overhead / cap : 0;
        var load = types.Sum(type =>
        {
            var output = type.AnswerTokens + type.MinTokens;
            var perToken = type.Service.SecondsPerToken + (type.Service.SecondsPerTokenSquared * type.MinTokens);
            var lone = type.Service.BaseSeconds + (type.MinTokens * perToken);
            return type.Share * (lone - ((overhead - slots) * output));
        });
        return problem with { ArrivalRate = (0.05 + (0.1 * (seed % 7))) * problem.Servers / load };
    }

    private static TaskType Small(TaskType type, int most, double dearer)
    {
        var answer = Math.Min(type.AnswerTokens, 2);
        var perToken = type.Service.SecondsPerToken * dearer;
        return type with
        {
            MinTokens = Math.Min(type.MinTokens, 2),
            MaxTokens = most,
            AnswerTokens = answer,
            Service = new ServiceLine(
                (answer * perToken * (1 + 1e-9)) + 0.3,
                perToken,
                0,
                type.Service.SecondsPerTokenSquared * dearer * dearer
            ),
            Accuracy = type.Accuracy with { RatePerToken = 0.02 + (type.Accuracy.RatePerToken * 5) },
        };
    }

    private static AllocationProblem Limited(AllocationProblem problem, int seed)
    {
        var solution = AllocationSolver.SolveInSteps(problem).Answer;
        var part = 0.3 + (0.06 * (seed % 10));
        return (seed % 5) switch
        {
            0 => problem with { MeanTokenBudget = part * solution.MeanTokens },
            1 => problem with { MaxMeanSystemTimeSeconds = (0.5 + (part / 2)) * solution.MeanSystemTimeSeconds },
            2 => problem with { MaxUtilization = Math.Max((0.5 + (part / 2)) * solution.Utilization!.Value, 1e-9) },
            3 => problem with { MaxInterTokenSeconds = (0.7 + (part / 4)) * solution.InterTokenSeconds * 2 },
            _ => problem with
            {
                MaxTimeToFirstAnswerTokenSeconds = (0.5 + (part / 2)) * solution.MeanTimeToFirstAnswerTokenSeconds,
            },
        };
    }

    private static double OfLevels(AllocationProblem problem, long[] tokens, int k)
    {
        if (k == tokens.Length)
            return AllocationSolver.Objective(problem, tokens);
        var most = double.NegativeInfinity;
        foreach (var level in Levels)
        {
            tokens[k] = level.Min;
            most = Math.Max(most, OfLevels(problem, tokens, k + 1));
        }

        return most;
    }
}
