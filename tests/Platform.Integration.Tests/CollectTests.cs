using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The command <c>collect</c>, fed by OpenTelemetry's own exporter: what a gateway traces anyway becomes the fleet's workload.</summary>
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
                Trace("chat", ("allocation.task_type", "math"), ("gen_ai.usage.reasoning.output_tokens", 800), ("allocation.tokens_granted", 1_000), ("gen_ai.latency.time_in_queue", 0.25));
            Trace("embeddings", ("allocation.task_type", "math"), ("gen_ai.usage.reasoning.output_tokens", 800));
            Assert.True(exporter.ForceFlush());
        }

        await collector.StopAsync(Cancel);
        await Eventually.TrueAsync(async () => await platform.Database.QueryAsync<long>(Sum(tenant, "arrivals"), Cancel) == 21, "all queries to be stored", Cancel);
        Assert.Equal((20 * 800) + 400, await platform.Database.QueryAsync<long>(Sum(tenant, "service,tokens"), Cancel));
        Assert.Equal((20 * 1_750) + 1_500, await platform.Database.QueryAsync<long>(Sum(tenant, "service,millis"), Cancel));
        Assert.Equal(20 * 2_000, await platform.Database.QueryAsync<long>(Sum(tenant, "system,millis"), Cancel));
    }

    [Theory]
    [InlineData("text/plain", "{}", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json", "{ \"resourceSpans\": 1 }", HttpStatusCode.BadRequest)]
    [InlineData("application/x-protobuf", "\n\u007f", HttpStatusCode.BadRequest)]
    public async Task What_is_no_trace_is_refused(string type, string body, HttpStatusCode expected)
    {
        await using var server = await Cli.Collection.UsageServer.StartAsync(new Uri("http://127.0.0.1:0"), _ => { }, Cancel);
        using var client = new HttpClient { BaseAddress = server.Address };
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        using var answer = await client.PostAsync(new Uri("/v1/traces", UriKind.Relative), content, Cancel);
        Assert.Equal(expected, answer.StatusCode);
    }

    private static string Sum(TestTenant tenant, string path) => string.Create(CultureInfo.InvariantCulture, $$"""
        select coalesce(sum((task #>> '{{{path}}}')::bigint), 0)::bigint
        from events.mt_events e, jsonb_array_elements(e.data #> '{window,tasks}') task where e.tenant_id = '{{tenant.Id}}' and e.type = 'workload-window-recorded'
        """);

    private static TracerProvider Exporter(Uri collector) => Sdk.CreateTracerProviderBuilder().AddSource(SourceName)
        .AddOtlpExporter(otlp => (otlp.Endpoint, otlp.Protocol) = (new Uri(collector, "/v1/traces"), OtlpExportProtocol.HttpProtobuf)).Build();

    /// <summary>A span of two seconds.</summary>
    private static void Trace(string operation, params (string Name, object Value)[] attributes)
    {
        var start = TimeProvider.System.GetUtcNow().AddSeconds(-10);
        using var span = Source.StartActivity(operation, ActivityKind.Client, default(ActivityContext), startTime: start)!;
        span.SetTag("gen_ai.operation.name", operation);
        foreach (var (name, value) in attributes)
            span.SetTag(name, value);
        span.SetEndTime(start.AddSeconds(2).UtcDateTime);
    }

    /// <summary>One more query, in JSON, without a wait or a grant.</summary>
    private static async Task PostAsync(Uri collector)
    {
        const string request = """
            { "resourceSpans": [ { "scopeSpans": [ { "spans": [ { "startTimeUnixNano": "1000000000", "endTimeUnixNano": "2500000000", "attributes": [
              { "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } }, { "key": "gen_ai.usage.reasoning.output_tokens", "value": { "intValue": "400" } } ] } ] } ] } ] }
            """;
        using var client = new HttpClient { BaseAddress = collector };
        using var content = new StringContent(request, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PostAsync(new Uri("/v1/traces", UriKind.Relative), content, Cancel);
        Assert.Equal((HttpStatusCode.OK, "{}"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
    }

    private async Task<CollectProcess> StartAsync(TestTenant tenant)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true };
        foreach (var argument in (string[])[
            Path.Combine(Script.Root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"), "collect", "--fleet", "chat", "--listen", "http://127.0.0.1:0", "--every", "1", "--task-type", "chat"])
            info.ArgumentList.Add(argument);
        (info.Environment["PLATFORM_API"], info.Environment["PLATFORM_KEY"]) = (platform.Address.ToString(), tenant.Key);
        var process = Process.Start(info)!;
        var first = await process.StandardError.ReadLineAsync(Cancel);
        return new CollectProcess(process, new Uri(Listening().Match(first!).Value));
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/(?=v1/traces)")]
    private static partial Regex Listening();

    private sealed record CollectProcess(Process Process, Uri Address) : IDisposable
    {
        /// <summary>As an operator ends it: what it has is sent.</summary>
        public async Task StopAsync(CancellationToken cancel)
        {
            var rest = Process.StandardError.ReadToEndAsync(cancel);
            await Script.RunProgramAsync("/bin/kill", "-TERM", Process.Id.ToString(CultureInfo.InvariantCulture));
            await Process.WaitForExitAsync(cancel);
            Assert.True(Process.ExitCode == 0, await rest);
        }

        public void Dispose()
        {
            if (!Process.HasExited)
                Process.Kill();
            Process.Dispose();
        }
    }
}
