using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>Fleets that are solved every hour, and whose traffic does not wait for that.</summary>
public sealed class EarlySolvingTests(TestPlatform platform)
{
    private const int LearntWindows = 60;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twice_the_traffic_is_solved_for_at_once_and_steady_traffic_by_the_period()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var publisher = await tenant.ConnectAsync(Cancel);
        var solved = await LearntAsync(tenant, publisher, servers: 2_000);

        for (var i = 0; i < 10; i++)
            await PublishAsync(publisher, load: 30);
        await tenant.UntilStoredAsync("chat", LearntWindows + 10, Cancel);
        var steady = (await FleetAsync(tenant))["freshness"]!;
        Assert.Equal(
            (solved["solvedAt"]!.ToString(), "periodic"),
            (steady["solvedAt"]!.ToString(), (string)steady["dueReason"]!)
        );
        Assert.Equal(solved["dueAt"]!.ToString(), steady["dueAt"]!.ToString());

        var early = (await UntilSolvedAsync(tenant, "drift", () => PublishAsync(publisher, load: 60)))["freshness"]!;
        Assert.True((long)early["solvedWorkloadVersion"]! > LearntWindows + 10, "the windows that told are in it");
        Assert.True((DateTimeOffset)early["solvedAt"]! < (DateTimeOffset)solved["dueAt"]!, "long before its time");
        Assert.Equal("periodic", (string)early["dueReason"]!);
    }

    [Fact]
    public async Task Traffic_that_the_allocation_in_force_cannot_carry_gives_another_allocation_at_once()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var publisher = await tenant.ConnectAsync(Cancel);
        await LearntAsync(tenant, publisher, servers: 8);
        var before = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        Assert.InRange((double)before["solution"]!["utilization"]!, 0.6, 1);

        await UntilSolvedAsync(tenant, "instability", () => PublishAsync(publisher, load: 60));
        var after = await tenant.UntilAllocatedAsync(
            "chat",
            it => (int)it["version"]! > (int)before["version"]!,
            Cancel
        );
        Assert.True(
            (double)after["solution"]!["meanTokens"]! < (double)before["solution"]!["meanTokens"]!,
            "fewer tokens for more queries"
        );
    }

    /// <summary>A fleet that has ten minutes of steady traffic in its last solve.</summary>
    private static async Task<JsonNode> LearntAsync(TestTenant tenant, TestPublisher publisher, int servers)
    {
        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                definition["servers"] = servers;
                definition["arrivalRate"] = 3;
                definition["objective"]!["accuracyWeight"] = 300;
                definition["solving"]!["everySeconds"] = 3_600;
            }
        );
        var now = TimeProvider.System.GetUtcNow();
        for (var i = LearntWindows; i > 0; i--)
            await PublishAsync(publisher, load: 30, now.AddSeconds(-10 * i));
        await tenant.UntilStoredAsync("chat", LearntWindows, Cancel);
        using var client = tenant.Client();
        using var asked = await client.PostAsync(new Uri("/v1/fleets/chat/solve", UriKind.Relative), null, Cancel);
        Assert.True(asked.IsSuccessStatusCode);
        var fleet = await UntilSolvedAsync(tenant, "requested", () => Task.CompletedTask);
        Assert.Equal(LearntWindows, (long)fleet["freshness"]!["solvedWorkloadVersion"]!);
        return fleet["freshness"]!;
    }

    private static Task PublishAsync(TestPublisher publisher, int load, DateTimeOffset? end = null) =>
        publisher.PublishAsync(
            "chat",
            StrictJson.Write<JsonNode>(TestTenant.Window("chat", load, end)),
            Guid.NewGuid(),
            Cancel
        );

    /// <summary>Waits for a solve, while traffic goes on.</summary>
    private static Task<JsonNode> UntilSolvedAsync(TestTenant tenant, string reason, Func<Task> meanwhile) =>
        Eventually.GetAsync(
            async () =>
            {
                await meanwhile();
                return await FleetAsync(tenant) is var fleet && (string?)fleet["freshness"]!["solveReason"] == reason
                    ? fleet
                    : null;
            },
            $"a solve for {reason}",
            Cancel
        );

    private static async Task<JsonNode> FleetAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        return (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat", Cancel))!;
    }
}
