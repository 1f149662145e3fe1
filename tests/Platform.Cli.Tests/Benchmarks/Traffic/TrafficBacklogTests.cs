using Platform.Cli.Benchmarks.Traffic;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;

namespace Platform.Cli.Tests.Benchmarks.Traffic;

/// <summary>The benchmark's own queue against the solver's formulas, which it does not share.</summary>
public sealed class TrafficBacklogTests
{
    [Theory]
    [InlineData(0.2)]
    [InlineData(0.6)]
    [InlineData(0.9)]
    public void A_steady_rate_comes_to_the_mean_of_a_queue(double utilization) =>
        AssertSteady(TrafficFleets.Queue(10), [400, 300, 450, 250], utilization, 1e-6);

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.6)]
    [InlineData(0.9)]
    public void A_steady_rate_comes_to_the_mean_of_servers_that_batch(double utilization) =>
        AssertSteady(TrafficFleets.Sharing(2), [200, 700, 900], utilization, 0.02);

    /// <summary>
    /// Twice what the servers can do for a minute is a minute of work, and an idle minute takes it away.
    /// </summary>
    [Fact]
    public void An_overload_costs_what_it_piles_up()
    {
        var fleet = TrafficFleets.Queue(1);
        var allocation = new TrafficAllocation(fleet, [400, 300, 450, 250]);
        var backlog = new TrafficBacklog();
        for (var i = 0; i < 360; i++)
            backlog.Pass(allocation, 2 * allocation.Saturation, 10);
        Assert.InRange(backlog.SystemSeconds(allocation), 3_600, 3_700);

        for (var i = 0; i < 400; i++)
            backlog.Pass(allocation, 0, 10);
        Assert.InRange(backlog.SystemSeconds(allocation), allocation.Work, allocation.Work + 1);
    }

    private static void AssertSteady(FleetDefinition fleet, long[] tokens, double utilization, double tolerance)
    {
        var allocation = new TrafficAllocation(fleet, tokens);
        var rate = utilization * allocation.Saturation;
        var backlog = new TrafficBacklog();
        for (var i = 0; i < 100_000; i++)
            backlog.Pass(allocation, rate, 10);

        var problem = ProblemBuilder.OfDefinition(fleet) with { ArrivalRate = rate, MaxUtilization = null };
        var expected = allocation.Worth - AllocationSolver.Objective(problem, tokens);
        Assert.Equal(expected, backlog.SystemSeconds(allocation), tolerance * expected);
    }
}
