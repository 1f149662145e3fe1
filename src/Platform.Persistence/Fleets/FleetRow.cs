using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Persistence.Snapshots;

namespace Platform.Persistence.Fleets;

/// <summary>A fleet, as its decisions have left it, and where its solving stands.</summary>
internal sealed class FleetRow
{
    public required string TenantId { get; init; }

    public required string FleetId { get; init; }

    public required FleetDefinition Definition { get; set; }

    public required int Revision { get; set; }

    public required DateTimeOffset RegisteredAt { get; init; }

    public required DateTimeOffset RevisedAt { get; set; }

    public DateTimeOffset? RetiredAt { get; set; }

    /// <summary>Version of the latest snapshot; 0 before the first.</summary>
    public int LatestVersion { get; set; }

    /// <summary>Hash of the latest snapshot, or null.</summary>
    public string? LatestHash { get; set; }

    /// <summary>The version that is in force while none is pinned; 0 for none.</summary>
    public int ReleasedVersion { get; set; }

    /// <summary>The version that is held in force, or null.</summary>
    public AllocationPin? Pin { get; set; }

    /// <summary>The version that waits for approval, or null.</summary>
    public AllocationProposal? Proposal { get; set; }

    /// <summary>The version in force; 0 for none.</summary>
    public int InForceVersion { get; set; }

    /// <summary>How often the version in force has changed.</summary>
    public long InForceChange { get; set; }

    /// <summary>When it changed last, or null.</summary>
    public DateTimeOffset? InForceAt { get; set; }

    /// <summary>When the fleet is to be solved next.</summary>
    public required DateTimeOffset DueAt { get; set; }

    /// <summary>Why then.</summary>
    public required SolveReason DueReason { get; set; }

    /// <summary>When the last solve ended, or null.</summary>
    public DateTimeOffset? SolvedAt { get; set; }

    /// <summary>Why it was solved then, or null.</summary>
    public SolveReason? SolveReason { get; set; }

    /// <summary>Version of the workload stream that the last solve has read.</summary>
    public long SolvedWorkloadVersion { get; set; }

    /// <summary>Why the last solve has no allocation to offer, or null when all is well.</summary>
    public string? SolveFault { get; set; }

    /// <summary>What the last solve found that a person should look at; null before the first solve.</summary>
    public IReadOnlyList<FleetConcern>? Concerns { get; set; }

    /// <summary>The windows that the last solve expects, in JSON; null for none.</summary>
    public string? Expectation { get; set; }

    /// <summary>The alarm that stands, raised by the intake and kept or ended by solves; null for none.</summary>
    public LoadAlarm? Alarm { get; set; }

    /// <summary>The aggregate that the rules are written on.</summary>
    public Fleet ToFleet() =>
        new()
        {
            Definition = Definition,
            Revision = Revision,
            IsRetired = RetiredAt is not null,
            LatestVersion = LatestVersion,
            Labels = new AllocationLabels
            {
                Released = ReleasedVersion,
                Pin = Pin,
                Proposal = Proposal,
            },
        };

    /// <summary>Takes over the aggregate's state after an event.</summary>
    public void Take(Fleet fleet, DateTimeOffset at)
    {
        Definition = fleet.Definition;
        if (Revision != fleet.Revision)
            (Revision, RevisedAt) = (fleet.Revision, at);
        RetiredAt = fleet.IsRetired ? RetiredAt ?? at : null;
        LatestVersion = fleet.LatestVersion;
        (ReleasedVersion, Pin, Proposal) = (fleet.Labels.Released, fleet.Labels.Pin, fleet.Labels.Proposal);
    }

    /// <summary>Takes over the version in force from the labels, after an event that has changed it.</summary>
    public InForceChangeRow Change(FleetEvent happened)
    {
        (InForceVersion, InForceChange) = (ToFleet().Labels.InForce, InForceChange + 1);
        // Clocks differ: the order of the changes is the truth, and their instants keep it. A solve may have told of
        // the version.
        var told = Concerns?.Max(concern => concern.Since);
        var latest = told > InForceAt ? told : InForceAt;
        InForceAt = latest > happened.At ? latest : happened.At;
        var (by, reason) = happened switch
        {
            AllocationPinned pinned => (pinned.By, pinned.Reason),
            AllocationUnpinned unpinned => (unpinned.By, unpinned.Reason),
            AllocationApproved approved => (approved.By, approved.Reason),
            FleetRegistered registered => (registered.By, null),
            _ => ((string?)null, (string?)null),
        };
        return new InForceChangeRow
        {
            TenantId = TenantId,
            FleetId = FleetId,
            Change = InForceChange,
            At = InForceAt.Value,
            Version = InForceVersion,
            Cause = EventStore.EventNames[happened.GetType()],
            By = by,
            Reason = reason,
        };
    }
}
