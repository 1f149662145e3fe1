using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Api.Snapshots;

/// <summary>What came of deriving a snapshot again.</summary>
/// <param name="Matches">Whether the events give the stored bytes; null when this program has not the arithmetic that
/// made them.</param>
/// <param name="Hash">Hash of the stored bytes.</param>
/// <param name="RecomputedHash">Hash of the bytes derived again, or null when they could not be.</param>
/// <param name="ChainIntact">Whether every version up to this one is there, hashes to its hash, names the one before,
/// and was announced so.</param>
/// <param name="Faults">What differs, a line each.</param>
internal sealed record VerificationAnswer(
    bool? Matches,
    string? Hash,
    string? RecomputedHash,
    bool ChainIntact,
    IReadOnlyList<string> Faults
)
{
    /// <summary>Verifies a version and the chain up to it; null when there is none.</summary>
    /// <param name="verification">What verifies.</param>
    /// <param name="key">The fleet.</param>
    /// <param name="version">The version.</param>
    /// <param name="passed">Told each version that was looked at.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<VerificationAnswer?> OfAsync(
        SnapshotVerification verification,
        FleetKey key,
        int version,
        Action<int> passed,
        CancellationToken cancel
    )
    {
        VersionVerification? last = null;
        var chainIntact = true;
        await verification.VerifyAsync(
            key,
            version,
            found =>
            {
                (last, chainIntact) = (found, chainIntact && found.ChainIntact);
                passed(found.Version);
            },
            cancel
        );
        return last is null
            ? null
            : new VerificationAnswer(last.Matches, last.Hash, last.RecomputedHash, chainIntact, last.Faults);
    }
}

/// <summary>
/// The tenants' calls about the allocations of their fleets. A snapshot's body is its canonical form: its SHA-256 is
/// its ETag.
/// </summary>
internal static class AllocationEndpoints
{
    private const string Changing = "private, no-cache";
    private const string Immutable = "private, max-age=31536000, immutable";

    public static void MapAllocations(this IEndpointRouteBuilder v1)
    {
        var fleet = v1.MapGroup("/fleets/{fleet}")
            .WithTags("Allocations")
            .RequireAuthorization(Scopes.Read)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404);
        fleet
            .MapGet("/allocation", InForceAsync)
            .DisableHttpMetrics()
            .Produces<AllocationSnapshot>()
            .Produces(304)
            .TakesInstant()
            .WithSummary("The snapshot in force, now or at an instant");
        fleet
            .MapGet("/allocations", HistoryAsync)
            .Produces<Page<SnapshotSummary>>()
            .IsPaged()
            .WithSummary("The history, latest first");
        fleet
            .MapGet("/allocations/{version:int}", VersionAsync)
            .Produces<AllocationSnapshot>()
            .Produces(304)
            .WithSummary("One snapshot, immutable");
        fleet
            .MapGet("/allocations/{version:int}/verification", VerificationAsync)
            .Produces<VerificationAnswer>()
            .WithSummary("Derive one snapshot again from the events, and check the chain up to it");
        fleet
            .MapGet("/estimate", EstimateAsync)
            .Produces<FleetEstimate>()
            .TakesInstant()
            .WithSummary("What is known of the fleet, now or at an instant of the past");
    }

    private static async Task<IResult> InForceAsync(
        string fleet,
        HttpContext http,
        ClaimsPrincipal caller,
        AllocationCache inForce,
        SnapshotHistory history,
        CancellationToken cancel
    )
    {
        if (!TryReadAsOf(http.Request, out var asOf))
            return Problems.BadInput(NoTime);
        if (asOf is null)
        {
            if (await inForce.FindAsync(caller.Tenant(), fleet) is { } served)
                return new KeptAllocation(served);
            AllocationReads.None();
            return Problems.NotFound("allocation");
        }

        return await history.FindAsOfAsync(caller.Tenant(), fleet, asOf.Value, cancel) is { } snapshot
            ? Serve(http, snapshot, Changing)
            : Problems.NotFound("allocation");
    }

    private static async Task<IResult> HistoryAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        SnapshotHistory history,
        CancellationToken cancel
    )
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        var before = page.After.Length > 0 ? int.Parse(page.After, CultureInfo.InvariantCulture) : int.MaxValue;
        return await history.ListAsync(caller.Tenant(), fleet, before, page.Limit + 1, cancel) is { } lines
            ? TypedResults.Ok(page.Cut(lines, line => line.Version.ToString(CultureInfo.InvariantCulture)))
            : Problems.NotFound("fleet");
    }

    private static async Task<IResult> VersionAsync(
        string fleet,
        int version,
        HttpContext http,
        ClaimsPrincipal caller,
        SnapshotHistory history,
        CancellationToken cancel
    ) =>
        await history.FindVersionAsync(caller.Tenant(), fleet, version, cancel) is { } snapshot
            ? Serve(http, snapshot, Immutable)
            : Problems.NotFound("allocation");

    private static async Task<IResult> VerificationAsync(
        string fleet,
        int version,
        ClaimsPrincipal caller,
        SnapshotHistory history,
        SnapshotVerification verification,
        CancellationToken cancel
    ) =>
        await history.FindVersionAsync(caller.Tenant(), fleet, version, cancel) is not null
        && await VerificationAnswer.OfAsync(
            verification,
            new FleetKey(caller.Tenant(), fleet),
            version,
            _ => { },
            cancel
        )
            is { } answer
            ? TypedResults.Ok(answer)
            : Problems.NotFound("allocation");

    private static async Task<IResult> EstimateAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        EstimateHistory estimates,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var now = time.GetUtcNow();
        if (!TryReadAsOf(request, out var asOf))
            return Problems.BadInput(NoTime);
        if (asOf > now)
            return Problems.BadInput(new InputError("/asOf", "must not be in the future"));
        return await estimates.FindAsync(caller.Tenant(), fleet, asOf ?? now, cancel) is { } estimate
            ? TypedResults.Ok(estimate)
            : Problems.NotFound("fleet");
    }

    private static readonly InputError NoTime = new("/asOf", "must be an RFC 3339 time");

    private static bool TryReadAsOf(HttpRequest request, out DateTimeOffset? asOf)
    {
        asOf = null;
        if (request.Query["asOf"].ToString() is not { Length: > 0 } asked)
            return true;
        if (
            !DateTimeOffset.TryParse(
                asked,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var instant
            )
        )
            return false;
        asOf = instant.ToUniversalTime();
        return true;
    }

    // The framework answers If-None-Match with 304 by itself when a result has an entity tag.
    private static FileContentHttpResult Serve(HttpContext http, StoredSnapshot snapshot, string cacheControl)
    {
        http.Response.Headers.CacheControl = cacheControl;
        return TypedResults.Bytes(
            snapshot.Document,
            "application/json",
            entityTag: new EntityTagHeaderValue($"\"{snapshot.Hash}\"")
        );
    }
}
