using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

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

    /// <summary>The windows that the last solve expects, in JSON; null for none.</summary>
    public string? Expectation { get; set; }

    /// <summary>The aggregate that the rules are written on.</summary>
    public Fleet ToFleet() => new()
    {
        Definition = Definition,
        Revision = Revision,
        IsRetired = RetiredAt is not null,
        LatestVersion = LatestVersion,
    };

    /// <summary>Takes over the aggregate's state after an event.</summary>
    public void Take(Fleet fleet, DateTimeOffset at)
    {
        Definition = fleet.Definition;
        Revision = fleet.Revision;
        RevisedAt = at;
        RetiredAt = fleet.IsRetired ? RetiredAt ?? at : null;
        LatestVersion = fleet.LatestVersion;
    }
}
