using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Platform.Integration.Tests;

/// <summary>The examples of the OpenAPI document, sent to the server.</summary>
public sealed class ExampleTests(TestPlatform platform) : IAsyncLifetime
{
    private readonly SortedSet<string> _done = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new()
    {
        ["{fleet}"] = "chat-eu",
        ["{version}"] = "1",
        ["{webhook}"] = "gateway",
    };
    private JsonNode _document = null!;
    private JsonObject _paths = null!;
    private HttpClient _operator = null!;
    private HttpClient _tenant = null!;
    private string _brokerPassword = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Every call that takes JSON or answers with it.</summary>
    private IEnumerable<string> Calls =>
        _paths
            .SelectMany(path => path.Value!.AsObject().Select(call => $"{call.Key} {path.Key}"))
            .Where(call => Request(call) is not null || Answer(call) is not null);

    public async ValueTask InitializeAsync()
    {
        _operator = platform.Operator;
        _document = (await _operator.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Cancel))!;
        _paths = _document["paths"]!.AsObject();
    }

    public ValueTask DisposeAsync()
    {
        _operator.Dispose();
        _tenant?.Dispose();
        return default;
    }

    [Fact]
    public void Every_call_that_takes_JSON_or_answers_with_it_has_examples() =>
        Assert.Empty(
            Calls
                .Where(call =>
                    (Request(call) is { } request && request["example"] is null)
                    || (Answer(call) is { } answer && answer["example"] is null)
                )
                .ToList()
        );

    [Fact]
    public async Task Every_example_is_taken_and_its_answer_has_the_members_of_the_real_one()
    {
        await OperateAsync();
        await RegisterAsync();
        await ReadAsync();
        await AuditAsync();
        await PublishAsync();
        await DecideAsync();
        await BeToldAsync();
        Assert.Equal(Calls.Order(StringComparer.Ordinal), _done);
    }

    [Theory]
    [InlineData(
        "limit cursor",
        "/v1/tenants",
        "/v1/fleets",
        "/v1/fleets/{fleet}/events",
        "/v1/fleets/{fleet}/voids",
        "/v1/fleets/{fleet}/allocations",
        "/v1/allocations",
        "/v1/audit",
        "/v1/rejections"
    )]
    [InlineData("asOf", "/v1/fleets/{fleet}/allocation", "/v1/fleets/{fleet}/estimate")]
    public void Calls_tell_the_parameters_of_their_query(string names, params string[] paths)
    {
        var told = _paths
            .Where(path => names.Split(' ').All(name => ParametersOf(path.Value!["get"]).Contains(name)))
            .Select(path => path.Key);
        Assert.Equal(paths.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));

        static IEnumerable<string> ParametersOf(JsonNode? call) =>
            call?["parameters"]?.AsArray().Where(it => (string?)it!["in"] == "query").Select(it => (string)it!["name"]!)
            ?? [];
    }

    private async Task OperateAsync()
    {
        // Broker users are of all tests alike: the tenant's id must be new.
        _names["{tenant}"] = $"t{Guid.NewGuid():n}";
        var tenant = await CallAsync(_operator, "post /v1/tenants", change: body => body["id"] = _names["{tenant}"]);
        _tenant = platform.Client((string)tenant["apiKey"]!);
        await CallAsync(_operator, "get /v1/tenants", "?limit=1");
        await CallAsync(_operator, "post /v1/tenants/{tenant}/keys");
        await CallAsync(_operator, "get /v1/tenants/{tenant}/keys");
        _brokerPassword = (string)
            (await CallAsync(_operator, "post /v1/tenants/{tenant}/broker-password"))["password"]!;
    }

    /// <summary>A fleet with two versions.</summary>
    private async Task RegisterAsync()
    {
        await CallAsync(_tenant, "put /v1/fleets/{fleet}");
        await UntilVersionAsync(1);
        await CallAsync(
            _tenant,
            "put /v1/fleets/{fleet}",
            change: body => body["arrivalRate"] = 2 * (double)body["arrivalRate"]!
        );
        await UntilVersionAsync(2);
    }

    private async Task ReadAsync()
    {
        await CallAsync(_tenant, "get /v1/fleets");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/events", "?limit=3");
        await CallAsync(_tenant, "get /v1/allocations");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/allocation");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/allocations");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/allocations/{version}");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/allocations/{version}/verification");
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/allocations/diff", "?from=1&to=2");
        await CallAsync(_tenant, "post /v1/fleets/{fleet}/what-if");
        await CallAsync(_tenant, "post /v1/fleets/{fleet}/what-if/frontier");
    }

    private async Task AuditAsync()
    {
        await Testing.Eventually.TrueAsync(
            async () =>
                (
                    await _tenant.GetAsync(
                        new Uri("/v1/fleets/chat-eu/allocations/1/inclusion", UriKind.Relative),
                        Cancel
                    )
                ).IsSuccessStatusCode,
            "the log to have the version",
            Cancel
        );
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/allocations/{version}/inclusion");
        await CallAsync(_tenant, "get /v1/log/consistency", "?from=1&to=2");
        await CallAsync(_tenant, "get /v1/audit", "?limit=3");
    }

    /// <summary>
    /// Not before the rest is read: a window that nobody expects brings a solve, and what that one knows.
    /// </summary>
    private async Task PublishAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        await CallAsync(
            _tenant,
            "post /v1/fleets/{fleet}/statistics",
            change: body => EndAt(body, now.AddSeconds(-10))
        );
        await CallAsync(_tenant, "post /v1/fleets/{fleet}/statistics", change: body => EndAt(body, now));
        var broker = new TestTenant(platform, _names["{tenant}"], "", _brokerPassword)
        {
            VirtualHost = platform.VirtualHost,
        };
        await broker.UntilStoredAsync("chat-eu", 2, Cancel);
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/estimate");
        await CallAsync(
            _tenant,
            "post /v1/fleets/{fleet}/voids",
            change: body =>
                (body["from"], body["to"]) = (
                    now.AddHours(-1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                    now.AddHours(1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)
                )
        );
        await CallAsync(_tenant, "get /v1/fleets/{fleet}/voids");
        await BeSetAsideAsync(broker);
    }

    private async Task BeSetAsideAsync(TestTenant broker)
    {
        await broker.PublishAsync("chat-eu", "no window"u8.ToArray(), Guid.NewGuid(), Cancel);
        await Testing.Eventually.TrueAsync(
            async () =>
                (await _tenant.GetFromJsonAsync<JsonNode>("/v1/rejections", Cancel))!["items"]!.AsArray().Count > 0,
            "a message to be set aside",
            Cancel
        );
        var listed = await CallAsync(_tenant, "get /v1/rejections");
        _names["{rejection}"] = (string)listed["items"]![0]!["id"]!;
        await CallAsync(_tenant, "get /v1/rejections/{rejection}");
    }

    /// <summary>The example's instants grow old: a window that ended long ago counts for no fleet.</summary>
    private static void EndAt(JsonNode window, DateTimeOffset end)
    {
        window["windowStart"] = Instant(end.AddSeconds(-10));
        window["windowEnd"] = Instant(end);

        static string Instant(DateTimeOffset it) => it.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }

    private async Task BeToldAsync()
    {
        // Told of a fleet that is not there: nothing is to leave this machine.
        await CallAsync(_tenant, "put /v1/webhooks/{webhook}", change: body => body["fleets"] = new JsonArray("none"));
        await CallAsync(_tenant, "post /v1/webhooks/{webhook}/secret");
        await CallAsync(_tenant, "get /v1/webhooks");
        await CallAsync(_tenant, "get /v1/webhooks/{webhook}");
    }

    private async Task DecideAsync()
    {
        await CallAsync(_tenant, "post /v1/fleets/{fleet}/allocations/{version}/pin");
        await CallAsync(_tenant, "delete /v1/fleets/{fleet}/pin", "?reason=mended");
        using var asked = await _tenant.GetAsync(new Uri("/v1/fleets/chat-eu", UriKind.Relative), Cancel);
        _names["{version}"] = (string)(await TestPlatform.ReadAsync(asked, Cancel))["labels"]!["released"]!.ToString();
        await CallAsync(_tenant, "post /v1/fleets/{fleet}/allocations/{version}/approval");
    }

    /// <summary>Sends the example and holds the answer against the example's.</summary>
    private async Task<JsonNode> CallAsync(
        HttpClient client,
        string call,
        string query = "",
        Action<JsonNode>? change = null
    )
    {
        var (method, template) = (call.Split(' ')[0], call.Split(' ')[1]);
        var path = _names.Aggregate(
            template,
            (filled, name) => filled.Replace(name.Key, name.Value, StringComparison.Ordinal)
        );
        using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), path + query);
        if (Request(call)?["example"]?.DeepClone() is { } body)
        {
            change?.Invoke(body);
            request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }

        using var sent = await client.SendAsync(request, Cancel);
        var answer = await TestPlatform.ReadAsync(sent, Cancel);
        var (real, example) = (Shape.Of(answer), Shape.Of(Answer(call)!["example"]));
        Assert.True(real.LacksNothingOf(example, out var missing), $"{call}: the answer has no {missing}");
        Assert.True(example.LacksNothingOf(real, out missing), $"{call}: the example has no {missing}");
        Assert.Empty(Unknown(answer, Answer(call)!["schema"]!, call));
        _done.Add(call);
        return answer;
    }

    /// <summary>Members that the schema does not have.</summary>
    private IEnumerable<string> Unknown(JsonNode? value, JsonNode schema, string at)
    {
        while (
            (
                schema["$ref"]
                ?? schema["oneOf"]?.AsArray().Select(it => it!["$ref"]).FirstOrDefault(it => it is not null)
            )
                is { } reference
        )
            schema = _document["components"]!["schemas"]![((string)reference!).Split('/')[^1]]!;
        var items = (value as JsonArray ?? []).SelectMany(item => Unknown(item, schema["items"]!, at));
        // What has no members in the schema may have any.
        var members = schema["properties"] is JsonObject ? value as JsonObject ?? [] : [];
        return items.Concat(
            members.SelectMany(member =>
                schema["properties"]![member.Key] is { } it
                    ? Unknown(member.Value, it, $"{at}/{member.Key}")
                    : [$"{at}/{member.Key}"]
            )
        );
    }

    private Task UntilVersionAsync(int version) =>
        Testing.Eventually.TrueAsync(
            async () =>
                (int)(await _tenant.GetFromJsonAsync<JsonNode>("/v1/fleets/chat-eu", Cancel))!["latestVersion"]!
                >= version,
            $"version {version}",
            Cancel
        );

    private JsonNode? Request(string call) => Operation(call)["requestBody"]?["content"]?["application/json"];

    private JsonNode? Answer(string call) =>
        Operation(call)["responses"]!
            .AsObject()
            .Where(answer => answer.Key.StartsWith('2'))
            .Select(answer => answer.Value!["content"]?["application/json"])
            .FirstOrDefault(it => it is not null);

    private JsonNode Operation(string call) => _paths[call.Split(' ')[1]]![call.Split(' ')[0]]!;

    /// <summary>The members of a JSON value, an array's items taken together.</summary>
    private sealed class Shape
    {
        private readonly SortedSet<string> _members = new(StringComparer.Ordinal);

        /// <summary>Where there is nothing in which to look for members: null, or an array without items.</summary>
        private readonly List<string> _empty = [];

        public static Shape Of(JsonNode? value)
        {
            var shape = new Shape();
            shape.Take(value, "");
            return shape;
        }

        public bool LacksNothingOf(Shape other, out string? missing)
        {
            missing = other
                ._members.Except(_members)
                .FirstOrDefault(member => !_empty.Any(it => member.StartsWith($"{it}/", StringComparison.Ordinal)));
            return missing is null;
        }

        private void Take(JsonNode? value, string at)
        {
            if (value is null or JsonArray { Count: 0 })
                _empty.Add(at);
            foreach (var item in value as JsonArray ?? [])
                Take(item, $"{at}/*");
            foreach (var (name, member) in value as JsonObject ?? [])
            {
                _members.Add($"{at}/{name}");
                Take(member, $"{at}/{name}");
            }
        }
    }
}
