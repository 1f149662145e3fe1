using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Integration.Tests.Dashboard;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>Fleets with more traffic than they can carry: what is granted, what is said, and how it ends.</summary>
public sealed class OverloadedFleetTests(TestPlatform platform) : IAsyncLifetime
{
    private TestTenant _tenant = null!;
    private HttpClient _client = null!;
    private WebhookReceiver _receiver = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        _tenant = await platform.CreateTenantAsync(Cancel);
        _client = _tenant.Client();
        using var put = await _client.PutAsJsonAsync("/v1/webhooks/gateway", new { url = _receiver.Url("/") }, Cancel);
        Assert.True(put.IsSuccessStatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_fleet_that_never_had_a_version_gets_the_fewest_tokens_and_leaves_them_by_itself()
    {
        await _tenant.PutFleetAsync("chat", Cancel, definition => definition["arrivalRate"] = 1_000.0);
        var fewest = await _tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        Assert.Equal((1, "unstable"), ((int)fewest["version"]!, (string)fewest["shortfall"]!["reason"]!));
        Assert.Equal([0L, 0L], fewest["solution"]!["allocation"]!.AsArray().Select(type => (long)type!["tokens"]!));
        // 0.28 s a query, 0.95 of the time.
        Assert.Equal(295, (int)fewest["shortfall"]!["serversNeeded"]!);

        var told = JsonNode.Parse((await _receiver.NextAsync()).Body)!["data"]!;
        Assert.Equal((1, "allocation-published"), ((int)told["version"]!, (string)told["cause"]!));
        Assert.StartsWith(
            "unstable: the fewest tokens allowed carry at most 3.39286 arrivals per second; 295 servers, or ",
            (string)told["reason"]!,
            StringComparison.Ordinal
        );

        // Solves go on, once a second, and none of them writes the same again.
        await SolvesAsync(2);
        var fleet = await GetAsync("");
        Assert.Equal(("fault", 1), ((string)fleet["health"]!["status"]!, (int)fleet["latestVersion"]!));
        Assert.StartsWith("unstable: ", (string)fleet["health"]!["detail"]!, StringComparison.Ordinal);
        Assert.Contains("The fewest tokens allowed are granted.", await PageAsync(), StringComparison.Ordinal);
        await FewestIsListedAsync();

        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < 30; i++)
            await _tenant.PublishAsync(
                "chat",
                TestTenant.Window("chat", end: now.AddSeconds(-10 * i)),
                Guid.NewGuid(),
                Cancel
            );
        var ordinary = await _tenant.UntilAllocatedAsync("chat", it => it["shortfall"] is null, Cancel);
        Assert.True((double)ordinary["solution"]!["meanTokens"]! > 0);
        Assert.DoesNotContain(
            "unstable",
            (string?)(await GetAsync(""))["health"]!["detail"] ?? "",
            StringComparison.Ordinal
        );
        var lines = (await GetAsync("/allocations"))["items"]!.AsArray();
        Assert.Null(lines[0]!["shortfallReason"]);
        Assert.Equal("unstable", (string)lines[^1]!["shortfallReason"]!);
        await VerifiesAsync((int)ordinary["version"]!);
    }

    [Fact]
    public async Task Approval_does_not_keep_in_force_what_the_servers_cannot_carry()
    {
        await ApprovedAsync(emergency: null);
        await RushAsync();
        var told = JsonNode.Parse((await _receiver.NextAsync()).Body)!["data"]!;
        Assert.Equal(("allocation-emergency", null), ((string)told["cause"]!, (string?)told["by"]));
        Assert.StartsWith("version 1 gave the servers ", (string)told["reason"]!, StringComparison.Ordinal);
        var after = await GetAsync($"/allocations/{told["version"]}");
        Assert.True(
            (double)after["solution"]!["meanTokens"]! < 500,
            $"{after["solution"]!["meanTokens"]} tokens in the mean"
        );

        var published = (await GetAsync("/events"))["items"]!
            .AsArray()
            .Single(it => (int?)it!["data"]!["version"] == (int)after["version"]!)!["data"]!;
        Assert.StartsWith("version 1 gave the servers ", (string)published["emergency"]!, StringComparison.Ordinal);
        Assert.Null(published["proposedUntil"]);
        Assert.Contains(
            ", in force at once, as an emergency: version 1 gave the servers ",
            await PageAsync(),
            StringComparison.Ordinal
        );
        await VerifiesAsync((int)after["version"]!);
    }

    [Fact]
    public async Task A_definition_can_forbid_that_and_is_then_told_what_it_does()
    {
        await ApprovedAsync(emergency: "wait");
        await RushAsync();
        await UnstableIsToldOnceAsync("The version in force, 1, gives the servers ");
        var labels = (await GetAsync(""))["labels"]!;
        Assert.Equal(1, (int)labels["inForce"]!);
        Assert.True((int)labels["proposal"]!["version"]! > 1);
    }

    [Fact]
    public async Task A_pinned_version_stays_and_everybody_hears_what_it_does()
    {
        await _tenant.PutFleetAsync("chat", Cancel, WantAccuracy);
        await _tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        Assert.Equal(
            "allocation-published",
            (string)JsonNode.Parse((await _receiver.NextAsync()).Body)!["data"]!["cause"]!
        );
        using var pinned = await _client.PostAsJsonAsync(
            "/v1/fleets/chat/allocations/1/pin",
            new { reason = "a comparison runs" },
            Cancel
        );
        Assert.True(pinned.IsSuccessStatusCode);
        await RushAsync();
        await UnstableIsToldOnceAsync("The pinned version 1 gives the servers ");
        Assert.Equal(1, (int)(await GetAsync("/allocation"))["version"]!);
        Assert.True((int)(await GetAsync(""))["latestVersion"]! > 1, "solves go on");
        Assert.Contains("The pinned version 1 gives the servers ", await PageAsync(), StringComparison.Ordinal);
    }

    /// <summary>Some thousand tokens for math while there is little traffic.</summary>
    private static void WantAccuracy(JsonObject definition) => definition["objective"]!["accuracyWeight"] = 300.0;

    /// <summary>A fleet whose versions wait for approval, with version 1 in force.</summary>
    private async Task ApprovedAsync(string? emergency)
    {
        await _tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                WantAccuracy(definition);
                definition["solving"]!["approvalSeconds"] = 3_600;
                if (emergency is not null)
                    definition["solving"]!["emergency"] = emergency;
            }
        );
        await Eventually.TrueAsync(
            async () => (await GetAsync(""))["labels"]!["proposal"] is not null,
            "a proposal",
            Cancel
        );
        using var approved = await _client.PostAsJsonAsync(
            "/v1/fleets/chat/allocations/1/approval",
            new { reason = "looked at" },
            Cancel
        );
        Assert.True(approved.IsSuccessStatusCode);
        Assert.Equal(
            "allocation-approved",
            (string)JsonNode.Parse((await _receiver.NextAsync()).Body)!["data"]!["cause"]!
        );
    }

    /// <summary>Ten minutes of two queries a second, at which 0.02 s a token allow few.</summary>
    private async Task RushAsync()
    {
        await using var publisher = await _tenant.ConnectAsync(Cancel);
        var now = TimeProvider.System.GetUtcNow();
        for (var i = 0; i < 60; i++)
        {
            var window = StrictJson.Write<JsonNode>(TestTenant.Window("chat", load: 20, now.AddSeconds(-10 * i)));
            await publisher.PublishAsync("chat", window, Guid.NewGuid(), Cancel);
        }
    }

    private async Task UnstableIsToldOnceAsync(string beginning)
    {
        var told = JsonNode.Parse("{}")!;
        while ((string?)told["cause"] != "allocation-unstable")
            told = JsonNode.Parse((await _receiver.NextAsync()).Body)!["data"]!;
        Assert.Equal(1, (int)told["version"]!);
        Assert.StartsWith(beginning, (string)told["reason"]!, StringComparison.Ordinal);
        await SolvesAsync(3);
        Assert.Equal(
            1,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from platform.in_force_changes where tenant_id = '{_tenant.Id}' and cause = 'allocation-unstable'",
                Cancel
            )
        );
        Assert.Empty(_receiver.Rest);
        var fleet = await GetAsync("");
        Assert.Equal("attention", (string)fleet["health"]!["status"]!);
        var concern = fleet["concerns"]!.AsArray().Single(it => (string)it!["code"]! == "unstableInForce")!;
        Assert.StartsWith(beginning, (string)concern["message"]!, StringComparison.Ordinal);
        Assert.Equal((DateTimeOffset)told["at"]!, (DateTimeOffset)concern["since"]!);
        Assert.True(
            (DateTimeOffset)fleet["inForceSince"]! < (DateTimeOffset)told["at"]!,
            "it has been in force for longer"
        );
    }

    /// <summary>Every list of versions marks one that grants the fewest tokens.</summary>
    private async Task FewestIsListedAsync()
    {
        const string Mark = "fewest tokens: the servers carry no more";
        Assert.Equal("unstable", (string)(await GetAsync("/allocations"))["items"]![0]!["shortfallReason"]!);
        var fleets = (await _client.GetFromJsonAsync<JsonNode>("/v1/allocations", Cancel))!["items"]!;
        Assert.Equal("unstable", (string)fleets[0]!["inForce"]!["shortfallReason"]!);
        Assert.Contains(Mark, await PageAsync("/"), StringComparison.Ordinal);
        Assert.Contains(Mark, await PageAsync("/fleets/chat/history"), StringComparison.Ordinal);
    }

    /// <summary>Waits for so many more solves, of which there is one a second.</summary>
    private async Task SolvesAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var solved = (string)(await GetAsync(""))["freshness"]!["solvedAt"]!;
            await Eventually.TrueAsync(
                async () => (string)(await GetAsync(""))["freshness"]!["solvedAt"]! != solved,
                "another solve",
                Cancel
            );
        }
    }

    private async Task VerifiesAsync(int versions)
    {
        for (var version = 1; version <= versions; version++)
        {
            var verification = await GetAsync($"/allocations/{version}/verification");
            Assert.True(
                (bool)verification["matches"]! && (bool)verification["chainIntact"]!,
                $"{version}: {verification}"
            );
        }
    }

    private async Task<JsonNode> GetAsync(string path)
    {
        using var answer = await _client.GetAsync(new Uri($"/v1/fleets/chat{path}", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
    }

    private async Task<string> PageAsync(string path = "/fleets/chat")
    {
        using var session = new BrowserSession(platform.Address);
        using var signedIn = await session.SignInAsync(_tenant.Key);
        return await session.TextAsync(path);
    }
}
