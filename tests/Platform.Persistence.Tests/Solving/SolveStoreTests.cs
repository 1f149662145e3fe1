using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
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
        Assert.True(await store.CommitAsync(result, Cancel));

        var snapshot = Assert.IsType<SolveOutcome.Published>(result.Outcome).Snapshot;
        var stored = (await store.Snapshots.FindInForceAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal(snapshot.ToCanonicalBytes(), stored.Document);
        Assert.Equal((1, AllocationSnapshot.HashOf(stored.Document)), (stored.Version, stored.Hash));

        var events = (await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 1, 10, Cancel))!;
        var published = Assert.IsType<AllocationPublished>(Assert.Single(events).Data);
        Assert.Equal(
            new AllocationPublished
            {
                At = TestStore.At,
                Version = 1,
                Hash = stored.Hash,
                Revision = 1,
                WorkloadVersion = 5,
            },
            published
        );

        var basis = await LoadAsync(key);
        Assert.Equal((1, 5L), (basis.Fleet.LatestVersion, basis.WorkloadVersion));
        Assert.Equal(TestStore.SumsOf(5).ToBytes(), basis.Sums.ToBytes());
        Assert.Equal(stored.Hash, basis.Latest!.Hash);
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal(TestStore.At.AddSeconds(TestStore.Definition.Solving.EverySeconds), view.DueAt);
        Assert.Equal(
            (TestStore.At, 5L, stored.Hash, null),
            (view.SolvedAt, view.SolvedWorkloadVersion, view.LatestHash, view.SolveFault)
        );
    }

    [Fact]
    public async Task Of_two_solves_on_the_same_basis_one_wins_and_the_other_writes_nothing()
    {
        var key = await FleetAsync();
        var (first, second) = (TestStore.Solve(await LoadAsync(key), 5), TestStore.Solve(await LoadAsync(key), 6));
        Assert.True(await store.CommitAsync(first, Cancel));
        Assert.False(await store.CommitAsync(second, Cancel));
        await StandsAsync(key, version: 1, workloadVersion: 5);
        Assert.Equal(TestStore.SumsOf(5).ToBytes(), (await LoadAsync(key)).Sums.ToBytes());
    }

    [Fact]
    public async Task Of_eight_solves_at_the_same_time_one_wins()
    {
        var key = await FleetAsync();
        var basis = await LoadAsync(key);
        var won = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ => Task.Run(() => store.CommitAsync(TestStore.Solve(basis), Cancel), Cancel))
        );
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
            var document = System.Text.Json.Nodes.JsonNode.Parse(
                (await store.Snapshots.FindVersionAsync(key.Tenant, key.Fleet, version, Cancel))!.Document
            )!;
            Assert.Equal(previous.Hash, (string)document["provenance"]!["previousHash"]!);
        }
    }

    [Fact]
    public async Task A_revision_between_load_and_commit_supersedes_the_solve()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key));
        await store.Fleets.PutAsync(
            key.Tenant,
            key.Fleet,
            TestStore.Definition with
            {
                DisplayName = "Revised",
            },
            null,
            "ci",
            TestStore.At.AddHours(1),
            Cancel
        );
        Assert.False(await store.CommitAsync(result, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 0);
        Assert.Equal(TestStore.At.AddHours(1), (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.DueAt);
    }

    [Fact]
    public async Task A_version_from_before_there_were_summaries_is_read_from_its_document()
    {
        var key = await FleetAsync();
        Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
        var summary = (await LoadAsync(key)).Latest!.Summary;
        await store.ExecuteAsync(
            "update platform.allocation_snapshots set summary = null where tenant_id = $1",
            Cancel,
            key.Tenant
        );
        Assert.Equal(summary.ToBytes(), (await LoadAsync(key)).Latest!.Summary.ToBytes());
        await store.ExecuteAsync(
            "update platform.allocation_snapshots set document = '{}' where tenant_id = $1",
            Cancel,
            key.Tenant
        );
        var loaded = await store
            .Solves.LoadAsync(key.Tenant, [key.Fleet], TestStore.At, new SolveClock(), Cancel)
            .SingleAsync(Cancel);
        Assert.IsType<FormatException>(loaded.Fault);
    }

    /// <summary>What came in after the solve has read its windows would otherwise wait for the next period.</summary>
    [Fact]
    public async Task A_solve_asked_for_while_another_is_at_work_is_not_forgotten()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key));
        var asked = TestStore.At.AddSeconds(1);
        Assert.True(await store.Fleets.RequestSolveAsync(key.Tenant, key.Fleet, asked, Cancel));
        Assert.True(await store.CommitAsync(result, Cancel));
        Assert.Equal(asked, (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.DueAt);

        Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
        Assert.Equal(
            TestStore.At.AddSeconds(300),
            (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!.DueAt
        );
    }

    [Fact]
    public async Task A_fleet_retired_between_load_and_commit_gets_no_snapshot()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key));
        await store.RetireAsync(key.Tenant, key.Fleet, Cancel);
        Assert.False(await store.CommitAsync(result, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 0);
        Assert.Null(await store.LoadAsync(key, Cancel));
    }

    [Fact]
    public async Task A_solve_that_has_read_less_than_the_last_one_is_superseded()
    {
        var key = await FleetAsync();
        var (behind, ahead) = (TestStore.Solve(await LoadAsync(key), 5), TestStore.Solve(await LoadAsync(key), 6));
        Assert.True(await store.CommitAsync(ahead with { Outcome = new SolveOutcome.Confirmed() }, Cancel));
        Assert.False(await store.CommitAsync(behind, Cancel));
        await StandsAsync(key, version: 0, workloadVersion: 6);
    }

    /// <summary>
    /// The row of a version that the fleet does not know of: what a race would leave that no lock has prevented.
    /// </summary>
    [Fact]
    public async Task A_version_that_is_there_already_leaves_neither_row_nor_event_nor_sums()
    {
        var key = await FleetAsync();
        var result = TestStore.Solve(await LoadAsync(key), 5);
        await SnapshotByHandAsync(key);

        Assert.False(await store.CommitAsync(result, Cancel));

        Assert.Equal("by hand", (await store.Snapshots.FindVersionAsync(key.Tenant, key.Fleet, 1, Cancel))!.Hash);
        Assert.Single((await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 0, 10, Cancel))!);
        Assert.Equal(0, await store.CountAsync("platform.workload_sums", key.Tenant, Cancel));
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal(
            (0, null, null, 0L),
            (view.LatestVersion, view.LatestHash, view.SolvedAt, view.SolvedWorkloadVersion)
        );
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

        await Assert.ThrowsAnyAsync<Exception>(() => store.CommitAsync(result, Cancel));

        Assert.Equal(0, await store.CountAsync("platform.allocation_snapshots", key.Tenant, Cancel));
        Assert.Equal(0, await store.CountAsync("platform.workload_sums", key.Tenant, Cancel));
        Assert.Equal(1, await store.CountAsync("events.mt_events", key.Tenant, Cancel));
        Assert.Equal(0, (await LoadAsync(key)).Fleet.LatestVersion);
    }

    [Fact]
    public async Task A_confirmed_solve_moves_the_sums_and_the_timetable_and_announces_nothing()
    {
        var key = await FleetAsync();
        Assert.True(
            await store.CommitAsync(
                TestStore.Solve(await LoadAsync(key), 5) with
                {
                    Outcome = new SolveOutcome.Confirmed(),
                },
                Cancel
            )
        );
        await StandsAsync(key, version: 0, workloadVersion: 5);
        Assert.Single((await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 0, 10, Cancel))!);
    }

    [Fact]
    public async Task An_infeasible_solve_says_why_until_the_next_one_succeeds()
    {
        var key = await FleetAsync();
        Assert.True(
            await store.CommitAsync(
                TestStore.Solve(await LoadAsync(key)) with
                {
                    Outcome = new SolveOutcome.Infeasible { Fault = "unstable: …" },
                },
                Cancel
            )
        );
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

    /// <summary>
    /// Otherwise it would be found due, and fail, with every sweep, and take the other fleets of the sweep with it.
    /// </summary>
    [Fact]
    public async Task A_fleet_whose_definition_cannot_be_read_is_postponed_too()
    {
        var key = await FleetAsync();
        await store.Database.QueryAsync<int>(
            $"update platform.fleets set definition = '{{}}' where tenant_id = '{key.Tenant}' returning 1",
            Cancel
        );
        await store.Solves.PostponeAsync(key, "failed: no definition", TestStore.At, TestStore.At.AddHours(1), Cancel);
        Assert.Equal(
            $"failed: no definition, {TestStore.At.AddHours(1).AddSeconds(300):O}",
            await store.Database.QueryAsync<string>(
                $"""select solve_fault || ', ' || to_char(due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US0+00:00') from platform.fleets where tenant_id = '{key.Tenant}'""",
                Cancel
            )
        );
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
    public async Task Windows_that_are_not_in_the_stored_sums_are_folded_into_them()
    {
        var key = await FleetAsync();
        await StoreWindowsAsync(key, 7);
        Assert.True(await store.CommitAsync(TestStore.Solve(await LoadAsync(key), 7), Cancel));
        await StoreWindowsAsync(key, 3);
        var basis = await LoadAsync(key);
        Assert.Equal((10L, 7L), (basis.WorkloadVersion, basis.Stored?.WorkloadVersion));
        Assert.Equal(TestStore.SumsOf(10).ToBytes(), basis.Sums.ToBytes());
    }

    [Fact]
    public async Task A_few_new_windows_are_stored_beside_the_sums_of_all_the_others()
    {
        var key = await FleetAsync();
        await StoreWindowsAsync(key, 7);
        Assert.True(await store.CommitAsync(TestStore.Solve(await LoadAsync(key), 7), Cancel));
        foreach (var (more, version) in new[] { (3, 10L), (2, 12L) })
        {
            await StoreWindowsAsync(key, more);
            Assert.True(await ConfirmAsync(await LoadAsync(key)));
            var basis = await LoadAsync(key);
            Assert.Equal(
                (version, version, 7L),
                (basis.WorkloadVersion, basis.Stored!.WorkloadVersion, basis.Stored.WholeVersion)
            );
            Assert.Equal(TestStore.SumsOf(version).ToBytes(), basis.Sums.ToBytes());
            Assert.Null(basis.SumsToStore());
        }
    }

    [Fact]
    public async Task Recent_sums_are_not_added_to_a_whole_that_another_solve_has_written_meanwhile()
    {
        var key = await FleetAsync();
        await StoreWindowsAsync(key, 7);
        Assert.True(await store.CommitAsync(TestStore.Solve(await LoadAsync(key), 7), Cancel));
        await StoreWindowsAsync(key, 2);
        var other = await LoadAsync(key);
        await StoreWindowsAsync(key, 1);
        var late = await LoadAsync(key);
        Assert.True(await ConfirmAsync(other, new SumsToStore(other.Sums.ToBytes(), null)));
        Assert.True(await ConfirmAsync(late));

        var basis = await LoadAsync(key);
        Assert.Equal((10L, 9L, 9L), (basis.WorkloadVersion, basis.Stored!.WorkloadVersion, basis.Stored.WholeVersion));
        Assert.Equal(TestStore.SumsOf(10).ToBytes(), basis.Sums.ToBytes());
    }

    [Theory]
    [InlineData(10, 1_000, false)]
    [InlineData(400, 1_000, true)]
    [InlineData(400, 100_000, false)]
    public async Task All_sums_are_stored_as_one_when_the_recent_ones_have_grown(
        int taskTypes,
        int wholeLength,
        bool asOne
    )
    {
        var basis = await LoadAsync(await FleetAsync());
        var recent = new WorkloadSums(basis.Sums.HorizonSeconds);
        recent.Fold(
            TestStore.Window("chat") with
            {
                Tasks =
                [
                    .. Enumerable
                        .Range(0, taskTypes)
                        .Select(k => new TaskWindow { TaskType = $"t{k:000}", Arrivals = 1 }),
                ],
            }
        );
        var stored = (
            basis with
            {
                WorkloadVersion = 3,
                Sums = TestStore.SumsOf(3),
                Stored = new StoredSums(2, 1, wholeLength, recent),
            }
        ).SumsToStore()!;
        Assert.Equal(asOne ? TestStore.SumsOf(3).ToBytes() : null, stored.Whole);
        Assert.Equal(asOne ? null : recent.ToBytes(), stored.Recent);
    }

    [Fact]
    public async Task A_fleet_without_windows_is_read_up_to_version_0()
    {
        var basis = await LoadAsync(await FleetAsync());
        Assert.Equal((0L, null), (basis.WorkloadVersion, basis.Stored?.WorkloadVersion));
        Assert.Null(basis.Sums.LastWindowEnd);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("")]
    public async Task Sums_of_another_form_are_folded_again_from_the_events(string form)
    {
        var key = await FleetAsync();
        await StoreWindowsAsync(key, 4);
        Assert.True(await store.CommitAsync(TestStore.Solve(await LoadAsync(key), 4), Cancel));
        await store.ExecuteAsync(
            "update platform.workload_sums set sums = $2::text::bytea where tenant_id = $1",
            Cancel,
            key.Tenant,
            form
        );
        var basis = await LoadAsync(key);
        Assert.Equal((4L, null), (basis.WorkloadVersion, basis.Stored?.WorkloadVersion));
        Assert.Equal(TestStore.SumsOf(4).ToBytes(), basis.Sums.ToBytes());
    }

    /// <summary>Folded again, a fleet's sums cost what its horizon holds, whatever its history.</summary>
    [Fact]
    public async Task Folded_for_another_horizon_windows_are_read_only_as_far_back_as_they_can_count()
    {
        var key = await FleetAsync();
        await StoreWindowsAsync(key, 1_300);
        var stream = EventStore.WorkloadStream(key.Tenant, key.Fleet);
        // The first thousand came long ago; had they been read, they would have been refused: they are no windows.
        await store.ExecuteAsync(
            "update events.mt_events set timestamp = $2 - interval '30 days', data = '{}' where stream_id = $1 and version <= 800",
            Cancel,
            stream,
            TestStore.At
        );
        await store.ExecuteAsync(
            "update events.mt_events set timestamp = $2 where stream_id = $1 and version > 1000",
            Cancel,
            stream,
            TestStore.At
        );
        await store.ExecuteAsync(
            "update events.mt_events set timestamp = $2 - interval '20 days' where stream_id = $1 and version between 801 and 1000",
            Cancel,
            stream,
            TestStore.At
        );
        await store.Fleets.PutAsync(
            key.Tenant,
            key.Fleet,
            TestStore.Definition with
            {
                Solving = TestStore.Definition.Solving with { HorizonSeconds = 3_600 },
            },
            null,
            "ci",
            TestStore.At,
            Cancel
        );
        var basis = await LoadAsync(key);
        Assert.Equal((1_300L, null), (basis.WorkloadVersion, basis.Stored?.WorkloadVersion));
        Assert.Equal(TestStore.SumsOf(500, 3_600).ToBytes(), basis.Sums.ToBytes());
    }

    [Fact]
    public async Task What_cannot_be_solved_on_is_said_of_its_fleet_alone()
    {
        var keys = await FleetsAsync(3);
        await store.Intake.StoreAsync(
            [.. keys.Select(key => new IncomingWindow(key.Tenant, Guid.NewGuid(), TestStore.Window(key.Fleet)))],
            Cancel
        );
        await store.ExecuteAsync(
            "update events.mt_events set data = '{\"window\": 1}' where stream_id = $1",
            Cancel,
            EventStore.WorkloadStream(keys[1].Tenant, keys[1].Fleet)
        );
        var loaded = await store
            .Solves.LoadAsync(
                keys[0].Tenant,
                [.. keys.Select(key => key.Fleet)],
                TestStore.At,
                new SolveClock(),
                Cancel
            )
            .ToListAsync(Cancel);
        Assert.Equal(
            [false, true, false],
            loaded.OrderBy(it => it.Key.Fleet, StringComparer.Ordinal).Select(it => it.Fault is not null)
        );
        Assert.All(loaded.Where(it => it.Fault is null), it => Assert.Equal(1, it.Basis!.WorkloadVersion));
    }

    [Fact]
    public async Task Of_several_results_those_that_were_overtaken_are_left_out()
    {
        var keys = await FleetsAsync(4);
        var results = new List<SolveResult>();
        foreach (var key in keys)
            results.Add(TestStore.Solve(await LoadAsync(key), 5));
        await store.RetireAsync(keys[0].Tenant, keys[0].Fleet, Cancel);
        Assert.True(await store.PublishAsync(keys[1].Tenant, keys[1].Fleet, Cancel));
        results[2] = results[2] with { Outcome = new SolveOutcome.Confirmed(), Sums = null };
        var written = await store.Solves.CommitAsync(results, Cancel);
        Assert.Equal([keys[2], keys[3]], written.Select(result => result.Basis.Key));
        var published = await Task.WhenAll(
            keys.Select(async key =>
                (await store.Snapshots.ListAsync(key.Tenant, key.Fleet, int.MaxValue, 10, Cancel))!.Count
            )
        );
        Assert.Equal([0, 1, 0, 1], published);
        Assert.Equal(5, (await store.Fleets.FindAsync(keys[2].Tenant, keys[2].Fleet, Cancel))!.SolvedWorkloadVersion);
        Assert.Null((await LoadAsync(keys[2])).Stored);
    }

    [Fact]
    public async Task Of_several_results_one_that_the_unique_key_refuses_takes_the_others_with_it()
    {
        var keys = await FleetsAsync(2);
        SolveResult[] results = [TestStore.Solve(await LoadAsync(keys[0])), TestStore.Solve(await LoadAsync(keys[1]))];
        await SnapshotByHandAsync(keys[1]);
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => store.Solves.CommitAsync(results, Cancel));
        Assert.True(PlatformStore.IsNotTheDatabasesState(fault), "they are to be written one by one");
        Assert.Null(await store.Snapshots.FindInForceAsync(keys[0].Tenant, keys[0].Fleet, Cancel));
        Assert.Single(await store.Solves.CommitAsync([results[0]], Cancel));
        Assert.Empty(await store.Solves.CommitAsync([results[1]], Cancel));
    }

    [Fact]
    public async Task There_is_nothing_to_load_of_a_fleet_that_never_was() =>
        Assert.Null(await store.LoadAsync(new FleetKey(TestStore.NewTenant(), "none"), Cancel));

    private async Task<FleetKey> FleetAsync()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
        return key;
    }

    private async Task<bool> ConfirmAsync(SolveBasis basis, SumsToStore? sums = null) =>
        await store.CommitAsync(
            new SolveResult
            {
                Basis = basis,
                At = TestStore.At,
                Sums = sums ?? basis.SumsToStore(),
                Outcome = new SolveOutcome.Confirmed(),
            },
            Cancel
        );

    private async Task<SolveBasis> LoadAsync(FleetKey key) => (await store.LoadAsync(key, Cancel))!;

    private async Task<FleetKey[]> FleetsAsync(int count)
    {
        var tenant = TestStore.NewTenant();
        FleetKey[] keys = [.. Enumerable.Range(0, count).Select(i => new FleetKey(tenant, $"chat-{i}"))];
        foreach (var key in keys)
            await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
        return keys;
    }

    private async Task StoreWindowsAsync(FleetKey key, int count)
    {
        IncomingWindow[] windows =
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ => new IncomingWindow(key.Tenant, Guid.NewGuid(), TestStore.Window(key.Fleet))),
        ];
        Assert.All(
            await store.Intake.StoreAsync(windows, Cancel),
            outcome => Assert.Equal(IntakeOutcome.Stored, outcome)
        );
    }

    private Task SnapshotByHandAsync(FleetKey key) =>
        store.ExecuteAsync(
            """
            insert into platform.allocation_snapshots
                (tenant_id, fleet_id, version, solved_at, hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization)
            values ($1, $2, 1, $3, 'by hand', 'x', 0, 0, 0, 0)
            """,
            Cancel,
            key.Tenant,
            key.Fleet,
            TestStore.At
        );

    /// <summary>Rows and events agree on the version, and there is one of each for every version.</summary>
    private async Task StandsAsync(FleetKey key, int version, long workloadVersion)
    {
        Assert.Equal(version, await store.CountAsync("platform.allocation_snapshots", key.Tenant, Cancel));
        Assert.Equal(
            version,
            await store.CountAsync("events.mt_events", key.Tenant, Cancel, "and type = 'allocation-published'")
        );
        Assert.Equal(
            $"{version} {workloadVersion}",
            await store.Database.QueryAsync<string>(
                $"select format('%s %s', latest_version, solved_workload_version) from platform.fleets where tenant_id = '{key.Tenant}'",
                Cancel
            )
        );
    }
}
