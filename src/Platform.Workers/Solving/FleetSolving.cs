using System.Diagnostics.Metrics;
using Platform.Domain.Snapshots;
using Platform.Persistence;
using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>Solves fleets of one tenant together: folds their new windows, estimates, solves, and writes what came of it.</summary>
internal sealed class FleetSolving(SolveStore store, TimeProvider time, ILogger<FleetSolving> log)
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Platform.Workers.Solving";

    /// <summary>Name of the counter of solves.</summary>
    public const string SolvesName = "platform.solving.solves";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Solves = Meter.CreateCounter<long>(SolvesName, "{solve}", "Solves that were written, by their reason.");

    /// <summary>Solves each fleet once. One that cannot be solved is put off and keeps none of the others from being solved.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleets">Ids of its fleets, each once.</param>
    /// <param name="foundDueAt">When the fleets were found due.</param>
    /// <param name="cancel">Gives up; what is not written by then is due again.</param>
    public async Task<SweepFigures> SolveAsync(string tenant, IReadOnlyList<string> fleets, DateTimeOffset foundDueAt, CancellationToken cancel)
    {
        var clock = new SolveClock();
        var figures = await SolveOrSplitAsync(tenant, fleets, foundDueAt, clock, cancel);
        clock.Enter(SolveStage.Claim);
        return figures + SweepFigures.Of(clock);
    }

    private async Task<SweepFigures> SolveOrSplitAsync(
        string tenant, IReadOnlyList<string> fleets, DateTimeOffset foundDueAt, SolveClock clock, CancellationToken cancel)
    {
        try
        {
            return await SolveTogetherAsync(tenant, fleets, foundDueAt, clock, cancel);
        }
        catch (Exception fault) when (fleets.Count > 1 && PlatformStore.IsNotTheDatabasesState(fault))
        {
            log.LogWarning("Of {Count} fleets of {Tenant} one cannot be written; they are solved one by one: {Reason}", fleets.Count, tenant, fault.Message);
        }
        catch (Exception fault) when (fleets.Count == 1 && PlatformStore.IsNotTheDatabasesState(fault))
        {
            return await PostponeAsync(new FleetKey(tenant, fleets[0]), fault, foundDueAt, cancel);
        }

        var figures = new SweepFigures();
        foreach (var fleet in fleets)
            figures += await SolveOrSplitAsync(tenant, [fleet], foundDueAt, clock, cancel);
        return figures;
    }

    private async Task<SweepFigures> SolveTogetherAsync(
        string tenant, IReadOnlyList<string> fleets, DateTimeOffset foundDueAt, SolveClock clock, CancellationToken cancel)
    {
        var loaded = await store.LoadAsync(tenant, fleets, time.GetUtcNow(), clock, cancel);
        var now = time.GetUtcNow();
        var results = new List<SolveResult>(loaded.Count);
        var failed = new SweepFigures();
        foreach (var fleet in loaded)
        {
            if ((fleet.Fault ?? TrySolve(fleet.Basis!, now, clock, results)) is { } fault)
                failed += await PostponeAsync(fleet.Key, fault, foundDueAt, cancel);
        }

        clock.Enter(SolveStage.Write);
        var written = results.Count > 0 ? await store.CommitAsync(results, cancel) : [];
        foreach (var result in written)
            Tell(result);
        return failed + new SweepFigures
        {
            Fleets = fleets.Count - failed.Failed,
            Published = written.Count(result => result.Outcome is SolveOutcome.Published),
            Confirmed = written.Count(result => result.Outcome is SolveOutcome.Confirmed),
            Infeasible = written.Count(result => result.Outcome is SolveOutcome.Infeasible),
            Superseded = fleets.Count - failed.Failed - written.Count,
        };
    }

    private void Tell(SolveResult result)
    {
        var (key, reason) = (result.Basis.Key, result.Basis.DueReason);
        Solves.Add(1, new KeyValuePair<string, object?>("reason", SolveReasonNames.NameOf(reason)));
        if (reason is SolveReason.Drift or SolveReason.Instability)
            log.LogInformation("Solved {Tenant}/{Fleet} before its time, for {Reason}: {Outcome}", key.Tenant, key.Fleet, reason, result.Outcome.GetType().Name);
    }

    private static Exception? TrySolve(SolveBasis basis, DateTimeOffset now, SolveClock clock, List<SolveResult> results)
    {
        try
        {
            clock.Enter(SolveStage.Derive);
            var at = SnapshotDerivation.Instant(now, basis.SolvedAt);
            basis.Sums.Prune(at);
            var outcome = SolvePolicy.Solve(basis.Inputs(at), basis.Previous(at));
            clock.Enter(SolveStage.Fold);
            results.Add(new SolveResult { Basis = basis, At = at, Sums = basis.SumsToStore(), Outcome = outcome });
            return null;
        }
        catch (Exception fault)
        {
            // Nothing but arithmetic on this one fleet's numbers.
            return fault;
        }
    }

    private async Task<SweepFigures> PostponeAsync(FleetKey key, Exception fault, DateTimeOffset foundDueAt, CancellationToken cancel)
    {
        // Its health says so; the others do not wait for it.
        log.LogError(fault, "The solve of {Tenant}/{Fleet} failed", key.Tenant, key.Fleet);
        await store.PostponeAsync(key, $"failed: {fault.Message}", foundDueAt, time.GetUtcNow(), cancel);
        return new SweepFigures { Fleets = 1, Failed = 1 };
    }
}
