using System.Globalization;
using System.Security.Claims;
using Platform.Api.Authentication;
using Platform.Api.Documentation;
using Platform.Api.Errors;
using Platform.Api.Paging;
using Platform.Domain.Contracts;
using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Transparency;

namespace Platform.Api.Transparency;

/// <summary>Proof that the log at one size is the beginning of the log at another.</summary>
/// <param name="From">The smaller size.</param>
/// <param name="To">The larger size.</param>
/// <param name="Proof">Hashes, base64 (RFC 6962).</param>
internal sealed record LogConsistency(long From, long To, IReadOnlyList<string> Proof);

/// <summary>
/// The tenants' calls about their log: everything that was decided, in one order, under one signed root.
/// </summary>
internal static class LogEndpoints
{
    private const string PlainText = "text/plain; charset=utf-8";

    public static void AddLog(this IServiceCollection services) =>
        services.AddSingleton(provider => new TransparencyLog(provider.GetRequiredService<PlatformStore>()));

    public static void MapLog(this IEndpointRouteBuilder v1)
    {
        var tenant = v1.MapGroup("")
            .WithTags("Log")
            .ProducesProblem(400)
            .ProducesProblem(401)
            .ProducesProblem(403)
            .ProducesProblem(404);
        tenant
            .MapGet("/log/checkpoint", CheckpointAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<string>(200, "text/plain")
            .WithSummary("The latest signed checkpoint (C2SP tlog-checkpoint): to be kept elsewhere");
        tenant
            .MapGet("/log/verifier", VerifierAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<string>(200, "text/plain")
            .WithSummary("The public key that verifies checkpoints (C2SP signed-note)");
        tenant
            .MapGet("/log/consistency", ConsistencyAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<LogConsistency>()
            .WithSummary("Proves that an earlier checkpoint's log is the beginning of a later one's (RFC 6962)");
        tenant
            .MapGet("/fleets/{fleet}/allocations/{version:int}/inclusion", InclusionAsync)
            .RequireAuthorization(Scopes.Read)
            .Produces<LogInclusion>()
            .WithSummary("Proves that a version was announced in the log (RFC 6962)");
        tenant
            .MapGet("/audit", AuditAsync)
            .RequireAuthorization(Scopes.Audit)
            .Produces<Page<LogEntry>>()
            .IsPaged()
            .WithSummary("Everything that was decided about the tenant and its fleets, in the order of the log");
    }

    private static async Task<IResult> CheckpointAsync(
        ClaimsPrincipal caller,
        TransparencyLog log,
        CancellationToken cancel
    ) =>
        await log.CheckpointAsync(caller.Tenant(), cancel) is { } checkpoint
            ? TypedResults.Text(checkpoint.Note, PlainText)
            : Problems.NotFound("checkpoint");

    private static async Task<IResult> VerifierAsync(
        ClaimsPrincipal caller,
        TransparencyLog log,
        CancellationToken cancel
    ) =>
        await log.CheckpointAsync(caller.Tenant(), cancel) is { } checkpoint
            ? TypedResults.Text(checkpoint.Verifier + "\n", PlainText)
            : Problems.NotFound("checkpoint");

    private static async Task<IResult> ConsistencyAsync(
        long from,
        long to,
        ClaimsPrincipal caller,
        TransparencyLog log,
        CancellationToken cancel
    ) =>
        await log.ConsistencyAsync(caller.Tenant(), from, to, cancel) is { } proof
            ? TypedResults.Ok(new LogConsistency(from, to, proof))
            : Problems.BadInput(
                new InputError(
                    "/from",
                    "must be at least 1, and at most /to, which must be at most the size of the log"
                )
            );

    private static async Task<IResult> InclusionAsync(
        string fleet,
        int version,
        ClaimsPrincipal caller,
        TransparencyLog log,
        CancellationToken cancel
    ) =>
        await log.InclusionAsync(caller.Tenant(), fleet, version, cancel) is { } proof
            ? TypedResults.Ok(proof)
            : Problems.NotFound("entry of the log");

    private static async Task<IResult> AuditAsync(
        HttpRequest request,
        ClaimsPrincipal caller,
        TransparencyLog log,
        CancellationToken cancel
    )
    {
        if (!PageRequest.TryRead(request, out var page, out var fault))
            return fault;
        var after = page.After.Length > 0 ? long.Parse(page.After, CultureInfo.InvariantCulture) : -1;
        var entries = await log.EntriesAsync(caller.Tenant(), after, page.Limit + 1, cancel);
        return TypedResults.Ok(page.Cut(entries, entry => entry.Index.ToString(CultureInfo.InvariantCulture)));
    }
}
