using System.IO.Compression;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Platform.Cli.Collection;

/// <summary>
/// Takes traces as OpenTelemetry's exporters send them: OTLP over HTTP, in Protocol Buffers or JSON, zipped or not.
/// </summary>
internal sealed class UsageServer : IAsyncDisposable
{
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";
    private const int MaxBytes = 64 * 1024 * 1024;

    private readonly WebApplication _host;
    private readonly Func<UsageSpan, SpanOutcome> _take;

    private UsageServer(WebApplication host, Func<UsageSpan, SpanOutcome> take)
    {
        _host = host;
        _take = take;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_host.Urls.First());

    /// <summary>Begins to listen.</summary>
    /// <param name="listen">Where.</param>
    /// <param name="take">Takes a span and says what becomes of it; may be called by several threads at once.</param>
    /// <param name="metrics">What <c>/metrics</c> answers, in the format of Prometheus; nothing if left out.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<UsageServer> StartAsync(
        Uri listen,
        Func<UsageSpan, SpanOutcome> take,
        Func<string>? metrics,
        CancellationToken cancel
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(listen.GetLeftPart(UriPartial.Authority));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBytes);
        var server = new UsageServer(builder.Build(), take);
        server._host.MapPost("/v1/traces", server.TakeAsync);
        if (metrics is not null)
            server._host.MapGet("/metrics", () => Results.Text(metrics(), "text/plain; version=0.0.4"));
        await server._host.StartAsync(cancel);
        return server;
    }

    /// <summary>Takes what is under way, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await _host.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext http)
    {
        var type = http.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        var encoding = http.Request.Headers.ContentEncoding.ToString().ToLowerInvariant();
        if (type is not (Protobuf or Json) || encoding is not ("" or "gzip" or "identity"))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        try
        {
            var body = await BodyAsync(http.Request, encoding == "gzip", http.RequestAborted);
            var spans = type == Protobuf ? OtlpProtobuf.Read(body) : OtlpJson.Read(body);
            var answer = new PartialSuccess([.. spans.Select(_take)]);
            http.Response.ContentType = type;
            await http.Response.Body.WriteAsync(
                type == Json ? answer.ToJson() : answer.ToProtobuf(),
                http.RequestAborted
            );
        }
        catch (Exception fault) when (fault is InvalidProtocolBufferException or JsonException or InvalidDataException)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
        catch (BadHttpRequestException fault)
        {
            http.Response.StatusCode = fault.StatusCode;
        }
    }

    /// <exception cref="BadHttpRequestException">It is too large.</exception>
    /// <exception cref="InvalidDataException">It says that it is zipped, and is not.</exception>
    private static async Task<byte[]> BodyAsync(HttpRequest request, bool isZipped, CancellationToken cancel)
    {
        await using var source = isZipped ? new GZipStream(request.Body, CompressionMode.Decompress) : request.Body;
        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = await source.ReadAsync(buffer, cancel)) > 0; )
        {
            if (body.Length + read > MaxBytes)
                throw new BadHttpRequestException("too large", StatusCodes.Status413PayloadTooLarge);
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
