using System.Globalization;
using System.Security.Claims;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Api.Snapshots;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Fleets;

namespace Platform.Api.Fleets;

/// <summary>A fleet as teams see it.</summary>
internal sealed record FleetAnswer(
    string Id,
    int Revision,
    DateTimeOffset RevisedAt,
    FleetDefinition Definition,
    int LatestVersion,
    string? LatestHash,
    AllocationLabels Labels,
    DateTimeOffset? InForceSince,
    Freshness Freshness,
    Health Health,
    IReadOnlyList<FleetConcern> Concerns
);

/// <summary>How recent the fleet's allocation is.</summary>
/// <param name="SolvedAt">When it was last solved, or null.</param>
/// <param name="SolvedWorkloadVersion">Windows that are in that solve.</param>
/// <param name="SolveReason">Why it was solved then, or null.</param>
/// <param name="DueAt">When it is to be solved next.</param>
/// <param name="DueReason">Why then.</param>
internal sealed record Freshness(
    DateTimeOffset? SolvedAt,
    long SolvedWorkloadVersion,
    SolveReason? SolveReason,
    DateTimeOffset DueAt,
    SolveReason DueReason
);

/// <summary>Whether the fleet is being solved as it should be.</summary>
/// <param name="Status">
/// <c>ok</c>, <c>attention</c> when it is solved and there are concerns, <c>waiting</c> for its first solve,
/// <c>late</c> when no worker is solving it, or <c>fault</c>.
/// </param>
/// <param name="Detail">What is wrong, or null.</param>
internal sealed record Health(string Status, string? Detail)
{
    /// <summary>A solve that has not come this long after it was due will not come by itself.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Health Of(FleetView fleet, DateTimeOffset now) =>
        fleet switch
        {
            { SolveFault: { } fault } => new Health("fault", fault),
            _ when now - fleet.DueAt > Patience => new Health(
                "late",
                "no worker has solved the fleet since it was due"
            ),
            { LatestVersion: 0 } => new Health("waiting", "the first solve is to come"),
            { Concerns.Count: > 0 } => new Health("attention", Messages(fleet.Concerns)),
            _ => new Health("ok", null),
        };

    private static string Messages(IEnumerable<FleetConcern> concerns) =>
        string.Join(" ", concerns.Select(concern => concern.Message));
}

/// <summary>The tenants' calls about their fleets.</summary>
internal static class FleetEndpoints
{
    private const int MaxDefinitionBytes = 1024 * 1024;

    public static void MapFleets(this IEndpointRouteBuilder v1)
    {
        var fleets = v1.MapGroup("/fleets")
            .WithTags("Fleets")
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404);
        fleets
            .MapPut("/{fleet}", PutAsync)
            .RequireAuthorization(Scopes.Manage)
            .Accepts<FleetDefinition>("application/json")
            .Produces<FleetAnswer>(200)
            .Produces<FleetAnswer>(201)
            .ProducesProblem(412)
            .ProducesProblem(429)
            .WithSummary("Register a fleet, or revise its definition");
        fleets
            .MapDelete("/{fleet}", RetireAsync)
            .RequireAuthorization(Scopes.Manage)
            .Produces(204)
            .WithSummary("Retire a fleet; its history stays");
        fleets
            .MapPost("/{fleet}/solve", SolveAsync)
            .RequireAuthorization(Scopes.Manage)
            .Produces(202)
            .WithSummary("Solve now");
        fleets
            .MapGet("/", ListAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<Page<FleetAnswer>>()
            .IsPaged()
            .WithSummary("List fleets");
        fleets
            .MapGet("/{fleet}", GetAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<FleetAnswer>()
            .WithSummary("One fleet");
        fleets
            .MapGet("/{fleet}/events", EventsAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<Page<RecordedEvent>>()
            .IsPaged()
            .WithSummary("What was decided about a fleet, by stream version");
    }

    private static async Task<IResult> PutAsync(
        string fleet,
        HttpContext http,
        ClaimsPrincipal caller,
        FleetStore fleets,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        if (!Identifiers.IsFleet(fleet))
            return Problems.BadInput(
                new InputError("/fleet", $"the fleet of the address must match {Identifiers.FleetPattern}")
            );
        if (
            (await RequestBody.ReadAsync<FleetDefinition>(http.Request, MaxDefinitionBytes, cancel)).IsFaulty(
                out var fault,
                out var definition
            )
        )
            return fault;
        if (FleetDefinitionValidation.Validate(definition) is { Count: > 0 } errors)
            return Problems.BadInput(errors);
        if (!TryReadIfMatch(http.Request, out var expected))
            return Problems.BadInput(new InputError("/If-Match", "must be the ETag of a fleet, such as \"r3\""));
        var now = time.GetUtcNow();
        var outcome = await fleets.PutAsync(
            caller.Tenant(),
            fleet,
            definition,
            expected,
            caller.KeyName(),
            now,
            cancel
        );
        if (outcome.Decision.IsRefused)
            return Problems.Refused(outcome.Decision);
        var answer = Answer(http, outcome.Fleet!, now);
        return outcome.IsNew ? TypedResults.Created($"/v1/fleets/{fleet}", answer) : TypedResults.Ok(answer);
    }

    private static async Task<IResult> RetireAsync(
        string fleet,
        ClaimsPrincipal caller,
        FleetStore fleets,
        AllocationCache inForce,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var outcome = await fleets.DecideAsync(
            caller.Tenant(),
            fleet,
            state => Fleet.Retire(state, caller.KeyName(), time.GetUtcNow()),
            cancel
        );
        inForce.Forget(caller.Tenant(), fleet);
        return outcome.Decision.IsRefused ? Problems.NotFound("fleet") : TypedResults.NoContent();
    }

    private static async Task<IResult> SolveAsync(
        string fleet,
        ClaimsPrincipal caller,
        FleetStore fleets,
        TimeProvider time,
        CancellationToken cancel
    ) =>
        await fleets.RequestSolveAsync(caller.Tenant(), fleet, time.GetUtcNow(), cancel)
            ? TypedResults.Accepted((string?)null)
            : Problems.NotFound("fleet");

    private static async Task<IResult> ListAsync(
        HttpRequest request,
        ClaimsPrincipal caller,
        FleetStore fleets,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        var rows = page.Cut(await fleets.ListAsync(caller.Tenant(), page.After, page.Limit + 1, cancel), row => row.Id);
        var now = time.GetUtcNow();
        return TypedResults.Ok(new Page<FleetAnswer>([.. rows.Items.Select(row => Answer(row, now))], rows.NextCursor));
    }

    private static async Task<IResult> GetAsync(
        string fleet,
        HttpContext http,
        ClaimsPrincipal caller,
        FleetStore fleets,
        TimeProvider time,
        CancellationToken cancel
    ) =>
        await fleets.FindAsync(caller.Tenant(), fleet, cancel) is { } row
            ? TypedResults.Ok(Answer(http, row, time.GetUtcNow()))
            : Problems.NotFound("fleet");

    private static async Task<IResult> EventsAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        FleetStore fleets,
        CancellationToken cancel,
        long after = 0
    )
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        if (page.After.Length > 0)
            after = long.Parse(page.After, CultureInfo.InvariantCulture);
        if (after < 0)
            return Problems.BadInput(new InputError("/after", "must be a stream version of at least 0"));
        return await fleets.EventsAsync(caller.Tenant(), fleet, after, page.Limit + 1, cancel) is { } events
            ? TypedResults.Ok(page.Cut(events, happened => happened.Version.ToString(CultureInfo.InvariantCulture)))
            : Problems.NotFound("fleet");
    }

    private static FleetAnswer Answer(HttpContext http, FleetView fleet, DateTimeOffset now)
    {
        http.Response.Headers.ETag = $"\"r{fleet.Revision}\"";
        return Answer(fleet, now);
    }

    private static FleetAnswer Answer(FleetView fleet, DateTimeOffset now) =>
        new(
            fleet.Id,
            fleet.Revision,
            fleet.RevisedAt,
            fleet.Definition,
            fleet.LatestVersion,
            fleet.LatestHash,
            fleet.Labels,
            fleet.InForceAt,
            new Freshness(fleet.SolvedAt, fleet.SolvedWorkloadVersion, fleet.SolveReason, fleet.DueAt, fleet.DueReason),
            Health.Of(fleet, now),
            fleet.Concerns
        );

    private static bool TryReadIfMatch(HttpRequest request, out int? expected)
    {
        expected = null;
        var text = request.Headers.IfMatch.ToString();
        if (text.Length == 0)
            return true;
        if (
            !text.StartsWith("\"r", StringComparison.Ordinal)
            || !text.EndsWith('"')
            || !int.TryParse(text.AsSpan()[2..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
        )
            return false;
        expected = revision;
        return true;
    }
}
