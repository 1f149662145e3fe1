namespace Platform.Domain.Fleets;

/// <summary>A version that a person holds in force, whatever the solves say.</summary>
/// <param name="Version">The version.</param>
/// <param name="Reason">Why.</param>
/// <param name="By">Name of the key.</param>
/// <param name="At">Since when, UTC.</param>
public sealed record AllocationPin(int Version, string Reason, string By, DateTimeOffset At);

/// <summary>A version that waits for a person to put it in force.</summary>
/// <param name="Version">The version.</param>
/// <param name="Until">From this instant on it is too late, UTC.</param>
public sealed record AllocationProposal(int Version, DateTimeOffset Until);

/// <summary>Which of a fleet's versions is in force, and why.</summary>
public sealed record AllocationLabels
{
    /// <summary>The version that is in force while none is pinned; 0 for none.</summary>
    public int Released { get; init; }

    /// <summary>The version that is held in force, or null.</summary>
    public AllocationPin? Pin { get; init; }

    /// <summary>The version that waits for approval, or null. It may have lapsed.</summary>
    public AllocationProposal? Proposal { get; init; }

    /// <summary>The version in force; 0 for none.</summary>
    public int InForce => Pin?.Version ?? Released;

    /// <summary>The labels after an event; most events change none.</summary>
    public AllocationLabels After(FleetEvent happened) =>
        happened switch
        {
            FleetRegistered => this with { Pin = null, Proposal = null },
            AllocationPublished { ProposedUntil: { } until, Version: var version } => this with
            {
                Proposal = new AllocationProposal(version, until),
            },
            AllocationPublished { Version: var version } => this with { Released = version, Proposal = null },
            AllocationApproved { Version: var version } => this with { Released = version, Proposal = null },
            AllocationPinned pinned => this with
            {
                Pin = new AllocationPin(pinned.Version, pinned.Reason, pinned.By, pinned.At),
            },
            AllocationUnpinned => this with { Pin = null },
            _ => this,
        };
}
