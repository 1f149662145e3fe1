using System.Security.Claims;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Domain;
using Platform.Domain.Fleets;
using Platform.Domain.Tenants;

namespace Platform.Api.Snapshots;

/// <summary>Why somebody decides about a version.</summary>
/// <param name="Reason">The reason, 1 to 500 characters.</param>
internal sealed record LabelRequest(string Reason);

/// <summary>Which of a fleet's versions is which.</summary>
/// <param name="Latest">The version that was solved last; 0 before the first.</param>
/// <param name="InForce">The version in force; 0 for none.</param>
/// <param name="Pin">The version that is held in force, or null.</param>
/// <param name="Proposal">The version that waits for approval, or null.</param>
/// <param name="Warning">What is wrong with the pinned version although it is in force, or null.</param>
internal sealed record LabelAnswer(
    int Latest,
    int InForce,
    AllocationPin? Pin,
    AllocationProposal? Proposal,
    string? Warning
);

/// <summary>The tenants' calls that decide which version is in force.</summary>
internal sealed class LabelEndpoints(LabelDecisions labels, TimeProvider time)
{
    private const int MaxBodyBytes = 16 * 1024;

    public Task<IResult> PinAsync(
        string fleet,
        int version,
        HttpRequest request,
        ClaimsPrincipal caller,
        CancellationToken cancel
    ) =>
        DecideAsync(
            fleet,
            request,
            caller,
            (state, reason) => Fleet.PinVersion(state, version, reason, caller.KeyName(), time.GetUtcNow()),
            cancel
        );

    public Task<IResult> ApproveAsync(
        string fleet,
        int version,
        HttpRequest request,
        ClaimsPrincipal caller,
        CancellationToken cancel
    ) =>
        DecideAsync(
            fleet,
            request,
            caller,
            (state, reason) => Fleet.Approve(state, version, reason, caller.KeyName(), time.GetUtcNow()),
            cancel
        );

    public Task<IResult> UnpinAsync(string fleet, string? reason, ClaimsPrincipal caller, CancellationToken cancel) =>
        DecideAsync(
            fleet,
            reason ?? "",
            caller,
            (state, why) => Fleet.Unpin(state, why, caller.KeyName(), time.GetUtcNow()),
            cancel
        );

    private async Task<IResult> DecideAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        Func<Fleet?, string, Decision<FleetEvent>> decide,
        CancellationToken cancel
    ) =>
        (await RequestBody.ReadAsync<LabelRequest>(request, MaxBodyBytes, cancel)).IsFaulty(out var fault, out var body)
            ? fault
            : await DecideAsync(fleet, body.Reason, caller, decide, cancel);

    private async Task<IResult> DecideAsync(
        string fleet,
        string reason,
        ClaimsPrincipal caller,
        Func<Fleet?, string, Decision<FleetEvent>> decide,
        CancellationToken cancel
    )
    {
        if (LabelDecisions.CheckReason(reason) is { } fault)
            return Problems.BadInput(fault);
        var outcome = await labels.DecideAsync(caller.Tenant(), fleet, state => decide(state, reason), cancel);
        if (outcome.Decision.IsRefused)
            return Problems.Refused(outcome.Decision);
        var (latest, after) = (outcome.Fleet!.LatestVersion, outcome.Fleet.Labels);
        var warning = outcome.Fleet.Concerns.FirstOrDefault(concern => concern.Code == FleetConcerns.PinLacksTaskTypes);
        return TypedResults.Ok(new LabelAnswer(latest, after.InForce, after.Pin, after.Proposal, warning?.Message));
    }
}

/// <summary>Routes of the calls that decide which version is in force.</summary>
internal static class LabelRoutes
{
    public static void MapLabels(this IEndpointRouteBuilder v1)
    {
        var fleet = v1.MapGroup("/fleets/{fleet}")
            .WithTags("Allocations")
            .RequireAuthorization(Scopes.Manage)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404);
        fleet
            .MapPost(
                "/allocations/{version:int}/pin",
                (
                    LabelEndpoints it,
                    string fleet,
                    int version,
                    HttpRequest request,
                    ClaimsPrincipal caller,
                    CancellationToken cancel
                ) => it.PinAsync(fleet, version, request, caller, cancel)
            )
            .Accepts<LabelRequest>("application/json")
            .Produces<LabelAnswer>()
            .WithSummary("Hold one version in force, whatever the solves say; an older one: roll back");
        fleet
            .MapDelete(
                "/pin",
                (
                    LabelEndpoints it,
                    string fleet,
                    ClaimsPrincipal caller,
                    CancellationToken cancel,
                    string? reason = null
                ) => it.UnpinAsync(fleet, reason, caller, cancel)
            )
            .Produces<LabelAnswer>()
            .WithSummary("Release the pinned version");
        fleet
            .MapPost(
                "/allocations/{version:int}/approval",
                (
                    LabelEndpoints it,
                    string fleet,
                    int version,
                    HttpRequest request,
                    ClaimsPrincipal caller,
                    CancellationToken cancel
                ) => it.ApproveAsync(fleet, version, request, caller, cancel)
            )
            .Accepts<LabelRequest>("application/json")
            .Produces<LabelAnswer>()
            .ProducesProblem(409)
            .WithSummary("Put a proposed version in force");
    }
}
