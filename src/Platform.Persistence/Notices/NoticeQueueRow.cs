namespace Platform.Persistence.Notices;

/// <summary>
/// A change of what is in force that is still to be told at the broker. A trigger puts it here with the change itself;
/// it goes when the broker has it.
/// </summary>
internal sealed class NoticeQueueRow
{
    public required string TenantId { get; init; }

    public required string FleetId { get; init; }

    /// <summary>Number of the fleet's change.</summary>
    public required long Change { get; init; }
}
