using System.Net;
using System.Net.Sockets;

namespace Platform.Cli.Hosting;

/// <summary>
/// Asks a process whether it is well: <c>/health/ready</c> for an HTTP address, an open port for any other.
/// </summary>
internal static class HealthProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };

    public static async Task<bool> IsHealthyAsync(Uri address, CancellationToken cancellation)
    {
        try
        {
            return address.Scheme == Uri.UriSchemeHttp
                ? await AnswersOkAsync(new Uri(address, "/health/ready"), cancellation)
                : await AcceptsAsync(address, cancellation);
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false; // timed out
        }
    }

    private static async Task<bool> AnswersOkAsync(Uri address, CancellationToken cancellation)
    {
        using var answer = await Client.GetAsync(address, cancellation);
        return answer.StatusCode == HttpStatusCode.OK;
    }

    private static async Task<bool> AcceptsAsync(Uri address, CancellationToken cancellation)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, cancellation);
        return true;
    }
}
