using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Planning;

/// <summary>The problem that a solve would get now.</summary>
/// <param name="AsOf">The instant of its estimate.</param>
/// <param name="Problem">The problem.</param>
/// <param name="HeldBack">Task types that a solve would hold back.</param>
/// <param name="HeldByPrior">Ids of the task types whose curve is the prior's, as the verdicts do not tell it.</param>
/// <param name="Estimate">The estimate that the problem is made of.</param>
public sealed record CurrentProblem(
    DateTimeOffset AsOf,
    AllocationProblem Problem,
    IReadOnlyList<HeldBack> HeldBack,
    IReadOnlyList<string> HeldByPrior,
    FleetEstimate Estimate
)
{
    /// <summary>The traffic of a plan that is made from this problem.</summary>
    /// <param name="planned">The plan's problem.</param>
    public PlannedTraffic? TrafficOf(AllocationProblem planned) =>
        PlannedTraffic.Find(Estimate, Problem.ArrivalRate, planned.ArrivalRate);
}

/// <summary>Fleets' problems as they are now, by the definition in force and all windows that are stored.</summary>
public sealed class CurrentProblems(PlatformStore store)
{
    /// <summary>A fleet's problem; null when the tenant has no such fleet.</summary>
    /// <exception cref="InvalidOperationException">What is stored of the fleet cannot be solved on.</exception>
    public async Task<CurrentProblem?> FindAsync(
        string tenant,
        string fleet,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var loaded = await new SolveStore(store)
            .LoadAsync(tenant, [fleet], now, new SolveClock(), cancel)
            .ToListAsync(cancel);
        if (loaded.Count == 0)
            return null;
        var basis =
            loaded[0].Basis
            ?? throw new InvalidOperationException($"The fleet {fleet} cannot be solved.", loaded[0].Fault);
        var asOf = SnapshotDerivation.Instant(now, basis.SolvedAt);
        var derived = SnapshotDerivation.Derive(basis.Inputs(asOf), null, DerivationVersions.Current);
        var heldByPrior = derived
            .Estimate.TaskTypes.Where(type => type.Validity.CurveIdentifiability is { Flagged: true })
            .Select(type => type.Id);
        return new CurrentProblem(asOf, derived.Asked, derived.HeldBack, [.. heldByPrior], derived.Estimate);
    }
}
