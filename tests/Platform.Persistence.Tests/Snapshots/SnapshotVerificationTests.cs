using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Snapshots;

public sealed class SnapshotVerificationTests(TestStore store)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SnapshotVerification Verification => new(store.Store);

    [Fact]
    public async Task Every_version_derives_again_from_the_events_to_the_byte()
    {
        var key = await SolvedFleetAsync();
        var found = await VerifyAsync(key);
        Assert.Equal([1, 2, 3], found.Select(it => it.Version));
        Assert.All(
            found,
            it =>
                Assert.True(
                    it is { Matches: true, ChainIntact: true, Faults.Count: 0 } && it.Hash == it.RecomputedHash,
                    string.Join("; ", it.Faults)
                )
        );
    }

    [Fact]
    public async Task A_revision_that_shortens_the_horizon_derives_again()
    {
        var key = await SolvedFleetAsync();
        var shorter = TestStore.Definition with
        {
            Solving = TestStore.Definition.Solving with { HorizonSeconds = 600 },
        };
        await store.Fleets.PutAsync(key.Tenant, key.Fleet, shorter, null, "ci", TestStore.At.AddSeconds(400), Cancel);
        await SolveAsync(key, TestStore.At.AddSeconds(500));
        var found = await VerifyAsync(key);
        Assert.Equal(4, found.Count);
        Assert.All(found, it => Assert.Empty(it.Faults));
    }

    /// <summary>What is done to the data, and the version that must be named first.</summary>
    public static TheoryData<string, int> Tampering =>
        new()
        {
            {
                "update platform.allocation_snapshots set document = convert_to(replace(convert_from(document, 'UTF8'), '\"servers\":1', '\"servers\":2'), 'UTF8') where {0} and version = 2",
                2
            },
            { "update platform.allocation_snapshots set hash = repeat('0', 64) where {0} and version = 2", 2 },
            { "update platform.allocation_snapshots set objective = objective + 1 where {0} and version = 3", 3 },
            {
                "update platform.allocation_snapshots set summary = overlay(summary placing '9'::bytea from 24) where {0} and version = 3",
                3
            },
            { "delete from platform.allocation_snapshots where {0} and version = 2", 2 },
            { "delete from platform.allocation_snapshots where {0} and version = 3", 3 },
            {
                "update events.mt_events set data = jsonb_set(data, '{{window,tasks,0,arrivals}}', '77') where {0} and type = 'workload-window-recorded' and version = 25",
                2
            },
            { "delete from events.mt_events where {0} and type = 'workload-window-recorded' and version = 25", 2 },
            {
                "update events.mt_events set data = jsonb_set(data, '{{definition,arrivalRate}}', '0.5') where {0} and type = 'fleet-registered'",
                1
            },
            {
                "update events.mt_events set data = jsonb_set(data, '{{hash}}', '\"f\"') where {0} and type = 'allocation-published' and data ->> 'version' = '1'",
                1
            },
        };

    [Theory]
    [MemberData(nameof(Tampering))]
    public async Task Whatever_is_altered_the_first_bad_version_is_named(string sql, int version)
    {
        var key = await SolvedFleetAsync();
        await store.ExecuteAsync(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, $"tenant_id = '{key.Tenant}'"),
            Cancel
        );
        var bad = (await VerifyAsync(key)).First(it => it.Faults.Count > 0);
        Assert.Equal(version, bad.Version);
        Assert.True(bad.Matches == false || !bad.ChainIntact);
        if ((await VerifyAsync(key, version)).FirstOrDefault() is { } alone)
            Assert.Equal((bad.Matches, bad.Hash, bad.ChainIntact), (alone.Matches, alone.Hash, alone.ChainIntact));
    }

    /// <summary>
    /// What is not read is not found to be broken: of a long history only what counts is read, and that gives the same
    /// to the byte.
    /// </summary>
    [Fact]
    public async Task One_version_and_one_instant_cost_no_more_than_the_windows_that_count()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        var definition = TestStore.Definition with
        {
            Solving = TestStore.Definition.Solving with { HorizonSeconds = 600, ForecastDays = 0 },
        };
        await store.Fleets.PutAsync(key.Tenant, key.Fleet, definition, null, "ci", TestStore.At.AddDays(-1), Cancel);
        var windows = Windows(3_000, 0, everySeconds: 10);
        foreach (var batch in windows.Chunk(500))
            await StoreAsync(key, batch);
        await SolveAsync(key, TestStore.At.AddSeconds(20));
        await store.ExecuteAsync(
            $$"""
            update events.mt_events set timestamp = (data #>> '{window,windowEnd}')::timestamptz
            where tenant_id = '{{key.Tenant}}' and type = 'workload-window-recorded'
            """,
            Cancel
        );
        // Stored by the end of the 2,000th window, nearly three hours back; one that was stored late is not among them.
        var asOf = windows[1_999].WindowEnd;
        var sums = new WorkloadSums(600);
        foreach (var window in windows[..2_000].Where((_, i) => i != 1_990))
            sums.Fold(window);
        await store.ExecuteAsync(
            $"update events.mt_events set timestamp = timestamp + interval '30 minutes' where {Windows(key, "= 1991")}",
            Cancel
        );
        var expected = StrictJson.Write(Estimator.Estimate(definition, sums, asOf));
        var whole = Assert.Single(await VerifyAsync(key));

        Assert.True(whole is { Matches: true, ChainIntact: true }, string.Join("; ", whole.Faults));
        await BreakAsync(key, "<= 1000");
        Assert.StartsWith(
            "window 1 is none that was ever taken",
            Assert.Single(await VerifyAsync(key)).Faults[0],
            StringComparison.Ordinal
        );
        var alone = Assert.Single(await VerifyAsync(key, 1));
        Assert.Equal((true, whole.RecomputedHash, 0), (alone.Matches, alone.RecomputedHash, alone.Faults.Count));
        await BreakAsync(key, "> 2400");
        Assert.Equal(
            expected,
            StrictJson.Write(await new EstimateHistory(store.Store).FindAsync(key.Tenant, key.Fleet, asOf, Cancel))
        );
        Assert.StartsWith(
            "window 3000 is none",
            Assert.Single(await VerifyAsync(key, 1)).Faults[0],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_latest_end_is_found_behind_any_number_of_windows_that_came_late()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        var definition = TestStore.Definition with
        {
            Solving = TestStore.Definition.Solving with { HorizonSeconds = 600, ForecastDays = 0 },
        };
        await store.Fleets.PutAsync(key.Tenant, key.Fleet, definition, null, "ci", TestStore.At.AddDays(-1), Cancel);
        await StoreAsync(key, Windows(1, 0));
        await StoreAsync(key, Windows(WindowHistory.PageLength, -100_000));
        await store.ExecuteAsync(
            $"update events.mt_events set timestamp = $1 where {Windows(key, "> 0")}",
            Cancel,
            TestStore.At.AddSeconds(10)
        );
        var estimate = (
            await new EstimateHistory(store.Store).FindAsync(key.Tenant, key.Fleet, TestStore.At.AddDays(1), Cancel)
        )!;
        Assert.Equal((TestStore.At.AddSeconds(10), 0L), (estimate.LastWindowEnd, estimate.ExposureSeconds));
    }

    [Fact]
    public async Task A_version_that_the_hours_of_other_days_have_made_derives_again()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
        // Windows of a quarter of an hour over four days and a half; every day has its busy half, and one begins now.
        const int Count = 9 * 48;
        foreach (var batch in Enumerable.Range(0, Count).Select(QuarterHour).Chunk(200))
            await StoreAsync(key, batch);
        var basis = (await store.LoadAsync(key, Cancel))!;
        await SolveAsync(key, TestStore.At);

        var estimate = Estimator.Estimate(TestStore.Definition, basis.Sums, TestStore.At);
        Assert.InRange(estimate.ArrivalRate.Value, 0.005, 0.02);
        Assert.True(estimate.Traffic!.UpperRate > 3 * estimate.ArrivalRate.Value);
        Assert.NotNull(estimate.Traffic.Forecast);
        Assert.Empty(Assert.Single(await VerifyAsync(key)).Faults);
        Assert.Empty(Assert.Single(await VerifyAsync(key, 1)).Faults);

        WorkloadWindow QuarterHour(int i)
        {
            var start = TestStore.At.AddSeconds(900 * (i - Count));
            var arrivals = i / 48 % 2 == 1 ? 90 : 9;
            return new WorkloadWindow
            {
                Fleet = "chat",
                WindowStart = start,
                WindowEnd = start.AddSeconds(900),
                Tasks = [new TaskWindow { TaskType = "math", Arrivals = arrivals }],
            };
        }
    }

    [Fact]
    public async Task A_window_that_is_missing_is_named()
    {
        var key = await SolvedFleetAsync();
        await store.ExecuteAsync($"delete from events.mt_events where {Windows(key, "= 25")}", Cancel);
        Assert.Equal(
            "of the windows 1 to 40 only 39 are there",
            Assert.Single(Assert.Single(await VerifyAsync(key, 2)).Faults)
        );
        await store.ExecuteAsync($"delete from events.mt_events where {Windows(key, "= 40")}", Cancel);
        Assert.Equal(
            "it says that it has the windows up to 40, and there are 39",
            Assert.Single(Assert.Single(await VerifyAsync(key, 2)).Faults)
        );
    }

    private static string Windows(FleetKey key, string versions) =>
        $"tenant_id = '{key.Tenant}' and type = 'workload-window-recorded' and version {versions}";

    private Task BreakAsync(FleetKey key, string versions) =>
        store.ExecuteAsync(
            $"update events.mt_events set data = jsonb_set(data, '{{window,windowEnd}}', data #> '{{window,windowStart}}') where {Windows(key, versions)}",
            Cancel
        );

    [Fact]
    public async Task One_version_is_derived_alone_and_the_chain_checked_up_to_it()
    {
        var key = await SolvedFleetAsync();
        var found = new List<VersionVerification>();
        await Verification.VerifyAsync(key, 2, found.Add, Cancel);
        Assert.True(Assert.Single(found) is { Version: 2, Matches: true, ChainIntact: true });
        await store.ExecuteAsync(
            $"update platform.allocation_snapshots set hash = 'x' where tenant_id = '{key.Tenant}' and version = 1",
            Cancel
        );
        found.Clear();
        await Verification.VerifyAsync(key, 2, found.Add, Cancel);
        Assert.Equal([1, 2], found.Select(it => it.Version));
        Assert.All(found, it => Assert.False(it.ChainIntact));
    }

    [Fact]
    public async Task An_estimate_of_the_past_has_what_was_stored_and_in_force_then()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        var before = TimeProvider.System.GetUtcNow();
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel, before);
        await StoreAsync(key, Windows(20, 0));
        var between = await NowAsync();
        await StoreAsync(key, Windows(20, 200));
        var estimates = new EstimateHistory(store.Store);
        var (then, now) = (
            await estimates.FindAsync(key.Tenant, key.Fleet, between, Cancel),
            await estimates.FindAsync(key.Tenant, key.Fleet, await NowAsync(), Cancel)
        );
        Assert.Equal(TestStore.At.AddSeconds(10), then!.LastWindowEnd);
        Assert.Equal(TestStore.At.AddSeconds(210), now!.LastWindowEnd);
        Assert.Null(await estimates.FindAsync(key.Tenant, key.Fleet, before.AddSeconds(-1), Cancel));
        Assert.Null(await estimates.FindAsync(TestStore.NewTenant(), key.Fleet, between, Cancel));
    }

    /// <summary>
    /// Ten thousand windows in any order, in batches of any size, some of them again and again: one hash.
    /// </summary>
    [Fact]
    public async Task Order_batches_and_repetition_of_10_000_windows_cannot_change_a_snapshot()
    {
        var windows = Windows(10_000, -9_000);
        var random = new Random(1);
        var hashes = new HashSet<string>();
        foreach (var size in (int[])[200, 77])
        {
            var key = new FleetKey(TestStore.NewTenant(), "chat");
            await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
            var deliveries = windows.Select((window, i) => (Window: window, Id: i)).ToList();
            if (size != 200)
            {
                deliveries.AddRange(deliveries.Where(_ => random.Next(10) == 0).ToList());
                random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(deliveries));
            }

            foreach (var batch in deliveries.Chunk(size))
                await store.Intake.StoreAsync(
                    [
                        .. batch.Select(it => new IncomingWindow(
                            key.Tenant,
                            new Guid(it.Id + 1, 1, 1, new byte[8]),
                            it.Window
                        )),
                    ],
                    Cancel
                );
            var basis = (await store.LoadAsync(key, Cancel))!;
            Assert.Equal(10_000, basis.WorkloadVersion);
            hashes.Add(Derived(basis, "acme", "chat"));
        }

        Assert.Single(hashes);
    }

    private static string Derived(SolveBasis basis, string tenant, string fleet) =>
        AllocationSnapshot.HashOf(
            SnapshotDerivation
                .Derive(Inputs(basis, tenant, fleet, TestStore.At.AddSeconds(1_000)), null, DerivationVersions.Current)
                .Snapshot!.ToCanonicalBytes()
        );

    private async Task<FleetKey> SolvedFleetAsync()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
        for (var solve = 0; solve < 3; solve++)
        {
            await StoreAsync(key, Windows(20, 100 * solve));
            await SolveAsync(key, TestStore.At.AddSeconds((100 * solve) + 20));
        }

        return key;
    }

    private async Task SolveAsync(FleetKey key, DateTimeOffset at)
    {
        var basis = (await store.LoadAsync(key, Cancel))!;
        // A revision that was not, so that every solve is worth a version.
        var previous = basis.Previous(at) is { } latest
            ? latest with
            {
                Summary = latest.Summary with { DefinitionRevision = 0 },
            }
            : null;
        var outcome = SolvePolicy.Solve(Inputs(basis, key.Tenant, key.Fleet, at), previous);
        Assert.IsType<SolveOutcome.Published>(outcome);
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

    private static SnapshotInputs Inputs(SolveBasis basis, string tenant, string fleet, DateTimeOffset at) =>
        new()
        {
            Tenant = tenant,
            Fleet = fleet,
            Definition = basis.Fleet.Definition,
            DefinitionRevision = basis.Fleet.Revision,
            Sums = basis.Sums,
            WorkloadVersion = basis.WorkloadVersion,
            SolvedAt = at,
        };

    private Task<IReadOnlyList<IntakeOutcome>> StoreAsync(FleetKey key, IEnumerable<WorkloadWindow> windows) =>
        store.Intake.StoreAsync(
            [.. windows.Select(window => new IncomingWindow(key.Tenant, Guid.NewGuid(), window))],
            Cancel
        );

    /// <summary>
    /// Windows of ten seconds with a few queries each, the last one's end so many seconds after
    /// <see cref="TestStore.At"/>, plus 10.
    /// </summary>
    private static WorkloadWindow[] Windows(int count, int lastStart, int everySeconds = 1) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                {
                    var (start, queries, tokens) = (
                        TestStore.At.AddSeconds(lastStart - (everySeconds * (count - 1 - i))),
                        1 + (i % 3),
                        100 + (i % 7 * 50)
                    );
                    var millis = 400 + (20 * tokens) + (i % 5 * 37);
                    return new WorkloadWindow
                    {
                        Fleet = "chat",
                        WindowStart = start,
                        WindowEnd = start.AddSeconds(10),
                        Tasks =
                        [
                            new TaskWindow
                            {
                                TaskType = "math",
                                Arrivals = queries,
                                Service = new ServiceSums
                                {
                                    Completions = queries,
                                    Tokens = queries * tokens,
                                    TokensSquared = queries * tokens * tokens,
                                    Millis = queries * millis,
                                    MillisSquared = (long)queries * millis * millis,
                                    TokenMillis = (long)queries * tokens * millis,
                                },
                                Accuracy =
                                [
                                    new AccuracyCount
                                    {
                                        Tokens = tokens,
                                        Trials = queries,
                                        Correct = queries / 2,
                                    },
                                ],
                            },
                        ],
                    };
                }),
        ];

    private async Task<List<VersionVerification>> VerifyAsync(FleetKey key, int? only = null)
    {
        var found = new List<VersionVerification>();
        await Verification.VerifyAsync(key, only, found.Add, Cancel);
        return found;
    }

    private Task<DateTimeOffset> NowAsync() =>
        store
            .Database.QueryAsync<DateTime>("select clock_timestamp()", Cancel)
            .ContinueWith(now => new DateTimeOffset(now.Result, TimeSpan.Zero), TaskScheduler.Default);
}
