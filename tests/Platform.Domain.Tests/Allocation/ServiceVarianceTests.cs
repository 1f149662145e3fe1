using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

/// <summary>What the spread of service times does to the answer; the generated problems have it too.</summary>
public sealed class ServiceVarianceTests
{
    [Fact]
    public void Only_the_mean_of_the_variances_counts()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var (mean, first) = (3.0, GeneratedProblems.Make(3 * seed, 6, false));
            var spread = Solve(Varying(first, (_, _) => mean));
            var concentrated = Solve(Varying(first, (type, k) => k == 0 ? mean / type.Share : 0));
            Assert.Equal(
                spread.Continuous!.Objective,
                concentrated.Continuous!.Objective,
                1e-11 * (1 + Math.Abs(spread.Continuous.Objective))
            );
            foreach (var (a, b) in spread.Allocation!.Zip(concentrated.Allocation!))
                Assert.Equal(a.TokensContinuous, b.TokensContinuous, 1e-6 + (1e-8 * a.TokensContinuous));
        }
    }

    [Fact]
    public void A_second_squared_more_costs_half_the_rate_over_the_idle_part()
    {
        // The envelope theorem: dJ*/dV = −λ/(2(1 − ρ)), V = Σ π v.
        for (var seed = 0; seed < 60; seed++)
        {
            var problem = GeneratedProblems.Make(3 * seed, 6, false);
            AllocationSolution At(double mean) => Solve(Varying(problem, (_, _) => mean));
            var (here, step) = (At(2), 1e-4);
            var idle =
                1
                - (
                    problem.ArrivalRate
                    / problem.Servers
                    * problem
                        .TaskTypes.Zip(
                            here.Allocation!,
                            (t, a) =>
                                t.Share * (t.Service.BaseSeconds + (t.Service.SecondsPerToken * a.TokensContinuous))
                        )
                        .Sum()
                );
            var slope = -problem.ArrivalRate / problem.Servers / (2 * idle);
            Assert.Equal(
                slope,
                (At(2 + step).Continuous!.Objective - At(2 - step).Continuous!.Objective) / (2 * step),
                1e-5 * Math.Abs(slope)
            );
        }
    }

    [Fact]
    public void More_spread_means_less_utilization_and_a_worse_objective()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var problem = GeneratedProblems.Make(3 * seed, 6, false);
            var answers = new[] { 0.0, 1, 10, 100 }.Select(mean => Solve(Varying(problem, (_, _) => mean))).ToArray();
            Assert.All(
                answers.Zip(answers.Skip(1)),
                pair =>
                {
                    Assert.True(pair.Second.Continuous!.Objective < pair.First.Continuous!.Objective);
                    Assert.True(
                        pair.Second.Allocation!.Zip(pair.First.Allocation!)
                            .All(two => two.First.TokensContinuous <= two.Second.TokensContinuous + 1e-6)
                    );
                }
            );
        }
    }

    [Fact]
    public void The_figures_are_those_of_Pollaczek_and_Khinchine_with_the_spread()
    {
        var problem = Varying(GeneratedProblems.Make(3, 6, false), (_, k) => 1 + k);
        var solution = Solve(problem);
        var times = solution.Allocation!.Select(a => a.ServiceSeconds).ToArray();
        var square = problem.TaskTypes.Select((t, k) => t.Share * ((times[k] * times[k]) + 1 + k)).Sum();
        Assert.Equal(square, solution.MeanServiceSecondsSquared!.Value, 1e-12 * square);
        var rate = problem.ArrivalRate / problem.Servers;
        var expected =
            solution.MeanServiceSeconds!.Value
            + (rate * square / (2 * (1 - (rate * solution.MeanServiceSeconds.Value))));
        Assert.Equal(expected, solution.MeanSystemTimeSeconds!.Value, 1e-12 * expected);
    }

    [Fact]
    public void A_problem_without_spread_is_written_as_before_there_was_any_and_one_with_it_is_read_back()
    {
        Assert.Equal(
            """{"baseSeconds":1,"secondsPerToken":2}""",
            System.Text.Encoding.UTF8.GetString(StrictJson.Write(new ServiceLine(1, 2)))
        );
        foreach (var line in (ServiceLine[])[new(1, 2), new(1, 2, 3)])
        {
            Assert.True(StrictJson.TryRead<ServiceLine>(StrictJson.Write(line), out var read, out _));
            Assert.Equal(line, read);
        }
    }

    [Fact]
    public void A_curve_below_0_counts_as_0_in_the_objective_as_in_what_is_predicted()
    {
        TaskType Type(string id, double share, AccuracyCurve curve) =>
            new()
            {
                Id = id,
                Share = share,
                MaxTokens = 1000,
                Service = new(0.1, 0.05),
                Accuracy = curve,
            };
        var problem = new AllocationProblem
        {
            ArrivalRate = 0.1,
            AccuracyWeight = 1,
            TaskTypes = [Type("a", 0.5, new(-0.2, 0.5, 1e-5)), Type("b", 0.5, new(0.4, 0.2, 1e-5))],
        };
        var solution = Solve(problem);
        Assert.Equal([0, 0], solution.Allocation!.Select(a => a.Tokens));
        Assert.Equal([0, 0.4], solution.Allocation!.Select(a => a.Accuracy));
        Assert.Equal((0.2, 0.2), (solution.MeanAccuracy!.Value, Math.Round(solution.WeightedAccuracy!.Value, 15)));
        Assert.Equal(
            solution.WeightedAccuracy.Value - solution.MeanSystemTimeSeconds!.Value,
            solution.Objective!.Value,
            1e-15
        );

        // A floor of 0 asks for nothing that the prediction does not have already; one above it is reached on the
        // curve.
        Assert.Equal(
            0,
            Solve(problem with { TaskTypes = [problem.TaskTypes[0] with { AccuracyFloor = 0 }, problem.TaskTypes[1]] })
                .Allocation![0]
                .Tokens
        );
        var reached = Solve(
            problem with
            {
                TaskTypes = [Type("a", 0.5, new(-0.2, 0.5, 0.01)) with { AccuracyFloor = 0.1 }, problem.TaskTypes[1]],
            }
        );
        Assert.InRange(reached.Allocation![0].Accuracy, 0.1, 0.12);
    }

    private static AllocationSolution Solve(AllocationProblem problem) => AllocationSolver.Solve(problem);

    private static AllocationProblem Varying(AllocationProblem problem, Func<TaskType, int, double> variance) =>
        problem with
        {
            TaskTypes =
            [
                .. problem.TaskTypes.Select(
                    (type, k) =>
                        type with
                        {
                            Service = type.Service with { VarianceSecondsSquared = variance(type, k) },
                        }
                ),
            ],
        };
}
