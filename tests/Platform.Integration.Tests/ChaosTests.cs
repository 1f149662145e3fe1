using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// The benchmark of kills as people run it, small: services, API and workers of its own, one kill of each.
/// </summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task Killing_every_component_under_load_loses_nothing_and_stores_nothing_twice()
    {
        var (status, output, error) = await Script.RunAsync(
            "bench",
            "chaos",
            "--messages",
            "4000",
            "--kills",
            "4",
            "-o",
            "json"
        );

        Assert.True(status == 0, error);
        var figures = JsonNode.Parse(output)!;
        Assert.Equal(
            ["api", "postgres", "rabbitMq", "worker"],
            figures["outcomes"]!.AsArray().Select(it => (string)it!["victim"]!).Order(StringComparer.Ordinal)
        );
        Assert.Equal((4000, 4000), ((int)figures["total"]!["acknowledged"]!, (int)figures["total"]!["stored"]!));
    }

    [Fact]
    public async Task A_rolling_restart_under_load_loses_nothing_stores_nothing_twice_and_fails_no_read()
    {
        var (status, output, error) = await Script.RunAsync("bench", "restart", "--rounds", "1", "-o", "json");

        Assert.True(status == 0, error);
        var figures = JsonNode.Parse(output)!;
        Assert.Equal(
            ["api", "api-2", "worker-1", "worker-2"],
            figures["restarts"]!.AsArray().Select(it => (string)it!["process"]!)
        );
        Assert.Equal(
            (0, 0, 0),
            (
                (int)figures["messages"]!["lost"]!,
                (int)figures["messages"]!["duplicated"]!,
                (int)figures["reads"]!["failed"]!
            )
        );
    }
}
