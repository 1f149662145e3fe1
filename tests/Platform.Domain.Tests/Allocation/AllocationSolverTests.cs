using System.Text;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

public sealed class AllocationSolverTests
{
    private static readonly TaskType Easy = new()
    {
        Id = "easy",
        Share = 0.7,
        MaxTokens = 4096,
        Service = new(0.2, 0.01),
        Accuracy = new(0.6, 0.3, 0.01),
    };

    private static readonly TaskType Hard = new()
    {
        Id = "hard",
        Share = 0.3,
        MaxTokens = 8192,
        Service = new(0.4, 0.02),
        Accuracy = new(0.1, 0.8, 0.002),
    };

    private static readonly AllocationProblem Problem = new()
    {
        ArrivalRate = 0.2,
        AccuracyWeight = 50,
        TaskTypes = [Easy, Hard],
    };

    [Fact]
    public void Without_arrivals_each_type_takes_what_its_own_time_is_worth()
    {
        var solution = AllocationSolver.Solve(Problem with { ArrivalRate = 0 });

        // α A b e^(−b l) = c
        Assert.Equal(Math.Log(50 * 0.3 * 0.01 / 0.01) / 0.01, solution.Allocation![0].TokensContinuous, 1e-9);
        Assert.Equal(Math.Log(50 * 0.8 * 0.002 / 0.02) / 0.002, solution.Allocation[1].TokensContinuous, 1e-9);
        Assert.Equal((0, 0), (solution.Utilization, solution.Diagnostics!.ContractionModulus));
        Assert.Equal(solution.MeanServiceSeconds, solution.MeanSystemTimeSeconds);
    }

    [Fact]
    public void A_type_whose_tokens_cost_nothing_gets_all_of_them()
    {
        var solution = Solve(Easy with { Service = new(0.2, 0) }, Hard);
        Assert.Equal((4096, TokenBound.Max), (solution.Allocation![0].Tokens, solution.Allocation[0].Bound));
    }

    [Fact]
    public void A_type_whose_tokens_bring_nothing_gets_none()
    {
        foreach (var useless in (AccuracyCurve[])[new(0.6, 0.3, 0), new(0.6, 0, 0.01)])
        {
            foreach (var cost in (double[])[0, 0.01])
                Assert.Equal(
                    0,
                    Solve(Easy with { Accuracy = useless, Service = new(0.2, cost) }, Hard).Allocation![0].Tokens
                );
        }

        Assert.All(
            AllocationSolver.Solve(Problem with { AccuracyWeight = 0 }).Allocation!,
            a => Assert.Equal(0, a.Tokens)
        );
    }

    [Fact]
    public void A_type_without_share_changes_nothing_for_the_others()
    {
        var two = AllocationSolver.Solve(Problem);
        var three = Solve(Easy, Hard, Easy with { Id = "rare", Share = 0 });
        Assert.Equal(two.Objective, three.Objective);
        Assert.Equal(two.Allocation, three.Allocation!.Take(2));
        Assert.Equal(two.Allocation![0].Tokens, three.Allocation![2].Tokens);
    }

    [Fact]
    public void Types_without_any_service_time_do_no_harm()
    {
        var idle = new ServiceLine(0, 0);
        var solution = Solve(Easy with { Service = idle }, Hard with { Service = idle });
        Assert.Equal(
            (0, 4096, 8192),
            (solution.MeanSystemTimeSeconds, solution.Allocation![0].Tokens, solution.Allocation[1].Tokens)
        );
    }

    [Fact]
    public void Servers_that_share_the_arrivals_at_random_are_as_one_server_with_its_part()
    {
        var four = AllocationSolver.Solve(Problem with { ArrivalRate = 0.8, Servers = 4 });
        var one = AllocationSolver.Solve(Problem);
        Assert.Equal(one.Allocation, four.Allocation);
        Assert.Equal(one.Objective, four.Objective);
    }

    [Fact]
    public void One_server_is_the_same_whether_split_or_shared() =>
        Assert.Equal(
            StrictJson.Write(AllocationSolver.Solve(Problem)),
            StrictJson.Write(AllocationSolver.Solve(Problem with { Dispatch = Dispatch.Shared }))
        );

    [Fact]
    public void Utilization_is_capped_and_the_cap_has_its_price()
    {
        var capped = AllocationSolver.Solve(Problem with { MaxUtilization = 0.25 });
        Assert.InRange(capped.Utilization!.Value, 0.2, 0.25);
        var more = AllocationSolver.Solve(Problem with { MaxUtilization = 0.25 + 1e-6 });
        var slope = (more.Continuous!.Objective - capped.Continuous!.Objective) / 1e-6;
        Assert.Equal(slope, capped.ShadowPrices!.MaxUtilization, 1e-4 * slope);
    }

    [Fact]
    public void Limits_that_do_not_bind_are_free()
    {
        var free = AllocationSolver.Solve(Problem);
        var loose = AllocationSolver.Solve(
            Problem with
            {
                MaxUtilization = 0.99,
                MeanTokenBudget = 1e6,
                MaxMeanSystemTimeSeconds = 1e6,
            }
        );
        Assert.Equal(free.Allocation, loose.Allocation);
        Assert.Equal(new ShadowPrices(0, 0, 0), loose.ShadowPrices);
    }

    [Fact]
    public void An_accuracy_floor_is_reached_in_whole_tokens()
    {
        var solution = Solve(Easy with { AccuracyFloor = 0.85 }, Hard with { AccuracyFloor = 0.5 });
        Assert.True(solution.Allocation![0].Accuracy >= 0.85 && solution.Allocation[1].Accuracy >= 0.5);
        Assert.Equal(-Math.Log(1 - (0.25 / 0.3)) / 0.01, solution.Allocation[0].TokensContinuous, 1e-9);
    }

    [Fact]
    public void Lower_bounds_beyond_the_queue_are_infeasible_with_the_rate_that_they_can_carry()
    {
        var loaded = AllocationSolver.Solve(Problem with { ArrivalRate = 10, Servers = 2 });
        Assert.Equal((SolutionStatus.Infeasible, InfeasibilityReason.Unstable), (loaded.Status, loaded.Reason));
        Assert.Equal(2 / ((0.7 * 0.2) + (0.3 * 0.4)), loaded.MaxArrivalRate!.Value, 1e-12);
        var capped = AllocationSolver.Solve(Problem with { ArrivalRate = 3, MaxUtilization = 0.5 });
        Assert.Equal((InfeasibilityReason.Unstable, 0.5 / 0.26), (capped.Reason, capped.MaxArrivalRate!.Value));
    }

    [Fact]
    public void A_queue_that_is_exactly_full_is_infeasible() =>
        Assert.Equal(
            InfeasibilityReason.Unstable,
            AllocationSolver
                .Solve(
                    Problem with
                    {
                        ArrivalRate = 2,
                        TaskTypes = [Easy with { Share = 1, Service = new(0.5, 0.01) }],
                    }
                )
                .Reason
        );

    [Fact]
    public void Accuracy_floors_out_of_reach_are_named()
    {
        var solution = Solve(Easy with { AccuracyFloor = 0.9 }, Hard with { AccuracyFloor = 0.2 });
        Assert.Equal(InfeasibilityReason.AccuracyFloor, solution.Reason);
        Assert.Equal(["easy"], solution.TaskTypes!);
        Assert.Equal(["hard"], Solve(Easy, Hard with { AccuracyFloor = 0.8, MaxTokens = 10 }).TaskTypes!);
    }

    [Fact]
    public void A_token_budget_below_the_lower_bounds_is_infeasible_with_what_they_need()
    {
        var problem = Problem with
        {
            MeanTokenBudget = 9,
            TaskTypes = [Easy with { MinTokens = 10 }, Hard with { MinTokens = 10 }],
        };
        var solution = AllocationSolver.Solve(problem);
        Assert.Equal((InfeasibilityReason.MeanTokenBudget, 10), (solution.Reason, solution.MinMeanTokenBudget));
        Assert.Equal(SolutionStatus.Optimal, AllocationSolver.Solve(problem with { MeanTokenBudget = 10 }).Status);
    }

    [Fact]
    public void A_time_below_that_of_the_lower_bounds_is_infeasible_with_theirs()
    {
        var solution = AllocationSolver.Solve(Problem with { MaxMeanSystemTimeSeconds = 0.25 });
        var least = 0.26 + (0.2 * ((0.7 * 0.04) + (0.3 * 0.16)) / (2 * (1 - (0.2 * 0.26))));
        Assert.Equal(InfeasibilityReason.MaxMeanSystemTime, solution.Reason);
        Assert.Equal(least, solution.MinMeanSystemTimeSeconds!.Value, 1e-14);
    }

    [Fact]
    public void Infeasible_answers_have_the_reason_and_its_number_and_nothing_else() =>
        Assert.Equal(
            """{"status":"infeasible","reason":"accuracyFloor","taskTypes":["easy"]}""",
            Encoding.UTF8.GetString(StrictJson.Write(Solve(Easy with { AccuracyFloor = 0.95 }, Hard)))
        );

    [Fact]
    public void Answers_have_the_names_of_the_contract_and_can_be_read_back()
    {
        var solution = AllocationSolver.Solve(Problem);
        var json = StrictJson.Write(solution);
        using var document = System.Text.Json.JsonDocument.Parse(json);
        Assert.Equal(
            [
                "status",
                "objective",
                "meanAccuracy",
                "weightedAccuracy",
                "meanSystemTimeSeconds",
                "utilization",
                "meanServiceSeconds",
                "meanServiceSecondsSquared",
                "meanTokens",
                "meanInService",
                "meanWaitSeconds",
                "interTokenSeconds",
                "meanTimeToFirstAnswerTokenSeconds",
                "allocation",
                "continuous",
                "rounding",
                "shadowPrices",
                "uniform",
                "diagnostics",
            ],
            document.RootElement.EnumerateObject().Select(p => p.Name)
        );
        Assert.Equal("newton", document.RootElement.GetProperty("diagnostics").GetProperty("method").GetString());
        Assert.Equal("exact", document.RootElement.GetProperty("rounding").GetProperty("method").GetString());
        Assert.True(StrictJson.TryRead<AllocationSolution>(json, out var read, out var error), error?.ToString());
        Assert.Equal(json, StrictJson.Write(read));
    }

    [Fact]
    public void The_objective_of_an_allocation_beyond_a_bound_a_limit_or_the_queue_is_minus_infinity()
    {
        Assert.True(double.IsFinite(AllocationSolver.Objective(Problem, [10, 10])));
        Assert.Equal(double.NegativeInfinity, AllocationSolver.Objective(Problem, [-1, 10]));
        Assert.Equal(double.NegativeInfinity, AllocationSolver.Objective(Problem, [10, 9000]));
        Assert.Equal(double.NegativeInfinity, AllocationSolver.Objective(Problem, [4000, 8000]));
        Assert.Equal(
            double.NegativeInfinity,
            AllocationSolver.Objective(Problem with { MeanTokenBudget = 9 }, [10, 10])
        );
        Assert.Throws<ArgumentException>(() => AllocationSolver.Objective(Problem, [10]));
    }

    [Fact]
    public void Coefficients_at_the_ends_of_their_ranges_give_numbers()
    {
        foreach (
            var (cost, rate, weight) in ((double, double, double)[])
                [(1e-300, 1, 1), (1, 1e-300, 1e30), (1e12, 1e12, 1e30), (5e-324, 5e-324, 1)]
        )
        {
            var solution = AllocationSolver.Solve(
                Problem with
                {
                    AccuracyWeight = weight,
                    TaskTypes =
                    [
                        Easy with
                        {
                            Service = new(0.2, cost),
                            Accuracy = new(0.6, 0.3, rate),
                        },
                        Hard with
                        {
                            MaxTokens = ProblemValidation.MaxTokens,
                        },
                    ],
                }
            );
            Assert.True(
                double.IsFinite(solution.Objective!.Value) && double.IsFinite(solution.Continuous!.OptimalityGap),
                $"{cost} {rate} {weight}"
            );
            StrictJson.Write(solution);
        }
    }

    private static AllocationSolution Solve(params TaskType[] types) =>
        AllocationSolver.Solve(Problem with { TaskTypes = types });
}
