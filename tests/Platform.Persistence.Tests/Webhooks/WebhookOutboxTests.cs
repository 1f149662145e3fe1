using Npgsql;
using Platform.Domain.Tenants;
using Platform.Persistence.Webhooks;

namespace Platform.Persistence.Tests.Webhooks;

/// <summary>
/// Those who tell a webhook, and those who remove it, take its row first: none of them waits for what another can only
/// let go of after it.
/// </summary>
public sealed class WebhookOutboxTests(TestStore store)
{
    private readonly WebhookOutbox _outbox = new(store.Store);
    private readonly WebhookRegistry _registry = new(store.Store);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_webhook_can_be_removed_while_it_is_told(bool isTaken)
    {
        var tenant = await TenantAsync("chat");
        var message = Assert.Single(await ClaimAsync(tenant, most: 20));
        await using (var blocker = await HoldMessagesAsync(tenant))
        {
            var told = isTaken ? _outbox.DeliveredAsync(message, TestStore.At, Cancel) : FailAsync(message);
            await store.UntilWaitForAsync(blocker, others: 1, Cancel);
            var removed = _registry.RemoveAsync(
                tenant,
                new WebhookRemoved
                {
                    At = TestStore.At,
                    Webhook = "gateway",
                    By = "ci",
                },
                Cancel
            );
            await store.UntilWaitForAsync(blocker, others: 2, Cancel);
            await blocker.CommitAsync(Cancel);
            await Task.WhenAll(told, removed);
        }

        Assert.Empty(await _registry.ListAsync(tenant, null, Cancel));
        Assert.Equal(
            0,
            await store.Database.QueryAsync<long>(
                $"select count(*) from platform.webhook_deliveries where tenant_id = '{tenant}'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task Two_workers_can_find_at_once_that_its_receiver_is_away()
    {
        var tenant = await TenantAsync("chat", "code");
        var messages = (await ClaimAsync(tenant, most: 1)).Concat(await ClaimAsync(tenant, most: 1)).ToArray();
        Assert.Equal(2, messages.Length);
        await using (var blocker = await HoldMessagesAsync(tenant))
        {
            var told = messages.Select(FailAsync).ToArray();
            await store.UntilWaitForAsync(blocker, others: 2, Cancel);
            await blocker.CommitAsync(Cancel);
            await Task.WhenAll(told);
        }

        var webhook = Assert.Single(await _registry.ListAsync(tenant, null, Cancel));
        Assert.Equal((2, "answered 503"), (webhook.Waiting, webhook.Fault));
    }

    private Task FailAsync(WebhookDelivery message) =>
        _outbox.FailedAsync(message, isAway: true, "answered 503", TestStore.At, TestStore.At.AddHours(1), Cancel);

    /// <summary>A tenant with a webhook that is to be told of the first version of each fleet.</summary>
    private async Task<string> TenantAsync(params string[] fleets)
    {
        var tenant = TestStore.NewTenant();
        await store.RegisterTenantAsync(tenant, Cancel);
        var put = new WebhookPut
        {
            At = TestStore.At,
            Webhook = "gateway",
            Receiver = "https://hooks.example.org",
            By = "ci",
        };
        Assert.False((await _registry.PutAsync(tenant, put, "https://hooks.example.org/", Cancel)).Decision.IsRefused);
        foreach (var fleet in fleets)
        {
            await store.PutFleetAsync(tenant, fleet, Cancel);
            Assert.True(await store.PublishAsync(tenant, fleet, Cancel));
        }

        return tenant;
    }

    private Task<IReadOnlyList<WebhookDelivery>> ClaimAsync(string tenant, int most) =>
        _outbox.ClaimAsync(tenant, TestStore.At, TestStore.At.AddMinutes(5), most, Cancel);

    /// <summary>
    /// Locks the tenant's messages: so all who come meanwhile stand where they would at the worst moment.
    /// </summary>
    private async Task<TenantSession> HoldMessagesAsync(string tenant)
    {
        var session = await store.Store.OpenAsync(tenant, Cancel);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select from platform.webhook_deliveries for update"));
        await batch.ExecuteNonQueryAsync(Cancel);
        return session;
    }
}
