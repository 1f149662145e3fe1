using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

public sealed class BulkSolverTests
{
    [Fact]
    public void Answers_are_those_of_the_single_solver_to_the_bit()
    {
        var solver = new BulkSolver(40);
        for (var seed = 0; seed < 300; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 40, seed % 2 == 0) with { Servers = 1 };
            var (found, tokens) = Solve(solver, problem);
            var single = AllocationSolver.Solve(problem, new() { Rounding = RoundingMethod.Nearest });
            if (found.Status == SolutionStatus.Infeasible)
            {
                Assert.Equal(found.Status, single.Status);
                continue;
            }

            Assert.Equal(single.Allocation!.Select(a => a.TokensContinuous), tokens);
            Assert.Equal(single.Continuous, new(found.Objective, found.KktResidual, found.OptimalityGap));
            Assert.Equal((single.Diagnostics!.Iterations, single.Diagnostics.Exit), (found.Iterations, found.Exit));
        }
    }

    // Among them: Newton in κ alone running in a circle (wild, 91265), and a pole of the fourth-order step (wild,
    // 34714).
    [Theory]
    [InlineData(false, 20_000)]
    [InlineData(true, 100_000)]
    public void Every_generated_problem_settles_on_its_optimum(bool wild, int count)
    {
        var (solver, faults) = (new BulkSolver(40), new List<string>());
        for (var seed = 0; seed < count; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 40, wild);
            var (found, _) = Solve(solver, problem with { ArrivalRate = problem.ArrivalRate / problem.Servers });
            if (
                found.Exit != SolverExit.Converged
                || !(found.KktResidual <= 1e-8)
                || !(found.OptimalityGap <= 1e-7 * (1 + Math.Abs(found.Objective)))
            )
                faults.Add($"{seed}: {found}");
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults\n{string.Join('\n', faults.Take(20))}");
    }

    [Fact]
    public void Nothing_is_allocated_after_the_first_solve()
    {
        var solver = new BulkSolver(12);
        var columns = Columns(GeneratedProblems.Make(1, 12, false));
        var tokens = new double[columns[0].Length];
        Run(solver, columns, tokens);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Run(solver, columns, tokens);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_full_queue_is_infeasible()
    {
        var (found, _) = Solve(new(12), GeneratedProblems.Make(1, 12, false) with { ArrivalRate = 1e9, Servers = 1 });
        Assert.Equal(SolutionStatus.Infeasible, found.Status);
    }

    [Fact]
    public void Numbers_out_of_range_and_columns_of_unequal_length_are_refused()
    {
        foreach (
            var spoil in (Action<double[][]>[])
                [c => c[0][0] += 0.1, c => c[1][0] = double.NaN, c => c[4][0] = 2, c => c[7][0] = -1, c => c[5] = []]
        )
        {
            var columns = Columns(GeneratedProblems.Make(2, 6, false));
            var tokens = new double[columns[0].Length];
            Run(new(12), columns, tokens);
            spoil(columns);
            Assert.Throws<ArgumentException>(() => Run(new(12), columns, tokens));
        }

        var many = Columns(GeneratedProblems.Make(3, 12, false));
        Assert.Throws<ArgumentException>(() => Run(new(1), many, new double[many[0].Length]));
        Assert.Throws<ArgumentException>(() => Run(new(12), many, new double[1]));
    }

    private static double[][] Columns(AllocationProblem problem)
    {
        double[] Of(Func<TaskType, double> part) => [.. problem.TaskTypes.Select(part)];
        return
        [
            Of(t => t.Share),
            Of(t => t.Service.BaseSeconds),
            Of(t => t.Service.SecondsPerToken),
            Of(t => t.Accuracy.Floor),
            Of(t => t.Accuracy.Gain),
            Of(t => t.Accuracy.RatePerToken),
            Of(t => t.Weight),
            Of(t => t.MinTokens),
            Of(t => t.MaxTokens),
            [problem.ArrivalRate],
            [problem.AccuracyWeight],
            Of(t => t.Service.VarianceSecondsSquared),
        ];
    }

    private static (BulkOptimum Found, double[] Tokens) Solve(BulkSolver solver, AllocationProblem problem)
    {
        var tokens = new double[problem.TaskTypes.Count];
        return (Run(solver, Columns(problem), tokens), tokens);
    }

    private static BulkOptimum Run(BulkSolver solver, double[][] columns, double[] tokens) =>
        solver.Solve(
            new()
            {
                Share = columns[0],
                BaseSeconds = columns[1],
                SecondsPerToken = columns[2],
                Floor = columns[3],
                Gain = columns[4],
                RatePerToken = columns[5],
                Weight = columns[6],
                MinTokens = columns[7],
                MaxTokens = columns[8],
                ArrivalRate = columns[9][0],
                AccuracyWeight = columns[10][0],
                VarianceSecondsSquared = columns[11],
            },
            tokens
        );
}
