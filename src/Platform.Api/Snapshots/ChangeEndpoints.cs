using System.Globalization;
using System.Security.Claims;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Domain.Contracts;
using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Fleets;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Snapshots;

/// <summary>The tenants' call that tells each change of the version in force as it comes.</summary>
internal static class ChangeEndpoints
{
    private const string LastEventId = "Last-Event-ID";

    public static void MapChanges(this IEndpointRouteBuilder v1) =>
        v1.MapGroup("/fleets/{fleet}")
            .WithTags("Allocations")
            .RequireAuthorization(Scopes.Read)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .MapGet("/changes", RunAsync)
            .Produces<InForceChange>(200, "text/event-stream")
            .WithSummary(
                "Server-sent events: the version in force, and each change of it; Last-Event-ID resumes without a gap"
            );

    private static async Task<IResult> RunAsync(
        string fleet,
        HttpContext http,
        ClaimsPrincipal caller,
        FleetStore fleets,
        SnapshotHistory history,
        ChangeFeed changes,
        KeyCache keys,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        if (await fleets.FindAsync(caller.Tenant(), fleet, cancel) is null)
            return Problems.NotFound("fleet");
        var last = await history.LastChangeAsync(caller.Tenant(), fleet, cancel);
        if (!TryReadLastEventId(http.Request, last, out var after))
            return Problems.BadInput(new InputError($"/{LastEventId}", "must be the id of an event of this stream"));
        var stream = new ChangeStream(history, changes, keys, time, caller.Tenant(), fleet, caller.KeyId());
        var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        http.Response.RegisterForDispose(ended);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.ServerSentEvents(stream.RunAsync(after, ended.Token));
    }

    /// <summary>Without an id the stream begins with the version in force.</summary>
    private static bool TryReadLastEventId(HttpRequest request, long last, out long after)
    {
        after = Math.Max(0, last - 1);
        var text = request.Headers[LastEventId].ToString();
        return text.Length == 0
            || (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after) && after <= last);
    }
}
