using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>What a solve starts from.</summary>
public sealed record SolveBasis
{
    /// <summary>
    /// Up to here PostgreSQL keeps the recent sums in the row itself; more would go to a table of their own, as the
    /// whole does.
    /// </summary>
    private const int SmallBytes = 1_500;

    /// <summary>
    /// The recent sums may be this part of the whole: what is written in all is a few times what the windows add.
    /// </summary>
    private const int LargestPart = 8;

    /// <summary>The fleet.</summary>
    public required FleetKey Key { get; init; }

    /// <summary>The fleet's state.</summary>
    public required Fleet Fleet { get; init; }

    /// <summary>The latest snapshot, or null before the first.</summary>
    public required LatestSnapshot? Latest { get; init; }

    /// <summary>
    /// The version in force where that is not the latest; null where it is, or where none is in force.
    /// </summary>
    public AllocationSummary? InForce { get; init; }

    /// <summary>
    /// Since when solves have found that the version in force gives the servers more work than they can do; null where
    /// the last one did not.
    /// </summary>
    public DateTimeOffset? UnstableSince { get; init; }

    /// <summary>The alarm that was raised and not ended yet; null for none.</summary>
    public LoadAlarm? Alarm { get; init; }

    /// <summary>The sums of all windows that can still count, folded with the definition's horizon.</summary>
    public required WorkloadSums Sums { get; init; }

    /// <summary>Version of the workload stream up to which windows are in the sums.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>Version of the workload stream up to which the last solve knew the windows.</summary>
    public long SolvedWorkloadVersion { get; init; }

    /// <summary>What is stored of the sums; null when that is of no use, or there are none.</summary>
    public required StoredSums? Stored { get; init; }

    /// <summary>When the fleet was solved last, or null.</summary>
    public required DateTimeOffset? SolvedAt { get; init; }

    /// <summary>
    /// When the fleet was to be solved: if that has changed meanwhile, somebody has asked for another solve.
    /// </summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Why then.</summary>
    public required SolveReason DueReason { get; init; }

    /// <summary>Traces of the newest windows that the last solve had not seen, as W3C traceparents.</summary>
    public IReadOnlyCollection<string> TraceParents { get; init; } = [];

    /// <summary>What the next allocation is derived from.</summary>
    /// <param name="at">The moment of the solve.</param>
    public SnapshotInputs Inputs(DateTimeOffset at) =>
        new()
        {
            Tenant = Key.Tenant,
            Fleet = Key.Fleet,
            Definition = Fleet.Definition,
            DefinitionRevision = Fleet.Revision,
            Sums = Sums,
            WorkloadVersion = WorkloadVersion,
            SolvedAt = at,
            Alarm = Alarm?.StandsAt(at, Fleet.Definition.Solving.HorizonSeconds) == true ? Alarm : null,
        };

    /// <summary>The latest allocation, as the next one is held against it; null before the first.</summary>
    /// <param name="at">The moment of the solve.</param>
    public PreviousAllocation? Previous(DateTimeOffset at) =>
        Latest is null
            ? null
            : new PreviousAllocation
            {
                Version = Latest.Version,
                Hash = Latest.Hash,
                Summary = Latest.Summary,
                HasLapsed =
                    Fleet.Labels.Proposal is { } proposal && proposal.Version == Latest.Version && proposal.Until <= at,
                IsPinned = Fleet.Labels.Pin is not null,
                KnowsAllWindows = SolvedWorkloadVersion == WorkloadVersion,
                TokensInForce = InForce?.Given,
                VersionInForce = Fleet.Labels.InForce,
                UnstableSince = UnstableSince,
            };

    /// <summary>What is kept of it until the result is written: all but the sums.</summary>
    public SolveBasis WithoutSums() => this with { Sums = new WorkloadSums(Sums.Reach) };

    /// <summary>
    /// What is to be stored of the sums: the recent part while that is small, else all as one; null while nothing is
    /// new. What has faded of the stored part meanwhile is dropped when that is written next.
    /// </summary>
    public SumsToStore? SumsToStore()
    {
        if (Stored?.WorkloadVersion == WorkloadVersion)
            return null;
        return
            Stored?.Recent.ToBytes() is { } recent
            && recent.Length <= Math.Max(SmallBytes, Stored.WholeLength / LargestPart)
            ? new SumsToStore(null, recent)
            : new SumsToStore(Sums.ToBytes(), null);
    }
}

/// <summary>What a solve wants of the snapshot before it.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="Summary">What it says.</param>
public sealed record LatestSnapshot(int Version, string Hash, AllocationSummary Summary);

/// <summary>A fleet that was there to be loaded.</summary>
/// <param name="Key">The fleet.</param>
/// <param name="Basis">What to solve on; null when there is a fault.</param>
/// <param name="Fault">Why what is stored of this fleet cannot be solved on, or null.</param>
public sealed record LoadedFleet(FleetKey Key, SolveBasis? Basis, Exception? Fault);

/// <summary>What is stored of a fleet's sums, and what has come to them since.</summary>
/// <param name="WorkloadVersion">Version of the workload stream up to which windows are in the sums as they are
/// stored.</param>
/// <param name="WholeVersion">The version up to which windows are in the part that holds nearly all.</param>
/// <param name="WholeLength">Bytes of that part.</param>
/// <param name="Recent">The sums of all windows that are not in it, also of those that have come since the sums were
/// stored.</param>
public sealed record StoredSums(long WorkloadVersion, long WholeVersion, int WholeLength, WorkloadSums Recent);

/// <summary>Sums to be stored.</summary>
/// <param name="Whole">The part that holds nearly all; null to leave it as it is.</param>
/// <param name="Recent">The rest; null when <paramref name="Whole"/> holds all.</param>
public sealed record SumsToStore(byte[]? Whole, byte[]? Recent);

/// <summary>What a solve came to, ready to be written.</summary>
public sealed record SolveResult
{
    /// <summary>The basis it was solved on: if that has changed meanwhile, nothing is written.</summary>
    public required SolveBasis Basis { get; init; }

    /// <summary>When it was solved.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The sums in their stored form, or null when those that are stored will do.</summary>
    public required SumsToStore? Sums { get; init; }

    /// <summary>What was decided.</summary>
    public required SolveOutcome Outcome { get; init; }
}
