using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Allocation;

public sealed class ProblemValidationTests
{
    private static readonly TaskType Math = new()
    {
        Id = "math",
        Share = 1,
        MaxTokens = 1000,
        Service = new(0.4, 0.02),
        Accuracy = new(0.2, 0.6, 0.001),
    };

    private static readonly AllocationProblem Good = new()
    {
        ArrivalRate = 0.1,
        AccuracyWeight = 30,
        TaskTypes = [Math],
    };

    public static TheoryData<string, AllocationProblem> Bad =>
        new()
        {
            { "/arrivalRate", Good with { ArrivalRate = -1 } },
            { "/arrivalRate", Good with { ArrivalRate = double.NaN } },
            { "/arrivalRate", Good with { ArrivalRate = double.PositiveInfinity } },
            { "/servers", Good with { Servers = 0 } },
            { "/servers", Good with { Servers = 10_001 } },
            { "/dispatch", Good with { Dispatch = (Dispatch)7 } },
            { "/accuracyWeight", Good with { AccuracyWeight = -1e-9 } },
            { "/accuracyWeight", Good with { AccuracyWeight = double.NaN } },
            { "/maxUtilization", Good with { MaxUtilization = 0 } },
            { "/maxUtilization", Good with { MaxUtilization = 1 } },
            { "/maxUtilization", Good with { MaxUtilization = double.NaN } },
            { "/meanTokenBudget", Good with { MeanTokenBudget = -1 } },
            { "/meanTokenBudget", Good with { MeanTokenBudget = double.PositiveInfinity } },
            { "/maxMeanSystemTimeSeconds", Good with { MaxMeanSystemTimeSeconds = 0 } },
            { "/maxMeanSystemTimeSeconds", Good with { MaxMeanSystemTimeSeconds = double.PositiveInfinity } },
            { "/taskTypes", Good with { TaskTypes = [] } },
            { "/taskTypes", Good with { TaskTypes = [Math with { Share = 0.999 }] } },
            { "/taskTypes/0", Good with { TaskTypes = [null!, Math] } },
            { "/taskTypes/0/id", Type(t => t with { Id = "" }) },
            { "/taskTypes/0/id", Type(t => t with { Id = new string('x', 129) }) },
            { "/taskTypes/0/id", Type(t => t with { Id = "a\u0000b" }) },
            { "/taskTypes/1/id", Good with { TaskTypes = [Math with { Share = 0.5 }, Math with { Share = 0.5 }] } },
            {
                "/taskTypes/1/share",
                Good with
                {
                    TaskTypes = [Math with { Share = 1.5 }, Math with { Id = "b", Share = -0.5 }],
                }
            },
            { "/taskTypes/0/weight", Type(t => t with { Weight = 0 }) },
            { "/taskTypes/0/weight", Type(t => t with { Weight = double.NaN }) },
            { "/taskTypes/0/minTokens", Type(t => t with { MinTokens = -1 }) },
            { "/taskTypes/0/maxTokens", Type(t => t with { MaxTokens = 1L << 53 }) },
            { "/taskTypes/0/maxTokens", Type(t => t with { MinTokens = 11, MaxTokens = 10 }) },
            { "/taskTypes/0/accuracyFloor", Type(t => t with { AccuracyFloor = 1.1 }) },
            { "/taskTypes/0/service", Type(t => t with { Service = null! }) },
            { "/taskTypes/0/service/baseSeconds", Type(t => t with { Service = new(-1, 0) }) },
            { "/taskTypes/0/service/secondsPerToken", Type(t => t with { Service = new(1, double.NaN) }) },
            { "/taskTypes/0/service/varianceSecondsSquared", Type(t => t with { Service = new(1, 0, -1e-9) }) },
            {
                "/taskTypes/0/service/varianceSecondsSquared",
                Type(t => t with { Service = new(1, 0, double.PositiveInfinity) })
            },
            { "/taskTypes/0/accuracy", Type(t => t with { Accuracy = null! }) },
            { "/taskTypes/0/accuracy/floor", Type(t => t with { Accuracy = new(-1.1, 1.6, 1) }) },
            { "/taskTypes/0/accuracy/gain", Type(t => t with { Accuracy = new(-0.5, 0.4, 1) }) },
            { "/taskTypes/0/accuracy/gain", Type(t => t with { Accuracy = new(0.1, -0.5, 1) }) },
            { "/taskTypes/0/accuracy/gain", Type(t => t with { Accuracy = new(0.6, 0.5, 1) }) },
            { "/taskTypes/0/accuracy/ratePerToken", Type(t => t with { Accuracy = new(0.1, 0.5, -1) }) },
        };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void A_fault_is_reported_where_it_is(string pointer, AllocationProblem problem)
    {
        Assert.Contains(pointer, ProblemValidation.Validate(problem).Select(e => e.Pointer));
        Assert.Throws<ArgumentException>(() => AllocationSolver.Solve(problem));
    }

    [Fact]
    public void A_good_problem_has_no_fault_at_the_ends_of_the_ranges()
    {
        Assert.Empty(ProblemValidation.Validate(Good));
        Assert.Empty(
            ProblemValidation.Validate(Good with { ArrivalRate = 0, AccuracyWeight = 0, MeanTokenBudget = 0 })
        );
        Assert.Empty(
            ProblemValidation.Validate(
                Type(t => t with { MaxTokens = (1L << 53) - 1, AccuracyFloor = 1, Accuracy = new(0.7, 0.3, 0) })
            )
        );
        Assert.Empty(
            ProblemValidation.Validate(Type(t => t with { Service = new(0, 0, 1e12), Accuracy = new(-1, 2, 1) }))
        );
    }

    [Fact]
    public void Every_fault_is_reported_in_the_order_of_the_document()
    {
        var problem = Type(t => t with { Weight = -1, Service = new(-1, -1) }) with { Servers = 0 };
        Assert.Equal(
            [
                "/servers",
                "/taskTypes/0/weight",
                "/taskTypes/0/service/baseSeconds",
                "/taskTypes/0/service/secondsPerToken",
            ],
            ProblemValidation.Validate(problem).Select(e => e.Pointer)
        );
    }

    [Fact]
    public void Parts_can_be_checked_beneath_another_pointer()
    {
        var errors = new List<InputError>();
        ProblemValidation.ValidateObjective(-1, null, null, null, "/objective", errors);
        ProblemValidation.ValidateTaskTypes([Math with { Weight = 0 }], "/a/taskTypes", errors);
        Assert.Equal(["/objective/accuracyWeight", "/a/taskTypes/0/weight"], errors.Select(e => e.Pointer));
    }

    private static AllocationProblem Type(Func<TaskType, TaskType> change) => Good with { TaskTypes = [change(Math)] };
}
