using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Solving;

public sealed class SolveStoreTests(TestStore store)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_published_solve_writes_snapshot_event_sums_and_the_fleets_standing()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key), workloadVersion: 5);
        Assert.True(await store.Solves.CommitAsync(result, Cancel));

        var snapshot = Assert.IsType<SolveOutcome.Published>(result.Outcome).Snapshot;
        var stored = (await store.Snapshots.FindAsync(key.Tenant, key.Fleet, null, Cancel))!;
        Assert.Equal(snapshot.ToCanonicalBytes(), stored.Document);
        Assert.Equal((1, AllocationSnapshot.HashOf(stored.Document)), (stored.Version, stored.Hash));

        var events = (await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 1, 10, Cancel))!;
        var published = Assert.IsType<AllocationPublished>(Assert.Single(events).Data);
        Assert.Equal(new AllocationPublished { At = TestStore.At, Version = 1, Hash = stored.Hash, Revision = 1, WorkloadVersion = 5 }, published);

        var basis = await LoadAsync(key);
        Assert.Equal((1, 5L), (basis.Fleet.LatestVersion, basis.WorkloadVersion));
        Assert.Equal([1, 2, 3], basis.Sums!);
        Assert.Equal(stored.Hash, basis.Latest!.Hash);
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal(TestStore.At.AddSeconds(TestStore.Definition.Solving.EverySeconds), view.DueAt);
        Assert.Equal((TestStore.At, 5L, stored.Hash, null), (view.SolvedAt, view.SolvedWorkloadVersion, view.LatestHash, view.SolveFault));
    }

    [Fact]
    public async Task Of_two_solves_on_the_same_basis_one_wins_and_the_other_writes_nothing()
    {
        var key = await FleetAsync();
        var (first, second) = (TestStore.Solve(await LoadAsync(key), 5), TestStore.Solve(await LoadAsync(key), 6) with { Sums = [9] });
        Assert.True(await store.Solves.CommitAsync(first, Cancel));
        Assert.False(await store.Solves.CommitAsync(second, Cancel));
        await StandsAsync(key, version: 1, workloadVersion: 5);
        Assert.Equal([1, 2, 3], (await LoadAsync(key)).Sums!);
    }

    [Fact]
    public async Task Of_eight_solves_at_the_same_time_one_wins()
    {
        var key = await FleetAsync();
        var basis = await LoadAsync(key);
        var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => store.Solves.CommitAsync(TestStore.Solve(basis), Cancel), Cancel)));
        Assert.Single(won, it => it);
        await StandsAsync(key, version: 1, workloadVersion: 0);
    }

    [Fact]
    public async Task Versions_follow_one_another_and_each_names_the_hash_of_the_one_before()
    {
        var key = await FleetAsync();
        for (var version = 1; version <= 3; version++)
        {
            Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
            await StandsAsync(key, version, workloadVersion: 0);
        }

        for (var version = 2; version <= 3; version++)
        {
            var previous = (await store.Snapshots.FindVersionAsync(key.Tenant, key.Fleet, version - 1, Cancel))!;
            var document = System.Text.Json.Nodes.JsonNode.Parse((await store.Snapshots.FindVersionAsync(key.Tenant, key.Fleet, version, Cancel))!.Document)!;
            Assert.Equal(previous.Hash, (string)document["provenance"]!["previousHash"]!);
        }
    }

    [Fact]
    public async Task A_revision_between_load_and_commit_supersedes_the_solve()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key));
        await store.Fleets.PutAsync(
            key.Tenant, key.Fleet, TestStore.Definition with { DisplayName = "Revised" }, null, "ci", TestStore.At.AddHours(1), Cancel);
        Assert.False(await store.Solves.CommitAsync(result, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 0);
        Assert.Equal(TestStore.At.AddHours(1), (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.DueAt);
    }

    /// <summary>What came in after the solve has read its windows would otherwise wait for the next period.</summary>
    [Fact]
    public async Task A_solve_asked_for_while_another_is_at_work_is_not_forgotten()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key));
        var asked = TestStore.At.AddSeconds(1);
        Assert.True(await store.Fleets.RequestSolveAsync(key.Tenant, key.Fleet, asked, Cancel));
        Assert.True(await store.Solves.CommitAsync(result, Cancel));
        Assert.Equal(asked, (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.DueAt);

        Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
        Assert.Equal(TestStore.At.AddSeconds(300), (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.DueAt);
    }

    [Fact]
    public async Task A_fleet_retired_between_load_and_commit_gets_no_snapshot()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key));
        await store.Fleets.RetireAsync(key.Tenant, key.Fleet, "ci", TestStore.At, Cancel);
        Assert.False(await store.Solves.CommitAsync(result, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 0);
        Assert.Null(await store.Solves.LoadAsync(key, Cancel));
    }

    [Fact]
    public async Task A_solve_that_has_read_less_than_the_last_one_is_superseded()
    {
        var key = await FleetAsync();
        var (behind, ahead) = (TestStore.Solve(await LoadAsync(key), 5), TestStore.Solve(await LoadAsync(key), 6));
        Assert.True(await store.Solves.CommitAsync(ahead with { Outcome = new SolveOutcome.Confirmed() }, Cancel));
        Assert.False(await store.Solves.CommitAsync(behind, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 6);
    }

    /// <summary>The row of a version that the fleet does not know of: what a race would leave that no lock has prevented.</summary>
    [Fact]
    public async Task A_version_that_is_there_already_leaves_neither_row_nor_event_nor_sums()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key), 5);
        await store.ExecuteAsync(
            """
            insert into platform.allocation_snapshots
                (tenant_id, fleet_id, version, solved_at, hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization)
            values ($1, $2, 1, $3, 'by hand', 'x', 0, 0, 0, 0)
            """,
            Cancel, key.Tenant, key.Fleet, TestStore.At);

        Assert.False(await store.Solves.CommitAsync(result, Cancel));

        Assert.Equal("by hand", (await store.Snapshots.FindVersionAsync(key.Tenant, key.Fleet, 1, Cancel))!.Hash);
        Assert.Single((await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 0, 10, Cancel))!);
        Assert.Equal(0, await store.CountAsync("platform.workload_sums", key.Tenant, Cancel));
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal((0, null, null, 0L), (view.LatestVersion, view.LatestHash, view.SolvedAt, view.SolvedWorkloadVersion));
    }

    /// <summary>The event is written last: a stream that refuses it takes the row with it.</summary>
    [Fact]
    public async Task A_failing_event_takes_the_snapshot_row_and_the_sums_with_it()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key), 5);
        // A version that the stream does not know of.
        var stream = EventStore.FleetStream(key.Tenant, key.Fleet);
        await store.ExecuteAsync("update events.mt_events set version = 2 where stream_id = $1", Cancel, stream);

        await Assert.ThrowsAnyAsync<Exception>(() => store.Solves.CommitAsync(result, Cancel));

        Assert.Equal(0, await store.CountAsync("platform.allocation_snapshots", key.Tenant, Cancel));
        Assert.Equal(0, await store.CountAsync("platform.workload_sums", key.Tenant, Cancel));
        Assert.Equal(1, await store.CountAsync("events.mt_events", key.Tenant, Cancel));
        Assert.Equal(0, (await LoadAsync(key)).Fleet.LatestVersion);
    }

    [Fact]
    public async Task A_confirmed_solve_moves_the_sums_and_the_timetable_and_announces_nothing()
    {
        var key = await FleetAsync();
        Assert.True(await store.Solves.CommitAsync(TestStore.Solve(await LoadAsync(key), 5) with { Outcome = new SolveOutcome.Confirmed() }, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 5);
        Assert.Single((await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 0, 10, Cancel))!);
    }

    [Fact]
    public async Task An_infeasible_solve_says_why_until_the_next_one_succeeds()
    {
        var key = await FleetAsync();
        Assert.True(await store.Solves.CommitAsync(TestStore.Solve(await LoadAsync(key)) with { Outcome = new SolveOutcome.Infeasible("unstable: …") }, Cancel));
        Assert.Equal("unstable: …", (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.SolveFault);
        Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
        Assert.Null((await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.SolveFault);
    }

    [Fact]
    public async Task A_postponed_fleet_is_due_a_period_later_and_says_why()
    {
        var key = await FleetAsync();
        await store.Solves.PostponeAsync(key, "failed: overflow", TestStore.At, TestStore.At.AddHours(1), Cancel);
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal(("failed: overflow", TestStore.At.AddHours(1).AddSeconds(300)), (view.SolveFault, view.DueAt));
    }

    [Fact]
    public async Task A_fleet_that_was_asked_to_be_solved_meanwhile_is_not_postponed()
    {
        var key = await FleetAsync();
        var asked = TestStore.At.AddSeconds(1);
        await store.Fleets.RequestSolveAsync(key.Tenant, key.Fleet, asked, Cancel);
        await store.Solves.PostponeAsync(key, "failed: overflow", TestStore.At, TestStore.At.AddHours(1), Cancel);
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal((null, asked), (view.SolveFault, view.DueAt));
    }

    [Fact]
    public async Task Windows_are_read_in_order_from_any_version_on()
    {
        var key = await FleetAsync();
        await store.Intake.StoreAsync(
            [.. Enumerable.Range(1, 10).Select(i => new IncomingWindow(key.Tenant, Guid.NewGuid(), TestStore.Window(key.Fleet, i)))], Cancel);
        await ReadsAsync(key, 0, until: 10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        await ReadsAsync(key, 7, until: 10, [8, 9, 10]);
        await ReadsAsync(key, 10, until: 10, []);
    }

    [Fact]
    public async Task A_fleet_without_windows_is_read_up_to_version_0() => await ReadsAsync(await FleetAsync(), 0, until: 0, []);

    [Fact]
    public async Task There_is_nothing_to_load_of_a_fleet_that_never_was() =>
        Assert.Null(await store.Solves.LoadAsync(new FleetKey(TestStore.NewTenant(), "none"), Cancel));

    private async Task<FleetKey> FleetAsync()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
        return key;
    }

    private async Task<SolveBasis> LoadAsync(FleetKey key) => (await store.Solves.LoadAsync(key, Cancel))!;

    private async Task ReadsAsync(FleetKey key, long after, long until, long[] arrivals)
    {
        var read = new List<WorkloadWindow>();
        Assert.Equal(until, await store.Solves.ReadWindowsAsync(key, after, read.Add, Cancel));
        Assert.Equal(arrivals, read.Select(window => window.Tasks[0].Arrivals));
    }

    /// <summary>Rows and events agree on the version, and there is one of each for every version.</summary>
    private async Task StandsAsync(FleetKey key, int version, long workloadVersion)
    {
        Assert.Equal(version, await store.CountAsync("platform.allocation_snapshots", key.Tenant, Cancel));
        Assert.Equal(version, await store.CountAsync("events.mt_events", key.Tenant, Cancel, "and type = 'allocation-published'"));
        Assert.Equal($"{version} {workloadVersion}", await store.Database.QueryAsync<string>(
            $"select format('%s %s', latest_version, solved_workload_version) from platform.fleets where tenant_id = '{key.Tenant}'", Cancel));
    }
}
