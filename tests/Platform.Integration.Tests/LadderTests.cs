using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Client;

namespace Platform.Integration.Tests;

/// <summary>
/// A fleet whose definition asks for a ladder: each version carries one, and everybody reads the same.
/// </summary>
public sealed class LadderTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ladder_is_served_applied_shown_compared_and_derived_again()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var without = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        Assert.Null(without["ladder"]);

        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition => definition["solving"]!["ladder"] = new JsonObject { ["rungs"] = 6 }
        );
        var snapshot = await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 2, Cancel);
        var rungs = snapshot["ladder"]!["rungs"]!.AsArray();
        Assert.InRange(rungs.Count, 3, 6);
        Assert.Equal(TokensOf(snapshot["solution"]!), TokensOf(rungs[0]!));
        Assert.All(TokensOf(rungs[^1]!).Values, tokens => Assert.Equal(0, tokens));

        using var source = new AllocationSource(platform.Address, tenant.Key);
        var allocation = await source.GetAsync("chat", Cancel);
        var inFlight = new QueriesInFlight();
        var queries = Enumerable.Range(0, 1_000).Select(_ => inFlight.Begin(allocation, "math").Tokens).ToList();
        Assert.Equal(allocation.Tokens["math"], queries[0]);
        Assert.Equal(0, queries[^1]);

        using var client = tenant.Client();
        var verification = await client.GetFromJsonAsync<JsonNode>(
            "/v1/fleets/chat/allocations/2/verification",
            Cancel
        );
        Assert.True((bool)verification!["matches"]!);
        var comparison = await client.GetFromJsonAsync<JsonNode>(
            "/v1/fleets/chat/allocations/diff?from=1&to=2",
            Cancel
        );
        Assert.True((bool)comparison!["ladderDiffers"]!);
        var same = await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/allocations/diff?from=2&to=2", Cancel);
        Assert.Null(same!["ladderDiffers"]);
    }

    private static Dictionary<string, long> TokensOf(JsonNode answer) =>
        answer["allocation"]!.AsArray().ToDictionary(it => (string)it!["taskType"]!, it => (long)it!["tokens"]!);
}
