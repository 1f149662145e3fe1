using Platform.Domain;
using Platform.Domain.Fleets;

namespace Platform.Persistence.Tests.Fleets;

public sealed class FleetStoreTests(TestStore store)
{
    private static readonly FleetDefinition Revised = TestStore.Definition with
    {
        DisplayName = "Revised",
        ArrivalRate = 1e-7,
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_fleet_is_registered_and_due_at_once()
    {
        var tenant = TestStore.NewTenant();
        var outcome = await PutAsync(tenant, TestStore.Definition);
        Assert.True(outcome.IsNew);
        var view = (await store.Fleets.FindAsync(tenant, "chat", Cancel))!;
        Assert.Equal(
            ("chat", 1, TestStore.At, 0, TestStore.At),
            (view.Id, view.Revision, view.RevisedAt, view.LatestVersion, view.DueAt)
        );
        Assert.True(FleetDefinition.SameContent(TestStore.Definition, view.Definition));
    }

    [Fact]
    public async Task A_definition_comes_back_as_it_went_in()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, Revised);
        Assert.True(
            FleetDefinition.SameContent(Revised, (await store.Fleets.FindAsync(tenant, "chat", Cancel))!.Definition)
        );
        Assert.Null((await PutAsync(tenant, Revised)).Decision.Event);
    }

    [Fact]
    public async Task The_same_definition_again_leaves_no_event_and_no_revision()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, TestStore.Definition);
        var outcome = await PutAsync(tenant, TestStore.Definition, at: TestStore.At.AddHours(1));
        Assert.Equal((false, 1, TestStore.At), (outcome.IsNew, outcome.Fleet!.Revision, outcome.Fleet.DueAt));
        await HappenedAsync(tenant, "fleet-registered");
    }

    [Fact]
    public async Task A_stale_revision_is_refused_and_leaves_nothing()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, TestStore.Definition);
        Assert.False((await PutAsync(tenant, Revised, expected: 1)).Decision.IsRefused);
        Assert.Equal(Refusal.Stale, (await PutAsync(tenant, TestStore.Definition, expected: 1)).Decision.RefusedAs);
        Assert.Equal("Revised", (await store.Fleets.FindAsync(tenant, "chat", Cancel))!.Definition.DisplayName);
        await HappenedAsync(tenant, "fleet-registered", "fleet-revised");
    }

    [Fact]
    public async Task Of_two_revisions_decided_on_the_same_state_one_is_stale()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, TestStore.Definition);
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(i =>
                    Task.Run(
                        () => PutAsync(tenant, Revised with { DisplayName = $"Revision {i}" }, expected: 1),
                        Cancel
                    )
                )
        );
        Assert.Single(outcomes, outcome => !outcome.Decision.IsRefused);
        await HappenedAsync(tenant, "fleet-registered", "fleet-revised");
    }

    [Fact]
    public async Task A_retired_fleet_is_gone_but_its_history_stays_and_goes_on_when_it_is_registered_again()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, TestStore.Definition);
        Assert.True(await store.PublishAsync(tenant, "chat", Cancel));
        Assert.False((await store.RetireAsync(tenant, "chat", Cancel)).IsRefused);
        Assert.Null(await store.Fleets.FindAsync(tenant, "chat", Cancel));
        Assert.Empty(await store.Fleets.ListAsync(tenant, "", 10, Cancel));
        Assert.False(await store.Fleets.RequestSolveAsync(tenant, "chat", TestStore.At, Cancel));
        Assert.Equal(Refusal.NotFound, (await store.RetireAsync(tenant, "chat", Cancel)).RefusedAs);
        await HappenedAsync(tenant, "fleet-registered", "allocation-published", "fleet-retired");

        var outcome = await PutAsync(tenant, TestStore.Definition);
        Assert.Equal((true, 3, 1), (outcome.IsNew, outcome.Fleet!.Revision, outcome.Fleet.LatestVersion));
        Assert.True(await store.PublishAsync(tenant, "chat", Cancel));
        Assert.Equal(2, (await store.Snapshots.FindInForceAsync(tenant, "chat", Cancel))!.Version);
    }

    [Fact]
    public async Task Row_and_events_tell_the_same_story()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, TestStore.Definition);
        await store.PublishAsync(tenant, "chat", Cancel);
        await PutAsync(tenant, Revised);
        await store.PublishAsync(tenant, "chat", Cancel);
        Fleet? state = null;
        foreach (var happened in (await store.Fleets.EventsAsync(tenant, "chat", 0, 100, Cancel))!)
            state = Fleet.Evolve(state, (FleetEvent)happened.Data);
        var view = (await store.Fleets.FindAsync(tenant, "chat", Cancel))!;
        Assert.Equal((view.Revision, view.LatestVersion), (state!.Revision, state.LatestVersion));
        Assert.True(FleetDefinition.SameContent(view.Definition, state.Definition));
    }

    [Fact]
    public async Task Fleets_are_listed_by_id_page_by_page()
    {
        var tenant = TestStore.NewTenant();
        foreach (var fleet in new[] { "c", "a", "b-1", "b", "a-1" })
            await store.PutFleetAsync(tenant, fleet, Cancel);
        var (listed, after) = (new List<string>(), "");
        for (var page = await ListAsync(); page.Count > 0; page = await ListAsync())
        {
            Assert.InRange(page.Count, 1, 2);
            listed.AddRange(page.Select(fleet => fleet.Id));
            after = listed[^1];
        }

        Assert.Distinct(listed);
        Assert.Equal(["a", "a-1", "b", "b-1", "c"], listed.Order(StringComparer.Ordinal));

        Task<IReadOnlyList<Persistence.Fleets.FleetView>> ListAsync() =>
            store.Fleets.ListAsync(tenant, after, 2, Cancel);
    }

    [Fact]
    public async Task Events_are_read_by_stream_version_page_by_page()
    {
        var tenant = TestStore.NewTenant();
        await PutAsync(tenant, TestStore.Definition);
        for (var i = 0; i < 4; i++)
            await PutAsync(tenant, Revised with { DisplayName = $"Revision {i}" });
        Assert.Equal([1, 2], await VersionsAsync(0, 2));
        Assert.Equal([3, 4], await VersionsAsync(2, 2));
        Assert.Equal([5], await VersionsAsync(4, 2));
        Assert.Empty(await VersionsAsync(5, 2));
        Assert.Empty(await VersionsAsync(long.MaxValue, 2));
        Assert.Empty(await VersionsAsync(long.MaxValue - 1, 2));

        async Task<IEnumerable<long>> VersionsAsync(long after, int limit) =>
            (await store.Fleets.EventsAsync(tenant, "chat", after, limit, Cancel))!.Select(happened =>
                happened.Version
            );
    }

    [Fact]
    public async Task A_fleet_that_never_was_has_no_history() =>
        Assert.Null(await store.Fleets.EventsAsync(TestStore.NewTenant(), "none", 0, 10, Cancel));

    private Task<Persistence.Fleets.FleetOutcome> PutAsync(
        string tenant,
        FleetDefinition definition,
        int? expected = null,
        DateTimeOffset? at = null
    ) => store.Fleets.PutAsync(tenant, "chat", definition, expected, "ci", at ?? TestStore.At, Cancel);

    private async Task HappenedAsync(string tenant, params string[] names) =>
        Assert.Equal(
            names,
            (await store.Fleets.EventsAsync(tenant, "chat", 0, 100, Cancel))!.Select(happened => happened.Type)
        );
}
