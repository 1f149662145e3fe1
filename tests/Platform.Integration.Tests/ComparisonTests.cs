using System.Net;
using System.Text.Json.Nodes;

namespace Platform.Integration.Tests;

public sealed class ComparisonTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_versions_are_compared_and_the_inputs_that_moved_explain_the_change()
    {
        var tenant = await WithTwoVersionsAsync();
        using var client = tenant.Client();
        using var answer = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocations/diff?from=1&to=2", UriKind.Relative),
            Cancel
        );
        var body = await TestPlatform.ReadAsync(answer, Cancel);
        var (one, two) = (await VersionAsync(client, 1), await VersionAsync(client, 2));

        Assert.Equal((1, 2), ((int)body["from"]!["version"]!, (int)body["to"]!["version"]!));
        var difference = body["difference"]!;
        var math = difference["taskTypes"]![0]!;
        Assert.Equal(("math", "kept"), ((string)math["taskType"]!, (string)math["presence"]!));
        Assert.Equal((long)one["solution"]!["allocation"]![0]!["tokens"]!, (long)math["from"]!);
        Assert.Equal((long)two["solution"]!["allocation"]![0]!["tokens"]!, (long)math["to"]!);
        var objective = difference["figures"]!["objective"]!;
        Assert.Equal((double)one["solution"]!["objective"]!, (double)objective["from"]!);
        Assert.Equal((double)two["solution"]!["objective"]!, (double)objective["to"]!);

        Assert.Equal(
            ["objective", "servers"],
            difference["inputs"]!.AsArray().Select(input => (string)input!["input"]!)
        );
        var weight = difference["inputs"]![0]!["largest"]!;
        Assert.Equal(
            ("/accuracyWeight", 30, 10),
            ((string)weight["pointer"]!, (double)weight["from"]!, (double)weight["to"]!)
        );
        Assert.Equal(
            1,
            difference["inputs"]!
                .AsArray()
                .Sum(input => (double)input!["explains"]!["figures"]!["objective"]!["share"]!),
            9
        );
        Assert.Equal(
            (double)math["change"]!,
            difference["inputs"]!
                .AsArray()
                .Sum(input => (double?)input!["explains"]!["taskTypes"]!["math"]?["change"] ?? 0),
            6
        );
        Assert.Null(difference["inputs"]![0]!["parameters"]);
        var cause = Assert.Single(difference["causes"]!.AsArray())!;
        Assert.Equal("definition", (string)cause["cause"]!);
        Assert.Equal(["objective", "servers"], cause["inputs"]!.AsArray().Select(input => (string)input!));
        Assert.Equal(1, (double)cause["explains"]!["figures"]!["objective"]!["share"]!, 9);
    }

    [Fact]
    public async Task Full_detail_lists_every_parameter_that_differs()
    {
        var tenant = await WithTwoVersionsAsync();
        using var client = tenant.Client();
        using var answer = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocations/diff?from=2&to=1&detail=full", UriKind.Relative),
            Cancel
        );
        var inputs = (await TestPlatform.ReadAsync(answer, Cancel))["difference"]!["inputs"]!.AsArray();
        Assert.Equal(
            ["/accuracyWeight 10 30", "/servers 2 1", "/dispatch shared split"],
            inputs
                .SelectMany(input => input!["parameters"]!.AsArray())
                .Select(change => $"{change!["pointer"]} {change["from"]} {change["to"]}")
        );
    }

    [Fact]
    public async Task A_comparison_never_changes_and_is_not_sent_again()
    {
        var tenant = await WithTwoVersionsAsync();
        using var client = tenant.Client();
        using var first = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocations/diff?from=1&to=2", UriKind.Relative),
            Cancel
        );
        Assert.Equal(
            ["immutable", "max-age=31536000", "private"],
            first.Headers.CacheControl!.ToString().Split(", ").Order(StringComparer.Ordinal)
        );
        using var full = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocations/diff?from=1&to=2&detail=full", UriKind.Relative),
            Cancel
        );
        Assert.NotEqual(first.Headers.ETag, full.Headers.ETag);

        client.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.GetAsync(
            new Uri("/v1/fleets/chat/allocations/diff?from=1&to=2", UriKind.Relative),
            Cancel
        );
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
    }

    [Theory]
    [InlineData("to=1", 400, "/from")]
    [InlineData("from=1", 400, "/to")]
    [InlineData("from=0&to=1", 400, "/from")]
    [InlineData("from=1&to=x", 400, "/to")]
    [InlineData("from=1&to=99999999999", 400, "/to")]
    [InlineData("from=1&to=1&detail=all", 400, "/detail")]
    [InlineData("from=1&to=3", 404, null)]
    [InlineData("from=3&to=1", 404, null)]
    public async Task What_cannot_be_compared_is_said_so(string query, int status, string? pointer)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        using var client = tenant.Client();
        using var answer = await client.GetAsync(
            new Uri($"/v1/fleets/chat/allocations/diff?{query}", UriKind.Relative),
            Cancel
        );
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        if (pointer is not null)
            Assert.Equal(
                pointer,
                (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["errors"]![0]!["pointer"]!
            );
    }

    private async Task<TestTenant> WithTwoVersionsAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                definition["objective"]!["accuracyWeight"] = 10;
                definition["servers"] = 2;
                definition["dispatch"] = "shared";
            }
        );
        await tenant.UntilAllocatedAsync("chat", snapshot => (int)snapshot["version"]! == 2, Cancel);
        return tenant;
    }

    private static async Task<JsonNode> VersionAsync(HttpClient client, int version)
    {
        using var answer = await client.GetAsync(
            new Uri($"/v1/fleets/chat/allocations/{version}", UriKind.Relative),
            Cancel
        );
        return await TestPlatform.ReadAsync(answer, Cancel);
    }
}
