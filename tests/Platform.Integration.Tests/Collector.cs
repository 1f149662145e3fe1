using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Platform.Integration.Tests;

/// <summary>Takes what OpenTelemetry's exporters send (OTLP over HTTP) and keeps it, unread.</summary>
public sealed class Collector : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Signal, byte[] Body)> _received = [];
    private readonly WebApplication _host;

    private Collector(WebApplication host) => _host = host;

    /// <summary>What a host has to be told to send everything here, logs of every level too, at once.</summary>
    public Dictionary<string, string?> Settings =>
        new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _host.Urls.First(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["Logging:LogLevel:Default"] = "Trace",
            ["Logging:Console:LogLevel:Default"] = "Warning",
        };

    public static async Task<Collector> StartAsync(CancellationToken cancel)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new Collector(builder.Build());
        collector._host.MapPost("/v1/{signal}", collector.TakeAsync);
        await collector._host.StartAsync(cancel);
        return collector;
    }

    /// <summary>
    /// Whether some text was sent, as one of the signals <c>traces</c>, <c>metrics</c> and <c>logs</c>, or as any.
    /// </summary>
    public bool Has(string? signal, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return _received.Any(it => (signal is null || it.Signal == signal) && it.Body.AsSpan().IndexOf(utf8) >= 0);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task TakeAsync(string signal, HttpRequest request, CancellationToken cancel)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancel);
        _received.Enqueue((signal, body.ToArray()));
    }
}
