using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

public sealed class OptimumAnalysisTests
{
    [Fact]
    public void Rounding_loses_no_more_than_was_known_before_it_and_after_it()
    {
        var (known, close) = (0, 0);
        for (var seed = 0; seed < 300; seed++)
        {
            var solution = Solve(GeneratedProblems.Make(seed, 12, seed % 3 == 0));
            var (rounding, diagnostics) = (solution.Rounding!, solution.Diagnostics!);
            var noise = 1e-12 * (1 + Math.Abs(solution.Continuous!.Objective));
            var loss = solution.Continuous.Objective - rounding.NearestObjective;
            Assert.True(
                loss <= diagnostics.NearestLossAfter + noise,
                $"{seed}: {loss} after {diagnostics.NearestLossAfter}"
            );
            if (diagnostics.NearestLossBefore is not { } before)
                continue;
            known++;
            close += loss > 0.01 * before ? 1 : 0;
            Assert.True(loss <= before + noise, $"{seed}: {loss} before {before}");
        }

        Assert.True(known > 200 && close > 100, $"{known} {close}");
    }

    [Fact]
    public void The_least_curvature_is_above_0_and_not_above_the_least_eigenvalue()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 2, false);
            if (problem.TaskTypes.Count < 2)
                continue;
            var solution = Solve(problem);
            var eigenvalue = LeastEigenvalue(problem, [.. solution.Allocation!.Select(a => a.TokensContinuous)]);
            Assert.InRange(solution.Diagnostics!.LeastCurvature!.Value, 1e-3 * eigenvalue, eigenvalue * (1 + 1e-4));
        }
    }

    [Fact]
    public void Sensitivities_are_the_derivatives_of_the_optimum()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var problem = GeneratedProblems.Make(seed, 6, false);
            var free = Solve(problem);
            problem = (seed % 4) switch
            {
                0 => problem with { MeanTokenBudget = 0.7 * free.MeanTokens },
                1 => problem with { MaxUtilization = 0.9 * free.Utilization },
                2 => problem with { MaxMeanSystemTimeSeconds = 0.95 * free.MeanSystemTimeSeconds },
                _ => problem,
            };
            var solution = Solve(problem);
            if (solution.Status == SolutionStatus.Infeasible)
                continue;
            var (rate, weight) = (1e-5 * problem.ArrivalRate, 1e-5 * problem.AccuracyWeight);
            var found = solution.Diagnostics!.Sensitivities!;
            double At(double x, double y) =>
                Solve(
                    problem with
                    {
                        ArrivalRate = problem.ArrivalRate + x,
                        AccuracyWeight = problem.AccuracyWeight + y,
                    }
                ).Continuous?.Objective
                ?? double.NaN;
            Near((At(rate, 0) - At(-rate, 0)) / (2 * rate), found.ObjectivePerArrivalRate, seed);
            Near((At(0, weight) - At(0, -weight)) / (2 * weight), found.ObjectivePerAccuracyWeight, seed);
        }
    }

    private static void Near(double expected, double actual, int seed) =>
        Assert.True(
            double.IsNaN(expected) || Math.Abs(expected - actual) <= 1e-4 * (1e-3 + Math.Abs(expected)),
            $"{seed}: {expected} {actual}"
        );

    private static AllocationSolution Solve(AllocationProblem problem) =>
        AllocationSolver.Solve(problem, new() { Rounding = RoundingMethod.Nearest });

    // From the gradient's differences; the gradient is written out as in the paper, λ/k being the rate at one server.
    private static double LeastEigenvalue(AllocationProblem problem, double[] tokens)
    {
        var (first, second) = (Column(problem, tokens, 0), Column(problem, tokens, 1));
        var (sum, difference) = ((first[0] + second[1]) / 2, (first[0] - second[1]) / 2);
        return sum - Math.Sqrt((difference * difference) + (first[1] * second[0]));
    }

    private static double[] Column(AllocationProblem problem, double[] tokens, int k)
    {
        var step = 1e-4 * (1 + tokens[k]);
        double[] up = [.. tokens],
            down = [.. tokens];
        (up[k], down[k]) = (up[k] + step, down[k] - step);
        return [.. Gradient(problem, down).Zip(Gradient(problem, up), (a, b) => (a - b) / (2 * step))];
    }

    private static double[] Gradient(AllocationProblem problem, double[] tokens)
    {
        var times = problem
            .TaskTypes.Select((t, k) => t.Service.BaseSeconds + (t.Service.SecondsPerToken * tokens[k]))
            .ToArray();
        var rate = problem.ArrivalRate / problem.Servers;
        var idle = 1 - (rate * problem.TaskTypes.Select((t, k) => t.Share * times[k]).Sum());
        var square = problem.TaskTypes.Select((t, k) => t.Share * times[k] * times[k]).Sum();
        return
        [
            .. problem.TaskTypes.Select(
                (t, k) =>
                    t.Share
                    * (
                        (
                            problem.AccuracyWeight
                            * t.Weight
                            * t.Accuracy.Gain
                            * t.Accuracy.RatePerToken
                            * Math.Exp(-t.Accuracy.RatePerToken * tokens[k])
                        )
                        - (
                            t.Service.SecondsPerToken
                            * (1 + (rate * times[k] / idle) + (rate * rate * square / (2 * idle * idle)))
                        )
                    )
            ),
        ];
    }
}
