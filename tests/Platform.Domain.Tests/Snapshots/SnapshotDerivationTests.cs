using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

public sealed class SnapshotDerivationTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_same_inputs_give_the_same_bytes_and_each_input_counts()
    {
        var inputs = Inputs(Windows.Served("math", (800, 16_400), (400, 8_300), (100, 2_500)));
        var hash = Hash(inputs, null);
        Assert.Equal(hash, Hash(Inputs(Windows.Served("math", (800, 16_400), (400, 8_300), (100, 2_500))), null));
        string[] others =
        [
            Hash(Inputs(Windows.Served("math", (800, 16_400), (400, 8_300), (100, 2_501))), null),
            Hash(inputs with { Tenant = "other" }, null),
            Hash(inputs with { Fleet = "other" }, null),
            Hash(inputs with { Definition = inputs.Definition with { Servers = 2 } }, null),
            Hash(inputs with { DefinitionRevision = 4 }, null),
            Hash(inputs with { WorkloadVersion = 2 }, null),
            Hash(inputs with { SolvedAt = inputs.SolvedAt.AddMilliseconds(1) }, null),
            Hash(inputs, new SnapshotLink(1, "a hash")),
            Hash(inputs, new SnapshotLink(1, "another hash")),
        ];
        Assert.Equal(others.Length + 1, others.Append(hash).Distinct().Count());
    }

    [Fact]
    public void A_snapshot_names_everything_that_it_takes_to_derive_it_again()
    {
        var snapshot = Derive(Inputs(), new SnapshotLink(4, "a hash")).Snapshot!;
        Assert.Equal(
            ("acme", "chat-eu", 5, At),
            (snapshot.Tenant, snapshot.Fleet, snapshot.Version, snapshot.SolvedAt)
        );
        Assert.Equal(
            new Provenance
            {
                DefinitionRevision = 3,
                WorkloadVersion = 1,
                Estimator = Estimator.EstimatorVersion,
                Solver = AllocationSolver.Version,
                ProblemHash = AllocationSnapshot.HashOf(CanonicalJson.Write(snapshot.Problem)),
                PreviousHash = "a hash",
            },
            snapshot.Provenance
        );
    }

    [Theory]
    [InlineData("estimator/0", null)]
    [InlineData(null, "solver/0")]
    public void Arithmetic_that_is_not_here_is_not_replaced_by_another(string? estimator, string? solver)
    {
        var versions = new DerivationVersions(
            estimator ?? Estimator.EstimatorVersion,
            solver ?? AllocationSolver.Version
        );
        Assert.False(SnapshotDerivation.Knows(versions));
        Assert.Throws<ArgumentException>(() => SnapshotDerivation.Derive(Inputs(), null, versions));
        Assert.True(SnapshotDerivation.Knows(DerivationVersions.Current));
    }

    [Fact]
    public void An_accuracy_floor_out_of_reach_has_a_solution_that_says_so_and_no_snapshot()
    {
        var inputs = Inputs();
        TaskType[] types =
        [
            inputs.Definition.TaskTypes[0] with
            {
                AccuracyFloor = 0.999,
            },
            .. inputs.Definition.TaskTypes.Skip(1),
        ];
        var derived = Derive(inputs with { Definition = inputs.Definition with { TaskTypes = types } }, null);
        Assert.Null(derived.Snapshot);
        Assert.Null(derived.Shortfall);
        Assert.Equal(InfeasibilityReason.AccuracyFloor, derived.Solution.Reason);
    }

    [Theory]
    [InlineData("estimator/3", "dual-newton/3")]
    [InlineData("estimator/4", "dual-newton/5")]
    [InlineData("estimator/5", "dual-newton/6")]
    public void Older_arithmetic_grants_nothing_where_no_allocation_keeps_the_limits(string estimator, string solver)
    {
        var inputs = Inputs();
        var limits = inputs.Definition.Objective with { MaxMeanSystemTimeSeconds = 0.01 };
        var derived = SnapshotDerivation.Derive(
            inputs with
            {
                Definition = inputs.Definition with { Objective = limits },
            },
            null,
            new DerivationVersions(estimator, solver)
        );
        Assert.Null(derived.Snapshot);
        Assert.Equal(InfeasibilityReason.MaxMeanSystemTime, derived.Solution.Reason);
    }

    [Fact]
    public void A_ladder_is_there_where_the_definition_asks_for_it_and_counts_for_the_hash()
    {
        var inputs = Inputs();
        var without = Derive(inputs, null).Snapshot!;
        Assert.Null(without.Ladder);
        Assert.DoesNotContain(
            "ladder",
            System.Text.Encoding.UTF8.GetString(without.ToCanonicalBytes()),
            StringComparison.Ordinal
        );

        var with16 = Derive(WithLadder(inputs, 16), null).Snapshot!;
        var granted = with16.Solution.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens));
        Assert.Equal(granted, with16.Ladder!.Rungs[0].Allocation);
        Assert.True(with16.Ladder.Rungs.Count > 3);
        Assert.Equal(without.Solution.Objective, with16.Solution.Objective);
        Assert.True(ComparableSnapshot.TryRead(with16.ToCanonicalBytes(), out var read, out _));
        Assert.True(SurgeLadder.SameContent(with16.Ladder, read.Ladder));
        Assert.False(SurgeLadder.SameContent(with16.Ladder, Derive(WithLadder(inputs, 3), null).Snapshot!.Ladder));
        string[] hashes = [Hash(inputs, null), Hash(WithLadder(inputs, 16), null), Hash(WithLadder(inputs, 3), null)];
        Assert.Equal(3, hashes.Distinct().Count());
        Assert.Equal(hashes[1], Hash(WithLadder(inputs, 16), null));
    }

    [Fact]
    public void A_ladder_of_levels_begins_with_what_is_sent()
    {
        var inputs = WithLadder(Inputs(), 16);
        var levels = new Actuator { Allowed = [new(0, 0, "none"), new(64, 64, "low"), new(512, 512, "high")] };
        var snapshot = Derive(
            inputs with
            {
                Definition = inputs.Definition with { Actuator = levels },
            },
            null
        ).Snapshot!;
        Assert.Equal(snapshot.Sent!.Allocation, snapshot.Ladder!.Rungs[0].Allocation);
        Assert.All(snapshot.Ladder.Rungs[^1].Allocation, type => Assert.Equal((0, "none"), (type.Tokens, type.Name)));
    }

    [Fact]
    public void The_instant_of_a_solve_is_in_whole_milliseconds()
    {
        Assert.Equal(At, SnapshotDerivation.Instant(At.AddTicks(9_999), null));
        Assert.Equal(At.AddMilliseconds(1), SnapshotDerivation.Instant(At.AddTicks(10_000), At));
    }

    /// <summary>
    /// Sums that were pruned to a later instant have lost evidence that an earlier one still counts, so two workers
    /// whose clocks differ must not go back in time.
    /// </summary>
    [Fact]
    public void The_instant_of_a_solve_is_never_before_the_last_one()
    {
        Assert.Equal(At.AddSeconds(2), SnapshotDerivation.Instant(At, At.AddSeconds(2)));

        var (horizon, all, pruned) = (60, new WorkloadSums(60), new WorkloadSums(60));
        foreach (var sums in new[] { all, pruned })
            sums.Fold(Windows.Of(0, 5, Windows.Arrivals("math", 100)));
        pruned.Prune(Windows.Start.AddSeconds(horizon + 10));
        var definition = Definitions.Fleet();
        definition = definition with { Solving = definition.Solving with { HorizonSeconds = horizon } };
        var earlier = Windows.Start.AddSeconds(horizon);
        Assert.NotEqual(
            Estimator.Estimate(definition, all, earlier).ArrivalRate,
            Estimator.Estimate(definition, pruned, earlier).ArrivalRate
        );
        var later = Windows.Start.AddSeconds(horizon + 10);
        Assert.Equal(
            Estimator.Estimate(definition, all, later).ArrivalRate,
            Estimator.Estimate(definition, pruned, later).ArrivalRate
        );
    }

    private static DerivedAllocation Derive(SnapshotInputs inputs, SnapshotLink? previous) =>
        SnapshotDerivation.Derive(inputs, previous, DerivationVersions.Current);

    private static string Hash(SnapshotInputs inputs, SnapshotLink? previous) =>
        AllocationSnapshot.HashOf(Derive(inputs, previous).Snapshot!.ToCanonicalBytes());

    private static SnapshotInputs WithLadder(SnapshotInputs inputs, int rungs)
    {
        var solving = inputs.Definition.Solving with { Ladder = new() { Rungs = rungs } };
        return inputs with { Definition = inputs.Definition with { Solving = solving } };
    }

    private static SnapshotInputs Inputs(params TaskWindow[] tasks)
    {
        var definition = Definitions.Fleet();
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        sums.Fold(Windows.Of(-60, 0, tasks));
        return new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat-eu",
            Definition = definition,
            DefinitionRevision = 3,
            Sums = sums,
            WorkloadVersion = 1,
            SolvedAt = At,
        };
    }
}
