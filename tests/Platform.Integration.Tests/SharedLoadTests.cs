using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>Workers that are started beside the first share its work, and nobody tells either of the other.</summary>
[Collection<FaultPlatformTests>]
public sealed class SharedLoadTests(FaultPlatform platform)
{
    private const int Fleets = 10;
    private const int Windows = 300;
    private const int MostWorkers = 4;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_three_and_four_workers_share_the_windows_and_the_sweeps()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        for (var fleet = 0; fleet < Fleets; fleet++)
            await tenant.PutFleetAsync($"f{fleet}", Cancel);
        var (started, published) = (new List<Uri>(), 0);
        while (started.Count + 1 < MostWorkers)
        {
            started.Add(await platform.StartWorkerAsync([]));
            await PublishAsync(tenant);
            published += Windows;
            await Eventually.TrueAsync(
                async () => await StoredAsync(tenant, "count(*)") >= published,
                $"{published} windows to be stored",
                Cancel
            );
        }

        Assert.Equal(published, await StoredAsync(tenant, "count(distinct data ->> 'messageId')"));
        Assert.Equal(published, await StoredAsync(tenant, "count(*)"));
        Assert.Equal(
            (MostWorkers - 1) * Enumerable.Range(0, Windows).Sum(LoadOf),
            await StoredAsync(tenant, "sum((data #>> '{window,tasks,0,arrivals}')::bigint)::bigint")
        );
        await Eventually.TrueAsync(
            async () =>
                (await AcknowledgedAsync()) is { Length: MostWorkers } acks
                && acks.All(count => count > 0)
                && acks.Sum() >= published,
            "each of four workers to have acknowledged some",
            Cancel
        );
        await Eventually.TrueAsync(
            async () =>
                await platform.Database.QueryAsync<long>(
                    "select count(distinct data ->> 'ServerId') from hangfire.state where name = 'Processing'",
                    Cancel
                ) >= MostWorkers,
            "each of four workers to have swept",
            Cancel
        );
        await Task.WhenAll(started.Select(platform.StopAsync));
    }

    private static int LoadOf(int window) => 1 + (window % 7);

    private static async Task PublishAsync(TestTenant tenant)
    {
        await using var publisher = await tenant.ConnectAsync(Cancel);
        for (var i = 0; i < Windows; i++)
            await publisher.PublishAsync(
                $"f{i % Fleets}",
                StrictJson.Write(TestTenant.Window($"f{i % Fleets}", LoadOf(i))),
                Guid.NewGuid(),
                Cancel
            );
    }

    private Task<long> StoredAsync(TestTenant tenant, string what) =>
        platform.Database.QueryAsync<long>(
            $"select {what} from events.mt_events where tenant_id = '{tenant.Id}' and type = 'workload-window-recorded'",
            Cancel
        );

    /// <summary>
    /// What each consumer of the intake has acknowledged, by the broker's count, which knows of a channel before it
    /// knows anything of it.
    /// </summary>
    private async Task<long[]> AcknowledgedAsync()
    {
        using var management = platform.Management();
        var channels = await management.GetFromJsonAsync<JsonArray>(
            new Uri($"api/vhosts/{platform.VirtualHost}/channels", UriKind.Relative),
            Cancel
        );
        return
        [
            .. channels!
                .Where(channel => (int?)channel!["prefetch_count"] > 0)
                .Select(channel => (long?)channel!["message_stats"]?["ack"] ?? 0),
        ];
    }
}
