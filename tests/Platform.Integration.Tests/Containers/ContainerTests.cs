using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests.Containers;

/// <summary>
/// The platform on PostgreSQL 17 and RabbitMQ 4, in containers: the distribution's own, on which the other tests run,
/// may be older. What is different there for us: a quorum queue of RabbitMQ 4 gives up what was handed out 20 times,
/// unless it is told otherwise.
/// </summary>
public sealed class ContainerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_postgresql_17_and_rabbitmq_4_windows_become_an_allocation_and_what_was_set_aside_stays()
    {
        Assert.SkipUnless(
            ContainerServices.HaveAnEngine,
            "There is no container engine; eval \"$(eng/containers.sh engine)\" starts one"
        );
        await using var services = await ContainerServices.StartAsync(Cancel);
        await using var platform = new FaultPlatform(services.Addresses) { Patience = 30 };
        await platform.InitializeAsync();

        await TheVersionsAreThoseAsync(platform);
        await WindowsBecomeAnAllocationAsync(platform);
        await WhatWasSetAsideStaysAsync(platform);
    }

    private static async Task TheVersionsAreThoseAsync(TestPlatform platform)
    {
        Assert.StartsWith(
            "17.",
            await platform.Database.QueryAsync<string>("show server_version", Cancel),
            StringComparison.Ordinal
        );
        using var management = platform.Management();
        var overview = await management.GetFromJsonAsync<JsonNode>(new Uri("api/overview", UriKind.Relative), Cancel);
        Assert.StartsWith("4.", (string)overview!["rabbitmq_version"]!, StringComparison.Ordinal);
    }

    private static async Task WindowsBecomeAnAllocationAsync(TestPlatform platform)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var twice = Guid.NewGuid();
        foreach (var messageId in (Guid[])[twice, twice, Guid.NewGuid()])
            await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 20), messageId, Cancel);

        var snapshot = await tenant.UntilAllocatedOnAsync("chat", 2, Cancel);

        Assert.Equal("optimal", (string)snapshot["solution"]!["status"]!);
        Assert.Equal(2, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    // On a virtual host of its own, as the platform's rejected messages are collected by the tests.
    private static async Task WhatWasSetAsideStaysAsync(TestPlatform platform)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Platform:IngressVirtualHost"] = platform.NewVirtualHost(),
            ["Platform:Announces"] = "false",
        };
        var api = await platform.StartApiAsync(settings);
        await platform.StartWorkerAsync(settings);
        var tenant = await platform.CreateTenantAsync(Cancel, api);
        await tenant.PublishAsync("chat", "no window"u8.ToArray(), Guid.NewGuid(), Cancel);
        var user = platform.Services.RabbitMq.UserInfo.Split(':');
        await using var connection = await platform
            .BrokerAs(user[0], user[1], tenant.VirtualHost)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);

        // A look at a message that is not there fails.
        for (var look = 0; look < 2 * IngressNames.DeliveryLimit; look++)
        {
            var message = await Eventually.GetAsync(
                () => channel.BasicGetAsync(IngressNames.Rejected, autoAck: false, Cancel),
                $"look {look}",
                Cancel
            );
            await channel.BasicNackAsync(message.DeliveryTag, multiple: false, requeue: true, Cancel);
        }
    }
}
