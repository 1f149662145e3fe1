namespace Platform.Persistence.Transparency;

/// <summary>A stream of decisions that has something new for the tenant's log.</summary>
internal sealed class LogQueueRow
{
    public long QueueId { get; init; }

    public required string TenantId { get; init; }

    public required Guid StreamId { get; init; }

    public required string? FleetId { get; init; }
}

/// <summary>
/// An entry of the log: which event it is, and the hash of its leaf. The leaf itself is made from the event, which thus
/// cannot change unseen.
/// </summary>
internal sealed class LogEntryRow
{
    public required string TenantId { get; init; }

    /// <summary>Counts the tenant's entries, from 0, without gaps.</summary>
    public required long Index { get; init; }

    public required Guid StreamId { get; init; }

    public required long StreamVersion { get; init; }

    public required string? FleetId { get; init; }

    /// <summary>The version that the event announces, or null when it announces none.</summary>
    public required int? AllocationVersion { get; init; }

    public required byte[] LeafHash { get; init; }
}

/// <summary>A complete node of the log's tree above its leaves.</summary>
internal sealed class LogNodeRow
{
    public required string TenantId { get; init; }

    public required short Level { get; init; }

    public required long Index { get; init; }

    public required byte[] Hash { get; init; }
}

/// <summary>What was signed of the log at some size.</summary>
internal sealed class LogCheckpointRow
{
    public required string TenantId { get; init; }

    public required long Size { get; init; }

    public required DateTimeOffset SignedAt { get; init; }

    /// <summary>The signed note.</summary>
    public required string Note { get; init; }

    /// <summary>The public key that verifies it.</summary>
    public required string Verifier { get; init; }
}
