using System.Net;
using System.Net.Http.Json;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// A disk is full under load, and is given room again: nothing is lost, nothing is stored twice, and the work goes on
/// by itself.
/// </summary>
public sealed class FullDiskTests
{
    private const int Windows = 300;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostgreSQLs_disk_and_then_the_brokers()
    {
        await using var services = await SmallServices.TryStartAsync();
        Assert.SkipWhen(services is null, "needs the right to mount a file system in memory");
        await using var platform = new FaultPlatform(services.Addresses);
        await platform.InitializeAsync();
        try
        {
            var tenant = await platform.CreateTenantAsync(Cancel);
            await tenant.PutFleetAsync("chat", Cancel);
            await FillPostgresAsync(services, platform, tenant);
            await FillBrokerAsync(services, platform, tenant);

            await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
            await tenant.UntilStoredAsync("chat", Windows + 3, Cancel);
            Assert.Equal(Windows + 3, await tenant.StoredWindowsAsync("chat", Cancel));
            Assert.Equal(0, platform.Rejected.Count);
        }
        finally
        {
            services.Postgres.Free();
            services.RabbitMq.Free();
        }
    }

    /// <summary>Windows come in while nothing can be written.</summary>
    private static async Task FillPostgresAsync(SmallServices services, FaultPlatform platform, TestTenant tenant)
    {
        services.Postgres.Fill();
        await using var publisher = await tenant.ConnectAsync(Cancel);
        for (var i = 0; i < Windows; i++)
            await publisher.PublishAsync("chat", StrictJson.Write(TestTenant.Window("chat")), Guid.NewGuid(), Cancel);
        var worker = platform.Hosts[1];
        await UntilAsync(worker, HttpStatusCode.ServiceUnavailable);

        services.Postgres.Free();
        // PostgreSQL ends when it cannot write a checkpoint: it is for an operator to start it again.
        await services.StartAsync();
        await UntilAsync(worker, HttpStatusCode.OK);
        await tenant.UntilStoredAsync("chat", Windows, Cancel);
    }

    /// <summary>
    /// The broker takes nothing while little room is left: one publisher is told so over HTTP, the other waits. Two
    /// windows in the end.
    /// </summary>
    private static async Task FillBrokerAsync(SmallServices services, FaultPlatform platform, TestTenant tenant)
    {
        var api = platform.Hosts[0];
        services.RabbitMq.Fill(leaveMebibytes: 20);
        using var client = tenant.Client();
        client.DefaultRequestHeaders.Add("Idempotency-Key", "window 1");
        var window = TestTenant.Window("chat");
        await UntilAsync(api, HttpStatusCode.ServiceUnavailable, PostAsync);
        await UntilAsync(api, HttpStatusCode.ServiceUnavailable);
        await using var publisher = await tenant.ConnectAsync(Cancel);
        var waiting = publisher.PublishAsync(
            "chat",
            StrictJson.Write(TestTenant.Window("chat")),
            Guid.NewGuid(),
            Cancel
        );

        services.RabbitMq.Free();
        await waiting;
        await UntilAsync(api, HttpStatusCode.OK);
        using var accepted = await PostAsync();
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);

        Task<HttpResponseMessage> PostAsync() => client.PostAsJsonAsync("/v1/fleets/chat/statistics", window, Cancel);
    }

    private static async Task UntilAsync(Uri host, HttpStatusCode wanted, Func<Task<HttpResponseMessage>>? ask = null)
    {
        using var client = new HttpClient();
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = ask is null
                    ? await client.GetAsync(new Uri(host, "/health/ready"), Cancel)
                    : await ask();
                return answer.StatusCode == wanted;
            },
            $"{host} to answer {wanted}",
            Cancel
        );
        using var alive = await client.GetAsync(new Uri(host, "/health/live"), Cancel);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }
}
