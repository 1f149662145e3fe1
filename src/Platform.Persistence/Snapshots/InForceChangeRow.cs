namespace Platform.Persistence.Snapshots;

/// <summary>One change of the version that is in force for a fleet: what was, when, and who has decided it.</summary>
internal sealed class InForceChangeRow
{
    public required string TenantId { get; init; }

    public required string FleetId { get; init; }

    /// <summary>Counts the fleet's changes, from 1, without gaps.</summary>
    public required long Change { get; init; }

    /// <summary>Since when; never before the change before it.</summary>
    public required DateTimeOffset At { get; init; }

    public required int Version { get; init; }

    /// <summary>Name of the event that caused it.</summary>
    public required string Cause { get; init; }

    /// <summary>Name of the key, or null where a solve did it.</summary>
    public required string? By { get; init; }

    public required string? Reason { get; init; }
}
