using Npgsql;
using Platform.Domain.Contracts;
using Platform.Persistence.Ingestion;

namespace Platform.Persistence.Tests.Ingestion;

public sealed class WorkloadIntakeTests(TestStore store)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_window_is_stored_as_it_was_sent()
    {
        var tenant = await TenantWithAsync("chat");
        var (message, window) = (Guid.NewGuid(), TestStore.Window("chat", 12));

        Assert.Equal([IntakeOutcome.Stored], await StoreAsync(new IncomingWindow(tenant, message, window)));

        await using var session = await store.Store.OpenAsync(tenant, Cancel);
        var stored = Assert.Single(await session.ReadAsync(EventStore.WorkloadStream(tenant, "chat"), 0, 10, Cancel));
        Assert.Equal(
            (EventStore.MessageEvent(tenant, message), 1L, tenant),
            (stored.Id, stored.Version, stored.TenantId)
        );
        var recorded = Assert.IsType<Domain.Ingestion.WorkloadWindowRecorded>(stored.Data);
        Assert.Equal(message, recorded.MessageId);
        Assert.Equal(Domain.Contracts.StrictJson.Write(window), Domain.Contracts.StrictJson.Write(recorded.Window));
    }

    [Fact]
    public async Task The_same_message_twice_in_a_batch_is_stored_once()
    {
        var tenant = await TenantWithAsync("chat");
        var window = Incoming(tenant, "chat");
        Assert.Equal(
            [IntakeOutcome.Stored, IntakeOutcome.Duplicate, IntakeOutcome.Stored],
            await StoreAsync(window, window, Incoming(tenant, "chat"))
        );
        await HoldsAsync(tenant, "chat", 2);
    }

    [Fact]
    public async Task The_same_message_in_a_later_batch_is_a_duplicate()
    {
        var tenant = await TenantWithAsync("chat");
        var window = Incoming(tenant, "chat");
        Assert.Equal([IntakeOutcome.Stored], await StoreAsync(window));
        Assert.Equal(
            [IntakeOutcome.Stored, IntakeOutcome.Duplicate],
            await StoreAsync(Incoming(tenant, "chat"), window)
        );
        await HoldsAsync(tenant, "chat", 2);
    }

    [Fact]
    public async Task Another_window_under_a_stored_message_id_is_a_conflict_and_nothing_of_it_is_stored()
    {
        var tenant = await TenantWithAsync("chat", "code");
        var message = Guid.NewGuid();
        Assert.Equal(
            [IntakeOutcome.Stored],
            await StoreAsync(new IncomingWindow(tenant, message, TestStore.Window("chat", 1)))
        );
        Assert.Equal(
            [IntakeOutcome.Conflict, IntakeOutcome.Conflict, IntakeOutcome.Duplicate],
            await StoreAsync(
                new(tenant, message, TestStore.Window("chat", 2)),
                new(tenant, message, TestStore.Window("code", 1)),
                new(tenant, message, TestStore.Window("chat", 1))
            )
        );
        await HoldsAsync(tenant, "chat", 1);
        await HoldsAsync(tenant, "code", 0);
    }

    [Fact]
    public async Task Two_windows_under_one_message_id_in_a_batch_are_a_conflict_and_the_first_is_stored()
    {
        var tenant = await TenantWithAsync("chat");
        var message = Guid.NewGuid();
        Assert.Equal(
            [IntakeOutcome.Stored, IntakeOutcome.Conflict],
            await StoreAsync(
                new(tenant, message, TestStore.Window("chat", 1)),
                new(tenant, message, TestStore.Window("chat", 2))
            )
        );
        await HoldsAsync(tenant, "chat", 1);
    }

    /// <summary>
    /// Marten's JSON is not the publisher's: members that are null are left out, and PostgreSQL orders them anew.
    /// </summary>
    [Fact]
    public async Task A_full_window_that_comes_again_with_its_lists_in_another_order_is_a_duplicate()
    {
        var tenant = await TenantWithAsync("chat");
        var message = Guid.NewGuid();
        var (full, other) = (FullTask("math"), new TaskWindow { TaskType = "chat", Arrivals = 3 });
        var window = TestStore.Window("chat") with
        {
            WindowEnd = TestStore.At.AddTicks(1_234_567),
            Tasks = [full, other],
        };
        var turned = full with { Accuracy = [.. full.Accuracy!.Reverse()] };
        var again = window with { Tasks = [other with { Accuracy = [] }, turned] };

        Assert.Equal([IntakeOutcome.Stored], await StoreAsync(new IncomingWindow(tenant, message, window)));
        Assert.Equal([IntakeOutcome.Duplicate], await StoreAsync(new IncomingWindow(tenant, message, again)));
        Assert.True(WindowContent.IsSame(window, (await store.Intake.FindAsync(tenant, message, Cancel))!));
        Assert.Null(await store.Intake.FindAsync(TestStore.NewTenant(), message, Cancel));
    }

    /// <summary>
    /// The caller has to see why: what passes is waited for, anything else counts against the message.
    /// </summary>
    [Fact]
    public async Task What_has_kept_a_window_from_being_written_is_said_and_passes()
    {
        var tenant = await TenantWithAsync("chat");
        await store.ExecuteAsync(
            $"""
            create function events.full_disk() returns trigger language plpgsql as $$ begin raise 'no space left' using errcode = '{PostgresErrorCodes.DiskFull}'; end $$;
            create trigger full_disk before insert on events.mt_events for each row when (new.tenant_id = '{tenant}') execute function events.full_disk()
            """,
            Cancel
        );
        try
        {
            var fault = await Assert.ThrowsAnyAsync<Exception>(() => StoreAsync(Incoming(tenant, "chat")));
            Assert.Equal(
                PostgresErrorCodes.DiskFull,
                Assert.IsType<PostgresException>(fault.GetBaseException()).SqlState
            );
            Assert.True(PlatformStore.IsTransient(fault));
        }
        finally
        {
            await store.ExecuteAsync("drop function events.full_disk() cascade", CancellationToken.None);
        }
    }

    [Fact]
    public async Task The_same_message_id_of_two_tenants_is_two_messages()
    {
        var (one, other, message) = (await TenantWithAsync("chat"), await TenantWithAsync("chat"), Guid.NewGuid());
        Assert.Equal(
            [IntakeOutcome.Stored, IntakeOutcome.Stored],
            await StoreAsync(new(one, message, TestStore.Window("chat")), new(other, message, TestStore.Window("chat")))
        );
        await HoldsAsync(one, "chat", 1);
        await HoldsAsync(other, "chat", 1);
    }

    [Fact]
    public async Task Windows_of_two_fleets_go_to_a_stream_each_and_outcomes_keep_the_order_given()
    {
        var tenant = await TenantWithAsync("chat", "code");
        Assert.Equal(
            [IntakeOutcome.Stored, IntakeOutcome.UnknownFleet, IntakeOutcome.Stored, IntakeOutcome.Stored],
            await StoreAsync(
                Incoming(tenant, "code"),
                Incoming(tenant, "none"),
                Incoming(tenant, "chat"),
                Incoming(tenant, "code")
            )
        );
        await HoldsAsync(tenant, "chat", 1);
        await HoldsAsync(tenant, "code", 2);
        await HoldsAsync(tenant, "none", 0);
    }

    [Fact]
    public async Task A_window_for_a_retired_fleet_is_refused_and_for_one_registered_again_stored()
    {
        var tenant = await TenantWithAsync("chat");
        await StoreAsync(Incoming(tenant, "chat"));
        await store.RetireAsync(tenant, "chat", Cancel);
        Assert.Equal([IntakeOutcome.UnknownFleet], await StoreAsync(Incoming(tenant, "chat")));
        await HoldsAsync(tenant, "chat", 1);

        await store.PutFleetAsync(tenant, "chat", Cancel);
        Assert.Equal([IntakeOutcome.Stored], await StoreAsync(Incoming(tenant, "chat")));
        await HoldsAsync(tenant, "chat", 2);
    }

    [Fact]
    public async Task A_message_refused_for_want_of_a_fleet_is_stored_once_there_is_one()
    {
        var tenant = TestStore.NewTenant();
        var window = Incoming(tenant, "chat");
        Assert.Equal([IntakeOutcome.UnknownFleet], await StoreAsync(window));
        await store.PutFleetAsync(tenant, "chat", Cancel);
        Assert.Equal([IntakeOutcome.Stored], await StoreAsync(window));
    }

    [Fact]
    public async Task Another_tenants_fleet_is_an_unknown_one()
    {
        var (owner, stranger) = (await TenantWithAsync("chat"), TestStore.NewTenant());
        Assert.Equal([IntakeOutcome.UnknownFleet], await StoreAsync(Incoming(stranger, "chat")));
        await HoldsAsync(owner, "chat", 0);
        await HoldsAsync(stranger, "chat", 0);
    }

    [Fact]
    public async Task An_empty_batch_stores_nothing() => Assert.Empty(await StoreAsync());

    /// <summary>
    /// Eight workers with overlapping fleets of two tenants, every message in the hands of two of them, each in an
    /// order of its own.
    /// </summary>
    [Fact]
    public async Task Concurrent_batches_store_each_message_exactly_once_and_number_each_stream_without_gaps()
    {
        string[] tenants = [await TenantWithAsync("a", "b", "c"), await TenantWithAsync("a", "b", "c")];
        var random = new Random(11);
        var windows = (
            from tenant in tenants
            from fleet in new[] { "a", "b", "c" }
            from _ in Enumerable.Range(0, 20)
            select Incoming(tenant, fleet)
        ).ToArray();
        random.Shuffle(windows);
        var shares = windows.Chunk(15).ToArray();
        Assert.Equal(8, shares.Length);
        var batches = Enumerable
            .Range(0, 8)
            .Select(worker =>
            {
                IncomingWindow[] batch = [.. shares[worker], .. shares[(worker + 1) % 8]];
                random.Shuffle(batch);
                return batch;
            })
            .ToArray();

        var outcomes = await Task.WhenAll(batches.Select(batch => Task.Run(() => StoreAsync(batch), Cancel)));

        Assert.Equal(windows.Length, outcomes.Sum(batch => batch.Count(outcome => outcome == IntakeOutcome.Stored)));
        Assert.Equal(windows.Length, outcomes.Sum(batch => batch.Count(outcome => outcome == IntakeOutcome.Duplicate)));
        foreach (var tenant in tenants)
        {
            foreach (var fleet in new[] { "a", "b", "c" })
                await HoldsAsync(tenant, fleet, 20);
        }
    }

    private static TaskWindow FullTask(string type) =>
        new()
        {
            TaskType = type,
            Arrivals = 12,
            Service = new ServiceSums
            {
                Completions = 11,
                Tokens = 8_800,
                TokensSquared = 7_216_000,
                Millis = 180_400,
                MillisSquared = 2_990_000_000,
                TokenMillis = 146_000_000,
            },
            System = new SystemSums
            {
                Completions = 11,
                Millis = 231_000,
                MillisSquared = 5_100_000_000,
            },
            Accuracy =
            [
                new AccuracyCount
                {
                    Tokens = 512,
                    Trials = 10,
                    Correct = 7,
                },
                new AccuracyCount
                {
                    Tokens = 256,
                    Trials = 4,
                    Correct = 1,
                },
            ],
        };

    private static IncomingWindow Incoming(string tenant, string fleet) =>
        new(tenant, Guid.NewGuid(), TestStore.Window(fleet));

    private async Task<string> TenantWithAsync(params string[] fleets)
    {
        var tenant = TestStore.NewTenant();
        foreach (var fleet in fleets)
            await store.PutFleetAsync(tenant, fleet, Cancel);
        return tenant;
    }

    private Task<IReadOnlyList<IntakeOutcome>> StoreAsync(params IncomingWindow[] windows) =>
        store.Intake.StoreAsync(windows, Cancel);

    /// <summary>The stream holds so many windows, numbered from 1 without gaps, and knows its version.</summary>
    private async Task HoldsAsync(string tenant, string fleet, int windows)
    {
        var stream = EventStore.WorkloadStream(tenant, fleet);
        var versions = await store.Database.QueryAsync<long[]>(
            $"select coalesce(array_agg(version order by version), '{{}}') from events.mt_events where tenant_id = '{tenant}' and stream_id = '{stream}'",
            Cancel
        );
        Assert.Equal(Enumerable.Range(1, windows).Select(version => (long)version), versions);
        Assert.Equal(
            windows,
            await store.Database.QueryAsync<long>(
                $"select coalesce(max(version), 0) from events.mt_streams where tenant_id = '{tenant}' and id = '{stream}'",
                Cancel
            )
        );
    }
}
