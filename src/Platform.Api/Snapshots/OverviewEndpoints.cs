using System.Security.Claims;
using System.Text;
using System.Text.Json.Serialization;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Paging;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Snapshots;

/// <summary>What a fleet grants.</summary>
/// <param name="Fleet">Id of the fleet.</param>
/// <param name="InForce">The allocation in force, or null when there is none.</param>
internal sealed record FleetAllocation(string Fleet, AllocationOverview? InForce);

/// <summary>An allocation in force, as a dashboard shows it.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="Since">Since when it is in force.</param>
/// <param name="Tokens">What a gateway is given for each task type: what is sent, or the optimum where any tokens can be.</param>
/// <param name="Objective">The objective at these tokens; null where the queue is not stable.</param>
/// <param name="MeanAccuracy">Σ share · accuracy.</param>
/// <param name="MeanSystemTimeSeconds">Mean system time in seconds; null where the queue is not stable.</param>
/// <param name="Utilization">ρ.</param>
internal sealed record AllocationOverview(
    int Version,
    string Hash,
    DateTimeOffset Since,
    IReadOnlyList<SentTokens> Tokens,
    double? Objective,
    double MeanAccuracy,
    double? MeanSystemTimeSeconds,
    double Utilization
)
{
    /// <summary>
    /// The limit that even the fewest tokens allowed break, which are granted; null where every limit is kept.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public InfeasibilityReason? ShortfallReason { get; init; }
}

/// <summary>The tenants' call about all their fleets at once.</summary>
internal static class OverviewEndpoints
{
    /// <summary>Changes whenever the same versions can be answered otherwise: it is in the entity tag.</summary>
    private const string Form = "overview/2";

    public static void MapOverview(this IEndpointRouteBuilder v1) =>
        v1.MapGet("/allocations", ListAsync)
            .WithTags("Allocations")
            .RequireAuthorization(Scopes.Read)
            .Produces<Page<FleetAllocation>>()
            .IsPaged()
            .Produces(304)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .WithSummary("What is in force for every fleet, by id: tokens and figures, for dashboards");

    private static async Task<IResult> ListAsync(
        HttpContext http,
        ClaimsPrincipal caller,
        SnapshotHistory history,
        CancellationToken cancel
    )
    {
        if (!PageRequest.TryRead(http.Request, out var page, out var fault))
            return fault;
        var fleets = page.Cut(
            await history.ListInForceAsync(caller.Tenant(), page.After, page.Limit + 1, cancel),
            it => it.Fleet
        );
        // Weak: it is of what the answer says, not of its bytes. Versions never change, so the documents need not be
        // read for it.
        var tag = $"W/\"{AllocationSnapshot.HashOf([.. Encoding.UTF8.GetBytes(Form), .. StrictJson.Write(fleets)])}\"";
        (http.Response.Headers.CacheControl, http.Response.Headers.ETag) = ("private, no-cache", tag);
        if (EntityTags.IsHeld(http.Request, tag))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        var documents = await history.FindVersionsAsync(caller.Tenant(), fleets.Items, cancel);
        return TypedResults.Ok(
            new Page<FleetAllocation>([.. fleets.Items.Select(it => Answer(it, documents))], fleets.NextCursor)
        );
    }

    private static FleetAllocation Answer(FleetInForce fleet, IReadOnlyDictionary<string, StoredSnapshot> documents)
    {
        if (fleet.Snapshot is not { } it)
            return new FleetAllocation(fleet.Fleet, null);
        var snapshot = ComparisonEndpoints.Read(documents[fleet.Fleet]);
        var optimum = new AllocationOverview(
            it.Version,
            it.Hash,
            fleet.Since!.Value,
            snapshot.Given,
            it.Objective,
            it.MeanAccuracy,
            it.MeanSystemTimeSeconds,
            it.Utilization
        )
        {
            ShortfallReason = it.ShortfallReason,
        };
        var given = snapshot.Sent is { } sent
            ? optimum with
            {
                Objective = sent.Objective,
                MeanAccuracy = sent.MeanAccuracy,
                MeanSystemTimeSeconds = sent.MeanSystemTimeSeconds,
                Utilization = sent.Utilization,
            }
            : optimum;
        return new FleetAllocation(fleet.Fleet, given);
    }
}
