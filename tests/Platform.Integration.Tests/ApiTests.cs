using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;
using RabbitMQ.Client.Exceptions;

namespace Platform.Integration.Tests;

public sealed class ApiTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Every call about a fleet, as another tenant would try it.</summary>
    public static TheoryData<string, string> FleetCalls =>
        new()
        {
            { "GET", "" },
            { "DELETE", "" },
            { "GET", "/events" },
            { "POST", "/statistics" },
            { "POST", "/solve" },
            { "GET", "/allocation" },
            { "GET", "/allocation?asOf=2100-01-01T00:00:00Z" },
            { "GET", "/allocations" },
            { "GET", "/allocations/1" },
            { "GET", "/allocations/1/verification" },
            { "GET", "/allocations/diff?from=1&to=1" },
            { "GET", "/allocations/export" },
            { "POST", "/what-if" },
            { "POST", "/what-if/frontier" },
            { "GET", "/estimate" },
            { "GET", "/estimate?asOf=2026-01-01T00:00:00Z" },
        };

    [Theory]
    [MemberData(nameof(FleetCalls))]
    public async Task Another_tenants_fleet_answers_exactly_as_one_that_does_not_exist(string method, string path)
    {
        var (owner, other) = (await platform.CreateTenantAsync(Cancel), await platform.CreateTenantAsync(Cancel));
        await owner.PutFleetAsync("chat", Cancel);
        await owner.UntilAllocatedAsync("chat", _ => true, Cancel);

        var foreign = await AskAsync(other, method, $"/v1/fleets/chat{path}");
        var missing = await AskAsync(other, method, $"/v1/fleets/nobody{path}");
        Assert.Equal(HttpStatusCode.NotFound, foreign.Status);
        Assert.Equal(missing, foreign);
    }

    [Fact]
    public async Task A_put_with_a_stale_entity_tag_is_412_and_changes_nothing()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var client = tenant.Client();
        Assert.Equal(HttpStatusCode.OK, await PutAsync(client, "chat", 11, "\"r1\""));
        // Whoever has lost that answer asks again.
        Assert.Equal(HttpStatusCode.OK, await PutAsync(client, "chat", 11, "\"r1\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(client, "chat", 12, "\"r1\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(client, "nobody", 12, "\"r1\""));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(client, "chat", 12, "\"7\""));

        using var answer = await client.GetAsync(new Uri("/v1/fleets/chat", UriKind.Relative), Cancel);
        Assert.Equal("\"r2\"", answer.Headers.ETag!.Tag);
        Assert.Equal(
            11,
            (double)(await TestPlatform.ReadAsync(answer, Cancel))["definition"]!["objective"]!["accuracyWeight"]!
        );
    }

    [Fact]
    public async Task The_same_definition_again_is_200_and_no_new_revision()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        Assert.Equal(1, (int)(await tenant.PutFleetAsync("chat", Cancel))["revision"]!);
        Assert.Equal(1, (int)(await tenant.PutFleetAsync("chat", Cancel))["revision"]!);
    }

    [Theory]
    [InlineData("/objective/accuracyWeight", "-1")]
    [InlineData("/arrivalRate", "-0.5")]
    [InlineData("/arrivalRate", "\"many\"")]
    [InlineData("/arrivalRate", "1e400")]
    [InlineData("/servers", "0")]
    [InlineData("/dispatch", "\"random\"")]
    [InlineData("/objective/maxUtilization", "1.5")]
    [InlineData("/taskTypes/0/share", "0.9", "/taskTypes")]
    [InlineData("/taskTypes/1/id", "\"math\"")]
    [InlineData("/taskTypes/1/id", "\"a b\"")]
    [InlineData("/taskTypes/0/maxTokens", "-5")]
    [InlineData("/taskTypes/0/service/secondsPerToken", "-1")]
    [InlineData("/taskTypes/0/accuracy/gain", "2")]
    [InlineData("/solving/everySeconds", "0")]
    [InlineData("/displayName", "\"\"")]
    [InlineData("/unheardOf", "1")]
    public async Task Bad_input_names_its_field(string pointer, string value, string? said = null)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var client = tenant.Client();
        using var body = new StringContent(
            With(TestTenant.Definition(), pointer, value),
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await client.PutAsync(new Uri("/v1/fleets/chat", UriKind.Relative), body, Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        Assert.Contains(said ?? pointer, problem["errors"]!.AsArray().Select(error => (string)error!["pointer"]!));
        Assert.NotEmpty((string)problem["traceId"]!);
        Assert.NotEmpty((string)problem["type"]!);
    }

    [Fact]
    public async Task An_allocation_that_the_client_has_is_not_sent_again()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["solving"]!["everySeconds"] = 86_400);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        using var client = tenant.Client();
        using var first = await client.GetAsync(new Uri("/v1/fleets/chat/allocation", UriKind.Relative), Cancel);
        client.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await client.GetAsync(new Uri("/v1/fleets/chat/allocation", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
    }

    [Fact]
    public async Task The_allocation_of_the_past_is_the_one_that_was_in_force_then()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        var before = TimeProvider.System.GetUtcNow();
        await tenant.PutFleetAsync("chat", Cancel);
        var first = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 10);
        await tenant.UntilAllocatedAsync("chat", snapshot => (int)snapshot["version"]! == 2, Cancel);

        using var client = tenant.Client();
        var then = await client.GetFromJsonAsync<JsonNode>(
            $"/v1/fleets/chat/allocation?asOf={(string)first["solvedAt"]!}",
            Cancel
        );
        Assert.Equal(1, (int)then!["version"]!);
        using var tooEarly = await client.GetAsync(
            new Uri($"/v1/fleets/chat/allocation?asOf={before:yyyy-MM-ddTHH:mm:ss.fffZ}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotFound, tooEarly.StatusCode);
        using var nonsense = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocation?asOf=yesterday", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.BadRequest, nonsense.StatusCode);
    }

    [Fact]
    public async Task Keys_do_what_their_scopes_say_until_they_are_revoked()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var @operator = platform.Operator;
        using var made = await @operator.PostAsJsonAsync(
            $"/v1/tenants/{tenant.Id}/keys",
            new { name = "reader", scopes = new[] { "read" } },
            Cancel
        );
        var key = await TestPlatform.ReadAsync(made, Cancel);
        var reader = tenant with { Key = (string)key["apiKey"]! };

        await tenant.PutFleetAsync("chat", Cancel);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(reader, "GET", "/v1/fleets/chat")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(reader, "DELETE", "/v1/fleets/chat")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(reader, "POST", "/v1/fleets/chat/statistics")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(reader, "GET", "/v1/tenants")).Status);

        using var revoked = await @operator.DeleteAsync(
            new Uri($"/v1/tenants/{tenant.Id}/keys/{(string)key["id"]!}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(reader, "GET", "/v1/fleets/chat")).Status);
        var listed = await @operator.GetStringAsync(new Uri($"/v1/tenants/{tenant.Id}/keys", UriKind.Relative), Cancel);
        Assert.DoesNotContain(reader.Key, listed, StringComparison.Ordinal);
        Assert.Equal(2, JsonNode.Parse(listed)!["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task Without_a_valid_key_nothing_answers()
    {
        using var nobody = platform.Anonymous();
        using var none = await nobody.GetAsync(new Uri("/v1/fleets", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        Assert.Equal("application/problem+json", none.Content.Headers.ContentType!.MediaType);
        using var wrong = platform.Client("alloc_0123456789abcdef_0123456789abcdef0123456789abcdefxxxxxx");
        using var refused = await wrong.GetAsync(new Uri("/v1/tenants", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task A_suspended_tenant_is_out_at_both_doors()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        using var @operator = platform.Operator;
        using var answer = await @operator.DeleteAsync(new Uri($"/v1/tenants/{tenant.Id}", UriKind.Relative), Cancel);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(tenant, "GET", "/v1/fleets/chat")).Status);
        await Eventually.TrueAsync(
            () => Task.FromResult(!connection.IsOpen),
            "its open connection to be closed",
            Cancel
        );
        await Assert.ThrowsAnyAsync<Exception>(() =>
            tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel)
        );
    }

    [Fact]
    public async Task A_new_broker_password_puts_an_end_to_the_old_one_and_its_connections()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        using var @operator = platform.Operator;
        using var answer = await @operator.PostAsync(
            new Uri($"/v1/tenants/{tenant.Id}/broker-password", UriKind.Relative),
            null,
            Cancel
        );
        var access = await TestPlatform.ReadAsync(answer, Cancel);

        await Eventually.TrueAsync(
            () => Task.FromResult(!connection.IsOpen),
            "its open connection to be closed",
            Cancel
        );
        await Assert.ThrowsAnyAsync<BrokerUnreachableException>(() =>
            platform.BrokerAs(tenant.Id, tenant.BrokerPassword).CreateConnectionAsync(Cancel)
        );
        Assert.Equal(
            (tenant.Id, platform.VirtualHost, IngressNames.Exchange),
            ((string)access["userName"]!, (string)access["virtualHost"]!, (string)access["exchange"]!)
        );
        var renewed = tenant with { BrokerPassword = (string)access["password"]! };
        await renewed.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await renewed.UntilStoredAsync("chat", 1, Cancel);
        Assert.Equal(
            1,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from events.mt_events where tenant_id = '{tenant.Id}' and type = 'broker-password-issued'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task Only_the_operator_makes_a_broker_password_and_only_for_a_tenant_that_may_have_one()
    {
        var (tenant, suspended) = (await platform.CreateTenantAsync(Cancel), await platform.CreateTenantAsync(Cancel));
        using var @operator = platform.Operator;
        using var suspension = await @operator.DeleteAsync(
            new Uri($"/v1/tenants/{suspended.Id}", UriKind.Relative),
            Cancel
        );
        using var team = tenant.Client();
        Assert.Equal(HttpStatusCode.Forbidden, await PasswordAsync(team, tenant.Id));
        Assert.Equal(HttpStatusCode.NotFound, await PasswordAsync(@operator, "platform"));
        Assert.Equal(HttpStatusCode.Conflict, await PasswordAsync(@operator, suspended.Id));
        await Assert.ThrowsAnyAsync<BrokerUnreachableException>(() =>
            platform.BrokerAs(suspended.Id, suspended.BrokerPassword).CreateConnectionAsync(Cancel)
        );

        static async Task<HttpStatusCode> PasswordAsync(HttpClient client, string id)
        {
            using var answer = await client.PostAsync(
                new Uri($"/v1/tenants/{id}/broker-password", UriKind.Relative),
                null,
                Cancel
            );
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("""{"id":"A","displayName":"x"}""", 400, "/id")]
    [InlineData("""{"id":"ok-tenant","displayName":""}""", 400, "/displayName")]
    [InlineData("""{"id":"ok-tenant"}""", 400, "")]
    [InlineData("""{"id":"platform","displayName":"the platform's own broker user"}""", 409, null)]
    [InlineData("not json", 400, "")]
    public async Task A_tenant_that_cannot_be_is_refused(string body, int status, string? pointer)
    {
        using var @operator = platform.Operator;
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await @operator.PostAsync(new Uri("/v1/tenants", UriKind.Relative), content, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        if (pointer is not null)
            Assert.Equal(
                pointer,
                (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["errors"]![0]!["pointer"]!
            );
    }

    [Fact]
    public async Task An_id_is_taken_once()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var @operator = platform.Operator;
        using var answer = await @operator.PostAsJsonAsync(
            "/v1/tenants",
            new { id = tenant.Id, displayName = "again" },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        // The first one's broker password still works.
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync("chat", 1, Cancel);
    }

    [Fact]
    public async Task Lists_come_in_pages_that_miss_and_repeat_nothing()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        string[] ids = ["a", "b", "c", "d", "e"];
        foreach (var id in ids)
            await tenant.PutFleetAsync(id, Cancel);

        using var client = tenant.Client();
        var seen = new List<string>();
        for (string? cursor = ""; cursor is not null; )
        {
            var page = await client.GetFromJsonAsync<JsonNode>($"/v1/fleets?limit=2&cursor={cursor}", Cancel);
            seen.AddRange(page!["items"]!.AsArray().Select(item => (string)item!["id"]!));
            cursor = (string?)page["nextCursor"];
        }

        Assert.Equal(ids, seen);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(tenant, "GET", "/v1/fleets?limit=0")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await AskAsync(tenant, "GET", "/v1/fleets?cursor=!")).Status);
    }

    [Fact]
    public async Task A_retired_fleet_is_gone_and_its_history_stays()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        Assert.Equal(HttpStatusCode.NoContent, (await AskAsync(tenant, "DELETE", "/v1/fleets/chat")).Status);

        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(tenant, "GET", "/v1/fleets/chat")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(tenant, "GET", "/v1/fleets/chat/allocations/1")).Status);
        using var client = tenant.Client();
        var events = await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/events", Cancel);
        Assert.Equal(
            ["fleet-registered", "allocation-published", "fleet-retired"],
            events!["items"]!.AsArray().Select(item => (string)item!["type"]!)
        );
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/docs/")]
    public async Task What_needs_no_key_answers_without_one(string path)
    {
        using var nobody = platform.Anonymous();
        using var answer = await nobody.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task The_OpenAPI_document_has_the_calls_of_the_contract()
    {
        using var nobody = platform.Anonymous();
        var document = await nobody.GetFromJsonAsync<JsonNode>("/openapi/v1.json", Cancel);
        var calls = document!["paths"]!
            .AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(call => $"{call.Key} {path.Key}"));
        string[] contract =
        [
            "put /v1/fleets/{fleet}",
            "get /v1/fleets",
            "get /v1/fleets/{fleet}",
            "delete /v1/fleets/{fleet}",
            "post /v1/fleets/{fleet}/statistics",
            "get /v1/fleets/{fleet}/events",
            "get /v1/fleets/{fleet}/estimate",
            "post /v1/fleets/{fleet}/solve",
            "get /v1/fleets/{fleet}/allocation",
            "get /v1/fleets/{fleet}/allocations",
            "get /v1/fleets/{fleet}/allocations/{version}",
            "get /v1/fleets/{fleet}/allocations/{version}/verification",
            "post /v1/fleets/{fleet}/allocations/{version}/pin",
            "delete /v1/fleets/{fleet}/pin",
            "get /v1/fleets/{fleet}/changes",
            "post /v1/tenants",
            "get /v1/tenants",
            "delete /v1/tenants/{tenant}",
            "post /v1/tenants/{tenant}/keys",
            "get /v1/tenants/{tenant}/keys",
            "delete /v1/tenants/{tenant}/keys/{key}",
            "get /v1/fleets/{fleet}/allocations/diff",
            "post /v1/fleets/{fleet}/what-if",
        ];
        Assert.Empty(contract.Except(calls));
    }

    [Theory]
    [InlineData("text/plain", "{}", 415)]
    [InlineData("application/json", null, 413)]
    public async Task A_body_that_is_no_JSON_or_too_large_is_refused_before_it_is_read(
        string type,
        string? body,
        int status
    )
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var client = tenant.Client();
        using var content = new StringContent(
            body ?? new string(' ', 300_000),
            Encoding.UTF8,
            MediaTypeHeaderValue.Parse(type)
        );
        using var answer = await client.PostAsync(
            new Uri("/v1/fleets/chat/statistics", UriKind.Relative),
            content,
            Cancel
        );
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(
        TestTenant tenant,
        string method,
        string path
    )
    {
        using var client = tenant.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST")
            request.Content = JsonContent.Create(TestTenant.Window("chat"));
        using var answer = await client.SendAsync(request, Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        if (!answer.IsSuccessStatusCode && body.Length > 0)
        {
            var problem = JsonNode.Parse(body)!.AsObject();
            problem.Remove("traceId");
            body = problem.ToJsonString();
        }

        return (answer.StatusCode, body);
    }

    private static async Task<HttpStatusCode> PutAsync(
        HttpClient client,
        string fleet,
        double accuracyWeight,
        string ifMatch
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/fleets/{fleet}")
        {
            Content = JsonContent.Create(
                TestTenant.Definition(definition => definition["objective"]!["accuracyWeight"] = accuracyWeight)
            ),
        };
        request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var answer = await client.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    /// <summary>
    /// The document's text with one value replaced; the value may be what no JSON library would write.
    /// </summary>
    private static string With(JsonObject document, string pointer, string value)
    {
        const string Mark = "\"the value goes here\"";
        var steps = pointer[1..].Split('/');
        JsonNode node = document;
        foreach (var step in steps[..^1])
            node = int.TryParse(step, out var index) ? node[index]! : node[step]!;
        node[steps[^1]] = "the value goes here";
        return document.ToJsonString().Replace(Mark, value, StringComparison.Ordinal);
    }
}
