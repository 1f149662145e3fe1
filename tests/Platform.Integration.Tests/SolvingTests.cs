using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.Persistence;
using Platform.Persistence.Solving;
using Platform.Testing;
using Platform.Workers.Solving;

namespace Platform.Integration.Tests;

public sealed class SolvingTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_many_solves_of_one_fleet_at_once_each_version_has_one_winner_and_there_is_no_gap()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["everySeconds"] = 86_400);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await using var store = new PlatformStore(platform.Database.ConnectionString);

        var wins = 0;
        for (var round = 1; round <= 5; round++)
        {
            await tenant.PutFleetAsync(
                "chat",
                Cancel,
                definition =>
                {
                    definition["solving"]!["everySeconds"] = 86_400;
                    definition["objective"]!["accuracyWeight"] = 30 + round;
                }
            );
            var solves = await Task.WhenAll(
                Enumerable
                    .Range(0, 6)
                    .Select(_ =>
                        new FleetSolving(
                            new SolveStore(store),
                            TimeProvider.System,
                            NullLogger<FleetSolving>.Instance
                        ).SolveAsync(tenant.Id, ["chat"], TimeProvider.System.GetUtcNow(), Cancel)
                    )
            );
            wins += solves.Sum(figures => figures.Published + figures.Confirmed);
        }

        Assert.True(wins >= 5, "somebody wins each round");
        var versions = await HistoryAsync(tenant, "chat");
        Assert.Equal(Enumerable.Range(1, versions.Count).Reverse(), versions.Select(line => (int)line!["version"]!));
        Assert.Equal(versions.Count, await PublishedEventsAsync(tenant));
    }

    [Fact]
    public async Task A_snapshot_without_news_is_confirmed_rather_than_repeated()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        var solvedAt = await SolvedAtAsync(tenant);

        await Eventually.TrueAsync(async () => await SolvedAtAsync(tenant) != solvedAt, "the next solve", Cancel);
        Assert.Single(await HistoryAsync(tenant, "chat"));
    }

    [Fact]
    public async Task A_solve_on_demand_comes_long_before_the_period_is_over()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["everySeconds"] = 86_400);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 30), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync("chat", 1, Cancel);

        using var client = tenant.Client();
        using var answer = await client.PostAsync(new Uri("/v1/fleets/chat/solve", UriKind.Relative), null, Cancel);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
        await tenant.UntilAllocatedAsync(
            "chat",
            snapshot => (long)snapshot["provenance"]!["workloadVersion"]! == 1,
            Cancel
        );
    }

    [Fact]
    public async Task Each_snapshot_hashes_to_its_entity_tag_and_names_the_hash_of_the_one_before()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 10);
        await tenant.UntilAllocatedAsync("chat", snapshot => (int)snapshot["version"]! == 2, Cancel);

        using var client = tenant.Client();
        string? previous = null;
        for (var version = 1; version <= 2; version++)
        {
            using var answer = await client.GetAsync(
                new Uri($"/v1/fleets/chat/allocations/{version}", UriKind.Relative),
                Cancel
            );
            var body = await answer.Content.ReadAsByteArrayAsync(Cancel);
            var hash = Convert.ToHexStringLower(SHA256.HashData(body));
            Assert.Equal($"\"{hash}\"", answer.Headers.ETag!.Tag);
            Assert.Equal(previous, (string?)JsonNode.Parse(body)!["provenance"]!["previousHash"]);
            Assert.Equal("private, immutable, max-age=31536000", Sorted(answer.Headers.CacheControl!.ToString()));
            previous = hash;
        }
    }

    [Fact]
    public async Task What_no_budget_can_carry_is_said_in_the_fleets_health_and_gets_the_fewest_tokens()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["arrivalRate"] = 1_000.0);

        var fleet = await Eventually.GetAsync(
            async () => await FleetAsync(tenant) is var it && (string)it["health"]!["status"]! == "fault" ? it : null,
            "the fault",
            Cancel
        );
        Assert.StartsWith("unstable: ", (string)fleet["health"]!["detail"]!, StringComparison.Ordinal);
        Assert.Equal((2, 2), ((int)fleet["latestVersion"]!, (int)fleet["labels"]!["inForce"]!));
        var snapshot = await tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == 2, Cancel);
        Assert.Equal(0, (double)snapshot["solution"]!["meanTokens"]!);
    }

    [Fact]
    public async Task A_shorter_horizon_folds_the_windows_anew()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        for (var i = 0; i < 3; i++)
            await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 9), Guid.NewGuid(), Cancel);
        await tenant.UntilAllocatedOnAsync("chat", 3, Cancel);

        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["horizonSeconds"] = 3_600);
        var snapshot = await tenant.UntilAllocatedAsync(
            "chat",
            it => (int)it["provenance"]!["definitionRevision"]! == 3,
            Cancel
        );
        Assert.Equal(3, (long)snapshot["provenance"]!["workloadVersion"]!);
        Assert.True((double)snapshot["problem"]!["arrivalRate"]! > 0.1, "the windows still count");
    }

    private static async Task<JsonArray> HistoryAsync(TestTenant tenant, string fleet)
    {
        using var client = tenant.Client();
        return (await client.GetFromJsonAsync<JsonNode>($"/v1/fleets/{fleet}/allocations", Cancel))![
            "items"
        ]!.AsArray();
    }

    private static async Task<JsonNode> FleetAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        return (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat", Cancel))!;
    }

    private static async Task<string> SolvedAtAsync(TestTenant tenant) =>
        (await FleetAsync(tenant))["freshness"]!["solvedAt"]!.ToString();

    private Task<long> PublishedEventsAsync(TestTenant tenant) =>
        platform.Database.QueryAsync<long>(
            $"select count(*) from events.mt_events where tenant_id = '{tenant.Id}' and type = 'allocation-published'",
            Cancel
        );

    private static string Sorted(string list) =>
        string.Join(", ", list.Split(", ").Order(StringComparer.Ordinal).OrderBy(part => part.Length));
}
