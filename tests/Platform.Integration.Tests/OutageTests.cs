using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// PostgreSQL or RabbitMQ refuses connections, or the network swallows everything, while windows come in: readiness
/// says so, nothing is lost, set aside or stored twice, and the work goes on by itself.
/// </summary>
[Collection<FaultPlatformTests>]
public sealed class OutageTests(FaultPlatform platform)
{
    private const int Windows = 30;

    /// <summary>The promise, which holds on a busy machine too: the checks give up well before.</summary>
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, Action<FaultProxy>> Outages =>
        new() { { "refused", proxy => proxy.Refuse() }, { "swallowed", proxy => proxy.FallSilent() } };

    [Theory]
    [MemberData(nameof(Outages), DisableDiscoveryEnumeration = true)]
    public async Task PostgreSQL_is_away(string what, Action<FaultProxy> begin)
    {
        var tenant = await TenantWithFleetAsync(what);
        begin(platform.Postgres);
        await PublishAsync(tenant, what);
        await UntilNotReadyAsync();
        await PublishAsync(tenant, what);

        platform.Postgres.Pass();
        await UntilReadyAsync();
        await UntilStoredOnceAsync(tenant, what, 2 * Windows);
        await UntilRegisteredAsync();
    }

    [Theory]
    [MemberData(nameof(Outages), DisableDiscoveryEnumeration = true)]
    public async Task RabbitMQ_is_away(string what, Action<FaultProxy> begin)
    {
        var tenant = await TenantWithFleetAsync(what);
        using var client = tenant.Client();
        using var before = await PostAsync();
        Assert.Equal(HttpStatusCode.Accepted, before.StatusCode);
        begin(platform.Broker);
        await PublishAsync(tenant, what);
        await UntilNotReadyAsync();
        using var refused = await PostAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);

        platform.Broker.Pass();
        await UntilReadyAsync();
        using var after = await PostAsync();
        Assert.Equal(HttpStatusCode.Accepted, after.StatusCode);
        await UntilStoredOnceAsync(tenant, what, Windows + 2);

        Task<HttpResponseMessage> PostAsync() =>
            client.PostAsJsonAsync($"/v1/fleets/{what}/statistics", TestTenant.Window(what), Cancel);
    }

    private async Task<TestTenant> TenantWithFleetAsync(string fleet)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync(fleet, Cancel);
        return tenant;
    }

    /// <summary>Publishes to the broker itself, which is not behind the bad network.</summary>
    private static async Task PublishAsync(TestTenant tenant, string fleet)
    {
        await using var publisher = await tenant.ConnectAsync(Cancel);
        for (var i = 0; i < Windows; i++)
            await publisher.PublishAsync(fleet, StrictJson.Write(TestTenant.Window(fleet)), Guid.NewGuid(), Cancel);
    }

    private async Task UntilNotReadyAsync()
    {
        using var client = new HttpClient();
        foreach (var host in platform.Hosts)
        {
            var watch = Stopwatch.StartNew();
            await Eventually.TrueAsync(
                async () => await StatusAsync(client, host, "/health/ready") == HttpStatusCode.ServiceUnavailable,
                $"{host} to say that it is not ready",
                Cancel
            );
            Assert.True(watch.Elapsed < NoticedWithin, $"{host} said so only after {watch.Elapsed}");
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, host, "/health/live"));
        }
    }

    private async Task UntilReadyAsync()
    {
        using var client = new HttpClient();
        foreach (var host in platform.Hosts)
            await Eventually.TrueAsync(
                async () => await StatusAsync(client, host, "/health/ready") == HttpStatusCode.OK,
                $"{host} to be ready again",
                Cancel
            );
    }

    /// <summary>
    /// Connections that the API opened before the silence stay dead behind the network, and it notices only when it
    /// uses them.
    /// </summary>
    private async Task UntilRegisteredAsync()
    {
        using var client = platform.Operator;
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await client.PostAsJsonAsync(
                    "/v1/tenants",
                    new { id = $"t{Guid.NewGuid():n}", displayName = "A tenant" },
                    Cancel
                );
                return answer.StatusCode == HttpStatusCode.Created;
            },
            "the API to register a tenant again",
            Cancel
        );
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, Uri host, string path)
    {
        using var answer = await client.GetAsync(new Uri(host, path), Cancel);
        return answer.StatusCode;
    }

    private async Task UntilStoredOnceAsync(TestTenant tenant, string fleet, int windows)
    {
        await tenant.UntilStoredAsync(fleet, windows, Cancel);
        await tenant.PublishAsync(fleet, TestTenant.Window(fleet), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync(fleet, windows + 1, Cancel);
        Assert.Equal(windows + 1, await tenant.StoredWindowsAsync(fleet, Cancel));
        Assert.Equal(0, platform.Rejected.Count);
    }
}
