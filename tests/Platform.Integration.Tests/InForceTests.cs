using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// What is in force, as teams decide about it and as dashboards poll and hear it, on two API processes.
/// </summary>
public sealed class InForceTests(TestPlatform platform) : IAsyncLifetime
{
    private TestTenant _tenant = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tenant = await platform.CreateTenantAsync(Cancel);
        _client = _tenant.Client();
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }

    [Fact]
    public async Task A_version_can_be_pinned_and_released_and_every_process_serves_it()
    {
        await VersionsAsync(2);
        using var other = platform.Client(_tenant.Key, await platform.StartApiAsync([]));
        HttpClient[] both = [_client, other];
        foreach (var client in both)
            Assert.Equal(2, await ServedAsync(client));

        var labels = await DecideAsync(HttpMethod.Post, "allocations/1/pin", new { reason = "answers got worse" });
        Assert.Equal(
            (2, 1, "answers got worse"),
            ((int)labels["latest"]!, (int)labels["inForce"]!, (string)labels["pin"]!["reason"]!)
        );
        foreach (var client in both)
            await Eventually.TrueAsync(async () => await ServedAsync(client) == 1, "version 1", Cancel);
        Assert.Equal(1, (int)(await GetAsync("")).AsObject()["labels"]!["inForce"]!);
        Assert.Equal(2, (int)(await GetAsync("/allocations")).AsObject()["items"]![0]!["version"]!);

        labels = await DecideAsync(HttpMethod.Delete, "pin?reason=mended", null);
        Assert.Equal((2, null), ((int)labels["inForce"]!, labels["pin"]));
        foreach (var client in both)
            await Eventually.TrueAsync(async () => await ServedAsync(client) == 2, "version 2", Cancel);
    }

    [Fact]
    public async Task A_fleet_that_wants_approval_has_nothing_in_force_until_a_person_says_so()
    {
        await _tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["approvalSeconds"] = 3600);
        await Eventually.TrueAsync(
            async () => (await GetAsync(""))["labels"]!["proposal"] is not null,
            "a proposal",
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(Path("/allocation"), Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync(Path("/allocations/1"), Cancel)).StatusCode);

        await DecideAsync(HttpMethod.Post, "allocations/1/approval", new { reason = "looked at" });
        Assert.Equal(1, await ServedAsync(_client));
        Assert.Equal("allocation-approved", (string)(await GetAsync("/events"))["items"]!.AsArray()[^1]!["type"]!);
    }

    [Theory]
    [InlineData("POST", "allocations/1/pin", """{ "reason": " " }""", 400)]
    [InlineData("POST", "allocations/1/pin", """{ }""", 400)]
    [InlineData("POST", "allocations/1/pin", """{ "reason": "x", "version": 2 }""", 400)]
    [InlineData("POST", "allocations/9/pin", """{ "reason": "x" }""", 404)]
    [InlineData("POST", "allocations/0/approval", """{ "reason": "x" }""", 404)]
    [InlineData("DELETE", "pin", null, 400)]
    public async Task What_cannot_be_decided_is_refused(string method, string path, string? body, int status)
    {
        await VersionsAsync(1);
        using var request = new HttpRequestMessage(new HttpMethod(method), Path($"/{path}"));
        if (body is not null)
            request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        using var answer = await _client.SendAsync(request, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Who_has_the_snapshot_in_force_is_told_so_in_every_form_of_its_entity_tag()
    {
        await VersionsAsync(1);
        using var first = await _client.GetAsync(Path("/allocation"), Cancel);
        var tag = first.Headers.ETag!.Tag;
        foreach (
            var (held, status) in ((string, int)[])
                [(tag, 304), ($"W/{tag}", 304), ($"\"x\", {tag}", 304), ("*", 304), ("\"x\"", 200), ("nonsense", 200)]
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Path("/allocation"));
            request.Headers.TryAddWithoutValidation("If-None-Match", held);
            using var answer = await _client.SendAsync(request, Cancel);
            Assert.Equal((held, status), (held, (int)answer.StatusCode));
            Assert.Equal(tag, answer.Headers.ETag!.Tag);
            Assert.Equal(
                status == 304 ? 0 : first.Content.Headers.ContentLength,
                (await answer.Content.ReadAsByteArrayAsync(Cancel)).Length
            );
        }
    }

    [Fact]
    public async Task A_key_that_is_revoked_opens_nothing_and_its_streams_end()
    {
        await VersionsAsync(1);
        using var issued = await platform.Operator.PostAsJsonAsync(
            $"/v1/tenants/{_tenant.Id}/keys",
            new { name = "reader", scopes = (string[])["read"] },
            Cancel
        );
        var key = await TestPlatform.ReadAsync(issued, Cancel);
        using var reader = platform.Client((string)key["apiKey"]!);
        Assert.Equal(1, await ServedAsync(reader));
        using var stream = await reader.GetAsync(Path("/changes"), HttpCompletionOption.ResponseHeadersRead, Cancel);

        using var revoked = await platform.Operator.DeleteAsync(
            new Uri($"/v1/tenants/{_tenant.Id}/keys/{key["id"]}", UriKind.Relative),
            Cancel
        );
        Assert.True(revoked.IsSuccessStatusCode);
        await Eventually.TrueAsync(
            async () => (await reader.GetAsync(Path("/allocation"), Cancel)).StatusCode == HttpStatusCode.Unauthorized,
            "a closed door",
            Cancel
        );
        var rest = await stream.Content.ReadAsStringAsync(Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.StartsWith("event: change", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_told_as_they_come_and_a_reader_who_was_away_misses_none()
    {
        await VersionsAsync(2);
        await using var live = await ReadChangesAsync(null);
        Assert.Equal(("2", 2), await live.NextAsync());
        await DecideAsync(HttpMethod.Post, "allocations/1/pin", new { reason = "hold" });
        Assert.Equal(("3", 1), await live.NextAsync());
        await DecideAsync(HttpMethod.Delete, "pin?reason=mended", null);
        Assert.Equal(("4", 2), await live.NextAsync());

        await using var late = await ReadChangesAsync("1");
        Assert.Equal(
            [("2", 2), ("3", 1), ("4", 2)],
            [await late.NextAsync(), await late.NextAsync(), await late.NextAsync()]
        );
        using var retired = await _client.DeleteAsync(Path(""), Cancel);
        Assert.True(await live.HasEndedAsync());
        Assert.True(await late.HasEndedAsync());
    }

    [Theory]
    [InlineData("99")]
    [InlineData("-1")]
    [InlineData("x")]
    public async Task An_id_that_no_event_had_is_refused(string lastEventId)
    {
        await VersionsAsync(1);
        using var request = new HttpRequestMessage(HttpMethod.Get, Path("/changes"));
        request.Headers.Add("Last-Event-ID", lastEventId);
        using var answer = await _client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private static Uri Path(string rest) => new($"/v1/fleets/chat{rest}", UriKind.Relative);

    /// <summary>A fleet with that many versions, which are made by revisions and stay as they are for a day.</summary>
    private async Task VersionsAsync(int count)
    {
        for (var version = 1; version <= count; version++)
        {
            await _tenant.PutFleetAsync(
                "chat",
                Cancel,
                definition =>
                {
                    definition["displayName"] = $"Revision {version}";
                    definition["solving"]!["everySeconds"] = 86_400;
                }
            );
            await _tenant.UntilAllocatedAsync("chat", it => (int)it["version"]! == version, Cancel);
        }
    }

    private static async Task<int> ServedAsync(HttpClient client) =>
        (int)JsonNode.Parse(await client.GetStringAsync(Path("/allocation"), Cancel))!["version"]!;

    private async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await _client.GetStringAsync(Path(path), Cancel))!;

    private async Task<JsonNode> DecideAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, Path($"/{path}"))
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        using var answer = await _client.SendAsync(request, Cancel);
        return await TestPlatform.ReadAsync(answer, Cancel);
    }

    private async Task<Changes> ReadChangesAsync(string? lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Path("/changes"));
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        return new Changes(
            answer,
            SseParser
                .Create(await answer.Content.ReadAsStreamAsync(Cancel))
                .EnumerateAsync(Cancel)
                .GetAsyncEnumerator(Cancel)
        );
    }

    /// <summary>A reader of the stream, who waits for no longer than half a minute.</summary>
    private sealed class Changes(HttpResponseMessage answer, IAsyncEnumerator<SseItem<string>> items) : IAsyncDisposable
    {
        private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

        public async Task<(string?, int)> NextAsync()
        {
            Assert.True(await items.MoveNextAsync().AsTask().WaitAsync(Deadline, Cancel));
            return items.Current.EventType == "change"
                ? (items.Current.EventId, (int)JsonNode.Parse(items.Current.Data)!["version"]!)
                : await NextAsync();
        }

        public async Task<bool> HasEndedAsync() => !await items.MoveNextAsync().AsTask().WaitAsync(Deadline, Cancel);

        public async ValueTask DisposeAsync()
        {
            answer.Dispose();
            await items.DisposeAsync();
        }
    }
}
