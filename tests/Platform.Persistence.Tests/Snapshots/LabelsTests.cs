using Platform.Domain;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Snapshots;

/// <summary>What is in force, and what was: as it is stored.</summary>
public sealed class LabelsTests(TestStore store)
{
    private readonly string _tenant = TestStore.NewTenant();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_change_of_what_is_in_force_is_kept_with_its_cause_and_nothing_else_is()
    {
        await PublishedAsync(2);
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "roll back", "ann", TestStore.At.AddMinutes(1)));
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        Assert.Equal(1, await InForceAsync());
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "again", "ann", TestStore.At.AddMinutes(2)));
        await DecideAsync(fleet => Fleet.Unpin(fleet, "mended", "bob", TestStore.At.AddMinutes(3)));

        Assert.Equal(
            [
                (1, 1, "allocation-published", null, null),
                (2, 2, "allocation-published", null, null),
                (3, 1, "allocation-pinned", "ann", "roll back"),
                (4, 3, "allocation-unpinned", "bob", "mended"),
            ],
            (await store.Snapshots.ChangesAsync(_tenant, "chat", 0, 10, Cancel))!.Select(it =>
                (it.Change, it.Version, it.Cause, it.By, it.Reason)
            )
        );
        Assert.Equal(3, await InForceAsync());
        Assert.Equal(4, await store.Snapshots.LastChangeAsync(_tenant, "chat", Cancel));
    }

    [Fact]
    public async Task The_instant_of_a_change_is_never_before_that_of_the_one_before_it()
    {
        await PublishedAsync(2);
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "roll back", "ann", TestStore.At.AddMinutes(5)));
        await DecideAsync(fleet => Fleet.Unpin(fleet, "by a clock that is late", "ann", TestStore.At.AddMinutes(4)));

        Assert.Equal(2, await AsOfAsync(TestStore.At.AddMinutes(5).AddTicks(-10)));
        Assert.Equal(2, await AsOfAsync(TestStore.At.AddMinutes(5)));
        // Published by a clock that is late too.
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        Assert.Equal(3, await AsOfAsync(TestStore.At.AddMinutes(5)));
    }

    [Fact]
    public async Task What_was_in_force_at_an_instant_is_what_was_pinned_then()
    {
        await PublishedAsync(3);
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "roll back", "ann", TestStore.At.AddMinutes(1)));
        await DecideAsync(fleet => Fleet.Unpin(fleet, "mended", "ann", TestStore.At.AddMinutes(2)));

        Assert.Equal(
            [null, 3, 1, 1, 3],
            [
                await AsOfAsync(TestStore.At.AddTicks(-10)),
                await AsOfAsync(TestStore.At),
                await AsOfAsync(TestStore.At.AddMinutes(1)),
                await AsOfAsync(TestStore.At.AddSeconds(119)),
                await AsOfAsync(TestStore.At.AddMinutes(2)),
            ]
        );
    }

    [Fact]
    public async Task A_pin_that_comes_while_a_solve_runs_holds()
    {
        await PublishedAsync(1);
        var basis = (await store.LoadAsync(new FleetKey(_tenant, "chat"), Cancel))!;
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "hold", "ann", TestStore.At));
        Assert.True(await store.CommitAsync(TestStore.Solve(basis), Cancel));

        Assert.Equal(1, await InForceAsync());
        Assert.Equal(2, (await store.Fleets.FindAsync(_tenant, "chat", Cancel))!.LatestVersion);
    }

    [Fact]
    public async Task A_fleet_that_wants_approval_proposes_and_proposes_again_when_that_has_lapsed()
    {
        await PutAsync(60);
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        Assert.Null(await store.Snapshots.FindInForceAsync(_tenant, "chat", Cancel));
        Assert.Empty((await store.Snapshots.ChangesAsync(_tenant, "chat", 0, 10, Cancel))!);

        var basis = (await store.LoadAsync(new FleetKey(_tenant, "chat"), Cancel))!;
        Assert.Equal(new AllocationProposal(1, TestStore.At.AddSeconds(60)), basis.Fleet.Labels.Proposal);
        Assert.Equal(
            (false, true),
            (
                basis.Previous(TestStore.At.AddSeconds(59))!.HasLapsed,
                basis.Previous(TestStore.At.AddSeconds(60))!.HasLapsed
            )
        );

        await DecideAsync(fleet => Fleet.Approve(fleet, 1, "looked at", "ann", TestStore.At.AddSeconds(59)));
        Assert.Equal(1, await InForceAsync());
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        Assert.Equal(1, await InForceAsync());
        // A definition that wants none puts the next version in force by itself.
        await PutAsync(null);
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        Assert.Equal(3, await InForceAsync());
        Assert.Null((await store.Fleets.FindAsync(_tenant, "chat", Cancel))!.Labels.Proposal);
    }

    [Fact]
    public async Task A_solve_expects_the_load_of_what_is_in_force_not_of_what_was_solved_last()
    {
        await PublishedAsync(1);
        await PutAsync(null, minTokens: 10);
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "hold", "ann", TestStore.At));

        var previous = (await store.LoadAsync(new FleetKey(_tenant, "chat"), Cancel))!.Previous(TestStore.At)!;
        Assert.True(previous.IsPinned);
        Assert.Equal((10L, 0L), (previous.Summary.Tokens["math"], previous.TokensInForce!["math"]));
    }

    [Fact]
    public async Task What_a_pinned_version_does_to_the_servers_is_told_once_and_it_stays_in_force()
    {
        await GrantedAsync(1);
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "hold", "ann", TestStore.At));
        await PutBusyAsync(new SolvingPolicy());
        Assert.Null((await LoadAsync()).UnstableSince);
        await SolveAsync(TestStore.At.AddMinutes(1));
        Assert.Equal(TestStore.At.AddMinutes(1), (await LoadAsync()).UnstableSince);
        await SolveAsync(TestStore.At.AddMinutes(2));
        Assert.Equal(TestStore.At, (await store.Fleets.FindAsync(_tenant, "chat", Cancel))!.InForceAt);

        var changes = (await store.Snapshots.ChangesAsync(_tenant, "chat", 0, 10, Cancel))!;
        Assert.Equal(
            [(1, 1, "allocation-published"), (2, 1, "allocation-unstable")],
            changes.Select(it => (it.Change, it.Version, it.Cause))
        );
        Assert.Equal(TestStore.At.AddMinutes(1), changes[1].At);
        Assert.StartsWith("The pinned version 1 gives the servers ", changes[1].Reason, StringComparison.Ordinal);
        Assert.Equal(2, await store.CountAsync("platform.notice_queue", _tenant, Cancel));

        // By a clock that is late: the order of the changes is the truth.
        await DecideAsync(fleet => Fleet.Unpin(fleet, "mended", "ann", TestStore.At.AddSeconds(30)));
        Assert.Equal(
            [1, 2],
            [await AsOfAsync(TestStore.At.AddMinutes(1).AddTicks(-10)), await AsOfAsync(TestStore.At.AddMinutes(1))]
        );
        Assert.Null((await LoadAsync()).UnstableSince);
    }

    [Fact]
    public async Task An_emergency_is_in_force_without_approval_and_its_event_says_why()
    {
        await GrantedAsync(1);
        await PutBusyAsync(new SolvingPolicy { ApprovalSeconds = 60 });
        await SolveAsync(TestStore.At.AddMinutes(1));
        Assert.Equal(2, await InForceAsync());
        var change = (await store.Snapshots.ChangesAsync(_tenant, "chat", 1, 10, Cancel))!.Single();
        Assert.Equal((2, "allocation-emergency", null), (change.Version, change.Cause, change.By));
        var events = (await store.Fleets.EventsAsync(_tenant, "chat", 0, 10, Cancel))!;
        var published = Assert.IsType<AllocationPublished>(events[^1].Data);
        Assert.Equal((change.Reason, null), (published.Emergency, published.ProposedUntil));
        Assert.Null((await store.Fleets.FindAsync(_tenant, "chat", Cancel))!.Labels.Proposal);
    }

    [Fact]
    public async Task An_emergency_of_a_version_that_is_no_longer_in_force_waits_for_approval()
    {
        await GrantedAsync(2);
        await PutBusyAsync(new SolvingPolicy { ApprovalSeconds = 60 });
        var basis = await LoadAsync();
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "hold", "ann", TestStore.At));
        Assert.True(await store.CommitAsync(TestStore.Solve(basis), Cancel));
        Assert.Equal(3, (await store.Fleets.FindAsync(_tenant, "chat", Cancel))!.Labels.Proposal!.Version);
        Assert.DoesNotContain(
            (await store.Snapshots.ChangesAsync(_tenant, "chat", 0, 10, Cancel))!,
            it => it.Cause == "allocation-emergency"
        );
    }

    [Fact]
    public async Task A_stranger_sees_and_changes_nothing()
    {
        await PublishedAsync(2);
        var stranger = TestStore.NewTenant();
        Assert.Null(await store.Snapshots.ChangesAsync(stranger, "chat", 0, 10, Cancel));
        Assert.Null(await store.Snapshots.FindAsOfAsync(stranger, "chat", TestStore.At.AddYears(1), Cancel));
        var outcome = await store.Fleets.DecideAsync(
            stranger,
            "chat",
            fleet => Fleet.PinVersion(fleet, 1, "mine", "eve", TestStore.At),
            Cancel
        );
        Assert.Equal(Refusal.NotFound, outcome.Decision.RefusedAs);
        Assert.Equal(2, await InForceAsync());
    }

    private async Task PublishedAsync(int versions)
    {
        await store.PutFleetAsync(_tenant, "chat", Cancel);
        for (var i = 0; i < versions; i++)
            Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
    }

    private Task<FleetOutcome> PutAsync(int? approvalSeconds, int minTokens = 0) =>
        store.Fleets.PutAsync(
            _tenant,
            "chat",
            TestStore.Definition with
            {
                Solving = new SolvingPolicy { ApprovalSeconds = approvalSeconds },
                TaskTypes = [TestStore.Definition.TaskTypes[0] with { MinTokens = minTokens }],
            },
            null,
            "ci",
            TestStore.At,
            Cancel
        );

    /// <summary>Versions that grant 200 tokens, the fewest that are allowed then.</summary>
    private async Task GrantedAsync(int versions)
    {
        await PutAsync(null, minTokens: 200);
        for (var i = 0; i < versions; i++)
            Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
    }

    /// <summary>A definition with so many arrivals that only few tokens are stable.</summary>
    private async Task PutBusyAsync(SolvingPolicy solving)
    {
        var outcome = await store.Fleets.PutAsync(
            _tenant,
            "chat",
            TestStore.Definition with
            {
                ArrivalRate = 2,
                Solving = solving,
            },
            null,
            "ci",
            TestStore.At,
            Cancel
        );
        Assert.False(outcome.Decision.IsRefused);
    }

    private async Task<SolveBasis> LoadAsync() => (await store.LoadAsync(new FleetKey(_tenant, "chat"), Cancel))!;

    private async Task SolveAsync(DateTimeOffset at)
    {
        var basis = await LoadAsync();
        var outcome = SolvePolicy.Solve(basis.Inputs(at), basis.Previous(at));
        Assert.True(
            await store.CommitAsync(
                new SolveResult
                {
                    Basis = basis,
                    At = at,
                    Sums = null,
                    Outcome = outcome,
                },
                Cancel
            )
        );
    }

    private async Task DecideAsync(Func<Fleet?, Decision<FleetEvent>> decide) =>
        Assert.False((await store.Fleets.DecideAsync(_tenant, "chat", decide, Cancel)).Decision.IsRefused);

    private async Task<int?> InForceAsync() =>
        (await store.Snapshots.FindInForceAsync(_tenant, "chat", Cancel))?.Version;

    private async Task<int?> AsOfAsync(DateTimeOffset instant) =>
        (await store.Snapshots.FindAsOfAsync(_tenant, "chat", instant, Cancel))?.Version;
}
