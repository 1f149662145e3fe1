using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Platform.Integration.Tests;

/// <summary>Every route of the OpenAPI document, as every kind of caller asks it.</summary>
public sealed class RouteTests(RouteCallers callers) : IClassFixture<RouteCallers>
{
    private const string Put = "put /v1/fleets/{fleet}";
    private const string PutWebhook = "put /v1/webhooks/{webhook}";
    private const string Reason = """{ "reason": "a test" }""";
    private const string Key = """{ "name": "a key", "scopes": ["read"] }""";

    /// <summary>Whom a route answers: keys with one of these scopes, or operators.</summary>
    private static readonly Dictionary<string, string[]> Doors = new()
    {
        ["operator"] = ["operator"],
        ["ingest"] = ["ingest"],
        ["manage"] = ["manage"],
        // An auditor reads all that a reader reads.
        ["read"] = ["read", "audit"],
        ["audit"] = ["audit"],
        ["publisher or reader"] = ["ingest", "read", "audit"],
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Each route: its door, its answer to who may come in, and what is asked.</summary>
    public static TheoryData<string, string, int, string, string?> Routes =>
        new()
        {
            { "get /v1/tenants", "operator", 200, "/v1/tenants", null },
            { "post /v1/tenants", "operator", 201, "/v1/tenants", """{ "id": "{new}", "displayName": "A tenant" }""" },
            { "delete /v1/tenants/{tenant}", "operator", 204, "/v1/tenants/{doomed}", null },
            {
                "post /v1/tenants/{tenant}/broker-password",
                "operator",
                200,
                "/v1/tenants/{owner}/broker-password",
                null
            },
            { "get /v1/tenants/{tenant}/keys", "operator", 200, "/v1/tenants/{owner}/keys", null },
            { "post /v1/tenants/{tenant}/keys", "operator", 201, "/v1/tenants/{owner}/keys", Key },
            { "delete /v1/tenants/{tenant}/keys/{key}", "operator", 204, "/v1/tenants/{owner}/keys/{spare}", null },
            { "get /v1/fleets", "read", 200, "/v1/fleets", null },
            { "get /v1/fleets/{fleet}", "read", 200, "/v1/fleets/owned", null },
            { Put, "manage", 200, "/v1/fleets/put", RouteCallers.Definition },
            { "delete /v1/fleets/{fleet}", "manage", 204, "/v1/fleets/doomed", null },
            { "post /v1/fleets/{fleet}/solve", "manage", 202, "/v1/fleets/owned/solve", null },
            { "get /v1/fleets/{fleet}/events", "read", 200, "/v1/fleets/owned/events", null },
            {
                "post /v1/fleets/{fleet}/statistics",
                "ingest",
                202,
                "/v1/fleets/owned/statistics",
                TestTenant.Window("owned").ToJsonString()
            },
            { "post /v1/fleets/{fleet}/voids", "manage", 201, "/v1/fleets/voided/voids", RouteCallers.Voids },
            { "get /v1/fleets/{fleet}/voids", "read", 200, "/v1/fleets/owned/voids", null },
            { "get /v1/rejections", "publisher or reader", 200, "/v1/rejections", null },
            { "get /v1/rejections/{rejection}", "publisher or reader", 200, "/v1/rejections/{set-aside}", null },
            { "get /v1/allocations", "read", 200, "/v1/allocations", null },
            { "get /v1/fleets/{fleet}/estimate", "read", 200, "/v1/fleets/owned/estimate", null },
            { "get /v1/fleets/{fleet}/allocation", "read", 200, "/v1/fleets/owned/allocation", null },
            { "get /v1/fleets/{fleet}/allocations", "read", 200, "/v1/fleets/owned/allocations", null },
            { "get /v1/fleets/{fleet}/allocations/{version}", "read", 200, "/v1/fleets/owned/allocations/1", null },
            {
                "get /v1/fleets/{fleet}/allocations/{version}/verification",
                "read",
                200,
                "/v1/fleets/owned/allocations/1/verification",
                null
            },
            {
                "get /v1/fleets/{fleet}/allocations/diff",
                "read",
                200,
                "/v1/fleets/owned/allocations/diff?from=1&to=1",
                null
            },
            { "get /v1/fleets/{fleet}/allocations/export", "read", 200, "/v1/fleets/owned/allocations/export", null },
            { "get /v1/fleets/{fleet}/changes", "read", 200, "/v1/fleets/owned/changes", null },
            {
                "post /v1/fleets/{fleet}/allocations/{version}/pin",
                "manage",
                200,
                "/v1/fleets/owned/allocations/1/pin",
                Reason
            },
            { "delete /v1/fleets/{fleet}/pin", "manage", 200, "/v1/fleets/owned/pin?reason=a%20test", null },
            {
                "post /v1/fleets/{fleet}/allocations/{version}/approval",
                "manage",
                200,
                "/v1/fleets/proposed/allocations/1/approval",
                Reason
            },
            {
                "get /v1/fleets/{fleet}/allocations/{version}/inclusion",
                "read",
                200,
                "/v1/fleets/owned/allocations/1/inclusion",
                null
            },
            { "get /v1/log/checkpoint", "read", 200, "/v1/log/checkpoint", null },
            { "get /v1/log/verifier", "read", 200, "/v1/log/verifier", null },
            { "get /v1/log/consistency", "read", 200, "/v1/log/consistency?from=1&to=2", null },
            { "get /v1/audit", "audit", 200, "/v1/audit", null },
            { "get /v1/webhooks", "manage", 200, "/v1/webhooks", null },
            { PutWebhook, "manage", 200, "/v1/webhooks/put", RouteCallers.Webhook },
            { "get /v1/webhooks/{webhook}", "manage", 200, "/v1/webhooks/owned", null },
            { "post /v1/webhooks/{webhook}/secret", "manage", 200, "/v1/webhooks/owned/secret", null },
            { "delete /v1/webhooks/{webhook}", "manage", 204, "/v1/webhooks/doomed", null },
            { "post /v1/fleets/{fleet}/what-if", "read", 200, "/v1/fleets/owned/what-if", """{ "servers": 2 }""" },
            {
                "post /v1/fleets/{fleet}/what-if/frontier",
                "read",
                200,
                "/v1/fleets/owned/what-if/frontier",
                """{ "points": 3 }"""
            },
        };

    /// <summary>Those that are about one fleet or tenant which must be there.</summary>
    public static TheoryData<string, string, string, string?> RoutesOfOne =>
        [
            .. Routes
                .Select(route => route.Data)
                .Where(it => it.Item1 is not (Put or PutWebhook) && it.Item1.Contains("/{", StringComparison.Ordinal))
                .Select(it => (it.Item1, it.Item2, it.Item4, it.Item5)),
        ];

    [Fact]
    public async Task Every_route_of_the_document_has_its_line_here()
    {
        using var nobody = callers.Platform.Anonymous();
        var document = await nobody.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Cancel);
        var routes = document!["paths"]!
            .AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(route => $"{route.Key} {path.Key}"));
        Assert.Equal(
            routes.Order(StringComparer.Ordinal),
            Routes.Select(route => route.Data.Item1).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_route_answers_whom_it_is_for_and_nobody_else(
        string route,
        string door,
        int accepted,
        string path,
        string? body
    )
    {
        var method = route.Split(' ')[0];
        var authorizations = callers.Authorizations.Select(it =>
            (it.Key, it.Value, Expected(it.Key, door, accepted, route))
        );
        // Who is let in comes last, and each with a fleet or tenant that is still there: a refusal that does it
        // nevertheless shows.
        foreach (var (caller, authorization, expected) in authorizations.OrderBy(it => it.Item3 < 400))
        {
            using var answer = await AskAsync(method, path, body, authorization);
            Assert.Equal((caller, expected), (caller, (int)answer.StatusCode));
            if (expected >= 400)
                Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }
    }

    [Theory]
    [MemberData(nameof(RoutesOfOne))]
    public async Task What_belongs_to_another_tenant_answers_exactly_as_what_does_not_exist(
        string route,
        string door,
        string path,
        string? body
    )
    {
        var method = route.Split(' ')[0];
        var steps = path.Split('/');
        steps[3] = "nobody";
        var missing = await ReadAsync(method, string.Join('/', steps), body, door);
        Assert.StartsWith("404 ", missing, StringComparison.Ordinal);
        // Operators see all tenants; for them there is only what exists and what does not.
        if (door != "operator")
            Assert.Equal(missing, await ReadAsync(method, path, body, door));
    }

    [Fact]
    public async Task A_list_has_what_is_ones_own()
    {
        foreach (
            var route in Routes
                .Select(route => route.Data)
                .Where(it => it.Item2 is "read" or "audit" or "publisher or reader")
                .Where(it =>
                    !it.Item1.Contains('{', StringComparison.Ordinal)
                    && !it.Item1.Contains("/log/", StringComparison.Ordinal)
                )
        )
        {
            using var own = await AskAsync("get", route.Item4, null, callers.Authorizations["audit"]);
            Assert.Contains("\"owned\"", await own.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
            using var foreign = await AskAsync("get", route.Item4, null, callers.Authorizations["another tenant"]);
            Assert.DoesNotContain(
                "\"owned\"",
                await foreign.Content.ReadAsStringAsync(Cancel),
                StringComparison.Ordinal
            );
        }
    }

    private static bool IsOfOne(string route) =>
        ((string[])["/{fleet}", "/{webhook}", "/{rejection}"]).Any(name =>
            route.Contains(name, StringComparison.Ordinal)
        );

    private static int Expected(string caller, string door, int accepted, string route) =>
        caller switch
        {
            "none" or "malformed" or "other scheme" or "revoked" or "expired" => 401,
            // A definition that another tenant puts is of a fleet of its own.
            "another tenant" when route is Put or PutWebhook => 201,
            "another tenant" when IsOfOne(route) => 404,
            "another tenant" when door != "operator" => accepted,
            _ => Doors[door].Contains(caller) ? accepted : 403,
        };

    /// <summary>
    /// The refusal that another tenant's key, or an operator's, gets, apart from its trace: status, headers, body.
    /// </summary>
    private async Task<string> ReadAsync(string method, string path, string? body, string door)
    {
        using var answer = await AskAsync(
            method,
            path,
            body,
            callers.Authorizations[door == "operator" ? "operator" : "another tenant"]
        );
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!.AsObject();
        Assert.True(problem.Remove("traceId"));
        answer.Headers.Remove("Date");
        return $"{(int)answer.StatusCode} {answer.Headers} {answer.Content.Headers.ContentType} {problem.ToJsonString()}";
    }

    /// <summary>Reads no more than the headers: some answers have no end.</summary>
    private async Task<HttpResponseMessage> AskAsync(string method, string path, string? body, string? authorization)
    {
        using var client = callers.Platform.Anonymous();
        using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), callers.Fill(path));
        if (body is not null)
            request.Content = new StringContent(callers.Fill(body), new MediaTypeHeaderValue("application/json"));
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
    }
}

/// <summary>A tenant with a fleet of each kind, one with none of them, and every kind of key.</summary>
public sealed class RouteCallers(TestPlatform platform) : IAsyncLifetime
{
    /// <summary>A fleet that is not solved again within the test.</summary>
    public static readonly string Definition = TestTenant
        .Definition(definition => definition["solving"]!["everySeconds"] = 86_400)
        .ToJsonString();

    /// <summary>A webhook that is told nothing, as no fleet is solved.</summary>
    public const string Webhook = """{ "url": "https://hooks.example.org/", "fleets": [ "none" ] }""";

    /// <summary>Voids a window that is stored.</summary>
    public const string Voids = """{ "reason": "a test", "messageId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }""";

    private readonly Dictionary<string, string?> _authorizations = [];
    private readonly Dictionary<string, string> _names = [];

    public TestPlatform Platform => platform;

    /// <summary>What each kind of caller has in the header <c>Authorization</c>.</summary>
    public IReadOnlyDictionary<string, string?> Authorizations => _authorizations;

    /// <summary>Puts ids where a path or a body has a word in braces.</summary>
    public string Fill(string text) =>
        _names
            .Append(new("{new}", $"t{Guid.NewGuid():n}"))
            .Aggregate(text, (filled, name) => filled.Replace(name.Key, name.Value, StringComparison.Ordinal));

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        var (owner, other, doomed) = (
            await platform.CreateTenantAsync(cancel),
            await platform.CreateTenantAsync(cancel),
            await platform.CreateTenantAsync(cancel)
        );
        await MakeFleetsAsync(owner, cancel);
        _names["{set-aside}"] = await SetAsideAsync(owner, cancel);
        foreach (var scope in (string[])["ingest", "read", "manage", "audit"])
            _authorizations[scope] = $"Bearer {(await MakeKeyAsync(owner, [scope], cancel)).Text}";
        await MakeVoidKeysAsync(owner, cancel);
        _authorizations["none"] = null;
        // The last letter is of the checksum.
        _authorizations["malformed"] = $"Bearer {owner.Key[..^1]}{(owner.Key[^1] == 'A' ? 'B' : 'A')}";
        _authorizations["other scheme"] = $"Basic {owner.Key}";
        _authorizations["another tenant"] = $"Bearer {other.Key}";
        _authorizations["operator"] = platform.Operator.DefaultRequestHeaders.Authorization!.ToString();
        foreach (var tenant in (TestTenant[])[owner, other])
            await UntilLoggedAsync(
                tenant,
                tenant == owner ? "/v1/fleets/owned/allocations/1/inclusion" : "/v1/log/checkpoint",
                cancel
            );
        (_names["{owner}"], _names["{doomed}"]) = (owner.Id, doomed.Id);
        _names["{spare}"] = (await MakeKeyAsync(owner, ["read"], cancel)).Id;
    }

    public ValueTask DisposeAsync() => default;

    private static Task UntilLoggedAsync(TestTenant tenant, string path, CancellationToken cancel) =>
        Testing.Eventually.TrueAsync(
            async () =>
            {
                using var client = tenant.Client();
                using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), cancel);
                return answer.IsSuccessStatusCode;
            },
            path,
            cancel
        );

    /// <summary>A message of the owner's that was set aside.</summary>
    private async Task<string> SetAsideAsync(TestTenant owner, CancellationToken cancel)
    {
        await owner.PublishAsync(
            "owned",
            System.Text.Encoding.UTF8.GetBytes($"no window of {owner.Id}"),
            Guid.NewGuid(),
            cancel
        );
        var query = $"select coalesce(min(rejected_id), '') from platform.rejections where tenant_id = '{owner.Id}'";
        return await Testing.Eventually.GetAsync(
            async () => await platform.Database.QueryAsync<string>(query, cancel) is { Length: > 0 } id ? id : null,
            "a message to be set aside",
            cancel
        );
    }

    private static async Task MakeFleetsAsync(TestTenant owner, CancellationToken cancel)
    {
        foreach (var fleet in (string[])["owned", "put", "doomed", "voided"])
            await owner.PutFleetAsync(fleet, cancel, definition => definition["solving"]!["everySeconds"] = 86_400);
        await owner.PutFleetAsync(
            "proposed",
            cancel,
            definition =>
            {
                definition["solving"]!["everySeconds"] = 86_400;
                definition["solving"]!["approvalSeconds"] = 86_400;
            }
        );
        using var client = owner.Client();
        foreach (var webhook in (string[])["owned", "put", "doomed"])
        {
            using var content = new StringContent(Webhook, System.Text.Encoding.UTF8, "application/json");
            using var put = await client.PutAsync(
                new Uri($"/v1/webhooks/{webhook}", UriKind.Relative),
                content,
                cancel
            );
            Assert.Equal(System.Net.HttpStatusCode.Created, put.StatusCode);
        }

        await owner.UntilAllocatedAsync("owned", _ => true, cancel);
        await owner.PublishAsync(
            "voided",
            TestTenant.Window("voided"),
            new Guid((string)JsonNode.Parse(Voids)!["messageId"]!),
            cancel
        );
        await owner.UntilStoredAsync("voided", 1, cancel);
        await Testing.Eventually.TrueAsync(
            async () =>
                (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/proposed", cancel))!["labels"]!["proposal"]
                    is not null,
            "a proposal",
            cancel
        );
    }

    /// <summary>Keys with every scope that open nothing: one is revoked, one has expired since it was made.</summary>
    private async Task MakeVoidKeysAsync(TestTenant owner, CancellationToken cancel)
    {
        string[] all = ["ingest", "read", "manage", "audit"];
        var (revoked, expired) = (await MakeKeyAsync(owner, all, cancel), await MakeKeyAsync(owner, all, cancel));
        using var @operator = platform.Operator;
        using var revocation = await @operator.DeleteAsync(
            new Uri($"/v1/tenants/{owner.Id}/keys/{revoked.Id}", UriKind.Relative),
            cancel
        );
        Assert.True(revocation.IsSuccessStatusCode);
        await platform.Database.QueryAsync<DateTime>(
            $"update platform.api_keys set expires_at = now() - interval '1 second' where key_id = '{expired.Id}' returning expires_at",
            cancel
        );
        (_authorizations["revoked"], _authorizations["expired"]) = ($"Bearer {revoked.Text}", $"Bearer {expired.Text}");
    }

    private async Task<(string Id, string Text)> MakeKeyAsync(
        TestTenant owner,
        string[] scopes,
        CancellationToken cancel
    )
    {
        using var @operator = platform.Operator;
        using var made = await @operator.PostAsJsonAsync(
            $"/v1/tenants/{owner.Id}/keys",
            new { name = "a key", scopes },
            cancel
        );
        var key = await TestPlatform.ReadAsync(made, cancel);
        return ((string)key["id"]!, (string)key["apiKey"]!);
    }
}
