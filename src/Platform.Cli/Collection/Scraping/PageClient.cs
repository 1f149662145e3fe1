using System.Net;
using System.Text;

namespace Platform.Cli.Collection.Scraping;

/// <summary>Asks servers for their metrics pages. May be called by many threads at once.</summary>
internal sealed class PageClient : IDisposable
{
    /// <summary>The largest page that is read; those of the servers have some hundred kilobytes at most.</summary>
    private const int MaxBytes = 16 * 1024 * 1024;

    private readonly HttpClient _http;

    /// <summary>Prepares; asks nobody.</summary>
    /// <param name="patience">How long a page may take.</param>
    /// <param name="handler">What sends requests; the usual one if left out.</param>
    public PageClient(TimeSpan patience, HttpMessageHandler? handler = null)
    {
        _http = new HttpClient(handler ?? new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All })
        {
            Timeout = patience,
            MaxResponseContentBufferSize = MaxBytes,
        };
        _http.DefaultRequestHeaders.Accept.ParseAdd("text/plain;version=0.0.4");
    }

    /// <summary>Reads a page now. Whatever is the matter with it, the answer says so.</summary>
    public async Task<PageAnswer> ReadAsync(Uri page, CancellationToken cancel)
    {
        try
        {
            using var answer = await _http.GetAsync(page, cancel);
            if (answer.StatusCode != HttpStatusCode.OK)
                return PageAnswer.Failed($"it answered {(int)answer.StatusCode}");
            var body = await answer.Content.ReadAsByteArrayAsync(cancel);
            return PageAnswer.Of(PageReading.Of(MetricsPage.Parse(Encoding.UTF8.GetString(body))));
        }
        catch (FormatException fault)
        {
            return PageAnswer.Failed(fault.Message);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return PageAnswer.Failed(fault.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return PageAnswer.Failed($"it did not answer within {_http.Timeout.TotalSeconds:0.###} s");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
