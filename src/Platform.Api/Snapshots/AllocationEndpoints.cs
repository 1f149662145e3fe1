using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Fleets;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Snapshots;

/// <summary>The tenants' calls about the allocations of their fleets. A snapshot's body is its canonical form: its SHA-256 is its ETag.</summary>
internal static class AllocationEndpoints
{
    private const string Changing = "private, no-cache";
    private const string Immutable = "private, max-age=31536000, immutable";

    public static void MapAllocations(this IEndpointRouteBuilder v1)
    {
        var fleet = v1.MapGroup("/fleets/{fleet}").WithTags("Allocations").RequireAuthorization(Scopes.Read)
            .ProducesProblem(400).ProducesProblem(401).ProducesProblem(403).ProducesProblem(404);
        fleet.MapGet("/allocation", InForceAsync).Produces<AllocationSnapshot>().Produces(304).WithSummary("The snapshot in force, now or at an instant");
        fleet.MapGet("/allocations", HistoryAsync).Produces<Page<SnapshotSummary>>().WithSummary("The history, latest first");
        fleet.MapGet("/allocations/{version:int}", VersionAsync).Produces<AllocationSnapshot>().Produces(304).WithSummary("One snapshot, immutable");
    }

    private static async Task<IResult> InForceAsync(
        string fleet, HttpContext http, ClaimsPrincipal caller, FleetStore fleets, SnapshotHistory history, CancellationToken cancel)
    {
        var asked = http.Request.Query["asOf"].ToString();
        DateTimeOffset? asOf = null;
        if (asked.Length > 0)
        {
            if (!DateTimeOffset.TryParse(asked, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant))
                return Problems.BadInput(new InputError("/asOf", "must be an RFC 3339 time"));
            asOf = instant.ToUniversalTime();
        }
        else if (await fleets.FindAsync(caller.Tenant(), fleet, cancel) is null)
        {
            return Problems.NotFound("fleet");
        }

        return await history.FindAsync(caller.Tenant(), fleet, asOf, cancel) is { } snapshot
            ? Serve(http, snapshot, Changing)
            : Problems.NotFound("allocation");
    }

    private static async Task<IResult> HistoryAsync(
        string fleet, HttpRequest request, ClaimsPrincipal caller, SnapshotHistory history, CancellationToken cancel)
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        var before = int.MaxValue;
        if (page.After.Length > 0 && !int.TryParse(page.After, NumberStyles.None, CultureInfo.InvariantCulture, out before))
            return Problems.BadInput(new InputError("/cursor", "must be a nextCursor of this list"));
        return await history.ListAsync(caller.Tenant(), fleet, before, page.Limit + 1, cancel) is { } lines
            ? TypedResults.Ok(page.Cut(lines, line => line.Version.ToString(CultureInfo.InvariantCulture)))
            : Problems.NotFound("fleet");
    }

    private static async Task<IResult> VersionAsync(
        string fleet, int version, HttpContext http, ClaimsPrincipal caller, SnapshotHistory history, CancellationToken cancel) =>
        await history.FindVersionAsync(caller.Tenant(), fleet, version, cancel) is { } snapshot
            ? Serve(http, snapshot, Immutable)
            : Problems.NotFound("allocation");

    // The framework answers If-None-Match with 304 by itself when a result has an entity tag.
    private static FileContentHttpResult Serve(HttpContext http, StoredSnapshot snapshot, string cacheControl)
    {
        http.Response.Headers.CacheControl = cacheControl;
        return TypedResults.Bytes(snapshot.Document, "application/json", entityTag: new EntityTagHeaderValue($"\"{snapshot.Hash}\""));
    }
}
