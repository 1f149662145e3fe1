namespace Platform.Domain.Fleets;

/// <summary>A serving fleet as its decisions have left it.</summary>
public sealed record Fleet
{
    /// <summary>The definition in force.</summary>
    public required FleetDefinition Definition { get; init; }

    /// <summary>Counts the changes of definition and state, from 1; allocations do not count.</summary>
    public required int Revision { get; init; }

    /// <summary>The fleet is retired.</summary>
    public bool IsRetired { get; init; }

    /// <summary>Version of the latest allocation snapshot; 0 before the first.</summary>
    public int LatestVersion { get; init; }

    /// <summary>Which version is in force, pinned, proposed.</summary>
    public AllocationLabels Labels { get; init; } = new();

    /// <summary>The state after one more event.</summary>
    /// <exception cref="InvalidOperationException">The event cannot follow the state.</exception>
    public static Fleet Evolve(Fleet? fleet, FleetEvent happened)
    {
        var after = Next(fleet, happened);
        return after with { Labels = after.Labels.After(happened) };
    }

    private static Fleet Next(Fleet? fleet, FleetEvent happened) =>
        (fleet, happened) switch
        {
            (null, FleetRegistered registered) => new Fleet { Definition = registered.Definition, Revision = 1 },
            ({ IsRetired: true }, FleetRegistered registered) => fleet with
            {
                Definition = registered.Definition,
                Revision = fleet.Revision + 1,
                IsRetired = false,
            },
            ({ IsRetired: false }, FleetRevised revised) => fleet with
            {
                Definition = revised.Definition,
                Revision = fleet.Revision + 1,
            },
            ({ IsRetired: false }, FleetRetired) => fleet with { Revision = fleet.Revision + 1, IsRetired = true },
            ({ IsRetired: false }, AllocationPublished published) when published.Version == fleet.LatestVersion + 1 =>
                fleet with
                {
                    LatestVersion = published.Version,
                },
            ({ IsRetired: false }, AllocationApproved or AllocationPinned or AllocationUnpinned or WorkloadVoided) =>
                fleet,
            _ => throw new InvalidOperationException(
                $"{happened.GetType().Name} cannot follow the fleet's state {fleet}."
            ),
        };

    /// <summary>
    /// Registers a fleet or revises it; the same definition again changes nothing, also when it names an older
    /// revision: whoever has lost the answer to a revision asks again, and finds it made.
    /// </summary>
    /// <param name="fleet">The state, or null when there is none.</param>
    /// <param name="definition">A definition that has passed <see cref="FleetDefinitionValidation"/>.</param>
    /// <param name="expectedRevision">The revision that the team decided on, or null when it does not say.</param>
    /// <param name="by">Name of the key.</param>
    /// <param name="at">The moment of the decision.</param>
    public static Decision<FleetEvent> Put(
        Fleet? fleet,
        FleetDefinition definition,
        int? expectedRevision,
        string by,
        DateTimeOffset at
    )
    {
        if (
            fleet is { IsRetired: false }
            && !(expectedRevision > fleet.Revision)
            && FleetDefinition.SameContent(fleet.Definition, definition)
        )
            return Decision<FleetEvent>.Nothing();
        if (expectedRevision is { } expected && (fleet is null || fleet.IsRetired || fleet.Revision != expected))
            return Decision<FleetEvent>.Refused(Refusal.Stale, StaleReason(fleet, expected));
        if (fleet is null or { IsRetired: true })
            return new FleetRegistered
            {
                Definition = definition,
                By = by,
                At = at,
            };
        return new FleetRevised
        {
            Definition = definition,
            By = by,
            At = at,
        };
    }

    /// <summary>Retires the fleet.</summary>
    public static Decision<FleetEvent> Retire(Fleet? fleet, string by, DateTimeOffset at) =>
        fleet is null or { IsRetired: true }
            ? Decision<FleetEvent>.Refused(Refusal.NotFound, "there is no such fleet")
            : new FleetRetired { By = by, At = at };

    /// <summary>
    /// Holds a version in force, in place of one that may be pinned already; the same one again changes nothing.
    /// </summary>
    /// <param name="fleet">The state, or null when there is none.</param>
    /// <param name="version">The version.</param>
    /// <param name="reason">Why.</param>
    /// <param name="by">Name of the key.</param>
    /// <param name="at">The moment of the decision.</param>
    public static Decision<FleetEvent> PinVersion(
        Fleet? fleet,
        int version,
        string reason,
        string by,
        DateTimeOffset at
    ) =>
        fleet switch
        {
            null or { IsRetired: true } => Decision<FleetEvent>.Refused(Refusal.NotFound, "there is no such fleet"),
            _ when version < 1 || version > fleet.LatestVersion => Decision<FleetEvent>.Refused(
                Refusal.NotFound,
                "there is no such allocation"
            ),
            { Labels.Pin.Version: var pinned } when pinned == version => Decision<FleetEvent>.Nothing(),
            _ => new AllocationPinned
            {
                Version = version,
                Reason = reason,
                By = by,
                At = at,
            },
        };

    /// <summary>Releases the pinned version; where none is, nothing changes.</summary>
    public static Decision<FleetEvent> Unpin(Fleet? fleet, string reason, string by, DateTimeOffset at) =>
        fleet switch
        {
            null or { IsRetired: true } => Decision<FleetEvent>.Refused(Refusal.NotFound, "there is no such fleet"),
            { Labels.Pin: null } => Decision<FleetEvent>.Nothing(),
            _ => new AllocationUnpinned
            {
                Reason = reason,
                By = by,
                At = at,
            },
        };

    /// <summary>Puts a proposed version in force; the one that already is changes nothing.</summary>
    /// <param name="fleet">The state, or null when there is none.</param>
    /// <param name="version">The version.</param>
    /// <param name="reason">Why.</param>
    /// <param name="by">Name of the key.</param>
    /// <param name="at">The moment of the decision; a proposal that has lapsed by then is refused.</param>
    public static Decision<FleetEvent> Approve(
        Fleet? fleet,
        int version,
        string reason,
        string by,
        DateTimeOffset at
    ) =>
        fleet switch
        {
            null or { IsRetired: true } => Decision<FleetEvent>.Refused(Refusal.NotFound, "there is no such fleet"),
            _ when version < 1 || version > fleet.LatestVersion => Decision<FleetEvent>.Refused(
                Refusal.NotFound,
                "there is no such allocation"
            ),
            { Labels.Released: var released } when released == version => Decision<FleetEvent>.Nothing(),
            { Labels.Proposal: { } proposal } when proposal.Version == version && at < proposal.Until =>
                new AllocationApproved
                {
                    Version = version,
                    Reason = reason,
                    By = by,
                    At = at,
                },
            { Labels.Proposal: { } proposal } when proposal.Version == version => Decision<FleetEvent>.Refused(
                Refusal.Conflict,
                $"version {version} has waited for approval until {proposal.Until:O}: it has lapsed"
            ),
            _ => Decision<FleetEvent>.Refused(Refusal.Conflict, $"version {version} is not proposed"),
        };

    private static string StaleReason(Fleet? fleet, int expected) =>
        fleet is null or { IsRetired: true }
            ? "there is no such fleet"
            : $"the fleet is at revision {fleet.Revision}, not {expected}";
}
