using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Tests.Ingestion;

public class FleetScopeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static readonly FleetScope Scope = new(
        new FleetDefinition
        {
            DisplayName = "Chat",
            Objective = new FleetObjective { AccuracyWeight = 30 },
            ArrivalRate = 0.05,
            Solving = new SolvingPolicy { HorizonSeconds = 21_600 },
            TaskTypes =
            [
                new TaskType
                {
                    Id = "math",
                    Aliases = ["maths"],
                    Share = 1,
                    MaxTokens = 100,
                    Service = new ServiceLine(0.4, 0.02),
                    Accuracy = new AccuracyCurve(0.2, 0.6, 0.001),
                },
            ],
        }
    );

    [Fact]
    public void A_window_within_the_horizon_counts()
    {
        Assert.Empty(Scope.WarningsFor(Window(Now.AddSeconds(-21_600)), Now));
        Assert.Empty(Scope.WarningsFor(Window(Now.AddMinutes(5)), Now));
    }

    [Theory]
    [InlineData(-30 * 86_400, "ended 30 days ago")]
    [InlineData(-7 * 3_600, "ended 7 hours ago")]
    [InlineData(-21_601, "ended 6 hours ago")]
    public void A_window_that_ended_before_the_horizon_does_not_count(int seconds, string age)
    {
        var warning = Assert.Single(Scope.WarningsFor(Window(Now.AddSeconds(seconds)), Now));
        Assert.Equal((UncountedCause.OlderThanHorizon, "/windowEnd"), (warning.Cause, warning.Pointer));
        Assert.StartsWith(age, warning.Detail, StringComparison.Ordinal);
        Assert.Contains("21,600 s (solving.horizonSeconds)", warning.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_window_longer_than_the_horizon_only_the_end_counts()
    {
        var warning = Assert.Single(Scope.WarningsFor(Window(Now) with { WindowStart = Now.AddHours(-7) }, Now));
        Assert.Equal((UncountedCause.LongerThanHorizon, "/windowStart"), (warning.Cause, warning.Pointer));
    }

    [Fact]
    public void Task_types_that_the_definition_does_not_name_are_named_with_their_place()
    {
        var warnings = Scope.WarningsFor(Window(Now, "math", "Math", "code"), Now);
        Assert.Equal(["/tasks/1/taskType", "/tasks/2/taskType"], warnings.Select(warning => warning.Pointer));
        Assert.Contains("\"code\"", warnings[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_from_before_counts() => Assert.Empty(Scope.WarningsFor(Window(Now, "math", "maths"), Now));

    [Fact]
    public void There_are_at_most_twenty_warnings() =>
        Assert.Equal(20, Scope.WarningsFor(Window(Now, [.. Enumerable.Range(0, 100).Select(i => $"t{i}")]), Now).Count);

    private static WorkloadWindow Window(DateTimeOffset end, params string[] taskTypes)
    {
        var types = taskTypes.Length == 0 ? ["math"] : taskTypes;
        return new WorkloadWindow
        {
            Fleet = "chat",
            WindowStart = end.AddSeconds(-10),
            WindowEnd = end,
            Tasks = [.. types.Select(type => new TaskWindow { TaskType = type, Arrivals = 1 })],
        };
    }
}
