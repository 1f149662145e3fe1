using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// Benchmarks that no other test runs, as people run them and small: what they measure is judged by people, that they
/// work is judged here.
/// </summary>
public sealed class BenchmarkTests
{
    [Fact]
    public async Task Re_solves_with_a_short_and_a_long_history_are_measured()
    {
        var (status, output, error) = await Script.RunAsync("bench", "estimate", "--history", "2", "-o", "json");

        Assert.True(status == 0, error);
        var figures = JsonNode.Parse(output)!;
        Assert.Equal((1_000, 2_000), ((int)figures["shortHistory"]!, (int)figures["longHistory"]!));
        Assert.All(
            (string[])
                [
                    "windowsFoldedPerSecond",
                    "windowsReadAndFoldedPerSecond",
                    "shortMilliseconds",
                    "longMilliseconds",
                    "ratio",
                    "shortVerifyMilliseconds",
                    "longVerifyMilliseconds",
                    "verifyRatio",
                ],
            name => Assert.True((double)figures[name]! > 0, name)
        );
    }

    [Fact]
    public async Task Pages_are_measured_beside_the_calls_behind_them()
    {
        var (status, output, error) = await Script.RunAsync("bench", "page", "--rounds", "1", "-o", "json");

        Assert.True(status == 0, error);
        Assert.All(JsonNode.Parse(output)!["figures"]!.AsArray(), it => Assert.True((double)it!["ratio"]! > 0));
    }

    [Fact]
    public async Task Reading_is_measured_beside_an_empty_endpoint_with_few_snapshots_and_with_many()
    {
        var (status, output, error) = await Script.RunAsync(
            "bench",
            "read",
            "--snapshots",
            "2",
            "--seconds",
            "1",
            "--rounds",
            "1",
            "-o",
            "json"
        );

        Assert.True(status == 0, error);
        var figures = JsonNode.Parse(output)!["figures"]!.AsArray();
        Assert.Equal([1_000L, 3_000L], figures.Select(it => (long)it!["snapshots"]!).Distinct());
        Assert.Equal(12, figures.Count);
        Assert.All(figures, it => Assert.True((double)it!["requestsPerSecond"]! > 0 && (double)it["overEmpty"]! > 0));
    }

    [Fact]
    public async Task A_night_is_played_to_each_method()
    {
        var (status, output, error) = await Script.RunAsync(
            "bench",
            "traffic",
            "--scenarios",
            "night",
            "--hours",
            "12",
            "-o",
            "json"
        );

        Assert.True(status == 0, error);
        var night = Assert.Single(JsonNode.Parse(output)!["scenarios"]!.AsArray())!;
        Assert.Equal(720, (int)night["minutes"]!);
        Assert.True((double)night["clairvoyantObjective"]! > (double)night["singleObjective"]!);
        var methods = night["methods"]!.AsArray();
        Assert.Equal(["average", "short", "ours"], methods.Select(it => (string)it!["method"]!));
        Assert.All(methods, it => Assert.InRange((double)it!["coverage"]!, 0, 1));
        Assert.All(methods, it => Assert.True((int)it!["versionsWritten"]! > 0));

        // The average of six hours has forgotten the day by the end of the night.
        Assert.True((double)methods[0]!["minutesAvoidable"]! > 0);
    }
}
