using Platform.Domain;
using Platform.Domain.Tenants;

namespace Platform.Persistence.Tests.Tenants;

public sealed class TenantRegistryTests(TestStore store)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_is_taken_on_with_its_first_key()
    {
        var tenant = TestStore.NewTenant();
        var key = await store.RegisterTenantAsync(tenant, Cancel);
        var stored = (await store.Tenants.FindKeyAsync(key.KeyId, Cancel))!;
        Assert.Equal((tenant, "first", null), (stored.Tenant, stored.Name, stored.ExpiresAt));
        Assert.Equal([1, 2, 3], stored.Mac);
        Assert.Equal([Scopes.Read, Scopes.Ingest], stored.Scopes);
        Assert.Equal("first", Assert.Single((await store.Tenants.ListKeysAsync(tenant, Cancel))!).Name);
        await HappenedAsync(tenant, "tenant-registered", "api-key-issued");
    }

    [Fact]
    public async Task A_taken_id_is_refused_before_anything_is_provisioned()
    {
        var tenant = TestStore.NewTenant();
        await store.RegisterTenantAsync(tenant, Cancel);
        var provisioned = false;
        var decision = await store.Tenants.RegisterAsync(
            tenant,
            "Another",
            TestStore.Key(tenant, "second"),
            [4],
            _ =>
            {
                provisioned = true;
                return Task.CompletedTask;
            },
            TestStore.At,
            Cancel
        );
        Assert.Equal(Refusal.Conflict, decision.RefusedAs);
        Assert.False(provisioned);
        Assert.Single((await store.Tenants.ListKeysAsync(tenant, Cancel))!);
        await HappenedAsync(tenant, "tenant-registered", "api-key-issued");
    }

    [Fact]
    public async Task Of_two_registrations_at_the_same_time_one_provisions()
    {
        var tenant = TestStore.NewTenant();
        var provisioned = 0;
        var decisions = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(i =>
                    Task.Run(
                        () =>
                            store.Tenants.RegisterAsync(
                                tenant,
                                "A team",
                                TestStore.Key(tenant, $"key-{i}"),
                                [1],
                                _ =>
                                {
                                    Interlocked.Increment(ref provisioned);
                                    return Task.CompletedTask;
                                },
                                TestStore.At,
                                Cancel
                            ),
                        Cancel
                    )
                )
        );
        Assert.Single(decisions, decision => !decision.IsRefused);
        Assert.Equal(1, provisioned);
    }

    [Fact]
    public async Task A_failed_provisioning_leaves_nothing()
    {
        var tenant = TestStore.NewTenant();
        var key = TestStore.Key(tenant, "first");
        await Assert.ThrowsAsync<HttpRequestException>(() =>
            store.Tenants.RegisterAsync(
                tenant,
                "A team",
                key,
                [1],
                _ => throw new HttpRequestException("the broker is away"),
                TestStore.At,
                Cancel
            )
        );
        Assert.Null(await store.Tenants.ListKeysAsync(tenant, Cancel));
        Assert.Null(await store.Tenants.FindKeyAsync(key.KeyId, Cancel));
        Assert.Equal(0, await store.CountAsync("events.mt_events", tenant, Cancel));
        await store.RegisterTenantAsync(tenant, Cancel);
    }

    [Fact]
    public async Task A_suspended_tenants_keys_no_longer_count()
    {
        var tenant = TestStore.NewTenant();
        var key = await store.RegisterTenantAsync(tenant, Cancel);
        Assert.False((await SuspendAsync(tenant)).IsRefused);
        Assert.Null(await store.Tenants.FindKeyAsync(key.KeyId, Cancel));
        Assert.Single((await store.Tenants.ListKeysAsync(tenant, Cancel))!);
        Assert.Equal(
            Refusal.Conflict,
            (await store.Tenants.IssueKeyAsync(tenant, TestStore.Key(tenant, "second"), [1], Cancel)).RefusedAs
        );
        await HappenedAsync(tenant, "tenant-registered", "api-key-issued", "tenant-suspended");
    }

    /// <summary>The second time repairs what may have been left of the first.</summary>
    [Fact]
    public async Task Suspending_twice_withdraws_twice_and_is_recorded_once()
    {
        var tenant = TestStore.NewTenant();
        await store.RegisterTenantAsync(tenant, Cancel);
        var withdrawn = 0;
        for (var i = 0; i < 2; i++)
            Assert.False((await SuspendAsync(tenant, () => withdrawn++)).IsRefused);
        Assert.Equal(2, withdrawn);
        await HappenedAsync(tenant, "tenant-registered", "api-key-issued", "tenant-suspended");
    }

    [Fact]
    public async Task A_failed_withdrawal_leaves_the_tenant_as_it_was()
    {
        var tenant = TestStore.NewTenant();
        var key = await store.RegisterTenantAsync(tenant, Cancel);
        await Assert.ThrowsAsync<HttpRequestException>(() =>
            SuspendAsync(tenant, () => throw new HttpRequestException("the broker is away"))
        );
        Assert.NotNull(await store.Tenants.FindKeyAsync(key.KeyId, Cancel));
        await HappenedAsync(tenant, "tenant-registered", "api-key-issued");
    }

    [Fact]
    public async Task A_tenant_that_never_was_can_neither_be_suspended_nor_get_a_key()
    {
        var tenant = TestStore.NewTenant();
        var withdrawn = false;
        Assert.Equal(Refusal.NotFound, (await SuspendAsync(tenant, () => withdrawn = true)).RefusedAs);
        Assert.False(withdrawn);
        Assert.Equal(
            Refusal.NotFound,
            (await store.Tenants.IssueKeyAsync(tenant, TestStore.Key(tenant, "first"), [1], Cancel)).RefusedAs
        );
        Assert.Null(await store.Tenants.ListKeysAsync(tenant, Cancel));
    }

    [Fact]
    public async Task A_revoked_key_no_longer_counts_and_the_others_do()
    {
        var tenant = TestStore.NewTenant();
        var first = await store.RegisterTenantAsync(tenant, Cancel);
        var second = TestStore.Key(tenant, "second") with { ExpiresAt = TestStore.At.AddDays(1) };
        Assert.False((await store.Tenants.IssueKeyAsync(tenant, second, [4], Cancel)).IsRefused);
        Assert.False(
            (await store.Tenants.RevokeKeyAsync(tenant, first.KeyId, TestStore.At.AddHours(1), Cancel)).IsRefused
        );

        Assert.Null(await store.Tenants.FindKeyAsync(first.KeyId, Cancel));
        Assert.Equal(TestStore.At.AddDays(1), (await store.Tenants.FindKeyAsync(second.KeyId, Cancel))!.ExpiresAt);
        var keys = (await store.Tenants.ListKeysAsync(tenant, Cancel))!;
        Assert.Equal(
            [(first.KeyId, TestStore.At.AddHours(1)), (second.KeyId, null)],
            keys.Select(key => (key.Id, key.RevokedAt))
        );
        Assert.Equal(
            Refusal.NotFound,
            (await store.Tenants.RevokeKeyAsync(tenant, first.KeyId, TestStore.At, Cancel)).RefusedAs
        );
        await HappenedAsync(tenant, "tenant-registered", "api-key-issued", "api-key-issued", "api-key-revoked");
    }

    [Fact]
    public async Task Tenants_are_listed_by_id_page_by_page()
    {
        string[] ids = ["page-a", "page-b", "page-c"];
        foreach (var id in ids.Reverse())
            await store.RegisterTenantAsync(id, Cancel);
        await SuspendAsync("page-b");
        Assert.Equal(
            ["page-a", "page-b"],
            (await store.Tenants.ListAsync("page-", 2, Cancel)).Select(tenant => tenant.Id)
        );
        var last = (await store.Tenants.ListAsync("page-b", 1, Cancel))[0];
        Assert.Equal(
            ("page-c", "A team", TestStore.At, null),
            (last.Id, last.DisplayName, last.RegisteredAt, last.SuspendedAt)
        );
        Assert.Equal(TestStore.At, (await store.Tenants.ListAsync("page-a", 1, Cancel))[0].SuspendedAt);
    }

    private Task<Decision<TenantEvent>> SuspendAsync(string tenant, Action? withdraw = null) =>
        store.Tenants.SuspendAsync(
            tenant,
            _ =>
            {
                withdraw?.Invoke();
                return Task.CompletedTask;
            },
            TestStore.At,
            Cancel
        );

    private async Task HappenedAsync(string tenant, params string[] names)
    {
        await using var session = await store.Store.OpenAsync(tenant, Cancel);
        var events = await session.ReadAsync(EventStore.TenantStream(tenant), 0, 100, Cancel);
        Assert.Equal(names, events.Select(happened => happened.EventTypeName));
        // The row and the events tell the same story.
        Tenant? state = null;
        foreach (var happened in events)
            state = Tenant.Evolve(state, (TenantEvent)happened.Data);
        var keys = (await store.Tenants.ListKeysAsync(tenant, Cancel))!
            .Where(key => key.RevokedAt is null)
            .Select(key => key.Id);
        Assert.Equal(keys.Order(StringComparer.Ordinal), state!.Keys.Order(StringComparer.Ordinal));
    }
}
