using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Platform.Api.Authentication;
using Platform.Api.Errors;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Fleets;

namespace Platform.Api.Ingestion;

/// <summary>A window was taken and will be stored.</summary>
/// <param name="MessageId">Its idempotency key on the road.</param>
/// <param name="Warnings">What of it will not count for the fleet, and why; empty when everything counts.</param>
internal sealed record AcceptedWindow(Guid MessageId, IReadOnlyList<InputError> Warnings);

/// <summary>Workload windows over HTTP.</summary>
internal static class StatisticsEndpoints
{
    private const int MaxKeyLength = 200;

    public static void MapStatistics(this IEndpointRouteBuilder v1) =>
        v1.MapPost("/fleets/{fleet}/statistics", PublishAsync)
            .WithTags("Statistics")
            .RequireAuthorization(Scopes.Ingest)
            .RequireRateLimiting(StatisticsRate.Policy)
            .Accepts<WorkloadWindow>("application/json")
            .Produces<AcceptedWindow>(202)
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .ProducesProblem(413)
            .ProducesProblem(422)
            .ProducesProblem(429)
            .ProducesProblem(503)
            .WithSummary("Send a workload window: the same road as a message from the broker");

    private static async Task<IResult> PublishAsync(
        string fleet,
        HttpRequest request,
        ClaimsPrincipal caller,
        FleetStore fleets,
        IdempotencyKeys keys,
        StatisticsPublisher publisher,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var tenant = caller.Tenant();
        if (await fleets.FindAsync(tenant, fleet, cancel) is not { } known)
            return Problems.NotFound("fleet");
        var body = await RequestBody.ReadAsync(request, WorkloadWindowReader.MaxBytes, cancel);
        var now = time.GetUtcNow();
        if (!WorkloadWindowReader.TryRead(body, now, out var window, out var errors))
            return Problems.BadInput(errors);
        if (window.Fleet != fleet)
            return Problems.BadInput(new InputError("/fleet", $"must be the fleet of the address, \"{fleet}\""));
        var key = request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxKeyLength)
            return Problems.BadInput(
                new InputError("/Idempotency-Key", $"must have at most {MaxKeyLength} characters")
            );
        var warnings = WarningsFor(window, known, now);
        if (key.Length == 0)
        {
            var newId = Guid.NewGuid();
            await publisher.PublishAsync(tenant, fleet, newId, body, cancel);
            return Accepted(newId, warnings);
        }

        var messageId = EventStore.MessageIdFor(tenant, fleet, key);
        var use = await keys.UseAsync(
            tenant,
            messageId,
            window,
            () => publisher.PublishAsync(tenant, fleet, messageId, body, cancel),
            cancel
        );
        return use == KeyUse.OfAnotherWindow ? KeyWasUsedBefore() : Accepted(messageId, warnings);
    }

    private static Accepted<AcceptedWindow> Accepted(Guid messageId, IReadOnlyList<InputError> warnings) =>
        TypedResults.Accepted((string?)null, new AcceptedWindow(messageId, warnings));

    private static InputError[] WarningsFor(WorkloadWindow window, FleetView fleet, DateTimeOffset now) =>
        [
            .. new FleetScope(fleet.Definition)
                .WarningsFor(window, now)
                .Select(warning => new InputError(warning.Pointer, warning.Detail)),
        ];

    private static IResult KeyWasUsedBefore() =>
        Problems.Unprocessable(
            "idempotency-key",
            "The Idempotency-Key was used before for another window.",
            new InputError(
                "/Idempotency-Key",
                "was used before for a window with another content, and nothing of this one was kept; "
                    + "give each window a key of its own, and send only the same window again under the same key"
            )
        );
}
