using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>What a solve starts from.</summary>
public sealed record SolveBasis
{
    /// <summary>The fleet.</summary>
    public required FleetKey Key { get; init; }

    /// <summary>The fleet's state.</summary>
    public required Fleet Fleet { get; init; }

    /// <summary>The latest snapshot, or null before the first.</summary>
    public required StoredSnapshot? Latest { get; init; }

    /// <summary>The sums of all windows that can still count, folded with the definition's horizon.</summary>
    public required WorkloadSums Sums { get; init; }

    /// <summary>Version of the workload stream up to which windows are in the sums.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>The version up to which windows are in the sums as they are stored; null when those are of no use, or there are none.</summary>
    public required long? StoredWorkloadVersion { get; init; }

    /// <summary>When the fleet was solved last, or null.</summary>
    public required DateTimeOffset? SolvedAt { get; init; }

    /// <summary>When the fleet was to be solved: if that has changed meanwhile, somebody has asked for another solve.</summary>
    public required DateTimeOffset DueAt { get; init; }
}

/// <summary>A fleet that was there to be loaded.</summary>
/// <param name="Key">The fleet.</param>
/// <param name="Basis">What to solve on; null when there is a fault.</param>
/// <param name="Fault">Why what is stored of this fleet cannot be solved on, or null.</param>
public sealed record LoadedFleet(FleetKey Key, SolveBasis? Basis, Exception? Fault);

/// <summary>What a solve came to, ready to be written.</summary>
public sealed record SolveResult
{
    /// <summary>The basis it was solved on: if that has changed meanwhile, nothing is written.</summary>
    public required SolveBasis Basis { get; init; }

    /// <summary>When it was solved.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The sums in their stored form, or null when those that are stored will do.</summary>
    public required byte[]? Sums { get; init; }

    /// <summary>What was decided.</summary>
    public required SolveOutcome Outcome { get; init; }
}
