using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Json.Serialization;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Api.Planning;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Snapshots;

/// <summary>Which allocation snapshot is meant.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="SolvedAt">When it was solved.</param>
/// <param name="Solver">The solver that gave it.</param>
internal sealed record AllocationReference(int Version, string Hash, DateTimeOffset SolvedAt, string Solver)
{
    /// <summary>That of a stored snapshot.</summary>
    public static AllocationReference To(StoredSnapshot stored, ComparableSnapshot snapshot) =>
        new(stored.Version, stored.Hash, snapshot.SolvedAt, snapshot.Provenance.Solver);
}

/// <summary>Two allocation snapshots compared.</summary>
/// <param name="From">The one that the change is from.</param>
/// <param name="To">The one that it is to.</param>
/// <param name="Difference">What changed and why.</param>
internal sealed record AllocationComparison(
    AllocationReference From,
    AllocationReference To,
    AllocationDifference Difference
)
{
    /// <summary>
    /// True where the ladders for surges differ, or one of the two has none; left out where they do not.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? LadderDiffers { get; init; }
}

/// <summary>The tenants' call that compares two versions and explains the change.</summary>
internal static class ComparisonEndpoints
{
    /// <summary>Changes whenever the same two snapshots can be answered otherwise: it is in the entity tag.</summary>
    private const string Form = "difference/2";

    private const string Immutable = "private, max-age=31536000, immutable";

    public static void MapComparisons(this IEndpointRouteBuilder v1) =>
        v1.MapGet("/fleets/{fleet}/allocations/diff", CompareAsync)
            .WithTags("Allocations")
            .RequireAuthorization(Scopes.Read)
            .RequireRateLimiting(PlanningRate.Policy)
            .Produces<AllocationComparison>()
            .Produces(304)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .ProducesProblem(429)
            .WithSummary(
                "What changed between two versions, and which inputs explain how much of it; detail=full lists every parameter"
            );

    private static async Task<IResult> CompareAsync(
        string fleet,
        string? from,
        string? to,
        string? detail,
        HttpContext http,
        ClaimsPrincipal caller,
        SnapshotHistory history,
        CancellationToken cancel
    )
    {
        if (!TryReadVersion(from, out var earlier))
            return Problems.BadInput(new InputError("/from", "must be a version"));
        if (!TryReadVersion(to, out var later))
            return Problems.BadInput(new InputError("/to", "must be a version"));
        if (detail is not (null or "summary" or "full"))
            return Problems.BadInput(new InputError("/detail", "must be summary or full"));
        if (
            await history.FindVersionAsync(caller.Tenant(), fleet, earlier, cancel) is not { } one
            || await history.FindVersionAsync(caller.Tenant(), fleet, later, cancel) is not { } other
        )
            return Problems.NotFound("allocation");

        var tag = TagOf(one, other, detail == "full");
        (http.Response.Headers.CacheControl, http.Response.Headers.ETag) = (Immutable, tag);
        if (EntityTags.IsHeld(http.Request, tag))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        return TypedResults.Ok(Compare(one, other, detail == "full", cancel));
    }

    /// <summary>Compares two stored snapshots.</summary>
    public static AllocationComparison Compare(
        StoredSnapshot from,
        StoredSnapshot to,
        bool everyParameter,
        CancellationToken cancel
    )
    {
        var (earlier, later) = (Read(from), Read(to));
        return new AllocationComparison(
            AllocationReference.To(from, earlier),
            AllocationReference.To(to, later),
            AllocationDifference.Between(
                earlier.Solved,
                later.Solved,
                everyParameter,
                (problem, options) => Solve(problem, options, cancel)
            )
        )
        {
            LadderDiffers = SurgeLadder.SameContent(earlier.Ladder, later.Ladder) ? null : true,
        };
    }

    /// <summary>A stored snapshot as it is compared.</summary>
    public static ComparableSnapshot Read(StoredSnapshot stored) =>
        ComparableSnapshot.TryRead(stored.Document, out var snapshot, out var fault)
            ? snapshot
            : throw new InvalidOperationException($"Version {stored.Version} cannot be read: {fault}");

    /// <summary>Solves, unless nobody waits for the answer any more: a comparison may take a hundred solves.</summary>
    public static AllocationSolution Solve(AllocationProblem problem, SolverOptions options, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return AllocationSolver.Solve(problem, options);
    }

    private static bool TryReadVersion(string? text, out int version) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version) && version > 0;

    private static string TagOf(StoredSnapshot from, StoredSnapshot to, bool everyParameter) =>
        $"\"{AllocationSnapshot.HashOf(Encoding.ASCII.GetBytes($"{Form} {AllocationSolver.Version} {from.Hash} {to.Hash} {everyParameter}"))}\"";
}
