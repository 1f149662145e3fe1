using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Platform.Integration.Tests;

/// <summary>Lists and their cursors, and the list of what is in force for all fleets.</summary>
public sealed class ListTests(TestPlatform platform) : IAsyncLifetime
{
    private TestTenant _tenant = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tenant = await platform.CreateTenantAsync(Cancel);
        _client = _tenant.Client();
        foreach (var fleet in (string[])["a", "b", "c"])
            await PutAsync(_tenant, fleet);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }

    [Fact]
    public async Task A_cursor_goes_on_with_its_own_list_on_every_process()
    {
        using var other = platform.Client(_tenant.Key, await platform.StartApiAsync([]));
        var cursor = await CursorAsync("/v1/fleets?limit=1");
        foreach (var client in (HttpClient[])[_client, other])
        {
            var page = await client.GetFromJsonAsync<JsonNode>($"/v1/fleets?limit=2&cursor={cursor}", Cancel);
            Assert.Equal(["b", "c"], page!["items"]!.AsArray().Select(item => (string)item!["id"]!));
            Assert.Null(page["nextCursor"]);
        }
    }

    [Fact]
    public async Task A_cursor_is_good_for_no_other_list_tenant_fleet_or_filter()
    {
        await VersionsAsync("a", 2);
        await VersionsAsync("b", 2);
        var other = await platform.CreateTenantAsync(Cancel);
        await PutAsync(other, "a");
        using var foreign = other.Client();

        var fleets = await CursorAsync("/v1/fleets?limit=1");
        await RefusedAsync(foreign, $"/v1/fleets?cursor={fleets}");
        await RefusedAsync(_client, $"/v1/allocations?cursor={fleets}");
        await RefusedAsync(_client, $"/v1/fleets?tag=x&cursor={fleets}");
        await RefusedAsync(_client, $"/v1/fleets?cursor={await CursorAsync("/v1/fleets?limit=1&tag=x")}");
        var history = await CursorAsync("/v1/fleets/a/allocations?limit=1");
        await RefusedAsync(_client, $"/v1/fleets/b/allocations?cursor={history}");
        await RefusedAsync(_client, $"/v1/fleets/a/events?cursor={history}");
        using var tenants = platform.Operator;
        await RefusedAsync(tenants, $"/v1/tenants?cursor={fleets}");
    }

    [Fact]
    public async Task A_cursor_that_was_made_up_or_changed_is_refused()
    {
        var cursor = await CursorAsync("/v1/fleets?limit=1");
        await RefusedAsync(_client, $"/v1/fleets?cursor={Convert.ToBase64String(Encoding.UTF8.GetBytes("a"))}");
        await RefusedAsync(_client, $"/v1/fleets?cursor={cursor[..^2]}{(cursor[^2] == 'A' ? 'B' : 'A')}{cursor[^1]}");
        await RefusedAsync(_client, $"/v1/fleets?cursor={(cursor[0] == 'A' ? 'B' : 'A')}{cursor[1..]}");
    }

    [Fact]
    public async Task Events_go_on_after_a_version_and_after_a_cursor()
    {
        await VersionsAsync("a", 3);
        Assert.Equal([3, 4], await EventsAsync("after=2&limit=2"));
        var cursor = await CursorAsync("/v1/fleets/a/events?after=2&limit=2");
        Assert.Equal([5, 6], await EventsAsync($"cursor={cursor}"));
        Assert.Equal([5, 6], await EventsAsync($"after=2&limit=2&cursor={cursor}"));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await _client.GetAsync(new Uri("/v1/fleets/a/events?after=-1", UriKind.Relative), Cancel)).StatusCode
        );
    }

    [Fact]
    public async Task One_call_tells_what_is_in_force_for_every_fleet()
    {
        await VersionsAsync("b", 2);
        using var pinned = await _client.PostAsJsonAsync(
            "/v1/fleets/b/allocations/1/pin",
            new { reason = "hold" },
            Cancel
        );
        await _tenant.PutFleetAsync(
            "proposed",
            Cancel,
            definition => definition["solving"]!["approvalSeconds"] = 86_400
        );
        await _tenant.PutFleetAsync("retired", Cancel);
        await _tenant.UntilAllocatedAsync("a", _ => true, Cancel);
        await _tenant.UntilAllocatedAsync("c", _ => true, Cancel);
        using var retired = await _client.DeleteAsync(new Uri("/v1/fleets/retired", UriKind.Relative), Cancel);

        var first = await GetAsync("/v1/allocations?limit=2");
        var rest = await GetAsync($"/v1/allocations?cursor={first["nextCursor"]}");
        JsonNode[] items = [.. first["items"]!.AsArray()!, .. rest["items"]!.AsArray()!];
        Assert.Equal(["a", "b", "c", "proposed"], items.Select(item => (string)item["fleet"]!));
        Assert.Null(items[3]["inForce"]);
        Assert.Equal(1, (int)items[1]["inForce"]!["version"]!);
        foreach (var item in items[..3])
            await IsInForceAsync((string)item["fleet"]!, item["inForce"]!);
    }

    [Fact]
    public async Task Who_has_the_page_is_told_so_until_something_else_is_in_force()
    {
        await VersionsAsync("a", 2);
        await _tenant.UntilAllocatedAsync("b", _ => true, Cancel);
        await _tenant.UntilAllocatedAsync("c", _ => true, Cancel);
        using var first = await _client.GetAsync(new Uri("/v1/allocations", UriKind.Relative), Cancel);
        _client.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        using var same = await _client.GetAsync(new Uri("/v1/allocations", UriKind.Relative), Cancel);
        Assert.Equal((HttpStatusCode.NotModified, first.Headers.ETag), (same.StatusCode, same.Headers.ETag));

        using var pinned = await _client.PostAsJsonAsync(
            "/v1/fleets/a/allocations/1/pin",
            new { reason = "hold" },
            Cancel
        );
        using var changed = await _client.GetAsync(new Uri("/v1/allocations", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.NotEqual(first.Headers.ETag, changed.Headers.ETag);
    }

    /// <summary>The item says what the fleet's own calls say.</summary>
    private async Task IsInForceAsync(string fleet, JsonNode item)
    {
        using var answer = await _client.GetAsync(new Uri($"/v1/fleets/{fleet}/allocation", UriKind.Relative), Cancel);
        var snapshot = await TestPlatform.ReadAsync(answer, Cancel);
        var solution = snapshot["solution"]!;
        var wanted = new JsonObject
        {
            ["version"] = snapshot["version"]!.DeepClone(),
            ["hash"] = answer.Headers.ETag!.Tag.Trim('"'),
            ["since"] = (await GetAsync($"/v1/fleets/{fleet}"))["inForceSince"]!.DeepClone(),
            ["tokens"] = new JsonArray([
                .. solution["allocation"]!
                    .AsArray()
                    .Select(type => new JsonObject
                    {
                        ["taskType"] = type!["taskType"]!.DeepClone(),
                        ["tokens"] = type["tokens"]!.DeepClone(),
                    }),
            ]),
        };
        foreach (var figure in (string[])["objective", "meanAccuracy", "meanSystemTimeSeconds", "utilization"])
            wanted[figure] = solution[figure]!.DeepClone();
        Assert.True(JsonNode.DeepEquals(wanted, item), $"{wanted} {item}");
    }

    private static Task<JsonNode> PutAsync(TestTenant tenant, string fleet, int revision = 1) =>
        tenant.PutFleetAsync(
            fleet,
            Cancel,
            definition =>
            {
                definition["displayName"] = $"Revision {revision}";
                definition["solving"]!["everySeconds"] = 86_400;
            }
        );

    /// <summary>A version for each revision.</summary>
    private async Task VersionsAsync(string fleet, int count)
    {
        for (var version = 1; version <= count; version++)
        {
            await PutAsync(_tenant, fleet, version);
            await _tenant.UntilAllocatedAsync(fleet, it => (int)it["version"]! == version, Cancel);
        }
    }

    private async Task<JsonNode> GetAsync(string path) => (await _client.GetFromJsonAsync<JsonNode>(path, Cancel))!;

    private async Task<string> CursorAsync(string path) => (string)(await GetAsync(path))["nextCursor"]!;

    private async Task<IEnumerable<int>> EventsAsync(string query) =>
        (await GetAsync($"/v1/fleets/a/events?{query}"))["items"]!.AsArray().Select(item => (int)item!["version"]!);

    private static async Task RefusedAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        Assert.Equal(
            (path, 400, "/cursor"),
            (path, (int)answer.StatusCode, (string?)problem["errors"]?[0]?["pointer"])
        );
    }
}
