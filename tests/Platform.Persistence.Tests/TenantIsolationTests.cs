using Platform.Domain;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests;

/// <summary>Two tenants with a fleet of the same name: what one asks for by any method is never the other's.</summary>
public sealed class TenantIsolationTests(TestStore store)
{
    private readonly string _owner = TestStore.NewTenant();
    private readonly string _stranger = TestStore.NewTenant();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stranger_sees_no_fleet_and_no_history()
    {
        await OwnerHasEverythingAsync();
        Assert.Null(await store.Fleets.FindAsync(_stranger, "chat", Cancel));
        Assert.Empty(await store.Fleets.ListAsync(_stranger, "", 100, Cancel));
        Assert.Null(await store.Fleets.EventsAsync(_stranger, "chat", 0, 100, Cancel));
    }

    [Fact]
    public async Task A_stranger_sees_no_snapshot()
    {
        await OwnerHasEverythingAsync();
        Assert.Null(await store.Snapshots.FindInForceAsync(_stranger, "chat", Cancel));
        Assert.Null(await store.Snapshots.FindVersionAsync(_stranger, "chat", 1, Cancel));
        Assert.Null(await store.Snapshots.ListAsync(_stranger, "chat", int.MaxValue, 100, Cancel));
    }

    [Fact]
    public async Task A_stranger_sees_and_revokes_no_key()
    {
        await OwnerHasEverythingAsync();
        await store.RegisterTenantAsync(_stranger, Cancel);
        Assert.Equal(
            [$"{_stranger}-first"],
            (await store.Tenants.ListKeysAsync(_stranger, Cancel))!.Select(key => key.Id)
        );
        Assert.Equal(
            Refusal.NotFound,
            (await store.Tenants.RevokeKeyAsync(_stranger, $"{_owner}-first", TestStore.At, Cancel)).RefusedAs
        );
        Assert.NotNull(await store.Tenants.FindKeyAsync($"{_owner}-first", Cancel));
    }

    [Fact]
    public async Task A_stranger_can_neither_solve_nor_retire_nor_postpone_the_fleet()
    {
        await OwnerHasEverythingAsync();
        var before = await OwnersFleetAsync();
        Assert.False(await store.Fleets.RequestSolveAsync(_stranger, "chat", TestStore.At.AddDays(-1), Cancel));
        Assert.Equal(Refusal.NotFound, (await store.RetireAsync(_stranger, "chat", Cancel)).RefusedAs);
        await store.Solves.PostponeAsync(
            new FleetKey(_stranger, "chat"),
            "fault",
            TestStore.At.AddDays(1),
            TestStore.At.AddDays(1),
            Cancel
        );
        Assert.Equal(before, await OwnersFleetAsync());
    }

    [Fact]
    public async Task A_stranger_registers_a_fleet_of_the_same_name_beside_it()
    {
        await OwnerHasEverythingAsync();
        var before = await OwnersFleetAsync();
        await store.PutFleetAsync(_stranger, "chat", Cancel, TestStore.At.AddDays(1));
        Assert.Equal(before, await OwnersFleetAsync());
        Assert.Equal(0, (await store.Fleets.FindAsync(_stranger, "chat", Cancel))!.LatestVersion);
        Assert.Single((await store.Fleets.EventsAsync(_stranger, "chat", 0, 100, Cancel))!);
        Assert.Null(await store.Snapshots.FindVersionAsync(_stranger, "chat", 1, Cancel));
        Assert.Empty((await store.Snapshots.ListAsync(_stranger, "chat", int.MaxValue, 100, Cancel))!);
    }

    [Fact]
    public async Task A_strangers_solve_starts_from_its_own_windows_and_writes_its_own_snapshot()
    {
        await OwnerHasEverythingAsync();
        var key = new FleetKey(_stranger, "chat");
        Assert.Null(await store.LoadAsync(key, Cancel));
        await store.PutFleetAsync(_stranger, "chat", Cancel);
        var basis = (await store.LoadAsync(key, Cancel))!;
        Assert.Equal(
            (0, null, null, 0L),
            (basis.Fleet.LatestVersion, basis.Latest, basis.Stored, basis.WorkloadVersion)
        );
        Assert.Null(basis.Sums.LastWindowEnd);

        var before = await OwnersFleetAsync();
        var owners = (await store.LoadAsync(new FleetKey(_owner, "chat"), Cancel))!.Sums.ToBytes();
        Assert.True(
            await store.CommitAsync(
                TestStore.Solve(basis) with
                {
                    Sums = new SumsToStore(TestStore.SumsOf(7).ToBytes(), null),
                },
                Cancel
            )
        );
        Assert.Equal(before, await OwnersFleetAsync());
        Assert.Equal(owners, (await store.LoadAsync(new FleetKey(_owner, "chat"), Cancel))!.Sums.ToBytes());
    }

    [Fact]
    public async Task A_session_reads_no_other_tenants_stream_though_it_knows_its_id()
    {
        await OwnerHasEverythingAsync();
        await using var session = await store.Store.OpenAsync(_stranger, Cancel);
        Assert.Empty(await session.ReadAsync(EventStore.FleetStream(_owner, "chat"), 0, 100, Cancel));
        Assert.Empty(await session.ReadAsync(EventStore.WorkloadStream(_owner, "chat"), 0, 100, Cancel));
        Assert.Empty(await session.ReadAsync(EventStore.TenantStream(_owner), 0, 100, Cancel));
    }

    private async Task OwnerHasEverythingAsync()
    {
        await store.RegisterTenantAsync(_owner, Cancel);
        await store.PutFleetAsync(_owner, "chat", Cancel);
        Assert.Equal(
            [IntakeOutcome.Stored],
            await store.Intake.StoreAsync(
                [new IncomingWindow(_owner, Guid.NewGuid(), TestStore.Window("chat"))],
                Cancel
            )
        );
        Assert.True(await store.PublishAsync(_owner, "chat", Cancel));
        Assert.NotNull(await store.Snapshots.FindInForceAsync(_owner, "chat", Cancel));
    }

    private async Task<(int Revision, int Version, DateTimeOffset DueAt, string? Fault)> OwnersFleetAsync()
    {
        var view = (await store.Fleets.FindAsync(_owner, "chat", Cancel))!;
        return (view.Revision, view.LatestVersion, view.DueAt, view.SolveFault);
    }
}
