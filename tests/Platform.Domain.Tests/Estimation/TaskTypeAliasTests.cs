using System.Text;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Tests.Estimation;

/// <summary>A task type takes over what windows told under its old names.</summary>
public class TaskTypeAliasTests
{
    private const int Horizon = 21_600;

    private static readonly FleetDefinition Plain = EstimatorTests.Definition;

    // "x" and "Zebra.1" are names of the wild windows, which sort before and after the id.
    private static readonly FleetDefinition Aliased = Plain with
    {
        TaskTypes = [Plain.TaskTypes[0] with { Aliases = ["x", "Zebra.1"] }, .. Plain.TaskTypes.Skip(1)],
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Windows_under_an_alias_give_the_estimate_of_windows_under_the_id_to_the_bit(int seed)
    {
        var windows = Windows.Wild(new Random(seed), 40, Horizon);
        var asOf = Windows.Start.AddSeconds(3 * Horizon);
        var renamed = Sums(windows.Select(Renamed));
        Assert.Equal(
            Text(Estimator.Estimate(Plain, renamed, asOf)),
            Text(Estimator.Estimate(Aliased, Sums(windows), asOf))
        );
        Assert.Equal(
            Text(WorkloadObservations.Of(renamed, asOf)),
            Text(WorkloadObservations.Of(Sums(windows).Renamed(Aliased.TaskTypes), asOf))
        );
    }

    [Fact]
    public void A_definition_without_aliases_reads_the_sums_as_they_are()
    {
        var sums = Sums(Windows.Wild(new Random(4), 10, Horizon));
        Assert.Same(sums, sums.Renamed(Plain.TaskTypes));
    }

    [Fact]
    public void The_sums_themselves_keep_the_names_that_the_windows_had()
    {
        var sums = Sums(Windows.Wild(new Random(5), 10, Horizon));
        var before = sums.ToBytes();
        Estimator.Estimate(Aliased, sums, Windows.Start.AddSeconds(3 * Horizon));
        Assert.Equal(before, sums.ToBytes());
    }

    [Fact]
    public void A_type_that_is_an_alias_is_not_unknown()
    {
        var sums = Sums([Windows.Of(0, 10, Windows.Arrivals("x", 50), Windows.Arrivals("y", 50))]);
        var estimate = Estimator.Estimate(Aliased, sums, Windows.Start.AddSeconds(20));
        Assert.Equal("y", Assert.Single(estimate.UnknownTaskTypes).Id);
        Assert.Equal(50, estimate.TaskTypes[0].Arrivals);
    }

    [Fact]
    public void Aliases_are_in_the_definition_and_not_in_the_problem()
    {
        var estimate = Estimator.Estimate(Aliased, Sums([]), Windows.Start);
        Assert.Equal(Text(ProblemBuilder.Build(Plain, estimate)), Text(ProblemBuilder.Build(Aliased, estimate)));
        Assert.DoesNotContain("aliases", Text(Plain), StringComparison.Ordinal);
        Assert.Contains("\"aliases\":[\"x\",\"Zebra.1\"]", Text(Aliased), StringComparison.Ordinal);
    }

    [Fact]
    public void The_watch_for_early_solves_knows_service_times_under_an_alias()
    {
        Assert.Equal(SolveReason.Drift, ObserveSlow("math"));
        Assert.Equal(SolveReason.Drift, ObserveSlow("x"));
        Assert.Null(ObserveSlow("y"));
    }

    /// <summary>
    /// Windows whose queries take ten times as long as the solve expects; their arrivals are as expected.
    /// </summary>
    private static SolveReason? ObserveSlow(string name)
    {
        var learnt = Sums(Enumerable.Range(0, 100).Select(i => Served("math", i, millis: 2_400 + (i % 7 * 10))));
        var definition = Aliased with
        {
            Servers = 1_000,
            Dispatch = Dispatch.Split,
            Objective = new FleetObjective { AccuracyWeight = 30 },
        };
        var inputs = new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat-eu",
            Definition = definition,
            DefinitionRevision = 1,
            Sums = learnt,
            WorkloadVersion = 100,
            SolvedAt = Windows.Start.AddSeconds(1_000),
        };
        var watch = new WorkloadWatch();
        watch.Expect(SolvePolicy.Solve(inputs, null).Expectation);
        return Enumerable
            .Range(100, 30)
            .Select(i => watch.Observe([Served(name, i, millis: 24_000)]))
            .FirstOrDefault(reason => reason is not null)
            ?.Reason;
    }

    private static WorkloadWindow Served(string name, int i, long millis) =>
        Windows.Of(i * 10, (i * 10) + 10, Windows.Served(name, (100, millis)));

    private static WorkloadWindow Renamed(WorkloadWindow window) =>
        window with
        {
            Tasks =
            [
                .. window.Tasks.Select(task =>
                    task.TaskType is "x" or "Zebra.1" ? task with { TaskType = "math" } : task
                ),
            ],
        };

    private static WorkloadSums Sums(IEnumerable<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(Horizon);
        foreach (var window in windows)
            sums.Fold(window);
        return sums;
    }

    private static string Text<T>(T value) => Encoding.UTF8.GetString(StrictJson.Write(value));
}
