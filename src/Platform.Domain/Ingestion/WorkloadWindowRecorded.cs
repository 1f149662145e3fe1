using Platform.Domain.Contracts;

namespace Platform.Domain.Ingestion;

/// <summary>
/// A workload window was taken into the fleet's history. Stored for ever: members may be added, never renamed or
/// removed.
/// </summary>
public sealed record WorkloadWindowRecorded
{
    /// <summary>The message that brought it; the same message again is the same event.</summary>
    public required Guid MessageId { get; init; }

    /// <summary>The window as it was sent.</summary>
    public required WorkloadWindow Window { get; init; }

    /// <summary>
    /// The publisher's trace, as a <see href="https://www.w3.org/TR/trace-context/">traceparent</see>, when it is
    /// recorded somewhere; or null. Nothing is derived from it.
    /// </summary>
    public string? TraceParent { get; init; }
}
