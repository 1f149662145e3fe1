using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// The command <c>collect</c>, fed by OpenTelemetry's own exporter: what a gateway traces anyway becomes the fleet's
/// workload.
/// </summary>
public sealed partial class CollectTests(TestPlatform platform)
{
    private const string SourceName = "a gateway";

    private static readonly ActivitySource Source = new(SourceName);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Spans_of_a_gateway_become_windows_of_its_fleet()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var collector = await StartAsync(tenant);
        await PostAsync(collector.Address);
        using (var exporter = Exporter(collector.Address))
        {
            for (var i = 0; i < 20; i++)
                Trace(
                    "chat",
                    ("allocation.task_type", "math"),
                    ("gen_ai.usage.reasoning.output_tokens", 800),
                    ("allocation.tokens_granted", 1_000),
                    ("gen_ai.latency.time_in_queue", 0.25)
                );
            Trace("embeddings", ("allocation.task_type", "math"), ("gen_ai.usage.reasoning.output_tokens", 800));
            Assert.True(exporter.ForceFlush());
        }

        await collector.StopAsync(Cancel);
        await StoredAsync(tenant, "arrivals", 21);
        await StoredAsync(tenant, "service,tokens", (20 * 800) + 400);
        await StoredAsync(tenant, "service,millis", (20 * 1_750) + 1_500);
        await StoredAsync(tenant, "system,millis", 20 * 2_000);
    }

    /// <summary>Inputs of public problem reports, moved to now.</summary>
    [Fact]
    public async Task Spans_that_cannot_count_are_told_by_reason_and_cost_no_other()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var collector = await StartAsync(platform.Address, tenant.Key);
        using var client = new HttpClient { BaseAddress = collector.Address };
        var query = Attribute("gen_ai.operation.name", "\"stringValue\": \"chat\"");
        var tokens = Attribute("gen_ai.usage.reasoning.output_tokens", "\"intValue\": \"300\"");
        Assert.Equal(
            "{}",
            await PostAsync(
                client,
                Span(-7, -2, query, tokens),
                Span(-7, -2, query, tokens, Attribute("gen_ai.request.seed", ""))
            )
        );
        Assert.Equal(
            "{}",
            await PostAsync(
                client,
                Span(-7, -2, query, Attribute("gen_ai.usage.reasoning.output_tokens", "\"stringValue\": \"300\""))
            )
        );
        Assert.Equal(
            "{}",
            await PostAsync(
                client,
                Span(
                    -7,
                    -2,
                    Attribute("gen_ai.usage.completion_tokens", "\"intValue\": \"812\""),
                    Attribute("gen_ai.latency.time_in_queue", "\"doubleValue\": 0.21"),
                    Attribute("gen_ai.latency.e2e", "\"doubleValue\": 4.9")
                )
            )
        );
        Assert.Contains(
            "\"rejectedSpans\":\"1\"",
            await PostAsync(client, Span(null, -2, query, tokens), Span(-7, -2, query, tokens)),
            StringComparison.Ordinal
        );
        var tooMany = Attribute("gen_ai.usage.reasoning.output_tokens", "\"intValue\": \"100000000\"");
        Assert.Contains(
            "1 with an impossible number of tokens",
            await PostAsync(client, Span(-7, -2, query, tooMany)),
            StringComparison.Ordinal
        );
        var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel);
        Assert.Contains("platform_collect_spans_total{outcome=\"counted\"} 5\n", metrics, StringComparison.Ordinal);
        Assert.Contains("platform_collect_spans_total{outcome=\"no-times\"} 1\n", metrics, StringComparison.Ordinal);

        var said = await collector.StopAsync(Cancel);
        Assert.Contains("5 queries counted", said, StringComparison.Ordinal);
        Assert.Contains(
            "1 with an impossible number of tokens, 1 without a start or an end",
            Ordered(said),
            StringComparison.Ordinal
        );
        await StoredAsync(tenant, "arrivals", 5);
        await StoredAsync(tenant, "service,tokens", (4 * 300) + 812);
        await StoredAsync(tenant, "service,millis", (4 * 5_000) + 4_690);
        await StoredAsync(tenant, "system,millis", 4_900);
    }

    [Fact]
    public async Task A_refused_window_is_said_and_kept_and_the_next_ones_are_sent()
    {
        var folder = Directory.CreateTempSubdirectory("refused");
        await using var refusing = await RefusingPlatform.StartAsync(Cancel);
        using (var collector = await StartAsync(refusing.Address, "a key", "--set-aside", folder.FullName))
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(refusing.Asked >= 3),
                "further windows after the refused one",
                Cancel
            );
            var said = await collector.StopAsync(Cancel);
            Assert.Contains("a window was refused and set aside", said, StringComparison.Ordinal);
            Assert.Contains("that key was used for another body", said, StringComparison.Ordinal);
            Assert.Contains("1 refused, 0 given up", said, StringComparison.Ordinal);
        }

        Assert.Contains(
            "\"fleet\":\"chat\"",
            await File.ReadAllTextAsync(Assert.Single(folder.GetFiles()).FullName, Cancel),
            StringComparison.Ordinal
        );
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("text/plain", "{}", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json", "{ \"resourceSpans\": 1 }", HttpStatusCode.BadRequest)]
    [InlineData("application/x-protobuf", "\n\u007f", HttpStatusCode.BadRequest)]
    public async Task What_is_no_trace_is_refused(string type, string body, HttpStatusCode expected)
    {
        await using var server = await Cli.Collection.UsageServer.StartAsync(
            new Uri("http://127.0.0.1:0"),
            _ => Cli.Collection.SpanOutcome.Counted,
            metrics: null,
            Cancel
        );
        using var client = new HttpClient { BaseAddress = server.Address };
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
        {
            Headers = { ContentType = new MediaTypeHeaderValue(type) },
        };
        using var answer = await client.PostAsync(new Uri("/v1/traces", UriKind.Relative), content, Cancel);
        Assert.Equal(expected, answer.StatusCode);
    }

    /// <summary>
    /// Arrivals and ends of the same queries are in windows of different times, which are stored one by one.
    /// </summary>
    private Task StoredAsync(TestTenant tenant, string path, long sum) =>
        Eventually.TrueAsync(
            async () => await platform.Database.QueryAsync<long>(Sum(tenant, path), Cancel) == sum,
            $"{path} of {sum} to be stored",
            Cancel
        );

    private static string Sum(TestTenant tenant, string path) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            select coalesce(sum((task #>> '{{{path}}}')::bigint), 0)::bigint
            from events.mt_events e, jsonb_array_elements(e.data #> '{window,tasks}') task where e.tenant_id = '{{tenant.Id}}' and e.type = 'workload-window-recorded'
            """
        );

    private static TracerProvider Exporter(Uri collector) =>
        Sdk.CreateTracerProviderBuilder()
            .AddSource(SourceName)
            .AddOtlpExporter(otlp =>
                (otlp.Endpoint, otlp.Protocol) = (new Uri(collector, "/v1/traces"), OtlpExportProtocol.HttpProtobuf)
            )
            .Build();

    /// <summary>A span of two seconds.</summary>
    private static void Trace(string operation, params (string Name, object Value)[] attributes)
    {
        var start = TimeProvider.System.GetUtcNow().AddSeconds(-10);
        using var span = Source.StartActivity(
            operation,
            ActivityKind.Client,
            default(ActivityContext),
            startTime: start
        )!;
        span.SetTag("gen_ai.operation.name", operation);
        foreach (var (name, value) in attributes)
            span.SetTag(name, value);
        span.SetEndTime(start.AddSeconds(2).UtcDateTime);
    }

    /// <summary>One more query, in JSON, without a wait or a grant.</summary>
    private static async Task PostAsync(Uri collector)
    {
        using var client = new HttpClient { BaseAddress = collector };
        var span = Span(
            -5,
            -3.5,
            Attribute("gen_ai.operation.name", "\"stringValue\": \"chat\""),
            Attribute("gen_ai.usage.reasoning.output_tokens", "\"intValue\": \"400\"")
        );
        Assert.Equal("{}", await PostAsync(client, span));
    }

    /// <summary>Sends spans, which must not be refused; what the answer says.</summary>
    private static async Task<string> PostAsync(HttpClient client, params string[] spans)
    {
        var request =
            $$"""{ "resourceSpans": [ { "scopeSpans": [ { "spans": [ {{string.Join(", ", spans)}} ] } ] } ] }""";
        using var content = new StringContent(request, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PostAsync(new Uri("/v1/traces", UriKind.Relative), content, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    /// <summary>A span in JSON.</summary>
    /// <param name="start">Its start in seconds from now; null for 0.</param>
    /// <param name="end">Its end in seconds from now.</param>
    /// <param name="attributes">Its attributes.</param>
    private static string Span(double? start, double end, params string[] attributes)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var starts = start is null ? 0 : Nanoseconds(now, start.Value);
        return $$"""
            { "name": "chat", "startTimeUnixNano": "{{starts}}", "endTimeUnixNano": "{{Nanoseconds(
                now,
                end
            )}}", "attributes": [ {{string.Join(", ", attributes)}} ] }
            """;
    }

    private static string Attribute(string name, string value) => $$"""{ "key": "{{name}}", "value": { {{value}} } }""";

    private static long Nanoseconds(long now, double seconds) => (now * 1_000_000) + (long)(seconds * 1e9);

    /// <summary>The reasons in the order of the alphabet: which comes first is of no importance.</summary>
    private static string Ordered(string said)
    {
        var list = LeftOut().Match(said).Groups[1].Value;
        return string.Join(", ", list.Split(", ").Order(StringComparer.Ordinal));
    }

    private Task<CollectProcess> StartAsync(TestTenant tenant) => StartAsync(platform.Address, tenant.Key);

    private static async Task<CollectProcess> StartAsync(Uri api, string key, params string[] more)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true };
        string[] arguments =
        [
            Path.Combine(Script.Root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"),
            "collect",
            "--fleet",
            "chat",
            "--listen",
            "http://127.0.0.1:0",
            "--every",
            "1",
            "--task-type",
            "chat",
            "--api",
            api.ToString(),
            .. more,
        ];
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        info.Environment["PLATFORM_KEY"] = key;
        var process = Process.Start(info)!;
        var first = await process.StandardError.ReadLineAsync(Cancel);
        return new CollectProcess(
            process,
            new Uri(Listening().Match(first!).Value),
            process.StandardError.ReadToEndAsync(Cancel)
        );
    }

    [GeneratedRegex("spans left out: ([^;]*);")]
    private static partial Regex LeftOut();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/(?=v1/traces)")]
    private static partial Regex Listening();

    /// <summary>Refuses the first window by its content, and takes all others.</summary>
    private sealed class RefusingPlatform : IAsyncDisposable
    {
        private readonly WebApplication _host;
        private int _asked;

        private RefusingPlatform(WebApplication host) => _host = host;

        public Uri Address => new(_host.Urls.First());

        public int Asked => Volatile.Read(ref _asked);

        public static async Task<RefusingPlatform> StartAsync(CancellationToken cancel)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var server = new RefusingPlatform(builder.Build());
            server._host.MapPost("/v1/fleets/chat/statistics", server.Answer);
            await server._host.StartAsync(cancel);
            return server;
        }

        public ValueTask DisposeAsync() => _host.DisposeAsync();

        private IResult Answer() =>
            Interlocked.Increment(ref _asked) == 1
                ? Results.Problem(
                    "that key was used for another body",
                    statusCode: StatusCodes.Status422UnprocessableEntity
                )
                : Results.Accepted();
    }

    /// <param name="Process">The process.</param>
    /// <param name="Address">Where it takes spans.</param>
    /// <param name="Rest">What it says after that.</param>
    private sealed record CollectProcess(Process Process, Uri Address, Task<string> Rest) : IDisposable
    {
        /// <summary>As an operator ends it: what it has is sent. What it has said.</summary>
        public async Task<string> StopAsync(CancellationToken cancel)
        {
            await Script.RunProgramAsync("/bin/kill", "-TERM", Process.Id.ToString(CultureInfo.InvariantCulture));
            await Process.WaitForExitAsync(cancel);
            Assert.True(Process.ExitCode == 0, await Rest);
            return await Rest;
        }

        public void Dispose()
        {
            if (!Process.HasExited)
                Process.Kill();
            Process.Dispose();
        }
    }
}
