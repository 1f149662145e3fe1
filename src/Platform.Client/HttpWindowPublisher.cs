using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace Platform.Client;

/// <summary>
/// Sends workload windows over HTTP, with a key that may ingest: for publishers that have no connection to the broker.
/// May be called by many threads at once.
/// </summary>
public sealed class HttpWindowPublisher : IWindowSink
{
    /// <summary>How long a window is sent again that was not taken: that does no harm.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http;

    /// <summary>Prepares; sends nothing.</summary>
    /// <param name="api">Address of the platform.</param>
    /// <param name="key">A key that may ingest.</param>
    /// <param name="handler">What sends requests; the usual one if left out.</param>
    public HttpWindowPublisher(Uri api, string key, HttpMessageHandler? handler = null)
    {
        _http = new HttpClient(handler ?? new SocketsHttpHandler())
        {
            BaseAddress = api,
            Timeout = TimeSpan.FromSeconds(15),
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>
    /// Sends, and ends when the platform has confirmed; sends again for two minutes while it is away or asks to wait.
    /// </summary>
    /// <exception cref="WindowRefusedException">It will never take the window.</exception>
    /// <exception cref="HttpRequestException">It was away for longer.</exception>
    public async Task PublishAsync(WindowMessage message, CancellationToken cancel)
    {
        for (var watch = Stopwatch.StartNew(); ; )
        {
            var (wait, fault) = await TryPublishAsync(message, cancel);
            if (fault is null)
                return;
            if (watch.Elapsed + wait > Patience)
                throw fault;
            await Task.Delay(wait, cancel);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(TimeSpan Wait, Exception? Fault)> TryPublishAsync(
        WindowMessage message,
        CancellationToken cancel
    )
    {
        try
        {
            using var request = RequestOf(message);
            using var answer = await _http.SendAsync(request, cancel);
            if (answer.IsSuccessStatusCode)
                return default;
            if (!IsTransient(answer.StatusCode))
                throw new WindowRefusedException(answer.StatusCode, await answer.Content.ReadAsStringAsync(cancel));
            var fault = new HttpRequestException(
                $"The platform answered {(int)answer.StatusCode}.",
                null,
                answer.StatusCode
            );
            return (answer.Headers.RetryAfter?.Delta ?? Pause, fault);
        }
        catch (Exception fault)
            when (fault is HttpRequestException
                || (fault is OperationCanceledException && !cancel.IsCancellationRequested)
            )
        {
            return (Pause, fault);
        }
    }

    private static HttpRequestMessage RequestOf(WindowMessage message)
    {
        var request = new HttpRequestMessage(
            HttpMethod.Post,
            $"/v1/fleets/{Uri.EscapeDataString(message.Fleet)}/statistics"
        )
        {
            Content = new ReadOnlyMemoryContent(message.Body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("Idempotency-Key", message.MessageId.ToString("D"));
        return request;
    }

    private static bool IsTransient(HttpStatusCode status) =>
        status
            is HttpStatusCode.TooManyRequests
                or HttpStatusCode.RequestTimeout
                or >= HttpStatusCode.InternalServerError;
}
