using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using Platform.Domain.Contracts;
using Platform.Testing;
using Platform.Workers.Ingestion;
using Platform.Workers.Solving;

namespace Platform.Integration.Tests;

/// <summary>What the platform says about itself: traces, metrics and logs, as an operator's tools get them.</summary>
public sealed partial class TelemetryTests(TestPlatform platform)
{
    private const string SecretOfAReceiver = "secret-of-a-receiver";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_trace_reaches_from_a_published_message_to_the_snapshot_that_used_it(bool overHttp)
    {
        using var spans = new SpanRecorder(WorkloadWindowConsumer.SourceName, FleetSolving.SourceName);
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        var trace = new ActivityContext(
            ActivityTraceId.CreateRandom(),
            ActivitySpanId.CreateRandom(),
            ActivityTraceFlags.Recorded
        );
        await PublishAsync(tenant, trace, overHttp);
        var snapshot = await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);

        var process = await spans.UntilLinkedAsync("process workload-statistics.intake", trace.TraceId, Cancel);
        Assert.Equal(ActivityKind.Consumer, process.Kind);
        var solve = await spans.UntilLinkedAsync("solve fleet", trace.TraceId, Cancel);
        Assert.Equal((tenant.Id, "chat"), (solve.GetTagItem("platform.tenant"), solve.GetTagItem("platform.fleet")));
        // The windows of the message are in this solve's allocation, or in the one in force that it confirmed and the
        // next one revised.
        var hash = await HashAsync(tenant);
        var published = await spans.UntilAsync(
            it => Equals(it.GetTagItem("platform.snapshot.hash"), hash),
            "the solve that published the snapshot",
            Cancel
        );
        Assert.Equal((int)snapshot["version"]!, published.GetTagItem("platform.snapshot.version"));
        Assert.Equal(1L, published.GetTagItem("platform.workload.version"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    public async Task A_trace_that_is_none_or_is_not_recorded_is_left_out_and_the_window_stored(string traceParent)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.PublishAsync(
            "chat",
            StrictJson.Write(TestTenant.Window("chat")),
            Guid.NewGuid(),
            Cancel,
            properties => properties.Headers = Header(traceParent)
        );
        await tenant.UntilStoredAsync("chat", 1, Cancel);
        Assert.Equal(
            0,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from events.mt_events where tenant_id = '{tenant.Id}' and data ? 'traceParent'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task Every_metric_of_the_dashboard_and_the_alerts_is_in_a_scrape()
    {
        var worker = await platform.StartWorkerAsync([]);
        var tenant = await MeetTroubleAsync();
        var texts = await Task.WhenAll(
            ((string[])["deploy/prometheus/alerts.yml", "deploy/grafana/allocation-platform.json"]).Select(it =>
                File.ReadAllTextAsync(Path.Combine(Script.Root, it), Cancel)
            )
        );
        var wanted = texts.SelectMany(NamesIn).Distinct().ToArray();
        Assert.Contains("platform_solving_lag_seconds_bucket", wanted);
        Assert.Contains("http_response_status_code", wanted);

        foreach (var name in wanted)
        {
            await Eventually.TrueAsync(
                async () =>
                    IsIn(await ScrapeAsync(new Uri(platform.Address, "/metrics")), name)
                    || IsIn(await ScrapeAsync(new Uri(worker, "/metrics")), name),
                $"{name} in a scrape",
                Cancel
            );
        }

        await platform.Database.QueryAsync<int>(
            $"update platform.fleets set retired_at = now() where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
    }

    [Fact]
    public async Task A_scrape_names_no_tenant_and_no_fleet()
    {
        var worker = await platform.StartWorkerAsync([]);
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("a-fleet-of-its-own", Cancel);
        await tenant.UntilAllocatedAsync("a-fleet-of-its-own", _ => true, Cancel);
        var scrape =
            await ScrapeAsync(new Uri(worker, "/metrics")) + await ScrapeAsync(new Uri(platform.Address, "/metrics"));
        Assert.Contains("platform_solving_solves_total", scrape, StringComparison.Ordinal);
        Assert.DoesNotContain(tenant.Id, scrape, StringComparison.Ordinal);
        Assert.DoesNotContain("a-fleet-of-its-own", scrape, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_gets_traces_metrics_and_logs_and_none_of_the_secrets()
    {
        await using var collector = await Collector.StartAsync(Cancel);
        var settings = collector.Settings;
        var api = await platform.StartApiAsync(settings);
        await platform.StartWorkerAsync(settings);
        var tenant = await platform.CreateTenantAsync(Cancel, api);
        await tenant.PutFleetAsync("chat", Cancel);
        using (var client = tenant.Client())
            (
                await client.PostAsJsonAsync("/v1/fleets/chat/statistics", TestTenant.Window("chat"), Cancel)
            ).EnsureSuccessStatusCode();
        using (var browser = new Dashboard.BrowserSession(api))
            await browser.SignInAsync(tenant.Key);
        await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);
        var webhookSecret = await FailAtAReceiverAsync(tenant);

        foreach (
            var (signal, word) in ((string, string)[])
                [
                    ("traces", "send workload-statistics"),
                    ("traces", "PUT /v1/fleets/{fleet}"),
                    ("metrics", "platform.changes.current"),
                    ("metrics", "dotnet.gc.collections"),
                    ("logs", "allocation-api"),
                    ("logs", "allocation-worker"),
                ]
        )
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(collector.Has(signal, word)),
                $"{word} among the {signal}",
                Cancel
            );
        }

        string[] secrets =
        [
            tenant.Key,
            tenant.Key.Split('_')[^1],
            tenant.BrokerPassword,
            TestPlatform.OperatorKey,
            "pepper-of-the-tests",
            new string('7', 64),
            new string('9', 64),
            webhookSecret,
            webhookSecret.Split('_')[1],
            SecretOfAReceiver,
            Uri.UnescapeDataString(platform.Services.RabbitMq.UserInfo.Split(':')[1]),
            new Npgsql.NpgsqlConnectionStringBuilder(platform.Database.ConnectionString).Password!,
        ];
        Assert.All(secrets, secret => Assert.False(collector.Has(null, secret), "a secret was sent to the collector"));
    }

    /// <summary>What follows a receiver's host may let anybody write there.</summary>
    private static async Task<string> FailAtAReceiverAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        using var put = await client.PutAsJsonAsync(
            "/v1/webhooks/hook",
            new { url = $"http://127.0.0.1:1/{SecretOfAReceiver}" },
            Cancel
        );
        var secret = (string)(await TestPlatform.ReadAsync(put, Cancel))["secret"]!;
        await tenant.PutFleetAsync("another", Cancel);
        await Eventually.TrueAsync(
            async () =>
                (await client.GetFromJsonAsync<System.Text.Json.Nodes.JsonNode>("/v1/webhooks/hook", Cancel))![
                    "failingSince"
                ]
                    is not null,
            "an attempt to fail",
            Cancel
        );
        return secret;
    }

    private static async Task PublishAsync(TestTenant tenant, ActivityContext trace, bool overHttp)
    {
        var traceParent = $"00-{trace.TraceId}-{trace.SpanId}-01";
        if (!overHttp)
        {
            await tenant.PublishAsync(
                "chat",
                StrictJson.Write(TestTenant.Window("chat")),
                Guid.NewGuid(),
                Cancel,
                properties => properties.Headers = Header(traceParent)
            );
            return;
        }

        using var client = tenant.Client();
        client.DefaultRequestHeaders.Add("traceparent", traceParent);
        (
            await client.PostAsJsonAsync("/v1/fleets/chat/statistics", TestTenant.Window("chat"), Cancel)
        ).EnsureSuccessStatusCode();
    }

    private static Dictionary<string, object?> Header(string traceParent) =>
        new() { ["traceparent"] = Encoding.ASCII.GetBytes(traceParent) };

    private static async Task<string> HashAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        using var answer = await client.GetAsync(new Uri("/v1/fleets/chat/allocation", UriKind.Relative), Cancel);
        return answer.Headers.ETag!.Tag.Trim('"');
    }

    /// <summary>A message that is set aside, and a fleet that cannot be solved.</summary>
    private async Task<TestTenant> MeetTroubleAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await tenant.PublishAsync("chat", "{}"u8.ToArray(), Guid.NewGuid(), Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await tenant.UntilAllocatedOnAsync("chat", 1, Cancel);
        await platform.Database.QueryAsync<int>(
            $"update platform.fleets set definition = '{{}}' where tenant_id = '{tenant.Id}' returning 1",
            Cancel
        );
        return tenant;
    }

    private static async Task<string> ScrapeAsync(Uri address)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, address)
        {
            Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/plain") } },
        };
        using var answer = await client.SendAsync(request, Cancel);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Cancel);
    }

    private static bool IsIn(string scrape, string name) =>
        Regex.IsMatch(scrape, $"(^{name}[{{ ]|[{{,]{name}=\")", RegexOptions.Multiline);

    /// <summary>The names of metrics and labels in a file's expressions.</summary>
    private static IEnumerable<string> NamesIn(string text) => Name().Matches(text).Select(match => match.Value);

    [GeneratedRegex(@"\b(?:platform|http|dotnet|db)_[a-z_]+")]
    private static partial Regex Name();
}
