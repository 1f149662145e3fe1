using System.Globalization;
using System.Security.Claims;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Api.Snapshots;
using Platform.Domain.Fleets;
using Platform.Domain.Tenants;
using Platform.Persistence.Ingestion;

namespace Platform.Api.Fleets;

/// <summary>Which stored windows are to be void: that of one message, or all that overlap a stretch of time.</summary>
/// <param name="Reason">Why, 1 to 500 characters.</param>
/// <param name="MessageId">The message whose window is void, or null.</param>
/// <param name="From">The begin of the stretch whose windows are void, or null.</param>
/// <param name="To">The end of that stretch, itself not in it, or null.</param>
internal sealed record VoidBody(
    string Reason,
    Guid? MessageId = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null
);

/// <summary>What was voided.</summary>
/// <param name="WorkloadVersion">Versions whose workload version is at least this know of it.</param>
/// <param name="At">When it was decided.</param>
/// <param name="By">Name of the key.</param>
/// <param name="Reason">Why.</param>
/// <param name="MessageId">The message whose window is void, or null.</param>
/// <param name="From">The begin of the stretch whose windows are void, or null.</param>
/// <param name="To">The end of that stretch, or null.</param>
/// <param name="Windows">Windows that counted until then.</param>
/// <param name="Arrivals">Arrivals in them.</param>
internal sealed record VoidAnswer(
    long WorkloadVersion,
    DateTimeOffset At,
    string By,
    string Reason,
    Guid? MessageId,
    DateTimeOffset? From,
    DateTimeOffset? To,
    long Windows,
    long Arrivals
)
{
    public static VoidAnswer Create(WorkloadVoided happened) =>
        new(
            happened.WorkloadVersion,
            happened.At,
            happened.By,
            happened.Reason,
            happened.MessageId,
            happened.From,
            happened.To,
            happened.Windows,
            happened.Arrivals
        );
}

/// <summary>The tenants' calls that void windows.</summary>
internal static class VoidEndpoints
{
    private const int MaxBodyBytes = 16 * 1024;

    public static void MapVoids(this IEndpointRouteBuilder v1)
    {
        var voids = v1.MapGroup("/fleets/{fleet}/voids")
            .WithTags("Fleets")
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404);
        voids
            .MapPost("/", VoidAsync)
            .RequireAuthorization(Scopes.Manage)
            .Accepts<VoidBody>("application/json")
            .Produces<VoidAnswer>(200)
            .Produces<VoidAnswer>(201)
            .ProducesProblem(409)
            .WithSummary("Void stored windows, of a message or a stretch of time: no estimate counts them any more");
        voids
            .MapGet("/", ListAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<Page<VoidAnswer>>()
            .IsPaged()
            .WithSummary("What was voided of a fleet, oldest first");
    }

    private static async Task<IResult> VoidAsync(
        string fleet,
        HttpRequest http,
        ClaimsPrincipal caller,
        WorkloadVoids voids,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        if ((await RequestBody.ReadAsync<VoidBody>(http, MaxBodyBytes, cancel)).IsFaulty(out var fault, out var body))
            return fault;
        var now = time.GetUtcNow();
        var scope = new VoidScope(body.MessageId, body.From, body.To);
        if ((LabelDecisions.CheckReason(body.Reason) ?? WorkloadVoiding.Validate(scope, now)) is { } error)
            return Problems.BadInput(error);
        var request = new VoidRequest(scope, body.Reason, caller.KeyName(), now);
        var outcome = await voids.VoidAsync(caller.Tenant(), fleet, request, cancel);
        if (outcome.Decision.IsRefused)
            return Problems.Refused(outcome.Decision);
        var answer = VoidAnswer.Create(outcome.Void!);
        var isNew = outcome.Decision.Event is not null;
        return isNew ? TypedResults.Created($"/v1/fleets/{fleet}/voids", answer) : TypedResults.Ok(answer);
    }

    private static async Task<IResult> ListAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        WorkloadVoids voids,
        CancellationToken cancel
    )
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        var after = page.After.Length > 0 ? long.Parse(page.After, CultureInfo.InvariantCulture) : 0;
        if (await voids.ListAsync(caller.Tenant(), fleet, after, page.Limit + 1, cancel) is not { } listed)
            return Problems.NotFound("fleet");
        var cut = page.Cut(listed, it => it.Version.ToString(CultureInfo.InvariantCulture));
        VoidAnswer[] items = [.. cut.Items.Select(it => VoidAnswer.Create(it.Void))];
        return TypedResults.Ok(new Page<VoidAnswer>(items, cut.NextCursor));
    }
}
