using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>A tenant sees what was set aside of its own messages, and nothing of anybody else's.</summary>
public sealed class RejectionTests(TestPlatform platform) : IAsyncLifetime
{
    private TestTenant _tenant = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tenant = await platform.CreateTenantAsync(Cancel);
        await _tenant.PutFleetAsync("chat", Cancel);
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task A_tenant_sees_its_messages_that_were_set_aside_with_reason_and_body_and_no_other_tenant_does()
    {
        var id = Guid.NewGuid();
        var body = Encoding.UTF8.GetBytes("""{"fleet":"chat","nonsense":true}""");
        await _tenant.PublishAsync("chat", body, id, Cancel);

        var message = Assert.Single(await UntilListedAsync(_tenant, 1))!;
        Assert.Equal(
            ("chat", $"{id}", body.Length),
            ((string?)message["fleet"], (string?)message["messageId"], (int)message["bytes"]!)
        );
        Assert.StartsWith("body: /nonsense: ", (string?)message["reason"], StringComparison.Ordinal);
        Assert.Null(message["decision"]);

        var path = $"/v1/rejections/{message["id"]}";
        var full = await GetAsync(_tenant, path);
        Assert.Equal(Encoding.UTF8.GetString(body), (string?)full["body"]);
        Assert.Null(full["bodyBase64"]);

        var stranger = await platform.CreateTenantAsync(Cancel);
        Assert.Empty((await GetAsync(stranger, "/v1/rejections"))["items"]!.AsArray());
        using var client = stranger.Client();
        using var foreign = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Fact]
    public async Task The_list_has_the_newest_first_in_pages_and_by_fleet()
    {
        await _tenant.PutFleetAsync("other", Cancel);
        string[] fleets = ["chat", "other", "chat", "chat", "other"];
        foreach (var (i, fleet) in fleets.Index())
        {
            await _tenant.PublishAsync(fleet, Encoding.UTF8.GetBytes($"no JSON {i}"), Guid.NewGuid(), Cancel);
            // One by one, so that the order in which they were set aside is known.
            await UntilListedAsync(_tenant, i + 1);
        }

        var all = await UntilListedAsync(_tenant, fleets.Length);
        Assert.Equal(fleets.Reverse(), all.Select(it => (string?)it!["fleet"]));

        var seen = new List<string>();
        for (string? cursor = ""; cursor is not null; )
        {
            var page = await GetAsync(
                _tenant,
                $"/v1/rejections?limit=2{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}"
            );
            seen.AddRange(page["items"]!.AsArray().Select(it => (string)it!["id"]!));
            cursor = (string?)page["nextCursor"];
        }

        Assert.Equal(all.Select(it => (string)it!["id"]!), seen);
        Assert.Equal(2, (await GetAsync(_tenant, "/v1/rejections?fleet=other"))["items"]!.AsArray().Count);
    }

    /// <summary>What a publisher writes into a message must not keep it out of the tenant's list.</summary>
    [Fact]
    public async Task Bytes_that_are_no_text_and_names_with_control_characters_are_listed_too()
    {
        byte[] body = [0xff, 0x00, 0xfe];
        await _tenant.PublishAsync("chat", body, Guid.NewGuid(), Cancel, properties => properties.MessageId = "a\0b");
        var listed = Assert.Single(await UntilListedAsync(_tenant, 1))!;
        Assert.StartsWith("message-id: ", (string?)listed["reason"], StringComparison.Ordinal);

        var message = await GetAsync(_tenant, $"/v1/rejections/{listed["id"]}");
        Assert.Equal(body, Convert.FromBase64String((string)message["bodyBase64"]!));
        Assert.Null(message["body"]);
    }

    [Fact]
    public async Task A_message_that_proves_no_tenant_is_in_nobodys_list()
    {
        var body = StrictJson.Write(TestTenant.Window("chat", load: 17));
        await _tenant.PublishAsync("chat", body, Guid.NewGuid(), Cancel, properties => properties.UserId = null);
        await platform.Rejected.WithBodyAsync(body, Cancel);
        Assert.Equal(
            0,
            await platform.Database.QueryAsync<long>(
                "select count(*) from platform.rejections where reason like 'identity:%'",
                Cancel
            )
        );
        Assert.Empty((await GetAsync(_tenant, "/v1/rejections"))["items"]!.AsArray());
    }

    /// <summary>
    /// The list is written before the queue: whoever sees a message in the queue finds it in the list.
    /// </summary>
    [Fact]
    public async Task What_is_in_the_queue_of_rejected_messages_is_in_the_list()
    {
        var bodies = Enumerable
            .Range(0, 30)
            .Select(i => Encoding.UTF8.GetBytes($"message {i} of {_tenant.Id}"))
            .ToArray();
        await using var publisher = await _tenant.ConnectAsync(Cancel);
        await Task.WhenAll(bodies.Select(body => publisher.PublishAsync("chat", body, Guid.NewGuid(), Cancel)));
        foreach (var body in bodies)
            await platform.Rejected.WithBodyAsync(body, Cancel);
        Assert.Equal(bodies.Length, (await GetAsync(_tenant, "/v1/rejections"))["items"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("ingest", HttpStatusCode.OK)]
    [InlineData("read", HttpStatusCode.OK)]
    [InlineData("audit", HttpStatusCode.OK)]
    [InlineData("manage", HttpStatusCode.Forbidden)]
    public async Task Publishers_readers_and_auditors_may_look(string scope, HttpStatusCode expected)
    {
        using var @operator = platform.Operator;
        using var made = await @operator.PostAsJsonAsync(
            $"/v1/tenants/{_tenant.Id}/keys",
            new { name = scope, scopes = new[] { scope } },
            Cancel
        );
        using var client = platform.Client((string)(await TestPlatform.ReadAsync(made, Cancel))["apiKey"]!);
        using var answer = await client.GetAsync(new Uri("/v1/rejections", UriKind.Relative), Cancel);
        Assert.Equal(expected, answer.StatusCode);
    }

    private static Task<JsonArray> UntilListedAsync(TestTenant tenant, int count) =>
        Eventually.GetAsync(
            async () =>
                (await GetAsync(tenant, "/v1/rejections"))["items"]!.AsArray() is var items && items.Count == count
                    ? items
                    : null,
            $"{count} messages in the tenant's list",
            Cancel
        );

    private static async Task<JsonNode> GetAsync(TestTenant tenant, string path)
    {
        using var client = tenant.Client();
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        return await TestPlatform.ReadAsync(answer, Cancel);
    }
}
