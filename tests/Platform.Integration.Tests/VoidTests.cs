using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Cli.Verification;
using Platform.Integration.Tests.Dashboard;
using Platform.Persistence;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// A counter that was sent as a delta makes a fleet unsolvable; its health says what to do, and that mends it.
/// </summary>
public sealed class VoidTests(TestPlatform platform)
{
    private const int Poison = 1_200_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_poisoned_window_is_named_and_voided_and_the_fleet_is_solved_again()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        var poison = Guid.NewGuid();
        await tenant.PublishAsync("chat", Poisoned(), poison, Cancel);
        var detail = (string)(await UntilHealthAsync(tenant, "fault"))["health"]!["detail"]!;
        Assert.StartsWith("unstable: ", detail, StringComparison.Ordinal);
        Assert.Contains("of the arrivals: 1,200,000 from ", detail, StringComparison.Ordinal);
        Assert.Contains(
            $"POST /v1/fleets/chat/voids with {{\"messageId\": \"{poison}\"",
            detail,
            StringComparison.Ordinal
        );

        using var client = tenant.Client();
        using var voided = await PostAsync(
            client,
            "chat",
            new { reason = "a counter sent as a delta", messageId = poison }
        );
        Assert.Equal(HttpStatusCode.Created, voided.StatusCode);
        var answer = await TestPlatform.ReadAsync(voided, Cancel);
        Assert.Equal(
            (1, Poison, 2),
            ((int)answer["windows"]!, (int)answer["arrivals"]!, (int)answer["workloadVersion"]!)
        );
        await UntilHealthAsync(tenant, "ok");

        await AssertShownAsync(tenant, client, answer);
        await AssertDerivesAsync(tenant, client);
    }

    [Fact]
    public async Task A_request_that_says_it_twice_or_not_at_all_or_matches_nothing_is_refused_in_words()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var client = tenant.Client();
        var now = TimeProvider.System.GetUtcNow();
        (object Body, HttpStatusCode Status, string Words)[] requests =
        [
            (new { reason = "a test" }, HttpStatusCode.BadRequest, "either messageId, or from and to"),
            (
                new
                {
                    reason = "a test",
                    messageId = Guid.NewGuid(),
                    from = now,
                    to = now.AddHours(1),
                },
                HttpStatusCode.BadRequest,
                "either messageId, or from and to"
            ),
            (new { reason = " ", messageId = Guid.NewGuid() }, HttpStatusCode.BadRequest, "/reason"),
            (
                new
                {
                    reason = "a test",
                    from = now,
                    to = now.AddHours(-1),
                },
                HttpStatusCode.BadRequest,
                "/to"
            ),
            (
                new
                {
                    reason = "a test",
                    from = now.AddDays(-9),
                    to = now,
                },
                HttpStatusCode.BadRequest,
                "at most 8 days ago"
            ),
            (
                new
                {
                    reason = "a test",
                    from = now.AddHours(-1),
                    to = now,
                },
                HttpStatusCode.Conflict,
                "no stored window of the fleet overlaps"
            ),
            (
                new { reason = "a test", messageId = Guid.NewGuid() },
                HttpStatusCode.Conflict,
                "no stored window of the fleet came with the message"
            ),
        ];
        foreach (var (body, status, words) in requests)
        {
            using var refused = await PostAsync(client, "chat", body);
            Assert.Equal(status, refused.StatusCode);
            Assert.Contains(words, await refused.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        using var missing = await PostAsync(client, "none", new { reason = "a test", messageId = Guid.NewGuid() });
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task A_stretch_of_time_is_voided_and_the_same_again_changes_nothing()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        for (var i = 0; i < 3; i++)
            await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync("chat", 3, Cancel);
        using var client = tenant.Client();
        var now = TimeProvider.System.GetUtcNow();
        var request = new
        {
            reason = "a load test",
            from = now.AddMinutes(-10),
            to = now.AddMinutes(1),
        };
        using var first = await PostAsync(client, "chat", request);
        using var again = await PostAsync(client, "chat", request);
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        var answer = await TestPlatform.ReadAsync(first, Cancel);
        Assert.Equal(3, (int)answer["windows"]!);
        Assert.Equal(answer.ToJsonString(), (await TestPlatform.ReadAsync(again, Cancel)).ToJsonString());
        var estimate = await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/estimate", Cancel);
        Assert.Equal((0, null), ((int)estimate!["arrivals"]!, (string?)estimate["lastWindowEnd"]));
    }

    private async Task AssertShownAsync(TestTenant tenant, HttpClient client, JsonNode answer)
    {
        var listed = Assert.Single(
            (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/voids", Cancel))!["items"]!.AsArray()
        )!;
        Assert.Equal(answer.ToJsonString(), listed.ToJsonString());
        var events = (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/events", Cancel))!["items"]!.AsArray();
        Assert.Equal(
            "a counter sent as a delta",
            (string)events.Single(it => (string)it!["type"]! == "workload-voided")!["data"]!["reason"]!
        );
        var logged = await Eventually.GetAsync(
            async () =>
                (await client.GetFromJsonAsync<JsonNode>("/v1/audit", Cancel))!["items"]!
                    .AsArray()
                    .FirstOrDefault(it => (string)it!["event"]! == "workload-voided"),
            "the void in the log",
            Cancel
        );
        Assert.Equal(("chat", "default"), ((string)logged["fleet"]!, (string)logged["data"]!["by"]!));
        using var browser = new BrowserSession(platform.Address);
        using var signedIn = await browser.SignInAsync(tenant.Key);
        var page = await browser.TextAsync("/fleets/chat");
        Assert.Contains("Voided windows", page, StringComparison.Ordinal);
        Assert.Contains("a counter sent as a delta", page, StringComparison.Ordinal);
    }

    /// <summary>A version that knows of the void derives again, alone and with all.</summary>
    private static async Task AssertDerivesAsync(TestTenant tenant, HttpClient client)
    {
        var revised = await tenant.PutFleetAsync("chat", Cancel, definition => definition["displayName"] = "Revised");
        var snapshot = await tenant.UntilAllocatedAsync(
            "chat",
            it => (int)it["provenance"]!["definitionRevision"]! == (int)revised["revision"]!,
            Cancel
        );
        Assert.Equal(2, (int)snapshot["provenance"]!["workloadVersion"]!);
        await using var store = new PlatformStore(tenant.Platform.Database.ConnectionString);
        var report = await VerifyCommand.VerifyAsync(store, tenant.Id, null, null, Cancel);
        Assert.Equal((0, (int)snapshot["version"]!), (report.ExitStatus, report.Versions));
        for (var version = 1; version <= (int)snapshot["version"]!; version++)
        {
            var found = await client.GetFromJsonAsync<JsonNode>(
                $"/v1/fleets/chat/allocations/{version}/verification",
                Cancel
            );
            Assert.True((bool)found!["matches"]! && (bool)found["chainIntact"]!, found.ToJsonString());
        }
    }

    private static JsonObject Poisoned()
    {
        var window = TestTenant.Window("chat");
        window["tasks"]![0]!["arrivals"] = Poison;
        return window;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string fleet, object body) =>
        client.PostAsJsonAsync($"/v1/fleets/{fleet}/voids", body, Cancel);

    private static async Task<JsonNode> UntilHealthAsync(TestTenant tenant, string status)
    {
        using var client = tenant.Client();
        return await Eventually.GetAsync(
            async () =>
                await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat", Cancel) is { } it
                && (string)it["health"]!["status"]! == status
                    ? it
                    : null,
            $"the health {status}",
            Cancel
        );
    }
}
