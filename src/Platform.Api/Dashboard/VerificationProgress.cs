using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Threading.Channels;
using Platform.Api.Authentication;
using Platform.Api.Snapshots;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Api.Dashboard;

/// <summary>How far a verification is.</summary>
/// <param name="Passed">The version that was looked at last.</param>
/// <param name="Of">The version to verify.</param>
/// <param name="Answer">What came of it, at the end.</param>
internal sealed record VerificationStep(int Passed, int Of, VerificationAnswer? Answer);

/// <summary>Verifies a version and tells, by server-sent events, how far it is: a long chain takes its time.</summary>
internal static class VerificationProgress
{
    public static void MapVerificationProgress(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/fleets/{fleet}/verification",
                (
                    string fleet,
                    int version,
                    HttpContext http,
                    ClaimsPrincipal caller,
                    SnapshotVerification verification
                ) =>
                {
                    http.Response.Headers.CacheControl = "no-store";
                    return TypedResults.ServerSentEvents(
                        RunAsync(verification, new FleetKey(caller.Tenant(), fleet), version, http.RequestAborted),
                        "step"
                    );
                }
            )
            .RequireAuthorization(Session.ReadPolicy)
            .ExcludeFromDescription();

    private static async IAsyncEnumerable<VerificationStep> RunAsync(
        SnapshotVerification verification,
        FleetKey key,
        int version,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        // Only the latest step is of interest: who reads slowly skips some.
        var steps = Channel.CreateBounded<int>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }
        );
        var verifying = VerifyAsync();
        await foreach (var passed in steps.Reader.ReadAllAsync(cancel))
            yield return new VerificationStep(passed, version, null);
        yield return new VerificationStep(version, version, await verifying);

        async Task<VerificationAnswer?> VerifyAsync()
        {
            try
            {
                return await VerificationAnswer.OfAsync(
                    verification,
                    key,
                    version,
                    passed => steps.Writer.TryWrite(passed),
                    cancel
                );
            }
            finally
            {
                steps.Writer.Complete();
            }
        }
    }
}
