using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>A message as a receiver gets it.</summary>
internal sealed record ReceivedMessage(
    string Path,
    string Query,
    string? ContentType,
    string Id,
    DateTimeOffset At,
    string Signature,
    string Body
);

/// <summary>A tenant's server.</summary>
internal sealed class WebhookReceiver(WebApplication host) : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedMessage> _received = new();

    /// <summary>Statuses of the next answers; then 204.</summary>
    public ConcurrentQueue<int> Answers { get; } = new();

    /// <summary>What has come that was not asked for.</summary>
    public ConcurrentQueue<ReceivedMessage> Rest => _received;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var host = builder.Build();
        var receiver = new WebhookReceiver(host);
        host.Run(receiver.TakeAsync);
        await host.StartAsync(Cancel);
        return receiver;
    }

    public string Url(string path) => host.Urls.Single() + path;

    public Task<ReceivedMessage> NextAsync() =>
        Eventually.GetAsync(
            () => Task.FromResult(_received.TryDequeue(out var next) ? next : null),
            "a message",
            Cancel
        );

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var headers = http.Request.Headers;
        var at = DateTimeOffset.FromUnixTimeSeconds(
            long.Parse(headers["webhook-timestamp"]!, CultureInfo.InvariantCulture)
        );
        _received.Enqueue(
            new ReceivedMessage(
                http.Request.Path,
                http.Request.QueryString.Value!,
                http.Request.ContentType,
                headers["webhook-id"]!,
                at,
                headers["webhook-signature"]!,
                await reader.ReadToEndAsync()
            )
        );
        http.Response.StatusCode = Answers.TryDequeue(out var status) ? status : StatusCodes.Status204NoContent;
        if (http.Response.StatusCode == StatusCodes.Status307TemporaryRedirect)
            http.Response.Headers.Location = "/elsewhere";
    }
}
