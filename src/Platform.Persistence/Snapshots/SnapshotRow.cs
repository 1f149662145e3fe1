namespace Platform.Persistence.Snapshots;

/// <summary>An allocation snapshot: its canonical document, and the figures that lists show.</summary>
internal sealed class SnapshotRow
{
    public required string TenantId { get; init; }

    public required string FleetId { get; init; }

    public required int Version { get; init; }

    public required DateTimeOffset SolvedAt { get; init; }

    public required string Hash { get; init; }

    /// <summary>The canonical JSON, byte for byte what was hashed.</summary>
    public required byte[] Document { get; init; }

    /// <summary>
    /// What is read most of the document, in the form of <see cref="Domain.Snapshots.AllocationSummary"/>; null of rows
    /// from before there was one.
    /// </summary>
    public required byte[]? Summary { get; init; }

    public required double Objective { get; init; }

    public required double MeanAccuracy { get; init; }

    public required double MeanSystemTimeSeconds { get; init; }

    public required double Utilization { get; init; }
}
