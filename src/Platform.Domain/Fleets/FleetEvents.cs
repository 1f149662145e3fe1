using System.Text.Json.Serialization;

namespace Platform.Domain.Fleets;

/// <summary>
/// Something that was decided about a fleet. Stored for ever: members may be added, never renamed or removed.
/// </summary>
public abstract record FleetEvent
{
    /// <summary>When it was decided, UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>A team registered the fleet, or registered it again after retiring it.</summary>
public sealed record FleetRegistered : FleetEvent
{
    /// <summary>The definition in force from now on.</summary>
    public required FleetDefinition Definition { get; init; }

    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }
}

/// <summary>A team changed the fleet's definition.</summary>
public sealed record FleetRevised : FleetEvent
{
    /// <summary>The definition in force from now on.</summary>
    public required FleetDefinition Definition { get; init; }

    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }
}

/// <summary>A team retired the fleet: no more windows are taken, nothing is solved; its history stays.</summary>
public sealed record FleetRetired : FleetEvent
{
    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }
}

/// <summary>A solve wrote the fleet's next allocation snapshot.</summary>
public sealed record AllocationPublished : FleetEvent
{
    /// <summary>Version of the snapshot, from 1, without gaps.</summary>
    public required int Version { get; init; }

    /// <summary>SHA-256 of the snapshot's canonical form, lower-case hexadecimal.</summary>
    public required string Hash { get; init; }

    /// <summary>Revision of the definition that it was solved for.</summary>
    public required int Revision { get; init; }

    /// <summary>Version of the workload stream up to which windows are in it; 0 before the first window.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>
    /// Until when it waits for approval; null when it was in force at once, unless another one was pinned.
    /// </summary>
    public DateTimeOffset? ProposedUntil { get; init; }

    /// <summary>
    /// Why it was put in force at once although allocations wait for approval: what was in force gave the servers more
    /// work than they can do. Null for every other version.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Emergency { get; init; }

    /// <summary>
    /// Why it grants the fewest tokens allowed, and what would be needed for more; null where it need not.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Shortfall { get; init; }
}

/// <summary>A person put a proposed allocation in force.</summary>
public sealed record AllocationApproved : FleetEvent
{
    /// <summary>The version.</summary>
    public required int Version { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }
}

/// <summary>A person holds one version in force, until it is released: a rollback, when it is an old one.</summary>
public sealed record AllocationPinned : FleetEvent
{
    /// <summary>The version.</summary>
    public required int Version { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }
}

/// <summary>A person released the pinned version: solves decide again.</summary>
public sealed record AllocationUnpinned : FleetEvent
{
    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }
}
