using Platform.Domain.Allocation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Allocation;

namespace Platform.Domain.Tests.Snapshots;

public sealed class EstimateSensitivityTests
{
    [Fact]
    public void The_objectives_derivatives_are_finite_differences_of_the_solvers_own_objective()
    {
        for (var seed = 0; seed < 120; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 5, false);
            problem = seed % 3 == 0 && problem.Servers > 1 ? problem with { Dispatch = Dispatch.Shared } : problem;
            problem =
                seed % 3 == 1
                    ? SharingProblems.Make(seed, 5, SharingProblems.Costs.Near, capped: seed % 2 == 0)
                    : problem;
            if (AllocationSolver.Solve(problem) is not { Status: SolutionStatus.Optimal, Utilization: < 0.97 } solution)
                continue;
            long[] tokens = [.. solution.Allocation!.Select(type => type.Tokens)];
            var sensitivity = EstimateSensitivity.OfObjective(problem, tokens);
            for (var k = 0; k < tokens.Length; k++)
            {
                var slope = Slope(problem, tokens, k);
                Assert.Equal(slope, sensitivity.PerServiceSecond(k), 1e-4 * (1 + Math.Abs(slope)));
            }
        }
    }

    private static double Slope(AllocationProblem problem, long[] tokens, int k)
    {
        const double Step = 1e-6;
        double At(double seconds)
        {
            var types = problem.TaskTypes.ToArray();
            types[k] = types[k] with { Service = types[k].Service with { BaseSeconds = seconds } };
            return AllocationSolver.Objective(problem with { TaskTypes = types }, tokens);
        }

        var start = problem.TaskTypes[k].Service.BaseSeconds;
        var below = Math.Max(start - Step, 0);
        return (At(start + Step) - At(below)) / (start + Step - below);
    }
}
