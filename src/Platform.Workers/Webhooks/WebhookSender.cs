using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Platform.Domain.Notices;
using Platform.Domain.Webhooks;
using Platform.Persistence.Webhooks;

namespace Platform.Workers.Webhooks;

/// <summary>What an attempt says about the next one.</summary>
internal enum WebhookVerdict
{
    /// <summary>The message was taken.</summary>
    Taken,

    /// <summary>The receiver does not want this message; it may want others.</summary>
    Refused,

    /// <summary>The receiver is away or broken, for this message and others.</summary>
    Away,

    /// <summary>The receiver says that it wants nothing any more.</summary>
    Gone,
}

/// <summary>What came of an attempt.</summary>
/// <param name="Verdict">What it says about the next one.</param>
/// <param name="Fault">Why it was not taken, in words for the tenant; empty when it was.</param>
/// <param name="RetryAfter">When the receiver wants to be asked again, or null.</param>
internal sealed record WebhookAnswer(WebhookVerdict Verdict, string Fault = "", TimeSpan? RetryAfter = null);

/// <summary>
/// Sends one message to a receiver that nobody knows: it goes only where webhooks may, follows no redirection, reads
/// nothing of the answer's body, and waits for a few seconds. No address is logged: what is behind its host may be a
/// secret.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly WebhookTargets _targets;
    private readonly byte[] _key;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    /// <summary>Prepares to send.</summary>
    /// <param name="targets">Where webhooks may go.</param>
    /// <param name="key">What the webhooks' secrets are derived from.</param>
    /// <param name="time">The clock.</param>
    public WebhookSender(WebhookTargets targets, byte[] key, TimeProvider time)
    {
        (_targets, _key, _time) = (targets, key, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectCallback = ConnectAsync,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = 16,
            MaxConnectionsPerServer = 4,
            // A name may mean another machine by then.
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        };
        _http = new HttpClient(handler) { Timeout = Patience };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("allocation-platform", "1"));
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Sends a message once.</summary>
    public async Task<WebhookAnswer> SendAsync(WebhookDelivery delivery, CancellationToken cancel)
    {
        using var request = Request(delivery);
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            return Judge(answer);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new WebhookAnswer(WebhookVerdict.Away, $"has not answered within {Patience.TotalSeconds:0} s");
        }
        catch (HttpRequestException fault)
        {
            return new WebhookAnswer(WebhookVerdict.Away, Words(fault));
        }
    }

    /// <summary>
    /// The message's id: the change with the snapshot's hash, as one snapshot may come into force more than once.
    /// </summary>
    public static string IdOf(InForceNotice notice) => $"{notice.Fleet}-{notice.Change}-{notice.Hash ?? "none"}";

    private HttpRequestMessage Request(WebhookDelivery delivery)
    {
        var (id, now, notice) = (IdOf(delivery.Notice), _time.GetUtcNow(), new AllocationNotice(delivery.Notice));
        var body = notice.ToBytes();
        var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(AllocationNotice.ContentType);
        request.Headers.Add(WebhookSecret.IdHeader, id);
        request.Headers.Add(WebhookSecret.TimestampHeader, $"{now.ToUnixTimeSeconds()}");
        var first = delivery.PreviousUntil > now ? delivery.Generation - 1 : delivery.Generation;
        request.Headers.Add(
            WebhookSecret.SignatureHeader,
            string.Join(
                ' ',
                Enumerable
                    .Range(first, delivery.Generation - first + 1)
                    .Reverse()
                    .Select(generation =>
                        WebhookSecret
                            .Derive(_key, delivery.Notice.Tenant, delivery.WebhookId, generation)
                            .Sign(id, now, body)
                    )
            )
        );
        return request;
    }

    private WebhookAnswer Judge(HttpResponseMessage answer)
    {
        var fault = $"answered {(int)answer.StatusCode}";
        return answer.StatusCode switch
        {
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => new WebhookAnswer(WebhookVerdict.Taken),
            HttpStatusCode.Gone => new WebhookAnswer(WebhookVerdict.Gone, fault),
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError =>
                new WebhookAnswer(WebhookVerdict.Away, fault, RetryAfter(answer.Headers.RetryAfter)),
            _ => new WebhookAnswer(WebhookVerdict.Refused, fault),
        };
    }

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? asked) => asked?.Delta ?? asked?.Date - _time.GetUtcNow();

    private static string Words(HttpRequestException fault) =>
        fault.HttpRequestError switch
        {
            _ when fault.InnerException is NotReachableException refused => refused.Message,
            HttpRequestError.NameResolutionError => "its name is not known",
            HttpRequestError.SecureConnectionError => "its certificate is not trusted, or TLS failed",
            HttpRequestError.ConnectionError => "cannot be connected to",
            _ => "did not answer in HTTP",
        };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var isEncrypted = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps;
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        // What is looked at is what is connected to: a name that changes its meaning between the two gains nothing.
        var addresses = (await Dns.GetHostAddressesAsync(host, cancel))
            .Where(address => _targets.MayReach(address, isEncrypted))
            .ToArray();
        if (addresses.Length == 0)
            throw new NotReachableException();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The name means no address that webhooks may go to.</summary>
    private sealed class NotReachableException() : IOException("its name means no address that webhooks may go to");
}
