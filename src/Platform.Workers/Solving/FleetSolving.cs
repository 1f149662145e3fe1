using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>Solves one fleet: folds its new windows, estimates, solves, and writes what came of it.</summary>
internal sealed class FleetSolving(SolveStore store, TimeProvider time)
{
    /// <summary>Solves a fleet once.</summary>
    /// <returns>False when another solve or a revision came first, or the fleet is gone; nothing is lost then.</returns>
    public async Task<bool> SolveAsync(FleetKey key, CancellationToken cancel)
    {
        if (await store.LoadAsync(key, cancel) is not { } basis)
            return false;
        var (sums, from) = Restore(basis);
        var workloadVersion = await store.ReadWindowsAsync(key, from, sums.Fold, cancel);
        var at = SnapshotDerivation.Instant(time.GetUtcNow(), basis.SolvedAt);
        sums.Prune(at);
        return await store.CommitAsync(
            new SolveResult
            {
                Basis = basis,
                At = at,
                Sums = sums.ToBytes(),
                WorkloadVersion = workloadVersion,
                Outcome = Solve(basis, sums, workloadVersion, at),
            },
            cancel);
    }

    private static (WorkloadSums Sums, long WorkloadVersion) Restore(SolveBasis basis)
    {
        var horizon = basis.Fleet.Definition.Solving.HorizonSeconds;
        try
        {
            if (basis.Sums is not null && WorkloadSums.FromBytes(basis.Sums) is { } sums && sums.HorizonSeconds == horizon)
                return (sums, basis.WorkloadVersion);
        }
        catch (FormatException)
        {
            // Another version of the estimator has written them.
        }

        // The sums are derived: those of another horizon or form are folded again from the events.
        return (new WorkloadSums(horizon), 0);
    }

    private static SolveOutcome Solve(SolveBasis basis, WorkloadSums sums, long workloadVersion, DateTimeOffset at) => SolvePolicy.Solve(
        new SnapshotInputs
        {
            Tenant = basis.Key.Tenant,
            Fleet = basis.Key.Fleet,
            Definition = basis.Fleet.Definition,
            DefinitionRevision = basis.Fleet.Revision,
            Sums = sums,
            WorkloadVersion = workloadVersion,
            SolvedAt = at,
        },
        basis.Latest is { } latest ? PreviousAllocation.Read(latest.Version, latest.Hash, latest.Document) : null);
}
