using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Integration.Tests.Dashboard;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>A fleet that is solved and still needs somebody's attention says so wherever it is shown.</summary>
public sealed class FleetConcernTests(TestPlatform platform)
{
    private const string UnknownTypes =
        "40 % of arrivals are of task types that the definition does not know: maths; "
        + "rename them, or add them to the definition as task types or as aliases.";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Windows_of_unknown_task_types_show_in_health_list_and_pages()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, Enough);
        await tenant.PublishAsync("chat", Misspelt(), Guid.NewGuid(), Cancel);
        var fleet = await UntilHealthAsync(tenant, "attention");

        Assert.Equal(UnknownTypes, (string)fleet["health"]!["detail"]!);
        Assert.Equal(
            ("unknownTaskTypes", UnknownTypes),
            ((string)fleet["concerns"]![0]!["code"]!, (string)fleet["concerns"]![0]!["message"]!)
        );
        using var client = tenant.Client();
        var listed = (await client.GetFromJsonAsync<JsonNode>("/v1/fleets", Cancel))!["items"]![0]!;
        Assert.Equal(
            ("attention", UnknownTypes),
            ((string)listed["health"]!["status"]!, (string)listed["concerns"]![0]!["message"]!)
        );
        using var browser = new BrowserSession(platform.Address);
        using var signedIn = await browser.SignInAsync(tenant.Key);
        Assert.Contains(UnknownTypes, await browser.TextAsync("/"), StringComparison.Ordinal);
        Assert.Contains(UnknownTypes, await browser.TextAsync("/?health=attention"), StringComparison.Ordinal);
        Assert.Contains(UnknownTypes, await browser.TextAsync("/fleets/chat"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alias_takes_over_what_windows_told_under_the_old_name()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, Enough);
        await tenant.PublishAsync("chat", Misspelt(), Guid.NewGuid(), Cancel);
        await UntilHealthAsync(tenant, "attention");
        var revised = await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                Enough(definition);
                definition["taskTypes"]![0]!["aliases"] = new JsonArray("maths");
            }
        );
        Assert.Equal("maths", (string?)revised["definition"]!["taskTypes"]![0]!["aliases"]![0]);
        await UntilHealthAsync(tenant, "ok");

        using var client = tenant.Client();
        var estimate = (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/estimate", Cancel))!;
        Assert.Equal(
            (50, 0),
            ((int)estimate["taskTypes"]![0]!["arrivals"]!, estimate["unknownTaskTypes"]!.AsArray().Count)
        );
        var snapshot = await tenant.UntilAllocatedAsync(
            "chat",
            it => (int)it["provenance"]!["definitionRevision"]! == (int)revised["revision"]!,
            Cancel
        );
        Assert.DoesNotContain("aliases", snapshot.ToJsonString(), StringComparison.Ordinal);
        for (var version = 1; version <= (int)snapshot["version"]!; version++)
        {
            var found = await client.GetFromJsonAsync<JsonNode>(
                $"/v1/fleets/chat/allocations/{version}/verification",
                Cancel
            );
            Assert.True((bool)found!["matches"]! && (bool)found["chainIntact"]!, found.ToJsonString());
        }
    }

    [Fact]
    public async Task A_pinned_version_that_lacks_a_task_type_of_the_definition_is_told_as_long_as_it_is_pinned()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, definition => OneType(definition));
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        using var client = tenant.Client();
        Assert.Null((string?)(await PinAsync(client))["warning"]);
        await tenant.PutFleetAsync("chat", Cancel);

        var fleet = await UntilHealthAsync(tenant, "attention");
        var message = (string)fleet["health"]!["detail"]!;
        Assert.StartsWith(
            "The pinned version 1 has no tokens for these task types of the definition: chat. ",
            message,
            StringComparison.Ordinal
        );
        Assert.Equal(message, (string?)(await PinAsync(client))["warning"]);
        using var released = await client.DeleteAsync(
            new Uri("/v1/fleets/chat/pin?reason=mended", UriKind.Relative),
            Cancel
        );
        Assert.Null((string?)(await TestPlatform.ReadAsync(released, Cancel))["warning"]);
        await UntilHealthAsync(tenant, "ok");
    }

    /// <summary>Servers for fifty queries in ten seconds.</summary>
    private static void Enough(JsonObject definition) => definition["servers"] = 100;

    private static async Task<JsonNode> PinAsync(HttpClient client)
    {
        using var answer = await client.PostAsJsonAsync(
            "/v1/fleets/chat/allocations/1/pin",
            new { reason = "a test" },
            Cancel
        );
        return await TestPlatform.ReadAsync(answer, Cancel);
    }

    private static void OneType(JsonObject definition)
    {
        definition["taskTypes"]!.AsArray().RemoveAt(1);
        definition["taskTypes"]![0]!["share"] = 1;
    }

    private static JsonObject Misspelt()
    {
        var window = TestTenant.Window("chat", load: 30);
        window["tasks"]!.AsArray().Add(new JsonObject { ["taskType"] = "maths", ["arrivals"] = 20 });
        return window;
    }

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
