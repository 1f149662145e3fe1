using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Threading.Channels;
using Platform.Api.Authentication;
using Platform.Persistence;

namespace Platform.Api.Dashboard;

/// <summary>Tells an open page which of the tenant's fleets has changed, so that it reads itself anew.</summary>
internal static class DashboardChanges
{
    /// <summary>Fleets that wait to be told; of more, only these are: the page reads all of it anew.</summary>
    private const int MostWaiting = 100;

    /// <summary>A stream ends after this time; the browser opens the next one, which its key must open again.</summary>
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(1);

    public static void MapDashboardChanges(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/changes",
                (HttpContext http, ClaimsPrincipal caller, ChangeFeed changes, IHostApplicationLifetime lifetime) =>
                {
                    var ended = CancellationTokenSource.CreateLinkedTokenSource(
                        http.RequestAborted,
                        lifetime.ApplicationStopping
                    );
                    ended.CancelAfter(Length);
                    http.Response.RegisterForDispose(ended);
                    http.Response.Headers.CacheControl = "no-store";
                    return TypedResults.ServerSentEvents(RunAsync(caller.Tenant(), changes, ended.Token));
                }
            )
            .RequireAuthorization(Session.ReadPolicy)
            .ExcludeFromDescription();

    private static async IAsyncEnumerable<SseItem<string>> RunAsync(
        string tenant,
        ChangeFeed changes,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var waiting = Channel.CreateBounded<string>(
            new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite }
        );
        void Tell(string ofTenant, string fleet)
        {
            if (ofTenant == tenant)
                waiting.Writer.TryWrite(fleet);
        }

        changes.FleetChanged += Tell;
        try
        {
            // At once, so that the browser knows that the stream is open.
            yield return new SseItem<string>("", "open");
            while (await WaitAsync(waiting.Reader, cancel))
            {
                while (waiting.Reader.TryRead(out var fleet))
                    yield return new SseItem<string>(fleet, "fleet");
            }
        }
        finally
        {
            changes.FleetChanged -= Tell;
        }
    }

    private static async Task<bool> WaitAsync(ChannelReader<string> reader, CancellationToken cancel)
    {
        try
        {
            return await reader.WaitToReadAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
