using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// A fleet whose servers take levels only: the snapshot holds the optimum and what is sent, and everybody is told what
/// is sent.
/// </summary>
public sealed class ActuatorTests(TestPlatform platform)
{
    private static readonly long[] Levels = [0, 256, 1_024];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_sent_is_allowed_told_to_all_and_derived_again()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
                definition["actuator"] = JsonNode.Parse(
                    """{ "allowed": [ { "min": 0, "max": 0, "name": "off" }, { "min": 256, "max": 256, "name": "low" }, { "min": 1024, "max": 1024, "name": "high" } ] }"""
                )
        );
        var snapshot = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        var sent = snapshot["sent"]!["allocation"]!.AsArray();
        Assert.All(sent, it => Assert.Contains((long)it!["tokens"]!, Levels));
        Assert.Equal(
            "off low high".Split(' ')[Array.IndexOf(Levels, (long)sent[0]!["tokens"]!)],
            (string?)sent[0]!["name"]
        );
        Assert.True((bool)snapshot["sent"]!["keepsLimits"]!);
        Assert.True((double)snapshot["sent"]!["loss"]! >= 0);
        var tokens = sent.ToDictionary(it => (string)it!["taskType"]!, it => (long)it!["tokens"]!);
        Assert.NotEqual(
            tokens,
            snapshot["solution"]!["allocation"]!
                .AsArray()
                .ToDictionary(it => (string)it!["taskType"]!, it => (long)it!["tokens"]!)
        );

        using var source = new AllocationSource(platform.Address, tenant.Key);
        Assert.Equal(tokens, (await source.GetAsync("chat", Cancel)).Tokens);
        await using var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        var notice = await Eventually.GetAsync(
            () => channel.BasicGetAsync(IngressNames.AllocationsOf(tenant.Id), autoAck: true, Cancel),
            "a notice",
            Cancel
        );
        Assert.Equal(
            tokens,
            JsonNode.Parse(notice.Body.Span)!["data"]!["tokens"]!
                .AsObject()
                .ToDictionary(it => it.Key, it => (long)it.Value!)
        );

        using var client = tenant.Client();
        var overview = (await client.GetFromJsonAsync<JsonNode>("/v1/allocations", Cancel))!["items"]![0]!["inForce"]!;
        Assert.True(JsonNode.DeepEquals(sent, overview["tokens"]), overview.ToJsonString());
        foreach (var figure in (string[])["objective", "meanAccuracy", "meanSystemTimeSeconds", "utilization"])
            Assert.Equal((double)snapshot["sent"]![figure]!, (double)overview[figure]!);
        var csv = await client.GetStringAsync("/v1/fleets/chat/allocations/export?format=csv", Cancel);
        var lines = csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(',')).ToArray();
        Assert.Equal(["given", "givenName"], lines[0][^2..]);
        Assert.Equal(
            sent.Select(it => $"{(string)it!["taskType"]!} {(long)it["tokens"]!} {(string)it["name"]!}"),
            lines[1..].Select(line => $"{line[7]} {line[^2]} {line[^1]}")
        );
        var verification = (
            await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat/allocations/1/verification", Cancel)
        )!;
        Assert.True((bool)verification["matches"]!);
    }
}
