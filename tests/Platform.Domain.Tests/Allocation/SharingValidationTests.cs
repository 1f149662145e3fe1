using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>What a problem whose servers share must say, and why one has no answer, with its number.</summary>
public sealed class SharingValidationTests
{
    private const double Near = 1e-12;

    private static readonly AllocationProblem Good = SharingProblems.Example;

    private static readonly AllocationProblem Split = Good with
    {
        Dispatch = Dispatch.Split,
        Sharing = null,
        ArrivalRate = 0.001,
    };

    public static TheoryData<string, AllocationProblem> Bad =>
        new()
        {
            { "/sharing/overheadSecondsPerToken", Good with { Sharing = null } },
            { "/sharing/overheadSecondsPerToken", Good with { Sharing = new SharingServer() } },
            { "/sharing/overheadSecondsPerToken", Good with { Sharing = new SharingServer(-1e-9) } },
            { "/sharing/overheadSecondsPerToken", Good with { Sharing = new SharingServer(double.NaN) } },
            { "/sharing/maxInService", Good with { Sharing = new SharingServer(0.0206, 0) } },
            {
                "/sharing/maxInService",
                Good with
                {
                    Sharing = new SharingServer(0.0206, SharingServer.MostInService + 1),
                }
            },
            { "/maxInterTokenSeconds", Good with { MaxInterTokenSeconds = 0 } },
            { "/maxInterTokenSeconds", Good with { MaxInterTokenSeconds = double.PositiveInfinity } },
            { "/maxTimeToFirstAnswerTokenSeconds", Good with { MaxTimeToFirstAnswerTokenSeconds = -1 } },
            { "/maxTimeToFirstAnswerTokenSeconds", Good with { MaxTimeToFirstAnswerTokenSeconds = double.NaN } },
            { "/taskTypes/0/service/secondsPerToken", With(line => line with { SecondsPerToken = 0.0205 }) },
            { "/taskTypes/0/service/baseSeconds", With(line => line with { BaseSeconds = 2.05 }) },
            {
                "/taskTypes/0/service/secondsPerTokenSquared",
                With(line => line with { SecondsPerTokenSquared = -1e-9 })
            },
            {
                "/taskTypes/0/service/secondsPerTokenSquared",
                With(line => line with { SecondsPerTokenSquared = double.NaN })
            },
            {
                "/taskTypes/0/answerTokens",
                Good with
                {
                    TaskTypes = [Good.TaskTypes[0] with { Share = 1, AnswerTokens = -1 }],
                }
            },
            { "/sharing", Split with { Sharing = new SharingServer(0.0206) } },
            { "/maxInterTokenSeconds", Split with { MaxInterTokenSeconds = 1 } },
            { "/maxTimeToFirstAnswerTokenSeconds", Split with { MaxTimeToFirstAnswerTokenSeconds = 1 } },
            {
                "/taskTypes/0/service/secondsPerTokenSquared",
                With(line => line with { SecondsPerTokenSquared = 1e-6 }, Split)
            },
            { "/sharing", Split with { Dispatch = Dispatch.Shared, Sharing = new SharingServer(0.0206) } },
        };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void A_fault_is_reported_where_it_is_and_nowhere_else(string pointer, AllocationProblem problem)
    {
        Assert.Equal([pointer], ProblemValidation.Validate(problem).Select(error => error.Pointer));
        Assert.Throws<ArgumentException>(() => AllocationSolver.Solve(problem));
    }

    [Fact]
    public void A_good_problem_has_no_fault_at_the_ends_of_the_ranges()
    {
        Assert.Empty(ProblemValidation.Validate(Good));
        Assert.Empty(ProblemValidation.Validate(Split));
        Assert.Empty(ProblemValidation.Validate(Good with { Sharing = new SharingServer(0, 1) }));
        Assert.Empty(
            ProblemValidation.Validate(Good with { Sharing = new SharingServer(0.0206, SharingServer.MostInService) })
        );

        // All of a query's time is overhead: it slows nobody.
        Assert.Empty(
            ProblemValidation.Validate(With(line => line with { SecondsPerToken = 0.0206, BaseSeconds = 100 * 0.0206 }))
        );
    }

    [Fact]
    public void Saturated_servers_are_told_with_the_largest_rate()
    {
        // E[w] with the fewest tokens is 0.05 + 0.00041 · 200 s.
        var solution = AllocationSolver.Solve(Good with { ArrivalRate = 8 });
        Assert.Equal((SolutionStatus.Infeasible, InfeasibilityReason.Unstable), (solution.Status, solution.Reason));
        Assert.Equal(1 / 0.132, solution.MaxArrivalRate!.Value, 1e-10);
        Assert.Contains("1.06 times the work", solution.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_largest_rate_counts_servers_slots_and_the_limit_on_utilization()
    {
        var server = new SharingServer(0.0206, 16);
        var problem = Good with { ArrivalRate = 8, Servers = 2, MaxUtilization = 0.5, Sharing = server };
        var solution = AllocationSolver.Solve(problem);
        Assert.Equal(InfeasibilityReason.Unstable, solution.Reason);
        Assert.Equal(0.5 * 2 / (0.132 + (0.0206 * 200 / 16)), solution.MaxArrivalRate!.Value, 1e-10);
    }

    [Fact]
    public void A_mean_token_budget_below_the_fewest_tokens_is_told_with_those()
    {
        TaskType[] types = [.. Good.TaskTypes.Select(type => type with { MinTokens = 10 })];
        var solution = AllocationSolver.Solve(Good with { MeanTokenBudget = 9, TaskTypes = types });
        Assert.Equal(InfeasibilityReason.MeanTokenBudget, solution.Reason);
        Assert.Equal(10, solution.MinMeanTokenBudget!.Value, Near);
    }

    [Fact]
    public void A_system_time_out_of_reach_is_told_with_the_shortest()
    {
        var solution = AllocationSolver.Solve(Good with { MaxMeanSystemTimeSeconds = 4 });
        Assert.Equal(InfeasibilityReason.MaxMeanSystemTime, solution.Reason);
        Assert.Equal((0.05 + (0.02101 * 200)) / (1 - 0.132), solution.MinMeanSystemTimeSeconds!.Value, 1e-11);
    }

    [Fact]
    public void A_time_between_tokens_out_of_reach_is_told_with_the_shortest()
    {
        var solution = AllocationSolver.Solve(Good with { MaxInterTokenSeconds = 0.022 });
        Assert.Equal(InfeasibilityReason.MaxInterTokenSeconds, solution.Reason);
        Assert.Equal(0.02101 / (1 - 0.132), solution.MinInterTokenSeconds!.Value, Near);
    }

    [Fact]
    public void A_time_to_the_first_answer_token_out_of_reach_is_told_with_the_shortest()
    {
        // The prompt and one token, each slowed by the others.
        var solution = AllocationSolver.Solve(Good with { MaxTimeToFirstAnswerTokenSeconds = 0.07 });
        Assert.Equal(InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds, solution.Reason);
        Assert.Equal((0.05 + 0.02101) / (1 - 0.132), solution.MinTimeToFirstAnswerTokenSeconds!.Value, Near);
    }

    [Fact]
    public void An_accuracy_out_of_reach_is_told_with_its_types()
    {
        TaskType[] types = [Good.TaskTypes[0], Good.TaskTypes[1], Good.TaskTypes[2] with { AccuracyFloor = 0.9 }];
        var solution = AllocationSolver.Solve(Good with { TaskTypes = types });
        Assert.Equal(InfeasibilityReason.AccuracyFloor, solution.Reason);
        Assert.Equal(["chat"], solution.TaskTypes);
    }

    [Fact]
    public void An_answer_without_a_cap_is_exact_and_one_with_it_is_not()
    {
        Assert.Null(AllocationSolver.Solve(Good).Diagnostics!.Approximation);
        var capped = AllocationSolver.Solve(Good with { Sharing = new SharingServer(0.0206, 64) });
        Assert.Equal(QueueingApproximation.BirthDeath, capped.Diagnostics!.Approximation);
    }

    private static AllocationProblem With(Func<ServiceLine, ServiceLine> change, AllocationProblem? problem = null)
    {
        problem ??= Good;
        var first = problem.TaskTypes[0];
        var changed = first with { Service = change(first.Service) };
        return problem with { TaskTypes = [changed, .. problem.TaskTypes.Skip(1)] };
    }
}
