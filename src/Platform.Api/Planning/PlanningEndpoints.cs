using System.Security.Claims;
using System.Text.Json.Serialization;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Api.Snapshots;
using Platform.Domain.Allocation;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Planning;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Planning;

/// <summary>What would be.</summary>
/// <param name="AsOf">The instant of the estimate that it starts from.</param>
/// <param name="Problem">The problem that was solved.</param>
/// <param name="Solution">Its solution, which may be that there is none.</param>
/// <param name="InForce">The snapshot in force; null before the first.</param>
/// <param name="Difference">From the one in force to the solution; null when one of the two is missing.</param>
/// <param name="HeldBack">
/// Task types that a solve of the fleet as it is holds back: the plan has their limits unless it gives others.
/// </param>
/// <param name="HeldByPrior">Task types whose curve is the definition's, as no verdicts tell it.</param>
internal sealed record WhatIfAnswer(
    DateTimeOffset AsOf,
    AllocationProblem Problem,
    AllocationSolution Solution,
    AllocationReference? InForce,
    AllocationDifference? Difference,
    IReadOnlyList<HeldBack> HeldBack,
    IReadOnlyList<string> HeldByPrior
)
{
    /// <summary>The arrival rate that the plan is made for, beside the traffic as it is now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PlannedTraffic? Traffic { get; init; }
}

/// <summary>What accuracy costs in time.</summary>
/// <param name="AsOf">The instant of the estimate that it starts from.</param>
/// <param name="Problem">The problem, with the accuracy weight of <paramref name="Current"/>.</param>
/// <param name="Solution">Its solution, which may be that there is none.</param>
/// <param name="Current">The point of that solution; null when there is none.</param>
/// <param name="Points">A point for each accuracy weight, rising in accuracy and time; empty when there is no
/// solution.</param>
internal sealed record FrontierAnswer(
    DateTimeOffset AsOf,
    AllocationProblem Problem,
    AllocationSolution Solution,
    FrontierPoint? Current,
    IReadOnlyList<FrontierPoint> Points
)
{
    /// <summary>The arrival rate that the points are made for, beside the traffic as it is now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PlannedTraffic? Traffic { get; init; }
}

/// <summary>The tenants' calls about what would be: they store nothing.</summary>
internal static class PlanningEndpoints
{
    private const int MaxBodyBytes = 1024 * 1024;

    public static void AddPlanning(this IServiceCollection services)
    {
        services.AddSingleton(provider => new CurrentProblems(provider.GetRequiredService<PlatformStore>()));
        services.AddRateLimiter(limiter => limiter.AddPolicy<string, PlanningRate>(PlanningRate.Policy));
    }

    public static void MapPlanning(this IEndpointRouteBuilder v1)
    {
        var fleet = v1.MapGroup("/fleets/{fleet}/what-if")
            .WithTags("Planning")
            .RequireAuthorization(Scopes.Read)
            .RequireRateLimiting(PlanningRate.Policy)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .ProducesProblem(429);
        fleet
            .MapPost("/", WhatIfAsync)
            .Accepts<WhatIf>("application/json")
            .Produces<WhatIfAnswer>()
            .WithSummary(
                "Solve any part of a problem over the current estimate, and compare it with the allocation in force"
            );
        fleet
            .MapPost("/frontier", FrontierAsync)
            .Accepts<FrontierQuery>("application/json")
            .Produces<FrontierAnswer>()
            .WithSummary("Accuracy against mean system time, over a range of accuracy weights");
    }

    private static async Task<IResult> WhatIfAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        CurrentProblems problems,
        SnapshotHistory history,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        if (await problems.FindAsync(caller.Tenant(), fleet, time.GetUtcNow(), cancel) is not { } current)
            return Problems.NotFound("fleet");
        if (
            (await RequestBody.ReadAsync<WhatIf>(request, MaxBodyBytes, cancel)).IsFaulty(out var fault, out var whatIf)
        )
            return fault;
        if (WhatIfProblem.Build(current.Problem, whatIf, out var problem) is { Count: > 0 } errors)
            return Problems.BadInput(errors);
        var solution = AllocationSolver.Solve(problem);
        var answer = new WhatIfAnswer(
            current.AsOf,
            problem,
            solution,
            null,
            null,
            current.HeldBack,
            current.HeldByPrior
        )
        {
            Traffic = current.TrafficOf(problem),
        };
        if (await history.FindInForceAsync(caller.Tenant(), fleet, cancel) is not { } stored)
            return TypedResults.Ok(answer);

        var inForce = ComparisonEndpoints.Read(stored);
        var difference = SolvedProblem.Of(problem, solution) is { } solved
            ? AllocationDifference.Between(
                inForce.Solved,
                solved,
                false,
                (it, options) => ComparisonEndpoints.Solve(it, options, cancel)
            )
            : null;
        return TypedResults.Ok(
            answer with
            {
                InForce = AllocationReference.To(stored, inForce),
                Difference = difference,
            }
        );
    }

    private static async Task<IResult> FrontierAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        CurrentProblems problems,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        if (await problems.FindAsync(caller.Tenant(), fleet, time.GetUtcNow(), cancel) is not { } current)
            return Problems.NotFound("fleet");
        if (
            (await RequestBody.ReadAsync<FrontierQuery>(request, MaxBodyBytes, cancel)).IsFaulty(
                out var fault,
                out var query
            )
        )
            return fault;
        if (WhatIfProblem.Build(current.Problem, query, out var problem) is { Count: > 0 } errors)
            return Problems.BadInput(errors);
        if (query.TryReadWeights(problem, out var weights) is { } error)
            return Problems.BadInput(error);
        var solution = AllocationSolver.Solve(problem);
        var points = Frontier.Trace(problem, weights, (it, options) => ComparisonEndpoints.Solve(it, options, cancel));
        var point = FrontierPoint.Of(problem.AccuracyWeight, solution);
        return TypedResults.Ok(
            new FrontierAnswer(current.AsOf, problem, solution, point, points) { Traffic = current.TrafficOf(problem) }
        );
    }
}
