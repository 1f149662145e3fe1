using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;
using RabbitMQ.Client;

namespace Platform.Integration.Tests;

/// <summary>What comes into force is told at the broker, as CloudEvents, to the tenant alone.</summary>
public sealed class NoticeTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_change_is_told_in_order_with_the_snapshots_hash_and_tokens()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var snapshot = await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 1, Cancel);
        var (first, properties) = await NextAsync(channel, tenant);
        Assert.Equal(
            ("application/cloudevents+json", DeliveryModes.Persistent),
            (properties.ContentType, properties.DeliveryMode)
        );
        Assert.Equal(
            ("1.0", $"/tenants/{tenant.Id}/fleets/chat/changes/1", "allocation.in-force", "chat", "application/json"),
            (
                (string?)first["specversion"],
                (string?)first["source"],
                (string?)first["type"],
                (string?)first["subject"],
                (string?)first["datacontenttype"]
            )
        );
        var data = first["data"]!;
        Assert.Equal(
            (tenant.Id, "chat", 1, 1, "allocation-published"),
            (
                (string?)data["tenant"],
                (string?)data["fleet"],
                (int)data["change"]!,
                (int)data["version"]!,
                (string?)data["cause"]
            )
        );
        Assert.Equal(await HashAsync(tenant), (string?)first["id"]);
        Assert.Equal((string?)first["id"], (string?)data["hash"]);
        Assert.Equal(
            snapshot["solution"]!["allocation"]!
                .AsArray()
                .ToDictionary(it => (string)it!["taskType"]!, it => (long)it!["tokens"]!),
            data["tokens"]!.AsObject().ToDictionary(it => it.Key, it => (long)it.Value!)
        );

        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 60.0);
        Assert.Equal((2, 2), Numbers((await NextAsync(channel, tenant)).Event));
        using var client = tenant.Client();
        (
            await client.PostAsJsonAsync("/v1/fleets/chat/allocations/1/pin", new { reason = "the old one" }, Cancel)
        ).EnsureSuccessStatusCode();
        var (pinned, _) = await NextAsync(channel, tenant);
        Assert.Equal((3, 1), Numbers(pinned));
        Assert.Equal(
            ("allocation-pinned", "default", "the old one"),
            ((string?)pinned["data"]!["cause"], (string?)pinned["data"]!["by"], (string?)pinned["data"]!["reason"])
        );
        Assert.Equal((string?)first["id"], (string?)pinned["id"]);
    }

    /// <summary>
    /// Two workers look for what is to be told all the time; a third that dies between the telling and the remembering
    /// tells twice.
    /// </summary>
    [Fact]
    public async Task Of_many_fleets_each_is_told_once_while_no_worker_dies()
    {
        const int fleets = 30;
        var tenant = await platform.CreateTenantAsync(Cancel);
        for (var i = 0; i < fleets; i++)
            await tenant.PutFleetAsync($"fleet-{i}", Cancel);
        await Eventually.TrueAsync(
            async () => await ChangesAsync(tenant) == fleets && await WaitingAsync(tenant) == 0,
            "all to be told",
            Cancel
        );
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        var told = new List<string>();
        while (await channel.BasicGetAsync(IngressNames.AllocationsOf(tenant.Id), autoAck: true, Cancel) is { } message)
            told.Add((string)JsonNode.Parse(message.Body.Span)!["subject"]!);
        Assert.Equal(
            Enumerable.Range(0, fleets).Select(i => $"fleet-{i}").Order(StringComparer.Ordinal),
            told.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task What_was_not_remembered_as_told_is_told_again()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        var (first, _) = await NextAsync(channel, tenant);
        await Eventually.TrueAsync(async () => await WaitingAsync(tenant) == 0, "the worker to remember it", Cancel);
        await platform.Database.QueryAsync<int>(
            $"insert into platform.notice_queue select tenant_id, fleet_id, change from platform.in_force_changes where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
        var (again, _) = await NextAsync(channel, tenant);
        Assert.Equal(first.ToJsonString(), again.ToJsonString());
    }

    [Fact]
    public async Task A_snapshot_that_was_tampered_with_is_told_without_tokens_and_keeps_no_other_back()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("a-broken-one", Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await Eventually.TrueAsync(
            async () => await ChangesAsync(tenant) == 2 && await WaitingAsync(tenant) == 0,
            "both to be told",
            Cancel
        );
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        await channel.QueuePurgeAsync(IngressNames.AllocationsOf(tenant.Id), Cancel);
        await platform.Database.QueryAsync<int>(
            $"update platform.allocation_snapshots set document = 'x', summary = 'x' where tenant_id = '{tenant.Id}' and fleet_id = 'a-broken-one' returning 1",
            Cancel
        );
        await platform.Database.QueryAsync<int>(
            $"insert into platform.notice_queue select tenant_id, fleet_id, change from platform.in_force_changes where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );

        var told = new Dictionary<string, int>();
        while (told.Count < 2)
        {
            var (notice, _) = await NextAsync(channel, tenant);
            told[(string)notice["subject"]!] = notice["data"]!["tokens"]!.AsObject().Count;
        }

        Assert.Equal(new Dictionary<string, int> { ["a-broken-one"] = 0, ["chat"] = 2 }, told);
        await platform.Database.QueryAsync<int>(
            $"update platform.fleets set retired_at = now() where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
    }

    [Fact]
    public async Task A_suspended_tenants_notices_are_gone()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        (
            await platform.Operator.DeleteAsync(new Uri($"/v1/tenants/{tenant.Id}", UriKind.Relative), Cancel)
        ).EnsureSuccessStatusCode();
        using var management = platform.Management();
        using var queue = await management.GetAsync(
            new Uri($"api/queues/{platform.VirtualHost}/{IngressNames.AllocationsOf(tenant.Id)}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(System.Net.HttpStatusCode.NotFound, queue.StatusCode);
    }

    private static (int Change, int Version) Numbers(JsonNode told) =>
        ((int)told["data"]!["change"]!, (int)told["data"]!["version"]!);

    private static async Task<(JsonNode Event, IReadOnlyBasicProperties Properties)> NextAsync(
        IChannel channel,
        TestTenant tenant
    )
    {
        var message = await Eventually.GetAsync(
            () => channel.BasicGetAsync(IngressNames.AllocationsOf(tenant.Id), autoAck: true, Cancel),
            "a notice",
            Cancel
        );
        return (JsonNode.Parse(message.Body.Span)!, message.BasicProperties);
    }

    private static async Task<string> HashAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        using var answer = await client.GetAsync(new Uri("/v1/fleets/chat/allocation", UriKind.Relative), Cancel);
        return answer.Headers.ETag!.Tag.Trim('"');
    }

    private Task<long> WaitingAsync(TestTenant tenant) =>
        platform.Database.QueryAsync<long>(
            $"select count(*) from platform.notice_queue where tenant_id = '{tenant.Id}'",
            Cancel
        );

    private Task<long> ChangesAsync(TestTenant tenant) =>
        platform.Database.QueryAsync<long>(
            $"select count(*) from platform.in_force_changes where tenant_id = '{tenant.Id}'",
            Cancel
        );
}
