using System.Diagnostics.Metrics;
using Hangfire;
using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>
/// The job that Hangfire starts every second on one of the workers: solves the fleets that are due, claiming them in
/// batches. When there are more than one sweep gets through in a second, the next one starts beside it on another
/// worker and claims from the same list, so that all workers share the load. What a worker has claimed is free again
/// the moment it dies.
/// </summary>
internal sealed class SolveSweep(DueFleets due, FleetSolving solving, TimeProvider time)
{
    /// <summary>Name of the recurring job.</summary>
    public const string JobId = "solve-sweep";

    /// <summary>
    /// Fleets of a database claimed at a time: few enough that other workers find some too, enough that a tenant's
    /// fleets come together: what is read and written at once is a tenant's.
    /// </summary>
    private const int BatchSize = 1_000;

    /// <summary>Groups at work at the same time: while one waits for the database, another computes.</summary>
    private static readonly int Lanes = Math.Max(2, Environment.ProcessorCount);

    private static readonly Meter Meter = new(FleetSolving.SourceName);

    private static readonly Counter<long> Sweeps = Meter.CreateCounter<long>(
        "platform.solving.sweeps",
        "{sweep}",
        "Sweeps that ended, those that found nothing due included."
    );

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "platform.solving.sweep.duration",
        "s",
        "Time of a sweep that found fleets due.",
        advice: Telemetry.Seconds
    );

    /// <summary>Solves until no fleet is due.</summary>
    // A failed sweep is not repeated: the next one is a second away.
    [KeepBriefly]
    [AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
    public async Task<SweepFigures> RunAsync(CancellationToken cancel)
    {
        var total = new SweepFigures();
        var began = time.GetTimestamp();
        for (var full = true; full; )
        {
            var now = time.GetUtcNow();
            var clock = new SolveClock();
            clock.Enter(SolveStage.Claim);
            await using var claim = await due.ClaimAsync(now, BatchSize, cancel);
            clock.Enter(SolveStage.Read);
            total += SweepFigures.Of(clock) + await SolveAsync(claim, now, cancel);
            full = claim.Fleets.Count >= BatchSize;
        }

        Sweeps.Add(1);
        if (total.Fleets > 0)
            Duration.Record(time.GetElapsedTime(began).TotalSeconds);
        return total;
    }

    private async Task<SweepFigures> SolveAsync(FleetClaim claim, DateTimeOffset now, CancellationToken cancel)
    {
        var groups = claim
            .Fleets.GroupBy(key => key.Tenant, key => key.Fleet)
            .SelectMany(tenant => tenant.Chunk(DueFleets.Together), (tenant, fleets) => (tenant.Key, fleets));
        var total = new SweepFigures();
        var gate = new Lock();
        await Parallel.ForEachAsync(
            groups,
            new ParallelOptions { MaxDegreeOfParallelism = Lanes, CancellationToken = cancel },
            async (group, stop) =>
            {
                var figures = await solving.SolveAsync(group.Key, group.fleets, now, stop);
                lock (gate)
                    total += figures;
            }
        );
        return total;
    }
}
