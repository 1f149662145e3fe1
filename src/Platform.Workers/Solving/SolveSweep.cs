using Hangfire;
using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>
/// The job that Hangfire starts every second on one of the workers: solves the fleets that are due, claiming them in batches. When there
/// are more than one sweep gets through in a second, the next one starts beside it on another worker and claims from the same list, so
/// that all workers share the load. What a worker has claimed is free again the moment it dies.
/// </summary>
internal sealed class SolveSweep(DueFleets due, FleetSolving solving, SolveStore store, TimeProvider time, ILogger<SolveSweep> log)
{
    /// <summary>Name of the recurring job.</summary>
    public const string JobId = "solve-sweep";

    /// <summary>Fleets claimed at a time: few enough that other workers find some too, enough to make the claim's cost small.</summary>
    private const int BatchSize = 100;

    /// <summary>Solves until no fleet is due.</summary>
    // A failed sweep is not repeated: the next one is a second away.
    [KeepBriefly]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task RunAsync(CancellationToken cancel)
    {
        for (var full = true; full;)
        {
            var now = time.GetUtcNow();
            await using var claim = await due.ClaimAsync(now, BatchSize, cancel);
            foreach (var fleet in claim.Fleets)
                await SolveAsync(fleet, now, cancel);
            full = claim.Fleets.Count == BatchSize;
        }
    }

    private async Task SolveAsync(FleetKey fleet, DateTimeOffset foundDueAt, CancellationToken cancel)
    {
        try
        {
            if (!await solving.SolveAsync(fleet, cancel))
                log.LogInformation("The solve of {Tenant}/{Fleet} was superseded", fleet.Tenant, fleet.Fleet);
        }
        catch (Exception fault) when (fault is not OperationCanceledException && !Persistence.PlatformStore.IsTransient(fault))
        {
            // One fleet that cannot be solved must not keep the others waiting; its health says so.
            log.LogError(fault, "The solve of {Tenant}/{Fleet} failed", fleet.Tenant, fleet.Fleet);
            await store.PostponeAsync(fleet, $"failed: {fault.Message}", foundDueAt, time.GetUtcNow(), cancel);
        }
    }
}
