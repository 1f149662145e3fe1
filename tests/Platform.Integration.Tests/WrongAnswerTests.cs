using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Integration.Tests.Dashboard;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// What public reports showed, from the first window to what a person reads: the answers, not the machinery.
/// </summary>
public sealed class WrongAnswerTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// 6,000 verdicts at four budgets, none right: the fewest tokens, and a question after the grader.
    /// </summary>
    [Fact]
    public async Task A_task_type_that_is_never_right_gets_the_fewest_tokens_and_says_so()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        long[] budgets = [256, 1_024, 4_096, 16_384];
        await tenant.PublishAsync("chat", Judged(budgets, trials: 1_500, correct: 0), Guid.NewGuid(), Cancel);

        var snapshot = await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);
        var math = Math(snapshot);
        Assert.Equal(0, (long)math["tokens"]!);
        Assert.InRange((double)math["accuracy"]!, 0, 0.01);
        Assert.True((bool)snapshot["validity"]!["taskTypes"]!["math"]!["oneSidedVerdicts"]!["flagged"]!);
        await ConcernAsync(tenant, "neverRight", "Does the grader work");
        await VerifyAsync(tenant, snapshot);
    }

    /// <summary>
    /// No verdict beyond 100 tokens: at most 200, whatever the prior's curve promises; page, snapshot and plan say what
    /// it would be.
    /// </summary>
    [Fact]
    public async Task Budgets_go_up_by_a_step_and_every_door_says_what_is_held_back()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, Quiet);
        await tenant.PublishAsync("chat", Judged([100], trials: 20, correct: 5), Guid.NewGuid(), Cancel);

        // What was in force went far beyond: that alone is a reason for a version.
        var snapshot = await tenant.UntilAllocatedAsync("chat", it => (long)Math(it)["tokens"]! == 200, Cancel);
        var held = Assert.Single(snapshot["heldBack"]!.AsArray(), it => (string?)it!["taskType"] == "math")!;
        Assert.Equal(
            ("evidence", 200, 100),
            ((string)held["reason"]!, (long)held["mostTokens"]!, (long)held["largestBudgetTried"]!)
        );
        Assert.True((long)held["tokensWithout"]! > 200);
        Assert.True((bool)snapshot["validity"]!["taskTypes"]!["math"]!["extrapolation"]!["flagged"]!);
        await VerifyAsync(tenant, snapshot);

        using var client = tenant.Client();
        using var asked = await client.PostAsJsonAsync("/v1/fleets/chat/what-if", new { }, Cancel);
        var plan = await TestPlatform.ReadAsync(asked, Cancel);
        Assert.Contains(plan["heldBack"]!.AsArray(), it => (string?)it!["taskType"] == "math");
        Assert.Contains(plan["heldByPrior"]!.AsArray(), it => (string?)it == "math");
        using var browser = new BrowserSession(platform.Address);
        using var signedIn = await browser.SignInAsync(tenant.Key);
        Assert.Contains(
            "is held back at 200 tokens",
            await browser.TextAsync("/fleets/chat"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "The curve is held by the prior",
            await browser.TextAsync("/fleets/chat"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is held back at 200 tokens",
            await browser.TextAsync("/fleets/chat/plan"),
            StringComparison.Ordinal
        );

        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                Quiet(definition);
                definition["solving"]!["maxStep"] = 4;
            }
        );
        await tenant.UntilAllocatedAsync("chat", it => (long)Math(it)["tokens"]! == 400, Cancel);
    }

    [Fact]
    public async Task Seconds_sent_for_milliseconds_are_asked_after_and_held_back()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var first = (long)Math(await tenant.UntilAllocatedAsync("chat", _ => true, Cancel))["tokens"]!;
        var window = TestTenant.Window("chat");
        window["tasks"] = new JsonArray(
            JsonNode.Parse(
                """
                { "taskType": "math", "arrivals": 3,
                  "service": { "completions": 3, "tokens": 730, "tokensSquared": 179806, "millis": 16, "millisSquared": 86, "tokenMillis": 3929 } }
                """
            )
        );
        await tenant.PublishAsync("chat", window, Guid.NewGuid(), Cancel);
        await ConcernAsync(tenant, "serviceTime", "were seconds sent for milliseconds?");
        using var client = tenant.Client();
        var snapshot = (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/allocation", Cancel))!;
        Assert.True((long)Math(snapshot)["tokens"]! <= 2 * first);
    }

    [Fact]
    public async Task A_server_that_does_many_at_once_is_called_that()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["servers"] = 50);
        var window = TestTenant.Window("chat");
        window["tasks"] = new JsonArray(
            JsonNode.Parse(
                """
                { "taskType": "math", "arrivals": 400,
                  "service": { "completions": 400, "tokens": 598290, "tokensSquared": 930173630, "millis": 1213000, "millisSquared": 3820000000, "tokenMillis": 1885000000 },
                  "system": { "completions": 400, "millis": 1220696, "millisSquared": 3867367475 } }
                """
            )
        );
        await tenant.PublishAsync("chat", window, Guid.NewGuid(), Cancel);
        await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);
        // So many at once that one at a time the servers could not do it, which is said first.
        await ConcernAsync(tenant, "concurrency", "queries at once", "fault");
    }

    /// <summary>So little traffic that many tokens are worth their time.</summary>
    private static void Quiet(JsonObject definition)
    {
        definition["arrivalRate"] = 0.005;
        definition["objective"]!["accuracyWeight"] = 300;
    }

    private static JsonNode Math(JsonNode snapshot) =>
        snapshot["solution"]!["allocation"]!.AsArray().Single(it => (string?)it!["taskType"] == "math")!;

    private static JsonObject Judged(long[] budgets, long trials, long correct)
    {
        var window = TestTenant.Window("chat");
        var verdicts = budgets.Select(tokens => new JsonObject
        {
            ["tokens"] = tokens,
            ["trials"] = trials,
            ["correct"] = correct,
        });
        var task = new JsonObject
        {
            ["taskType"] = "math",
            ["arrivals"] = 1,
            ["accuracy"] = new JsonArray([.. verdicts]),
        };
        window["tasks"] = new JsonArray(task);
        return window;
    }

    private static Task ConcernAsync(TestTenant tenant, string code, string words, string status = "attention") =>
        Eventually.TrueAsync(
            async () =>
            {
                using var client = tenant.Client();
                var fleet = (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat", Cancel))!;
                var concern = fleet["concerns"]!.AsArray().FirstOrDefault(it => (string?)it!["code"] == code);
                return (string?)fleet["health"]!["status"] == status
                    && ((string?)concern?["message"])?.Contains(words, StringComparison.Ordinal) == true;
            },
            $"the concern {code}",
            Cancel
        );

    private static async Task VerifyAsync(TestTenant tenant, JsonNode snapshot)
    {
        using var client = tenant.Client();
        var found = await client.GetFromJsonAsync<JsonNode>(
            $"/v1/fleets/chat/allocations/{(int)snapshot["version"]!}/verification",
            Cancel
        );
        Assert.True((bool)found!["matches"]! && (bool)found["chainIntact"]!, found.ToJsonString());
    }
}
