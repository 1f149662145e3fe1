using System.IO.Compression;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Platform.Cli.Collection;

/// <summary>Takes traces as OpenTelemetry's exporters send them: OTLP over HTTP, in Protocol Buffers or JSON, zipped or not.</summary>
internal sealed class UsageServer : IAsyncDisposable
{
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";
    private const int MaxBytes = 64 * 1024 * 1024;

    private readonly WebApplication _host;
    private readonly Action<UsageSpan> _take;

    private UsageServer(WebApplication host, Action<UsageSpan> take) => (_host, _take) = (host, take);

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_host.Urls.First());

    /// <summary>Begins to listen.</summary>
    /// <param name="listen">Where.</param>
    /// <param name="take">What becomes of each span; may be called by several threads at once.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<UsageServer> StartAsync(Uri listen, Action<UsageSpan> take, CancellationToken cancel)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(listen.GetLeftPart(UriPartial.Authority));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBytes);
        var server = new UsageServer(builder.Build(), take);
        server._host.MapPost("/v1/traces", server.TakeAsync);
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
        if (type is not (Protobuf or Json))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        try
        {
            var body = await BodyAsync(http.Request, http.RequestAborted);
            foreach (var span in type == Protobuf ? OtlpProtobuf.Read(body) : OtlpJson.Read(body))
                _take(span);
            http.Response.ContentType = type;
            // An empty answer is a message without fields: all was taken.
            if (type == Json)
                await http.Response.WriteAsync("{}", http.RequestAborted);
        }
        catch (Exception fault) when (fault is InvalidProtocolBufferException or JsonException or InvalidDataException)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
    }

    private static async Task<byte[]> BodyAsync(HttpRequest request, CancellationToken cancel)
    {
        var zipped = request.Headers.ContentEncoding.ToString() == "gzip";
        await using var source = zipped ? new GZipStream(request.Body, CompressionMode.Decompress) : request.Body;
        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = await source.ReadAsync(buffer, cancel)) > 0;)
        {
            if (body.Length + read > MaxBytes)
                throw new InvalidDataException("too large");
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
