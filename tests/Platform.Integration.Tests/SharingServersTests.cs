using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Integration.Tests.Dashboard;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>Servers that batch: the windows of a simulated server in, an allocation out.</summary>
public sealed class SharingServersTests(TestPlatform platform)
{
    private const int Windows = 300;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// The definition is a third off and says nothing of the overhead. What shared grants on the same windows is
    /// written beside it; OtherDisciplinesTests says where that leads once its own allocation is served.
    /// </summary>
    [Fact]
    public async Task Windows_of_a_server_that_batches_bring_the_allocation_near_the_optimum()
    {
        var traffic = new BatchedTraffic(TimeProvider.System.GetUtcNow(), Windows, seed: 21);
        var best = AllocationSolver.Solve(BatchedTraffic.Truth);
        var tenant = await platform.CreateTenantAsync(Cancel);
        var sharing = await AllocatedAsync(tenant, traffic, "sharing", Definition("sharing", 1));
        var shared = await AllocatedAsync(tenant, traffic, "shared", Definition("shared", 60));
        var (ofSharing, ofShared) = (Objective(sharing), Objective(shared));
        TestContext.Current.TestOutputHelper!.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{traffic.Queries} queries: optimum {best.Objective:0.00}, sharing {ofSharing:0.00}, "
                    + $"shared {ofShared:0.00}, best single budget {best.Uniform!.Objective:0.00}"
            )
        );
        Assert.InRange(traffic.Queries, 12_000, 24_000);
        Assert.True(ofSharing >= 0.99 * best.Objective, $"{ofSharing} against {best.Objective}");
        await VerifyAsync(tenant, "sharing", sharing);
        await PageAsync(tenant);
    }

    [Fact]
    public async Task Split_calls_such_a_server_unstable_and_says_what_it_is()
    {
        var traffic = new BatchedTraffic(TimeProvider.System.GetUtcNow(), 30, seed: 22);
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var client = tenant.Client();
        using var put = await client.PutAsJsonAsync("/v1/fleets/split", Definition("split", 1), Cancel);
        await PublishAsync(tenant, traffic, "split");
        await Eventually.TrueAsync(
            async () =>
            {
                var fleet = await client.GetStringAsync(new Uri("/v1/fleets/split", UriKind.Relative), Cancel);
                return fleet.Contains("dispatch should be sharing", StringComparison.Ordinal);
            },
            "the fleet to be told that its servers batch",
            Cancel
        );
        var question = new { dispatch = "sharing" };
        using var answer = await client.PostAsJsonAsync("/v1/fleets/split/what-if", question, Cancel);
        var plan = await TestPlatform.ReadAsync(answer, Cancel);
        Assert.NotNull(plan["problem"]!["sharing"]!["overheadSecondsPerToken"]);
    }

    private static async Task<JsonNode> AllocatedAsync(
        TestTenant tenant,
        BatchedTraffic traffic,
        string fleet,
        JsonObject definition
    )
    {
        using var client = tenant.Client();
        using var put = await client.PutAsJsonAsync($"/v1/fleets/{fleet}", definition, Cancel);
        await TestPlatform.ReadAsync(put, Cancel);
        await PublishAsync(tenant, traffic, fleet);
        await tenant.UntilStoredAsync(fleet, Windows, Cancel);
        definition["displayName"] = "Revised";
        using var revised = await client.PutAsJsonAsync($"/v1/fleets/{fleet}", definition, Cancel);
        var revision = (int)(await TestPlatform.ReadAsync(revised, Cancel))["revision"]!;
        return await tenant.UntilAllocatedAsync(fleet, it => IsOn(it["provenance"]!, revision), Cancel);

        static bool IsOn(JsonNode provenance, int revision) =>
            (long)provenance["workloadVersion"]! == Windows && (int)provenance["definitionRevision"]! == revision;
    }

    private static async Task PublishAsync(TestTenant tenant, BatchedTraffic traffic, string fleet)
    {
        await using var publisher = await tenant.ConnectAsync(Cancel);
        foreach (var window in traffic.Windows(fleet))
            await publisher.PublishAsync(fleet, StrictJson.Write(window), Guid.NewGuid(), Cancel);
    }

    /// <summary>The true objective of an allocation at one arrival a second.</summary>
    private static double Objective(JsonNode snapshot)
    {
        long[] tokens = [.. snapshot["solution"]!["allocation"]!.AsArray().Select(type => (long)type!["tokens"]!)];
        return AllocationSolver.Objective(BatchedTraffic.Truth, tokens);
    }

    /// <summary>Service lines a third too slow, the accuracy curves right, and α left out.</summary>
    private static JsonObject Definition(string dispatch, int servers) =>
        new()
        {
            ["displayName"] = "Batching",
            ["servers"] = servers,
            ["dispatch"] = dispatch,
            ["objective"] = new JsonObject { ["accuracyWeight"] = BatchedTraffic.Truth.AccuracyWeight },
            ["arrivalRate"] = 0.8,
            ["taskTypes"] = new JsonArray([.. BatchedTraffic.Truth.TaskTypes.Select(type => TaskType(type, dispatch))]),
            ["solving"] = new JsonObject { ["everySeconds"] = 1, ["horizonSeconds"] = 21_600 },
        };

    private static JsonNode TaskType(TaskType type, string dispatch) =>
        JsonSerializer.SerializeToNode(
            type with
            {
                AnswerTokens = dispatch == "sharing" ? type.AnswerTokens : 0,
                Service = new ServiceLine(type.Service.BaseSeconds * 1.3, type.Service.SecondsPerToken * 1.3),
            },
            StrictJson.Options
        )!;

    private static async Task VerifyAsync(TestTenant tenant, string fleet, JsonNode snapshot)
    {
        using var client = tenant.Client();
        var address = $"/v1/fleets/{fleet}/allocations/{(int)snapshot["version"]!}/verification";
        var found = await client.GetFromJsonAsync<JsonNode>(address, Cancel);
        Assert.True((bool)found!["matches"]! && (bool)found["chainIntact"]!, found.ToJsonString());
    }

    private async Task PageAsync(TestTenant tenant)
    {
        using var browser = new BrowserSession(platform.Address);
        using var signedIn = await browser.SignInAsync(tenant.Key);
        var page = await browser.TextAsync("/fleets/sharing");
        Assert.Contains("many at once: servers that batch", page, StringComparison.Ordinal);
        Assert.Contains("the servers saturate at", page, StringComparison.Ordinal);
        Assert.Contains("Between two tokens", page, StringComparison.Ordinal);
        var plan = await browser.TextAsync("/fleets/sharing/plan");
        Assert.Contains("servers that batch: all in service share one", plan, StringComparison.Ordinal);
    }
}
