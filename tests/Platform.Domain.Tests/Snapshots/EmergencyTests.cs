using System.Text;
using System.Text.Json;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

/// <summary>
/// What gives the servers more work than they can do, where versions wait for approval or a person holds one.
/// </summary>
public sealed class EmergencyTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    // Stable at 0.05 queries a second only below 990 tokens a query.
    private static readonly FleetDefinition Approved = Definitions.Fleet() with
    {
        Solving = new SolvingPolicy { ApprovalSeconds = 3_600, MinimumGain = 1e300 },
    };

    [Fact]
    public void A_version_that_would_wait_for_approval_is_released_where_what_is_in_force_is_unstable()
    {
        var published = Assert.IsType<SolveOutcome.Published>(Solve(Approved, InForce(2_000)));
        Assert.Equal("version 4 gave the servers 2.01 times the work that they can do", published.Emergency);
        Assert.Equal(published.Emergency, published.Reason);
        Assert.Null(published.Warning);
        Assert.True(published.Expectation!.Utilization < 1, "the load to come is that of the new version");
    }

    [Fact]
    public void The_fewest_tokens_are_an_emergency_too_and_both_are_said()
    {
        var hopeless = Approved with { ArrivalRate = 100 };
        var published = Assert.IsType<SolveOutcome.Published>(Solve(hopeless, InForce(2_000)));
        Assert.StartsWith("version 4 gave the servers ", published.Reason, StringComparison.Ordinal);
        Assert.Contains(
            "; unstable: the fewest tokens allowed carry at most ",
            published.Reason,
            StringComparison.Ordinal
        );

        var first = Assert.IsType<SolveOutcome.Published>(Solve(hopeless, null));
        Assert.StartsWith(
            "nothing was in force, and even the fewest tokens give the servers 28 times",
            first.Emergency,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(900, null)]
    [InlineData(2_000, EmergencyRelease.Wait)]
    public void Other_versions_wait(long tokens, EmergencyRelease? emergency)
    {
        var definition = Approved with { Solving = Approved.Solving with { Emergency = emergency, MinimumGain = 0 } };
        var published = Assert.IsType<SolveOutcome.Published>(Solve(definition, InForce(tokens)));
        Assert.Null(published.Emergency);
        Assert.Equal(emergency is not null, published.Warning is not null);
    }

    [Fact]
    public void The_first_version_of_a_fleet_that_can_be_served_waits() =>
        Assert.Null(Assert.IsType<SolveOutcome.Published>(Solve(Approved, null)).Emergency);

    [Fact]
    public void A_version_that_waits_already_does_not_keep_what_is_unstable_in_force()
    {
        var best = Assert.IsType<SolveOutcome.Published>(Solve(Approved, null)).Snapshot;
        var waiting = new PreviousAllocation
        {
            Version = 4,
            Hash = "a hash",
            Summary = AllocationSummary.Of(best),
            VersionInForce = 3,
            TokensInForce = Tokens(2_000),
        };
        Assert.NotNull(Assert.IsType<SolveOutcome.Published>(Solve(Approved, waiting)).Emergency);
        Assert.IsType<SolveOutcome.Confirmed>(Solve(Approved, waiting with { TokensInForce = Tokens(900) }));
        var forbidden = Approved with { Solving = Approved.Solving with { Emergency = EmergencyRelease.Wait } };
        var outcome = Assert.IsType<SolveOutcome.Confirmed>(Solve(forbidden, waiting));
        Assert.StartsWith(
            "The version in force, 3, gives the servers 2.01 times the work that they can do, since 2026-11-23 10:00:00 UTC",
            outcome.Warning,
            StringComparison.Ordinal
        );
        Assert.EndsWith(
            "Version 4 waits for approval: approve it. Where solving.emergency is not wait, such a version is in force at once.",
            outcome.Warning,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_pinned_version_stays_and_what_it_does_is_said_once()
    {
        var pinned = InForce(2_000) with { IsPinned = true };
        foreach (var definition in new[] { Approved, Definitions.Fleet() })
        {
            var outcome = Assert.IsType<SolveOutcome.Published>(Solve(definition, pinned));
            Assert.Null(outcome.Emergency);
            Assert.Equal(
                "The pinned version 4 gives the servers 2.01 times the work that they can do, since 2026-11-23 10:00:00 UTC: queries "
                    + "wait longer and longer. Unpin it, or pin a version that grants fewer tokens.",
                outcome.Warning
            );
            Assert.True(outcome.Expectation!.Utilization > 2);

            var later = Solve(definition, pinned with { UnstableSince = At.AddHours(-1) });
            Assert.Null(later.Warning);
            var concern = Assert.Single(later.Concerns, concern => concern.Code == UnstableConcern.Code);
            Assert.Equal(At.AddHours(-1), concern.Since);
            Assert.Contains("since 2026-11-23 09:00:00 UTC", concern.Message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(
            Solve(Approved, InForce(900) with { IsPinned = true }).Concerns,
            concern => concern.Code == UnstableConcern.Code
        );
    }

    /// <summary>A task type that came with a revision has no tokens in force: it is taken at its fewest.</summary>
    [Fact]
    public void What_is_in_force_for_other_task_types_counts_for_those_that_are_left()
    {
        var previous = InForce(4_000);
        previous = previous with
        {
            Summary = previous.Summary with
            {
                Tokens = new Dictionary<string, long> { ["math"] = 4_000, ["gone"] = 1 },
            },
        };
        Assert.StartsWith(
            "version 4 gave the servers 1.6",
            Assert.IsType<SolveOutcome.Published>(Solve(Approved, previous)).Emergency,
            StringComparison.Ordinal
        );
    }

    /// <summary>Of few windows chance explains nearly anything, and not that servers are nearly saturated.</summary>
    [Fact]
    public void Chance_does_not_keep_what_is_nearly_unstable_in_force()
    {
        var definition = Definitions.Fleet() with
        {
            Objective = new FleetObjective { AccuracyWeight = 30, MaxUtilization = 0.9 },
            Solving = new SolvingPolicy { MinimumGain = 1e300 },
        };
        var inputs = Inputs(
            definition,
            [.. Enumerable.Range(0, 10).Select(i => Windows.Of(i * 10, (i + 1) * 10, Windows.Arrivals("math", 1)))]
        );
        var asked = SnapshotDerivation.Derive(inputs, null, DerivationVersions.Current).Asked;
        var nearly = Enumerable.Range(1, 100_000).First(each => LoadInForce.LoadOf(asked, Tokens(each)) > 0.95);

        // A token less each is beyond the cap of 0.9 by as much as chance explains.
        Assert.IsType<SolveOutcome.Confirmed>(SolvePolicy.Solve(inputs, InForce(nearly - 1)));
        Assert.IsType<SolveOutcome.Published>(SolvePolicy.Solve(inputs, InForce(nearly)));
    }

    [Fact]
    public void The_policy_for_emergencies_is_left_out_of_older_definitions_and_read_by_its_names()
    {
        Assert.Null(
            JsonSerializer.Deserialize<SolvingPolicy>("""{ "everySeconds": 300 }""", StrictJson.Options)!.Emergency
        );
        Assert.DoesNotContain(
            "emergency",
            Encoding.UTF8.GetString(StrictJson.Write(new SolvingPolicy())),
            StringComparison.Ordinal
        );
        foreach (var (name, value) in new[] { ("atOnce", EmergencyRelease.AtOnce), ("wait", EmergencyRelease.Wait) })
            Assert.Equal(
                value,
                JsonSerializer
                    .Deserialize<SolvingPolicy>($$"""{ "emergency": "{{name}}" }""", StrictJson.Options)!
                    .Emergency
            );
    }

    private static Dictionary<string, long> Tokens(long each) => new() { ["math"] = each, ["chat"] = each };

    private static PreviousAllocation InForce(long each) =>
        new()
        {
            Version = 4,
            Hash = "a hash",
            Summary = new AllocationSummary
            {
                DefinitionRevision = 3,
                WorkloadVersion = 7,
                Tokens = Tokens(each),
            },
        };

    private static SolveOutcome Solve(FleetDefinition definition, PreviousAllocation? previous) =>
        SolvePolicy.Solve(Inputs(definition), previous);

    private static SnapshotInputs Inputs(FleetDefinition definition, params ReadOnlySpan<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        foreach (var window in windows)
            sums.Fold(window);
        return new SnapshotInputs
        {
            Tenant = "acme",
            Fleet = "chat",
            Definition = definition,
            DefinitionRevision = 3,
            Sums = sums,
            WorkloadVersion = 7,
            SolvedAt = At,
        };
    }
}
