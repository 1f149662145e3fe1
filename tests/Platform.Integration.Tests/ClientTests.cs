using Platform.Client;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The client library against the real platform.</summary>
public sealed class ClientTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_gateway_reports_is_stored_and_what_is_in_force_is_at_hand()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var served = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        var builder = new WindowBuilder("chat", TimeProvider.System);
        await using (var publisher = await ConnectAsync(tenant))
        {
            await using var reporter = new WindowReporter(
                builder,
                publisher,
                TimeSpan.FromSeconds(1),
                TimeProvider.System
            );
            for (var i = 0; i < 100; i++)
            {
                builder.Arrived("math");
                builder.Completed(
                    "math",
                    800,
                    812,
                    TimeSpan.FromMilliseconds(16_400),
                    TimeSpan.FromMilliseconds(16_400)
                );
                builder.Judged("math", 812, isCorrect: i % 2 == 0);
            }

            await tenant.UntilStoredAsync("chat", 1, Cancel);
            builder.Arrived("chat");
        }

        // The last window goes out at the end.
        await Eventually.TrueAsync(async () => await ArrivalsAsync(tenant) == 101, "all that was reported", Cancel);
        using var source = new AllocationSource(platform.Address, tenant.Key);
        var allocation = await source.GetAsync("chat", Cancel);
        Assert.Equal(
            served["solution"]!["allocation"]!
                .AsArray()
                .Select(it => (string)it!["taskType"]!)
                .Order(StringComparer.Ordinal),
            allocation.Tokens.Keys.Order(StringComparer.Ordinal)
        );
        await Assert.ThrowsAsync<NoAllocationException>(() => source.GetAsync("another", Cancel));
    }

    private Task<WindowPublisher> ConnectAsync(TestTenant tenant) =>
        WindowPublisher.ConnectAsync(
            platform.Services.RabbitMq,
            new BrokerAccess(tenant.VirtualHost, "workload-statistics", tenant.Id, tenant.BrokerPassword),
            Cancel
        );

    private Task<long> ArrivalsAsync(TestTenant tenant) =>
        platform.Database.QueryAsync<long>(
            $"""
            select coalesce(sum((task ->> 'arrivals')::bigint), 0)::bigint
            from events.mt_events, jsonb_array_elements(data #> '{"{window,tasks}"}') as task where tenant_id = '{tenant.Id}' and type = 'workload-window-recorded'
            """,
            Cancel
        );
}
