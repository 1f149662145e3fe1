using Npgsql;
using Platform.Domain.Tenants;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;
using Platform.Persistence.Tenants;
using Platform.Testing;

namespace Platform.Persistence.Tests.Tenants;

/// <summary>
/// Tenants spread over two databases: each is in one of them, whole, and what looks over all tenants looks into both.
/// </summary>
public sealed class TenantDatabasesTests(TwoDatabases two) : IClassFixture<TwoDatabases>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tenants_are_placed_where_there_are_the_fewest_and_stay_there()
    {
        var tenants = await RegisterAsync(6);
        await using var another = two.OpenStore();
        foreach (var (tenant, key) in tenants)
        {
            Assert.Equal(1, await CountAsync(two.Main, tenant) + await CountAsync(two.Second, tenant));
            // A process that has never heard of it finds it, by its id and by its key.
            Assert.Single((await new TenantRegistry(another).ListKeysAsync(tenant, Cancel))!);
            Assert.Equal(tenant, (await new TenantRegistry(another).FindKeyAsync(key.KeyId, Cancel))!.Tenant);
        }

        var inMain = 0L;
        foreach (var (tenant, _) in tenants)
            inMain += await CountAsync(two.Main, tenant);
        Assert.InRange(inMain, 2, 4);
        Assert.True(
            (
                await Registry.RegisterAsync(
                    tenants[0].Id,
                    "Another",
                    TestStore.Key(tenants[0].Id, "second"),
                    [4],
                    _ => Task.CompletedTask,
                    TestStore.At,
                    Cancel
                )
            ).IsRefused
        );
        Assert.Null(await Registry.FindKeyAsync("nobody", Cancel));
    }

    [Fact]
    public async Task A_list_has_all_in_one_order()
    {
        var tenants = await RegisterAsync(5);
        var ids = tenants.Select(it => it.Id).Order(StringComparer.Ordinal).ToArray();
        var listed = new List<string>();
        for (var after = ""; (await Registry.ListAsync(after, 2, Cancel)) is { Count: > 0 } page; after = listed[^1])
        {
            Assert.InRange(page.Count, 1, 2);
            listed.AddRange(page.Select(it => it.Id));
        }

        Assert.Equal(listed.Distinct().Order(StringComparer.Ordinal), listed);
        Assert.Empty(ids.Except(listed));
    }

    [Fact]
    public async Task A_batch_is_stored_where_each_tenant_is_and_each_window_once()
    {
        var tenants = await RegisterAsync(4);
        IncomingWindow[] windows =
        [
            .. tenants.Select(it => new IncomingWindow(it.Id, Guid.NewGuid(), TestStore.Window("chat"))),
        ];
        foreach (var (id, _) in tenants)
            await new Persistence.Fleets.FleetStore(two.Store, new TenantQuota(10, 100)).PutAsync(
                id,
                "chat",
                TestStore.Definition,
                null,
                "ci",
                TestStore.At,
                Cancel
            );
        Assert.All(
            await new WorkloadIntake(two.Store).StoreAsync(windows, Cancel),
            it => Assert.Equal(IntakeOutcome.Stored, it)
        );
        Assert.All(
            await new WorkloadIntake(two.Store).StoreAsync(windows, Cancel),
            it => Assert.Equal(IntakeOutcome.Duplicate, it)
        );
        foreach (var (id, _) in tenants)
            Assert.Equal(
                new StoredWindows(1, 1),
                await new WorkloadIntake(two.Store).StoredWindowsAsync(id, "chat", Cancel)
            );
    }

    [Fact]
    public async Task Due_fleets_of_both_are_claimed_and_by_nobody_else_meanwhile()
    {
        var tenants = await RegisterAsync(2);
        foreach (var (id, _) in tenants)
            await new Persistence.Fleets.FleetStore(two.Store, new TenantQuota(10, 100)).PutAsync(
                id,
                "chat",
                TestStore.Definition,
                null,
                "ci",
                TestStore.At,
                Cancel
            );
        var due = new DueFleets(two.Store);
        await using (var claim = await due.ClaimAsync(TestStore.At.AddDays(1), 1_000, Cancel))
        {
            Assert.Empty(tenants.Select(it => it.Id).Except(claim.Fleets.Select(it => it.Tenant)));
            await using var other = await due.ClaimAsync(TestStore.At.AddDays(1), 1_000, Cancel);
            Assert.Empty(other.Fleets.Select(it => it.Tenant).Intersect(tenants.Select(it => it.Id)));
        }

        await using var later = await due.ClaimAsync(TestStore.At.AddDays(1), 1_000, Cancel);
        Assert.Empty(tenants.Select(it => it.Id).Except(later.Fleets.Select(it => it.Tenant)));
    }

    [Fact]
    public async Task While_one_is_away_the_tenants_of_the_other_are_served_and_nobody_is_said_not_to_exist()
    {
        var tenants = await RegisterAsync(4);
        var fleets = new Persistence.Fleets.FleetStore(two.Store, new TenantQuota(10, 100));
        foreach (var (id, _) in tenants)
            await fleets.PutAsync(id, "chat", TestStore.Definition, null, "ci", TestStore.At, Cancel);
        await using var proxy = new FaultProxy(new NpgsqlConnectionStringBuilder(two.Second.ConnectionString).Port);
        var through = new NpgsqlConnectionStringBuilder(two.Second.ConnectionString)
        {
            Port = proxy.Port,
        }.ConnectionString;
        await using var store = new PlatformStore(
            two.Main.ConnectionString,
            new Dictionary<string, string> { ["second"] = through }
        );
        Assert.Null(await store.PingAsync(TimeSpan.FromSeconds(3)));
        proxy.Refuse();
        var registry = new TenantRegistry(store);
        foreach (var (id, key) in tenants)
        {
            var isHere = await CountAsync(two.Main, id) == 1;
            if (isHere)
                Assert.Equal(id, (await registry.FindKeyAsync(key.KeyId, Cancel))!.Tenant);
            else
                Assert.True(
                    PlatformStore.IsTransient(
                        await Assert.ThrowsAnyAsync<Exception>(() => registry.FindKeyAsync(key.KeyId, Cancel))
                    )
                );
        }

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => registry.ListAsync("", 10, Cancel));
        await using var claim = await new DueFleets(store).ClaimAsync(TestStore.At.AddDays(1), 1_000, Cancel);
        Assert.NotEmpty(claim.Fleets);
        Assert.NotNull(await store.PingAsync(TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task A_tenant_in_a_database_that_this_process_was_not_told_of_is_not_taken_for_one_of_the_main_one()
    {
        var tenants = await RegisterAsync(2);
        await using var third = await TestDatabase.CreateAsync(Cancel);
        await using var store = new PlatformStore(
            two.Main.ConnectionString,
            new Dictionary<string, string> { ["third"] = third.ConnectionString }
        );
        foreach (var (id, _) in tenants)
        {
            if (await CountAsync(two.Main, id) == 1)
                Assert.Single((await new TenantRegistry(store).ListKeysAsync(id, Cancel))!);
            else
                Assert.Contains(
                    "second",
                    (
                        await Assert.ThrowsAsync<InvalidOperationException>(() =>
                            new TenantRegistry(store).ListKeysAsync(id, Cancel)
                        )
                    ).Message,
                    StringComparison.Ordinal
                );
        }
    }

    private TenantRegistry Registry => new(two.Store);

    private static Task<long> CountAsync(TestDatabase database, string tenant) =>
        database.QueryAsync<long>($"select count(*) from platform.tenants where tenant_id = '{tenant}'", Cancel);

    private async Task<List<(string Id, ApiKeyIssued Key)>> RegisterAsync(int count)
    {
        var tenants = new List<(string, ApiKeyIssued)>();
        for (var i = 0; i < count; i++)
        {
            var id = TestStore.NewTenant();
            var key = TestStore.Key(id, "first");
            Assert.False(
                (
                    await Registry.RegisterAsync(
                        id,
                        "A team",
                        key,
                        [1, 2, 3],
                        _ => Task.CompletedTask,
                        TestStore.At,
                        Cancel
                    )
                ).IsRefused
            );
            tenants.Add((id, key));
        }

        return tenants;
    }
}

/// <summary>Two migrated databases and a store over both.</summary>
public sealed class TwoDatabases : IAsyncLifetime
{
    public TestDatabase Main { get; private set; } = null!;

    public TestDatabase Second { get; private set; } = null!;

    public PlatformStore Store { get; private set; } = null!;

    public PlatformStore OpenStore() =>
        new(Main.ConnectionString, new Dictionary<string, string> { ["second"] = Second.ConnectionString });

    public async ValueTask InitializeAsync()
    {
        Main = await TestDatabase.CreateAsync(TestContext.Current.CancellationToken);
        Second = await TestDatabase.CreateAsync(TestContext.Current.CancellationToken);
        Store = OpenStore();
    }

    public async ValueTask DisposeAsync()
    {
        if (Store is not null)
            await Store.DisposeAsync();
        foreach (var database in (TestDatabase?[])[Second, Main])
        {
            if (database is not null)
                await database.DisposeAsync();
        }
    }
}
