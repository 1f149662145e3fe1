using Platform.Cli.Demo;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Cli.Tests.Demo;

/// <summary>The loop without the platform between: the same estimator and solver, called at even steps of the simulated clock.</summary>
public sealed class LearningTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(10, 1)]
    [InlineData(10, 2)]
    [InlineData(10, 3)]
    [InlineData(60, 1)]
    [InlineData(60, 2)]
    [InlineData(60, 3)]
    public void Every_fleet_learns_an_allocation_no_worse_than_its_priors_and_the_best_single_budget(int minutes, int seed)
    {
        foreach (var report in Learn(TimeSpan.FromMinutes(minutes), seed))
        {
            Assert.Null(report.Fault);
            Assert.True(report.Learned.Objective <= report.BestObjective + 1e-9);
        }
    }

    [Fact]
    public void Most_intervals_hold_the_hidden_truth()
    {
        var lines = Enumerable.Range(1, 4).SelectMany(seed => Learn(TimeSpan.FromHours(1), seed)).SelectMany(report => report.Truth).ToArray();

        // The figures of a fleet hang together: far fewer than the 300 lines are independent.
        Assert.InRange((double)lines.Count(line => line.Holds) / lines.Length, 0.88, 1.0);
    }

    [Fact]
    public void Two_policies_that_are_one_differ_by_nothing()
    {
        var workload = Workload(TimeSpan.FromMinutes(10), 1);
        var log = ServedLog.Of(workload.Fleets[0], [100, 200, 300, 400], workload.Length);

        Assert.Equal(new ServedComparison(0, 0, 0, 0), log.Against(log));
        Assert.Equal(workload.Fleets[0].Requests.Count, log.Trace.Queries);
    }

    private static IEnumerable<LearningReport> Learn(TimeSpan length, int seed)
    {
        var workload = Workload(length, seed);
        foreach (var fleet in workload.Fleets)
        {
            var (live, definition) = (new LiveFleet(fleet, workload.Length), fleet.Plan.Definition);
            var solution = AllocationSolver.Solve(ProblemBuilder.Build(definition, live.EstimateAt(Now)));
            for (var step = 1; step <= 7; step++)
            {
                long[] tokens = [.. solution.Allocation!.Select(task => task.Tokens)];
                _ = live.AdvanceTo(DemoWorkload.WindowLength * fleet.WindowsOfServer * (step / 7.0) + TimeSpan.FromSeconds(1), step, tokens).Count();
                solution = AllocationSolver.Solve(ProblemBuilder.Build(definition, live.EstimateAt(Now)));
            }

            yield return LearningReport.Create(
                live, workload.Length, solution.Allocation!, live.EstimateAt(Now), TraceGenerator.MeanRate * workload.PartOf(fleet));
        }
    }

    private static DemoWorkload Workload(TimeSpan length, int seed) => DemoWorkload.Create([.. TraceGenerator.Generate(length, seed)], "trace", seed, Now);
}
