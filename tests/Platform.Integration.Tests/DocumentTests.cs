using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Domain.Notices;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The documents about HTTP and the broker say what the code does.</summary>
public sealed class DocumentTests(TestPlatform platform)
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// After a change of the API: <c>curl -s ADDRESS/openapi/v1.json</c>, or what this test leaves beside it.
    /// </summary>
    [Fact]
    public async Task The_OpenAPI_document_that_is_kept_is_the_one_that_is_served()
    {
        using var client = platform.Anonymous();
        var served = (await client.GetFromJsonAsync<JsonObject>("/openapi/v1.json", Cancel))!;
        served.Remove("servers");
        var (kept, now) = (Path.Combine(Script.Root, "docs", "openapi.json"), $"{served.ToJsonString(Indented)}\n");
        if (!File.Exists(kept) || await File.ReadAllTextAsync(kept, Cancel) != now)
        {
            var correct = Path.Combine(Script.Root, ".platform", "openapi.json");
            await File.WriteAllTextAsync(correct, now, Cancel);
            Assert.Fail("docs/openapi.json is not what is served; .platform/openapi.json is.");
        }

        Assert.StartsWith("3.1", (string)served["openapi"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_quick_starts_definition_is_taken_and_solved()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Script.Root, "docs", "quickstart.md"), Cancel);
        var definition = JsonNode.Parse(text.Split("-d '", 3)[1].Split('\'')[0])!.AsObject();
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var client = tenant.Client();
        using var answer = await client.PutAsJsonAsync("/v1/fleets/chat", definition, Cancel);
        await TestPlatform.ReadAsync(answer, Cancel);
        await tenant.UntilAllocatedAsync("chat", it => it["solution"]!["allocation"]!.AsArray().Count == 2, Cancel);
    }

    [Fact]
    public void The_AsyncAPI_documents_window_is_taken_by_the_reader()
    {
        var example = Example("window");
        var end = DateTimeOffset.Parse(
            (string)example["windowEnd"]!,
            System.Globalization.CultureInfo.InvariantCulture
        );
        Assert.True(
            WorkloadWindowReader.TryRead(StrictJson.Write(example), end, out var window, out var errors),
            string.Join("; ", errors ?? [])
        );
        Assert.Equal("math", window.Tasks.Single().TaskType);
    }

    [Fact]
    public void The_AsyncAPI_documents_notice_is_what_the_platform_sends()
    {
        var example = Example("notice");
        var notice = new AllocationNotice(
            JsonSerializer.Deserialize<InForceNotice>(example["data"]!.ToJsonString(), StrictJson.Options)!
        );
        Assert.True(
            JsonNode.DeepEquals(example, JsonNode.Parse(notice.ToBytes())),
            JsonNode.Parse(notice.ToBytes())!.ToJsonString()
        );
    }

    [Fact]
    public void The_AsyncAPI_documents_exchanges_are_those_of_the_code() =>
        Assert.Equal(
            [IngressNames.Exchange, IngressNames.Allocations],
            AsyncApi()["channels"]!
                .AsObject()
                .Select(it => (string)it.Value!["bindings"]!["amqp"]!["exchange"]!["name"]!)
        );

    private static JsonNode Example(string message) =>
        AsyncApi()["components"]!["messages"]![message]!["examples"]![0]!["payload"]!;

    private static JsonNode AsyncApi() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Script.Root, "docs", "asyncapi.json")))!;
}
