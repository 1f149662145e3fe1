using System.Net;
using System.Net.Http.Headers;

namespace Platform.Cli.Chaos;

/// <summary>
/// Reads allocations all the time, from two APIs in turn, as gateways behind a balancer do: one that does not take the
/// connection, or ends before it has answered, is left for the other. A read that has no answer from either has failed.
/// </summary>
internal sealed class AllocationReaders : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly HttpClient[] _apis;
    private readonly IReadOnlyList<string> _fleets;
    private int _answered;
    private int _failed;
    private int _repeated;

    public AllocationReaders(IEnumerable<Uri> apis, string key, IReadOnlyList<string> fleets)
    {
        _apis =
        [
            .. apis.Select(address => new HttpClient(new SocketsHttpHandler { UseProxy = false })
            {
                BaseAddress = address,
                DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
            }),
        ];
        _fleets = fleets;
    }

    /// <summary>What they got so far.</summary>
    public ReadOutcome Outcome => new(_answered, _failed, _repeated);

    /// <summary>Whether every fleet has an allocation.</summary>
    public async Task<bool> AreReadyAsync(CancellationToken cancel)
    {
        foreach (var fleet in _fleets)
        {
            if (await StatusAsync(_apis[0], fleet, cancel) != HttpStatusCode.OK)
                return false;
        }

        return true;
    }

    /// <summary>Reads until it is told to stop.</summary>
    public async Task RunAsync(int readers, CancellationToken stop) =>
        await Task.WhenAll(Enumerable.Range(0, readers).Select(reader => ReadAsync(reader, stop)));

    public void Dispose()
    {
        foreach (var api in _apis)
            api.Dispose();
    }

    private async Task ReadAsync(int reader, CancellationToken stop)
    {
        for (var n = reader; !stop.IsCancellationRequested; n++)
        {
            var fleet = _fleets[n % _fleets.Count];
            // The read itself is not cut short: that would be a failure of ours.
            if (await StatusAsync(_apis[n % _apis.Length], fleet, CancellationToken.None) == HttpStatusCode.OK)
                Interlocked.Increment(ref _answered);
            else if (
                await StatusAsync(_apis[(n + 1) % _apis.Length], fleet, CancellationToken.None) == HttpStatusCode.OK
            )
                (_, _) = (Interlocked.Increment(ref _answered), Interlocked.Increment(ref _repeated));
            else
                Interlocked.Increment(ref _failed);
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private static async Task<HttpStatusCode?> StatusAsync(HttpClient api, string fleet, CancellationToken cancel)
    {
        try
        {
            using var answer = await api.GetAsync(new Uri($"/v1/fleets/{fleet}/allocation", UriKind.Relative), cancel);
            await answer.Content.ReadAsByteArrayAsync(cancel);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
