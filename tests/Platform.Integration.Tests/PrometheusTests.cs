using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Platform.Cli.Hosting;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// Debian's Prometheus with what <c>deploy/</c> gives it: the rules do what they say, and each question of the
/// dashboard is one that it answers.
/// </summary>
public sealed partial class PrometheusTests(TestPlatform platform)
{
    private const string Missing = "There is no Prometheus here; ./platform test installs Debian's.";

    private static readonly string Deployed = Path.Combine(Script.Root, "deploy", "prometheus");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static bool IsThere => File.Exists("/usr/bin/prometheus") && File.Exists("/usr/bin/promtool");

    [Theory]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task The_rules_hold(params string[] arguments)
    {
        Assert.SkipUnless(IsThere, Missing);
        var (status, output, error) = await Script.RunProgramAsync("/usr/bin/promtool", Deployed, [], arguments);
        Assert.True(status == 0, output + error);
    }

    [Fact]
    public async Task Every_alert_has_a_test_that_sees_it_fire()
    {
        var alerts = Named()
            .Matches(await File.ReadAllTextAsync(Path.Combine(Deployed, "alerts.yml"), Cancel))
            .Select(it => it.Groups[1].Value)
            .ToArray();
        var tested = Fires()
            .Matches(await File.ReadAllTextAsync(Path.Combine(Deployed, "alerts.test.yml"), Cancel))
            .Select(it => it.Groups[1].Value)
            .ToArray();
        Assert.NotEmpty(alerts);
        Assert.Equal(alerts.Order(StringComparer.Ordinal), tested.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_running_one_scrapes_API_and_worker_and_answers_the_dashboard()
    {
        Assert.SkipUnless(IsThere, Missing);
        var worker = await platform.StartWorkerAsync([]);
        var folder = Directory.CreateTempSubdirectory("prometheus").FullName;
        var address = new Uri($"http://127.0.0.1:{LoopbackPort.FirstFree(LoopbackPort.First + 400)}");
        await WriteSettingsAsync(folder, worker);
        var process = PlatformProcess.Start(
            folder,
            new ProcessStart(
                "prometheus",
                [
                    "/usr/bin/prometheus",
                    $"--config.file={folder}/prometheus.yml",
                    $"--storage.tsdb.path={folder}/data",
                    $"--web.listen-address={address.Authority}",
                ],
                folder,
                address
            )
        );
        try
        {
            using var client = new HttpClient { BaseAddress = address };
            await Eventually.TrueAsync(async () => await UpAsync(client) == 2, "both to be scraped", Cancel);
            foreach (var expression in await ExpressionsAsync())
                await AskAsync(client, expression);
            var rules = await client.GetFromJsonAsync<JsonNode>("/api/v1/rules", Cancel);
            Assert.All(
                rules!["data"]!["groups"]![0]!["rules"]!.AsArray(),
                rule => Assert.Null((string?)rule!["lastError"])
            );
            Assert.NotEmpty((await AskAsync(client, "platform_changes_current"))["data"]!["result"]!.AsArray());
        }
        finally
        {
            await process.StopAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The deployed settings, with the tests' hosts in place of those of the containers.</summary>
    private async Task WriteSettingsAsync(string folder, Uri worker)
    {
        var settings = await File.ReadAllTextAsync(Path.Combine(Deployed, "prometheus.yml"), Cancel);
        settings = settings.Replace("interval: 15s", "interval: 1s", StringComparison.Ordinal);
        var hosts = new Queue<string>([platform.Address.Authority, worker.Authority]);
        settings = Discovered().Replace(settings, _ => $"static_configs: [{{ targets: [\"{hosts.Dequeue()}\"] }}]\n");
        Assert.Empty(hosts);
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), settings, Cancel);
        File.Copy(Path.Combine(Deployed, "alerts.yml"), Path.Combine(folder, "alerts.yml"));
    }

    private static async Task<int> UpAsync(HttpClient client)
    {
        try
        {
            var targets = await client.GetFromJsonAsync<JsonNode>("/api/v1/targets", Cancel);
            return targets!["data"]!["activeTargets"]!.AsArray().Count(it => (string?)it!["health"] == "up");
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }

    /// <summary>The dashboard's, with what Grafana puts in for its own variable.</summary>
    private static async Task<IReadOnlyList<string>> ExpressionsAsync()
    {
        var dashboard = JsonNode.Parse(
            await File.ReadAllTextAsync(
                Path.Combine(Script.Root, "deploy", "grafana", "allocation-platform.json"),
                Cancel
            )
        )!;
        string[] found =
        [
            .. Targets(dashboard).Select(it => it.Replace("$__rate_interval", "1m", StringComparison.Ordinal)),
        ];
        Assert.NotEmpty(found);
        return found;

        static IEnumerable<string> Targets(JsonNode? node) =>
            node switch
            {
                JsonObject members => members.SelectMany(it =>
                    it is { Key: "expr", Value: JsonValue expression } ? [(string)expression!] : Targets(it.Value)
                ),
                JsonArray items => items.SelectMany(Targets),
                _ => [],
            };
    }

    private static async Task<JsonNode> AskAsync(HttpClient client, string expression)
    {
        using var answer = await client.GetAsync(
            new Uri($"/api/v1/query?query={Uri.EscapeDataString(expression)}", UriKind.Relative),
            Cancel
        );
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{expression}: {body}");
        return JsonNode.Parse(body)!;
    }

    [GeneratedRegex("- alert: (.+)")]
    private static partial Regex Named();

    [GeneratedRegex(@"alertname: (\w+)\s+exp_alerts:")]
    private static partial Regex Fires();

    [GeneratedRegex(@"dns_sd_configs:\n( {6,}.*\n)+")]
    private static partial Regex Discovered();
}
