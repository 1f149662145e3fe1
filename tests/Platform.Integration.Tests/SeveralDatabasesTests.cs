using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Cli.Verification;
using Platform.Domain.Contracts;
using Platform.Persistence;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The platform on two databases: whoever is in the second has all that those in the first have.</summary>
public sealed class SeveralDatabasesTests(TestPlatform platform) : IAsyncLifetime
{
    private TestDatabase _main = null!,
        _second = null!;
    private Uri _api = null!,
        _worker = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _main = await TestDatabase.CreateAsync(Cancel);
        _second = await TestDatabase.CreateAsync(Cancel);
        Dictionary<string, string?> settings = new()
        {
            ["Platform:Postgres"] = _main.ConnectionString,
            ["Platform:Databases:second"] = _second.ConnectionString,
            ["Platform:IngressVirtualHost"] = platform.NewVirtualHost(),
        };
        _api = await platform.StartApiAsync(settings);
        _worker = await platform.StartWorkerAsync(settings);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(platform.StopAsync(_api), platform.StopAsync(_worker));
        await _second.DisposeAsync();
        await _main.DisposeAsync();
    }

    [Fact]
    public async Task Tenants_of_both_go_all_the_way()
    {
        TestTenant[] tenants =
        [
            await platform.CreateTenantAsync(Cancel, _api),
            await platform.CreateTenantAsync(Cancel, _api),
        ];
        Assert.Equal(
            (1L, 1L),
            (await CountAsync(_main, "platform.tenants"), await CountAsync(_second, "platform.tenants"))
        );
        foreach (var tenant in tenants)
            await GoAsync(tenant);
        Assert.Equal(
            (2L, 2L),
            (
                await CountAsync(_main, "platform.allocation_snapshots"),
                await CountAsync(_second, "platform.allocation_snapshots")
            )
        );

        using var @operator = platform.Client(TestPlatform.OperatorKey, _api);
        var listed = (await @operator.GetFromJsonAsync<JsonNode>("/v1/tenants", Cancel))!["items"]!
            .AsArray()
            .Select(it => (string)it!["id"]!);
        Assert.Equal(tenants.Select(it => it.Id).Order(StringComparer.Ordinal), listed);
        await using var store = new PlatformStore(
            _main.ConnectionString,
            new Dictionary<string, string> { ["second"] = _second.ConnectionString }
        );
        var report = await VerifyCommand.VerifyAsync(store, null, null, null, Cancel);
        Assert.Equal((2, 4, 0), (report.Fleets, report.Versions, report.Findings.Count + report.Logs.Count));
        foreach (var tenant in tenants)
            await SuspendAsync(@operator, tenant);
    }

    /// <summary>A fleet, its first version, a window, its second; a notice of each; the log.</summary>
    private async Task GoAsync(TestTenant tenant)
    {
        await tenant.PutFleetAsync("chat", Cancel, RevisedAlone);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 20), Guid.NewGuid(), Cancel);
        using var client = tenant.Client();
        await Eventually.TrueAsync(async () => await StoredAsync(tenant) == 1, "the window to be stored", Cancel);
        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                RevisedAlone(definition);
                definition["objective"]!["accuracyWeight"] = 60.0;
            }
        );
        var snapshot = await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 2, Cancel);
        Assert.Equal(1, (long)snapshot["provenance"]!["workloadVersion"]!);
        await Eventually.TrueAsync(
            async () =>
                (
                    await client.GetAsync(new Uri("/v1/fleets/chat/allocations/2/inclusion", UriKind.Relative), Cancel)
                ).IsSuccessStatusCode,
            "the log to have it",
            Cancel
        );
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword, tenant.VirtualHost)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        foreach (var version in (int[])[1, 2])
        {
            var notice = await Eventually.GetAsync(
                () => channel.BasicGetAsync(IngressNames.AllocationsOf(tenant.Id), autoAck: true, Cancel),
                "a notice",
                Cancel
            );
            Assert.Equal(version, (int)JsonNode.Parse(notice.Body.Span)!["data"]!["version"]!);
        }
    }

    /// <summary>
    /// Only a revision makes a version: the window alone, solved before the revision comes, gains too little.
    /// </summary>
    private static void RevisedAlone(JsonObject definition) => definition["solving"]!["minimumGain"] = 1e6;

    private async Task<long> StoredAsync(TestTenant tenant)
    {
        var stored = 0L;
        foreach (var database in (TestDatabase[])[_main, _second])
            stored += await database.QueryAsync<long>(
                $"select count(*) from events.mt_events where tenant_id = '{tenant.Id}' and type = 'workload-window-recorded'",
                Cancel
            );
        return stored;
    }

    private static async Task SuspendAsync(HttpClient @operator, TestTenant tenant)
    {
        using var suspended = await @operator.DeleteAsync(
            new Uri($"/v1/tenants/{tenant.Id}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.NoContent, suspended.StatusCode);
        using var client = tenant.Client();
        using var refused = await client.GetAsync(new Uri("/v1/fleets", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    private static Task<long> CountAsync(TestDatabase database, string table) =>
        database.QueryAsync<long>($"select count(*) from {table}", Cancel);
}
