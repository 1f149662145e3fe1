using Platform.Cli.Demo;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Cli.Tests.Demo;

/// <summary>
/// The loop without the platform between: the same estimator and solver, called at even steps of the simulated clock.
/// </summary>
public sealed class LearningTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(10, 1)]
    [InlineData(10, 2)]
    [InlineData(10, 3)]
    [InlineData(10, 4)]
    [InlineData(10, 5)]
    [InlineData(60, 1)]
    [InlineData(60, 2)]
    [InlineData(60, 3)]
    public void Every_fleet_learns_an_allocation_no_worse_than_its_priors_and_the_best_single_budget(
        int minutes,
        int seed
    )
    {
        foreach (var report in Learn(TimeSpan.FromMinutes(minutes), seed))
        {
            Assert.Null(report.Fault);
            Assert.True(report.Learned.Objective <= report.BestObjective + 1e-9);
        }
    }

    [Fact]
    public void Over_seeds_most_intervals_hold_the_truth_and_the_learned_allocations_lose_less_than_half_of_what_priors_and_single_budgets_do()
    {
        var reports = Enumerable.Range(1, 5).SelectMany(seed => Learn(TimeSpan.FromHours(1), seed)).ToArray();
        var lines = reports.SelectMany(report => report.Truth).ToArray();

        // The figures of a fleet hang together: far fewer than the 400 lines are independent.
        Assert.InRange((double)lines.Count(line => line.Holds) / lines.Length, 0.88, 1.0);
        Assert.True(Lost(report => report.Learned) < Lost(report => report.Prior) / 2);
        Assert.True(Lost(report => report.Learned) < Lost(report => report.Uniform) / 2);

        double Lost(Func<LearningReport, PolicyLine> policy) =>
            reports.Sum(report => (report.BestObjective - policy(report).Objective!.Value) / report.BestObjective);
    }

    [Fact]
    public void Where_servers_batch_the_learned_allocation_really_gives_more_than_splits_and_the_best_single_budget()
    {
        var reports = Enumerable
            .Range(1, 3)
            .SelectMany(seed => Learn(TimeSpan.FromHours(1), seed))
            .Where(report => report.Split is not null)
            .ToArray();

        Assert.Equal(6, reports.Length);
        Assert.True(Gained(report => report.Learned) > Gained(report => report.Split!));
        Assert.True(Gained(report => report.Learned) > Gained(report => report.Uniform));

        double Gained(Func<LearningReport, PolicyLine> policy) =>
            reports.Sum(report => policy(report).Trace.Objective!.Value);
    }

    [Fact]
    public void An_allocation_that_is_worse_by_more_than_noise_or_overloads_the_fleet_in_truth_is_a_fault()
    {
        var report = Learn(TimeSpan.FromMinutes(10), 1).First();

        Assert.Null(WithLearned(report.Uniform.Objective - (0.9 * report.Noise)).Fault);
        Assert.Contains(
            "is worse than",
            WithLearned(report.Uniform.Objective - (1.1 * report.Noise)).Fault,
            StringComparison.Ordinal
        );
        Assert.Contains("overloads the fleet", WithLearned(null).Fault, StringComparison.Ordinal);

        LearningReport WithLearned(double? objective) =>
            report with
            {
                Policies =
                [
                    report.Live,
                    report.Prior with
                    {
                        Objective = null,
                    },
                    report.Uniform,
                    report.Learned with
                    {
                        Objective = objective,
                    },
                    report.Policies[4],
                ],
            };
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
            var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
            var solution = AllocationSolver.Solve(
                ProblemBuilder.Build(definition, Estimator.Estimate(definition, sums, Now))
            );
            for (var step = 1; step <= 7; step++)
            {
                long[] tokens = [.. solution.Allocation!.Select(task => task.Tokens)];
                var clock =
                    (DemoWorkload.WindowLength * fleet.WindowsOfServer * (step / 7.0)) + TimeSpan.FromSeconds(1);
                foreach (var window in live.AdvanceTo(clock, step, tokens))
                    sums.Fold(window);
                solution = AllocationSolver.Solve(
                    ProblemBuilder.Build(definition, Estimator.Estimate(definition, sums, Now))
                );
            }

            yield return LearningReport.Create(
                live,
                workload.Length,
                solution.Allocation!,
                Estimator.Estimate(definition, sums, Now),
                TraceGenerator.MeanRate * workload.PartOf(fleet)
            );
        }
    }

    private static DemoWorkload Workload(TimeSpan length, int seed) =>
        DemoWorkload.Create([.. TraceGenerator.Generate(length, seed)], "trace", seed, Now);
}
