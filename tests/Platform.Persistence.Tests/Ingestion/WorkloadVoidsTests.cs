using Platform.Domain;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Ingestion;

/// <summary>
/// Windows that were voided: who honours it, from which version on, and that the history still derives to the byte.
/// </summary>
public sealed class WorkloadVoidsTests(TestStore store)
{
    private const long Poison = 1_200_000;
    private static readonly DateTimeOffset Now = TestStore.At.AddMinutes(10);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private WorkloadVoids Voids => new(store.Store);

    [Fact]
    public async Task A_voided_window_leaves_the_sums_as_if_it_had_never_come()
    {
        var (key, clean) = (await FleetAsync(), await FleetAsync());
        var poison = Guid.NewGuid();
        await StoreAsync(key, Window(0, 1), Window(10, Poison, poison), Window(20, 3));
        await StoreAsync(clean, Window(0, 1), Window(20, 3));
        await SolveAsync(key, Now);

        var outcome = await VoidAsync(key, new VoidScope(poison, null, null));
        var voided = outcome.Void!;
        Assert.Equal((1, Poison, 4), (voided.Windows, voided.Arrivals, voided.WorkloadVersion));
        var basis = (await store.LoadAsync(key, Cancel))!;
        Assert.Equal((4, null), (basis.WorkloadVersion, basis.Stored));
        Assert.Equal((await store.LoadAsync(clean, Cancel))!.Sums.ToBytes(), basis.Sums.ToBytes());
    }

    [Fact]
    public async Task Every_version_derives_again_with_voids_before_and_after_it()
    {
        var key = await FleetAsync();
        await StoreAsync(key, [.. Windows(0, 20)]);
        await SolveAsync(key, Now);
        await StoreAsync(key, [.. Windows(200, 10), Window(300, 40)]);
        await SolveAsync(key, Now.AddSeconds(10));
        await VoidAsync(key, new VoidScope(null, TestStore.At.AddSeconds(150), TestStore.At.AddSeconds(250)));
        await SolveAsync(key, Now.AddSeconds(20));
        await StoreAsync(key, [.. Windows(200, 5)]);
        await SolveAsync(key, Now.AddSeconds(30));
        await VoidAsync(key, new VoidScope(null, TestStore.At, TestStore.At.AddSeconds(50)));
        await VoidAsync(key, new VoidScope(null, TestStore.At.AddSeconds(295), TestStore.At.AddSeconds(296)));
        await StoreAsync(key, [.. Windows(310, 3)]);
        await SolveAsync(key, Now.AddSeconds(40));
        // Stored sums after a void, and windows that were added to them.
        await StoreAsync(key, [.. Windows(340, 3)]);
        await SolveAsync(key, Now.AddSeconds(50));

        var all = await VerifyAsync(key);
        Assert.Equal([1, 2, 3, 4, 5, 6], all.Select(it => it.Version));
        Assert.All(
            all,
            it =>
                Assert.True(
                    it is { Matches: true, ChainIntact: true, Faults.Count: 0 },
                    $"{it.Version}: {string.Join("; ", it.Faults)}"
                )
        );
        foreach (var version in all)
        {
            var alone = Assert.Single(await VerifyAsync(key, version.Version));
            Assert.Equal((true, version.RecomputedHash), (alone.Matches, alone.RecomputedHash));
        }
    }

    [Fact]
    public async Task Another_horizon_and_sums_that_are_gone_derive_with_voids_too()
    {
        var key = await FleetAsync();
        await StoreAsync(key, [.. Windows(0, 20)]);
        await VoidAsync(key, new VoidScope(null, TestStore.At, TestStore.At.AddSeconds(50)));
        await SolveAsync(key, Now);
        var shorter = TestStore.Definition with
        {
            Solving = TestStore.Definition.Solving with { HorizonSeconds = 3_600 },
        };
        await store.Fleets.PutAsync(key.Tenant, key.Fleet, shorter, null, "ci", Now, Cancel);
        await SolveAsync(key, Now.AddSeconds(10));
        await store.ExecuteAsync("delete from platform.workload_sums where tenant_id = $1", Cancel, key.Tenant);
        await StoreAsync(key, [.. Windows(200, 5)]);
        await SolveAsync(key, Now.AddSeconds(20));
        Assert.All(
            await VerifyAsync(key),
            it => Assert.True(it is { Matches: true, ChainIntact: true }, string.Join("; ", it.Faults))
        );
    }

    [Theory]
    [InlineData("delete from events.mt_events where {0}")]
    [InlineData(
        "update events.mt_events set data = jsonb_set(data, '{{from}}', '\"2020-01-01T00:00:00+00:00\"') where {0}"
    )]
    public async Task A_void_that_is_tampered_with_is_found_in_the_first_version_that_knows_of_it(string sql)
    {
        var key = await FleetAsync();
        await StoreAsync(key, [.. Windows(0, 20)]);
        await SolveAsync(key, Now);
        await VoidAsync(key, new VoidScope(null, TestStore.At.AddSeconds(100), TestStore.At.AddSeconds(150)));
        await SolveAsync(key, Now.AddSeconds(10));
        Assert.All(await VerifyAsync(key), it => Assert.Empty(it.Faults));

        var ofVoid =
            $"tenant_id = '{key.Tenant}' and type = 'workload-voided' and stream_id = '{EventStore.WorkloadStream(key.Tenant, key.Fleet)}'";
        await store.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, ofVoid), Cancel);
        Assert.Equal(2, (await VerifyAsync(key)).First(it => it.Faults.Count > 0).Version);
        Assert.Equal(2, Assert.Single(await VerifyAsync(key, 2), it => it.Faults.Count > 0).Version);
    }

    [Fact]
    public async Task An_estimate_of_the_past_counts_what_was_voided_later()
    {
        var key = await FleetAsync(TimeProvider.System.GetUtcNow());
        await StoreAsync(key, Window(0, 1), Window(10, Poison));
        var between = await NowAsync();
        await VoidAsync(key, new VoidScope(null, TestStore.At.AddSeconds(5), TestStore.At.AddSeconds(15)));
        var estimates = new EstimateHistory(store.Store);
        Assert.Equal(
            TestStore.At.AddSeconds(20),
            (await estimates.FindAsync(key.Tenant, key.Fleet, between, Cancel))!.LastWindowEnd
        );
        Assert.Null((await estimates.FindAsync(key.Tenant, key.Fleet, await NowAsync(), Cancel))!.LastWindowEnd);
    }

    [Fact]
    public async Task Windows_that_come_later_for_the_same_time_count()
    {
        var key = await FleetAsync();
        await StoreAsync(key, Window(0, Poison));
        var stretch = new VoidScope(null, TestStore.At, TestStore.At.AddSeconds(10));
        await VoidAsync(key, stretch);
        await StoreAsync(key, Window(0, 2));
        Assert.Equal(
            2,
            Estimator.Estimate(TestStore.Definition, (await store.LoadAsync(key, Cancel))!.Sums, Now).Arrivals
        );

        Assert.Equal((1, 2), ((await VoidAsync(key, stretch)).Void!.Windows, (await ListAsync(key)).Count));
        Assert.Equal(
            0,
            Estimator.Estimate(TestStore.Definition, (await store.LoadAsync(key, Cancel))!.Sums, Now).Arrivals
        );
    }

    [Fact]
    public async Task The_same_again_changes_nothing_and_answers_the_same()
    {
        var key = await FleetAsync();
        var message = Guid.NewGuid();
        await StoreAsync(key, Window(0, 5, message));
        var first = await VoidAsync(key, new VoidScope(message, null, null));
        var again = await VoidAsync(key, new VoidScope(message, null, null));
        Assert.Null(again.Decision.Event);
        Assert.Equal(first.Void, again.Void);
        var overlapping = await VoidAsync(key, new VoidScope(null, TestStore.At, TestStore.At.AddSeconds(1)));
        Assert.Equal((null, first.Void), (overlapping.Decision.Event, overlapping.Void));
        Assert.Equal(first.Void, Assert.Single(await ListAsync(key)).Void);
        Assert.Equal(2, (await store.LoadAsync(key, Cancel))!.WorkloadVersion);
    }

    [Fact]
    public async Task What_matches_nothing_or_belongs_to_somebody_else_is_refused()
    {
        var (key, other) = (await FleetAsync(), await FleetAsync());
        var message = Guid.NewGuid();
        await StoreAsync(other, Window(0, 5, message));
        Assert.Equal(Refusal.Conflict, (await VoidAsync(key, new VoidScope(message, null, null))).Decision.RefusedAs);
        Assert.Equal(
            Refusal.Conflict,
            (await VoidAsync(other, new VoidScope(null, TestStore.At.AddSeconds(10), Now))).Decision.RefusedAs
        );
        var elsewhere = other with { Tenant = key.Tenant, Fleet = "elsewhere" };
        Assert.Equal(
            Refusal.NotFound,
            (await VoidAsync(elsewhere, new VoidScope(message, null, null))).Decision.RefusedAs
        );
        await store.RetireAsync(other.Tenant, other.Fleet, Cancel);
        Assert.Equal(Refusal.NotFound, (await VoidAsync(other, new VoidScope(message, null, null))).Decision.RefusedAs);
        Assert.Null(await Voids.ListAsync(other.Tenant, other.Fleet, 0, 10, Cancel));
    }

    [Fact]
    public async Task A_void_makes_the_fleet_due_and_is_among_its_decisions()
    {
        var key = await FleetAsync();
        await StoreAsync(key, Window(0, 5));
        await SolveAsync(key, TestStore.At.AddSeconds(20));
        await VoidAsync(key, new VoidScope(null, TestStore.At, TestStore.At.AddSeconds(1)));
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal((Now, SolveReason.Requested), (view.DueAt, view.DueReason));
        var decisions = (await store.Fleets.EventsAsync(key.Tenant, key.Fleet, 0, 10, Cancel))!;
        Assert.Equal(["fleet-registered", "allocation-published", "workload-voided"], decisions.Select(it => it.Type));
        Assert.Equal(Assert.Single(await ListAsync(key)).Void, decisions[^1].Data);
        await SolveAsync(key, Now.AddSeconds(10));
    }

    /// <summary>What raised it may be what is void; windows that still bring too much raise it again.</summary>
    [Fact]
    public async Task A_void_ends_an_alarm()
    {
        var key = await FleetAsync();
        var poison = Guid.NewGuid();
        await store.Intake.StoreAsync([new IncomingWindow(key.Tenant, Guid.NewGuid(), Window(0, 1).Window)], Cancel);
        await SolveAsync(key, Now);
        await store.Intake.StoreAsync(
            [new IncomingWindow(key.Tenant, poison, Window(10, Poison).Window)],
            new EarlySolves(store.Store),
            Now,
            Cancel
        );
        Assert.NotNull((await store.LoadAsync(key, Cancel))!.Alarm);
        await VoidAsync(key, new VoidScope(poison, null, null));
        Assert.Null((await store.LoadAsync(key, Cancel))!.Alarm);
    }

    [Fact]
    public async Task A_solve_that_began_before_the_void_writes_a_version_without_it_and_the_next_one_has_it()
    {
        var key = await FleetAsync();
        await StoreAsync(key, Window(0, 5), Window(10, 50));
        var basis = (await store.LoadAsync(key, Cancel))!;
        await VoidAsync(key, new VoidScope(null, TestStore.At.AddSeconds(10), TestStore.At.AddSeconds(20)));
        await WriteAsync(basis, Now);
        var view = (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;
        Assert.Equal((2, Now, SolveReason.Requested), (view.SolvedWorkloadVersion, view.DueAt, view.DueReason));
        await SolveAsync(key, Now.AddSeconds(10));
        Assert.Equal(
            5,
            Estimator.Estimate(TestStore.Definition, (await store.LoadAsync(key, Cancel))!.Sums, Now).Arrivals
        );
        Assert.All(await VerifyAsync(key), it => Assert.Empty(it.Faults));
    }

    /// <summary>
    /// The intake and two people at once: no version is lost or given twice, and the history derives.
    /// </summary>
    [Fact]
    public async Task Voids_beside_a_running_intake_leave_no_gap()
    {
        var key = await FleetAsync();
        await StoreAsync(key, [.. Windows(0, 20)]);
        var intake = Enumerable.Range(0, 30).Select(i => StoreAsync(key, Window(200 + (10 * i), 2)));
        var people = Enumerable
            .Range(0, 10)
            .Select(i =>
                VoidAsync(
                    key,
                    new VoidScope(null, TestStore.At.AddSeconds(i * 10), TestStore.At.AddSeconds((i * 10) + 15))
                )
            );
        await Task.WhenAll([.. intake, .. people]);

        var voids = await ListAsync(key);
        Assert.Equal(50 + voids.Count, (await store.LoadAsync(key, Cancel))!.WorkloadVersion);
        Assert.Equal(50, (await store.Intake.StoredWindowsAsync(key.Tenant, key.Fleet, Cancel)).Events);
        Assert.Equal(voids.Count, voids.Select(it => it.Void.WorkloadVersion).Distinct().Count());
        // Each of the eleven windows that are meant was voided once, whoever came first.
        Assert.Equal(11, voids.Sum(it => it.Void.Windows));
        await SolveAsync(key, Now);
        Assert.Empty(Assert.Single(await VerifyAsync(key)).Faults);
    }

    [Fact]
    public async Task An_overloaded_fleets_poisoned_window_is_found_among_those_that_count()
    {
        var key = await FleetAsync();
        var (heaviest, voided) = (Guid.NewGuid(), Guid.NewGuid());
        await StoreAsync(key, [.. Windows(0, 20), Window(100, Poison, heaviest), Window(100, 2 * Poison, voided)]);
        await VoidAsync(key, new VoidScope(voided, null, null));
        var basis = (await store.LoadAsync(key, Cancel))!;
        var outcome = SolvePolicy.Solve(basis.Inputs(Now), null);
        var result = await store.Solves.ExplainAsync(
            new SolveResult
            {
                Basis = basis,
                At = Now,
                Sums = null,
                Outcome = outcome,
            },
            Cancel
        );
        var reason = Assert.IsType<SolveOutcome.Published>(result.Outcome).Fault;
        Assert.Matches(
            "^unstable: .*; the windows say [0-9.]+ per second\\. One window holds .* of the arrivals: 1,200,000 from 2026-11-23T10:01:40Z",
            reason
        );
        Assert.Contains(
            $"POST /v1/fleets/chat/voids with {{\"messageId\": \"{heaviest}\"",
            reason,
            StringComparison.Ordinal
        );
    }

    private async Task<FleetKey> FleetAsync(DateTimeOffset? at = null)
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel, at);
        return key;
    }

    private Task<VoidOutcome> VoidAsync(FleetKey key, VoidScope scope) =>
        Voids.VoidAsync(key.Tenant, key.Fleet, new VoidRequest(scope, "a test", "ann", Now), Cancel);

    private async Task<IReadOnlyList<RecordedVoid>> ListAsync(FleetKey key) =>
        (await Voids.ListAsync(key.Tenant, key.Fleet, 0, 100, Cancel))!;

    private Task<IReadOnlyList<IntakeOutcome>> StoreAsync(
        FleetKey key,
        params (Guid Message, WorkloadWindow Window)[] windows
    ) =>
        store.Intake.StoreAsync(
            [.. windows.Select(it => new IncomingWindow(key.Tenant, it.Message, it.Window))],
            Cancel
        );

    private static IEnumerable<(Guid Message, WorkloadWindow Window)> Windows(int from, int count) =>
        Enumerable.Range(0, count).Select(i => Window(from + (10 * i), 1 + (i % 3)));

    /// <summary>Ten seconds that begin so many seconds after <see cref="TestStore.At"/>.</summary>
    private static (Guid Message, WorkloadWindow Window) Window(int from, long arrivals, Guid? message = null) =>
        (
            message ?? Guid.NewGuid(),
            TestStore.Window("chat", arrivals) with
            {
                WindowStart = TestStore.At.AddSeconds(from),
                WindowEnd = TestStore.At.AddSeconds(from + 10),
            }
        );

    private async Task SolveAsync(FleetKey key, DateTimeOffset at) =>
        await WriteAsync((await store.LoadAsync(key, Cancel))!, at);

    private async Task WriteAsync(SolveBasis basis, DateTimeOffset at)
    {
        // A revision that was not, so that every solve is worth a version.
        var previous = basis.Previous(at) is { } latest
            ? latest with
            {
                Summary = latest.Summary with { DefinitionRevision = 0 },
            }
            : null;
        basis.Sums.Prune(at);
        var outcome = SolvePolicy.Solve(basis.Inputs(at), previous);
        Assert.True(
            await store.CommitAsync(
                new SolveResult
                {
                    Basis = basis,
                    At = at,
                    Sums = basis.SumsToStore(),
                    Outcome = outcome,
                },
                Cancel
            )
        );
    }

    private async Task<List<VersionVerification>> VerifyAsync(FleetKey key, int? only = null)
    {
        var found = new List<VersionVerification>();
        await new SnapshotVerification(store.Store).VerifyAsync(key, only, found.Add, Cancel);
        return found;
    }

    private Task<DateTimeOffset> NowAsync() =>
        store
            .Database.QueryAsync<DateTime>("select clock_timestamp()", Cancel)
            .ContinueWith(now => new DateTimeOffset(now.Result, TimeSpan.Zero), TaskScheduler.Default);
}
