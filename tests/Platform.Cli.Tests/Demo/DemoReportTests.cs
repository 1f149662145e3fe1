using Platform.Cli.Demo;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Persistence.Ingestion;

namespace Platform.Cli.Tests.Demo;

public sealed class DemoReportTests
{
    private static readonly FleetWorkload Workload = DemoWorkload
        .Create(
            [.. TraceGenerator.Generate(TimeSpan.FromMinutes(2), 1)],
            "trace",
            1,
            new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero)
        )
        .Fleets[0];

    private static readonly int Published = Workload.Windows;

    [Fact]
    public void A_fleet_with_all_windows_once_and_a_good_allocation_is_as_it_should_be() => Assert.Null(Report().Fault);

    [Fact]
    public void A_window_that_is_missing_is_a_fault() =>
        Assert.Equal(
            $"1 of {Published} windows are not stored",
            Report(stored: new StoredWindows(Published, Published - 1)).Fault
        );

    [Fact]
    public void A_window_stored_twice_is_a_fault() =>
        Assert.Equal(
            $"{Published + 1} events are stored for {Published} windows",
            Report(stored: new StoredWindows(Published + 1, Published)).Fault
        );

    [Fact]
    public void A_solve_without_the_last_windows_is_a_fault() =>
        Assert.Equal($"the latest solve has 3 of {Published} windows (late)", Report(solved: 3).Fault);

    [Fact]
    public void A_fleet_without_an_allocation_is_a_fault() =>
        Assert.Equal("there is no allocation (late)", Report(snapshot: false).Fault);

    [Fact]
    public void An_allocation_below_the_uniform_one_is_a_fault() =>
        Assert.Equal("the objective, 1, is below that of the best uniform budget, 1.5", Report(uniform: 1.5).Fault);

    [Fact]
    public void Without_a_terminal_a_table_is_lines_in_columns() =>
        Assert.Equal(
            ["  tokens", "    task      n  bar", "    chat    100  ██", "    report    7"],
            DemoTable.LinesOf(
                new Sheet(
                    "tokens",
                    ["<task", "n", "<bar"],
                    [
                        ["chat", "100", "██"],
                        ["report", "7", ""],
                    ]
                )
            )
        );

    [Theory]
    [InlineData(5, "├────────●×────────┤")]
    [InlineData(10, "├────────●─────────×")]
    [InlineData(20, "├───●─────┤        ×")]
    public void An_interval_is_drawn_with_the_truth_in_it_or_outside(double truth, string drawn) =>
        Assert.Equal(drawn, DemoTable.Interval(new TruthLine("", truth, 4.7, 0, 10)));

    [Theory]
    [InlineData(-0.0001, 0.046, "+0.000 ± 0.046 (within noise)")]
    [InlineData(-0.5, 0.046, "-0.500 ± 0.046 (WORSE)")]
    [InlineData(0.519, 0.461, "+0.519 ± 0.461 (better)")]
    public void Differences_are_told_with_their_sign(double difference, double noise, string text) =>
        Assert.Equal(text, DemoTable.Difference(difference, noise));

    private static TaskAllocation[] Allocation =>
        [
            .. Workload.Plan.Definition.TaskTypes.Select(type => new TaskAllocation(
                type.Id,
                100,
                100,
                0.74,
                1,
                TokenBound.None
            )),
        ];

    private static FleetReport Report(
        StoredWindows? stored = null,
        long? solved = null,
        bool snapshot = true,
        double uniform = 0.9
    ) =>
        FleetReport.Create(
            "acme",
            Workload,
            duplicates: 2,
            stored ?? new StoredWindows(Published, Published),
            new FleetProgress("chat-eu", 4, new FleetFreshness(solved ?? Published), new FleetHealth("late", null)),
            snapshot ? Snapshot(uniform) : null
        );

    private static AllocationSnapshot Snapshot(double uniform) =>
        new()
        {
            Tenant = "acme",
            Fleet = "chat-eu",
            Version = 4,
            SolvedAt = default,
            Validity = new SnapshotValidity(
                Estimator
                    .Estimate(
                        Workload.Plan.Definition,
                        new WorkloadSums(Workload.Plan.Definition.Solving.HorizonSeconds),
                        default
                    )
                    .Validity,
                new Dictionary<string, TaskTypeValidity>()
            ),
            Provenance = new Provenance
            {
                DefinitionRevision = 1,
                WorkloadVersion = 1,
                Estimator = "",
                Solver = "",
                ProblemHash = "",
                PreviousHash = null,
            },
            Problem = new AllocationProblem
            {
                ArrivalRate = 1,
                AccuracyWeight = 1,
                TaskTypes = Workload.Plan.Definition.TaskTypes,
            },
            Solution = new AllocationSolution
            {
                Status = SolutionStatus.Optimal,
                Objective = 1,
                MeanAccuracy = 0.6,
                MeanSystemTimeSeconds = 2.5,
                Utilization = 0.5,
                Uniform = new UniformAllocation(7, uniform),
                Allocation = Allocation,
            },
        };
}
