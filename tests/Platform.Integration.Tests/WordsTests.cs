using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Platform.Integration.Tests;

/// <summary>
/// No message at any door names a thing of .NET: it says what is wrong and where, in words of the sender.
/// </summary>
public sealed class WordsTests(TestPlatform platform) : IAsyncLifetime
{
    /// <summary>What only somebody who knows this program's language would understand.</summary>
    private static readonly string[] Insides =
    [
        "System.",
        "Platform.",
        "Nullable",
        "Exception",
        "Path: $",
        "LineNumber",
        "BytePositionInLine",
        ".NET",
        "isFinalBlock",
        "Int32",
        "Int64",
        "DateTimeOffset",
        "   at ",
        "deserializ",
    ];

    private static readonly string[] BadBodies =
    [
        "",
        "{",
        "[",
        "[]",
        "7",
        "null",
        "\"text\"",
        "{}",
        "<xml/>",
        "{'a':1}",
        "{\"nonsense\":1}",
        "{\"fleet\":null}",
        "{\"fleet\":7,\"tasks\":{}}",
        "{\"fleet\":\"\\ud800\"}",
        "{\"a\":1,\"a\":2}",
        "\u0000",
        "{} {}",
        "{\"fleet\":\"chat\",\"windowStart\":\"yesterday\"}",
        "{\"fleet\":\"chat\",\"windowStart\":\"2026-01-01T00:00:00Z\",\"windowEnd\":\"2026-01-01T00:00:10Z\",\"tasks\":[null,{\"taskType\":1,\"arrivals\":\"x\"}]}",
        "{\"displayName\":7}",
        "{\"displayName\":\"x\",\"dispatch\":\"round\"}",
        "{\"displayName\":\"x\",\"servers\":1.5}",
        "{\"servers\":\"two\"}",
        "{\"servers\":99999999999}",
        "{\"arrivalRate\":\"1e400\"}",
        "{\"taskTypes\":[{\"id\":null}]}",
        "{\"taskTypes\":7}",
        "{\"reason\":7}",
        "{\"reason\":\"\"}",
        "{\"points\":1e9}",
        "{\"url\":7}",
        "{\"url\":\"nowhere\"}",
        "{\"fleets\":7}",
        "{\"id\":7}",
        "{\"id\":\"X\"}",
        "{\"name\":\"\",\"scopes\":[\"all\"]}",
    ];

    private static readonly string[] BadQueries =
    [
        "limit=x",
        "limit=0",
        "cursor=!",
        "after=x",
        "after=-1",
        "from=x&to=1",
        "from=1",
        "to=1",
        "from=9999999999999999999&to=1",
        "asOf=yesterday",
        "version=x",
        "format=x",
        "detail=x",
        "reason=",
    ];

    private JsonNode _document = null!;
    private TestTenant _tenant = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tenant = await platform.CreateTenantAsync(Cancel);
        await _tenant.PutFleetAsync("chat", Cancel);
        using var nobody = platform.Anonymous();
        _document = (await nobody.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Cancel))!;
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task No_answer_to_a_bad_body_names_the_insides()
    {
        var asked = 0;
        foreach (var (method, path) in Calls(operation => operation["requestBody"] is not null))
        {
            foreach (var body in BadBodies)
            {
                using var request = new HttpRequestMessage(method, Filled(path));
                request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
                asked += await LooksWellAsync(request, $"{method} {path} with {body}");
            }
        }

        Assert.True(asked > 100, $"only {asked} bodies were refused");
    }

    [Fact]
    public async Task No_answer_to_a_bad_query_names_the_insides()
    {
        var asked = 0;
        foreach (
            var (_, path) in Calls(operation => operation["requestBody"] is null, "get")
                .Where(call => !call.Path.EndsWith("/changes", StringComparison.Ordinal))
        )
        {
            foreach (var query in BadQueries)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"{Filled(path)}?{query}");
                asked += await LooksWellAsync(request, $"{path} with {query}");
            }
        }

        Assert.True(asked > 20, $"only {asked} queries were refused");
    }

    [Theory]
    [InlineData("/v1/log/consistency?from=x&to=1", "/from", "must be a whole number")]
    [InlineData("/v1/log/consistency?to=1", "/from", "is missing; it must be a whole number")]
    [InlineData("/v1/fleets/chat/events?after=x", "/after", "must be a whole number")]
    public async Task A_parameter_that_cannot_be_read_is_named(string path, string pointer, string detail)
    {
        using var client = _tenant.Client();
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        var fault = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["errors"]![0]!;
        Assert.Equal(
            (400, pointer, detail),
            ((int)answer.StatusCode, (string?)fault["pointer"], (string?)fault["detail"])
        );
    }

    [Fact]
    public async Task No_reason_of_a_message_that_was_set_aside_names_the_insides()
    {
        await using var publisher = await _tenant.ConnectAsync(Cancel);
        foreach (var body in BadBodies)
            await publisher.PublishAsync("chat", Encoding.UTF8.GetBytes(body), Guid.NewGuid(), Cancel);
        await Testing.Eventually.TrueAsync(
            () => Task.FromResult(platform.Rejected.CountOf(_tenant.Id) == BadBodies.Length),
            "all to be set aside",
            Cancel
        );
        foreach (var reason in platform.Rejected.ReasonsOf(_tenant.Id))
            LooksWell(reason, reason);
    }

    private IEnumerable<(HttpMethod Method, string Path)> Calls(Func<JsonNode, bool> isWanted, string? method = null) =>
        from path in _document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where isWanted(operation.Value!) && (method is null || operation.Key == method)
        select (new HttpMethod(operation.Key.ToUpperInvariant()), path.Key);

    private string Filled(string path) =>
        path.Replace("{fleet}", "chat", StringComparison.Ordinal)
            .Replace("{tenant}", _tenant.Id, StringComparison.Ordinal)
            .Replace("{version}", "1", StringComparison.Ordinal)
            .Replace("{webhook}", "hook", StringComparison.Ordinal);

    /// <summary>1 when the request was refused, 0 when it was taken.</summary>
    private async Task<int> LooksWellAsync(HttpRequestMessage request, string what)
    {
        using var client = request.RequestUri!.OriginalString.StartsWith("/v1/tenants", StringComparison.Ordinal)
            ? platform.Operator
            : _tenant.Client();
        using var answer = await client.SendAsync(request, Cancel);
        if (answer.IsSuccessStatusCode)
            return 0;
        Assert.True((int)answer.StatusCode < 500, $"{what}: {(int)answer.StatusCode}");
        LooksWell(await answer.Content.ReadAsStringAsync(Cancel), what);
        return 1;
    }

    private static void LooksWell(string message, string what)
    {
        foreach (var inside in Insides)
            Assert.False(
                message.Contains(inside, StringComparison.Ordinal),
                $"{what} is answered with \"{inside}\": {message}"
            );
    }
}
