using System.Text.Json;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

public sealed class SolverMethodTests
{
    private static readonly SolverMethod[] Iterative =
    [
        SolverMethod.FixedPoint,
        SolverMethod.ProjectedGradient,
        SolverMethod.AcceleratedProjectedGradient,
    ];

    [Fact]
    public void Methods_that_converge_agree_and_all_say_how_far_they_can_be_from_the_optimum()
    {
        var converged = new int[4];
        for (var seed = 0; seed < 200; seed++)
        {
            var wild = seed % 2 == 1;
            var problem = GeneratedProblems.Make(seed, 8, wild);
            var best = AllocationSolver.Solve(problem, Nearest(SolverMethod.Newton)).Continuous!;
            foreach (var method in Iterative)
            {
                var solution = AllocationSolver.Solve(problem, Nearest(method));
                var point = solution.Continuous!;
                var rounding = 1e-9 * (1 + Math.Abs(best.Objective));
                Assert.InRange(best.Objective - point.Objective, -rounding, point.OptimalityGap + rounding);
                if (solution.Diagnostics!.Exit != SolverExit.Converged)
                    continue;
                converged[(int)method]++;
                Assert.True(
                    best.Objective - point.Objective <= 2e-9 * (1 + Math.Abs(best.Objective)),
                    $"{seed} {method}: {point} against {best}"
                );
            }
        }

        // The wild half has coefficients over eight decades, where a fixed step gets nowhere.
        Assert.True(converged[1] > 180 && converged[2] > 10 && converged[3] > 80, string.Join(' ', converged));
    }

    [Fact]
    public void Where_the_sufficient_condition_holds_the_plain_iteration_converges()
    {
        var seen = new HashSet<PlainIteration>();
        for (var seed = 0; seed < 100; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 6, false);
            foreach (var lighter in (double[])[1, 1e-2, 1e-4])
            {
                var report = Report(problem with { ArrivalRate = lighter * problem.ArrivalRate });
                seen.Add(report.Plain);
                Assert.False(report.Contracts && report.Plain != PlainIteration.Converged, $"{seed}: {report}");
                Assert.Equal(report.BoxModulus < 1, report.Contracts);
            }
        }

        Assert.Superset(new HashSet<PlainIteration> { PlainIteration.Converged, PlainIteration.Cycle }, seen);
    }

    [Fact]
    public void A_light_load_contracts_and_a_heavy_one_cycles()
    {
        var light = GeneratedProblems.Make(1, 4, false) with { ArrivalRate = 1e-6 };
        var heavy = GeneratedProblems.Make(1, 4, false) with { AccuracyWeight = 300 };
        Assert.True(Report(light) is { Contracts: true, Plain: PlainIteration.Converged, BoxModulus: < 1 });
        Assert.True(Report(heavy) is { Contracts: false, Plain: PlainIteration.Cycle });
        Assert.Contains(
            Enumerable
                .Range(1, 12)
                .Select(seed => GeneratedProblems.Make(seed, 4, false) with { AccuracyWeight = 300 }),
            problem =>
                Report(problem).Plain == PlainIteration.Cycle
                && AllocationSolver.Solve(problem, Nearest(SolverMethod.FixedPoint)).Diagnostics!.Exit
                    == SolverExit.Converged
        );
    }

    [Fact]
    public void A_cap_on_iterations_is_kept_and_said()
    {
        var problem = GeneratedProblems.Make(3, 8, false);
        foreach (var method in Iterative)
        {
            var solution = AllocationSolver.Solve(
                problem,
                Nearest(method) with
                {
                    MaxIterations = 1,
                    Tolerance = 1e-14,
                }
            );
            Assert.Equal((1, SolverExit.IterationLimit), (solution.Diagnostics!.Iterations, solution.Diagnostics.Exit));
        }
    }

    [Fact]
    public void A_tolerance_beyond_the_precision_of_a_double_stalls_or_ends_at_the_cap()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 8, true);
            foreach (var method in Iterative)
            {
                var solution = AllocationSolver.Solve(
                    problem,
                    Nearest(method) with
                    {
                        Tolerance = 1e-300,
                        MaxIterations = 1_000,
                    }
                );
                Assert.True(
                    double.IsFinite(solution.Continuous!.Objective)
                        && double.IsFinite(solution.Continuous.OptimalityGap)
                );
                Assert.True(
                    solution.Diagnostics!.Exit != SolverExit.Converged || solution.Continuous.OptimalityGap <= 1e-299
                );
            }
        }
    }

    [Fact]
    public void Rounding_to_the_nearest_does_no_more()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var solution = AllocationSolver.Solve(GeneratedProblems.Make(seed, 8, false), Nearest(SolverMethod.Newton));
            Assert.Equal(RoundingMethod.Nearest, solution.Rounding!.Method);
            Assert.Equal(solution.Rounding.NearestObjective, solution.Objective);
            Assert.Equal(
                solution.Allocation!.Select(a => (long)Math.Round(a.TokensContinuous)),
                solution.Allocation!.Select(a => a.Tokens)
            );
        }
    }

    [Fact]
    public void Methods_have_the_names_of_the_contract() =>
        Assert.Equal(
            ["newton", "fixed-point", "projected-gradient", "accelerated-projected-gradient"],
            Enum.GetValues<SolverMethod>().Select(m => JsonSerializer.Deserialize<string>(StrictJson.Write(m)))
        );

    [Fact]
    public void Limits_and_shared_queues_are_refused_with_the_methods_that_cannot_take_them()
    {
        var problem = GeneratedProblems.Make(7, 4, false);
        foreach (
            var limited in (AllocationProblem[])
                [
                    problem with
                    {
                        MeanTokenBudget = 100,
                    },
                    problem with
                    {
                        MaxMeanSystemTimeSeconds = 100,
                    },
                    problem with
                    {
                        MaxUtilization = 0.9,
                    },
                    problem with
                    {
                        Dispatch = Dispatch.Shared,
                        Servers = 2,
                    },
                ]
        )
        {
            Assert.Empty(ProblemValidation.Validate(limited, new SolverOptions()));
            foreach (var method in Iterative)
            {
                Assert.Equal(
                    ["/method"],
                    ProblemValidation.Validate(limited, new() { Method = method }).Select(e => e.Pointer)
                );
                Assert.Throws<ArgumentException>(() => AllocationSolver.Solve(limited, new() { Method = method }));
            }
        }
    }

    [Fact]
    public void Faults_of_the_options_are_reported_where_they_are()
    {
        var bad = new SolverOptions
        {
            Method = (SolverMethod)9,
            Rounding = (RoundingMethod)9,
            Tolerance = double.NaN,
            MaxIterations = 0,
        };
        Assert.Equal(
            ["/method", "/rounding", "/tolerance", "/maxIterations"],
            ProblemValidation.Validate(GeneratedProblems.Make(1, 2, false), bad).Select(e => e.Pointer)
        );
    }

    private static SolverOptions Nearest(SolverMethod method) =>
        new()
        {
            Method = method,
            Rounding = RoundingMethod.Nearest,
            MaxIterations = 5_000,
        };

    private static FixedPointReport Report(AllocationProblem problem) =>
        AllocationSolver.Solve(problem, Nearest(SolverMethod.FixedPoint)).Diagnostics!.FixedPoint!;
}
