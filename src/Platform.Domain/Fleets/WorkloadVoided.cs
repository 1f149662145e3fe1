using System.Text.Json.Serialization;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Fleets;

/// <summary>
/// A person declared stored windows void: no estimate from here on counts them. The event stands twice with the same
/// content: in the fleet's workload stream, where its place says which windows it speaks of and which versions knew of
/// it, and in the stream of decisions, where people read it.
/// </summary>
public sealed record WorkloadVoided : FleetEvent
{
    /// <summary>The message whose window is void; null where a stretch of time is.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>The begin of the stretch whose windows are void; null where one message is.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The end of that stretch, itself not in it.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>Name of the key that asked for it.</summary>
    public required string By { get; init; }

    /// <summary>Windows that counted until then and are void now.</summary>
    public required long Windows { get; init; }

    /// <summary>Arrivals in those windows, at most 2^53 − 1.</summary>
    public required long Arrivals { get; init; }

    /// <summary>Its version in the workload stream: only windows with a lower one may be void by it.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>Which windows it speaks of.</summary>
    [JsonIgnore]
    public VoidScope Scope => new(MessageId, From, To);
}

/// <summary>Which windows are meant: that of one message, or all that overlap a stretch of time.</summary>
/// <param name="MessageId">The message, or null.</param>
/// <param name="From">The begin of the stretch, or null.</param>
/// <param name="To">The end of the stretch, itself not in it, or null.</param>
public sealed record VoidScope(Guid? MessageId, DateTimeOffset? From, DateTimeOffset? To)
{
    /// <summary>Whether it speaks of a window.</summary>
    public bool Covers(WorkloadWindowRecorded recorded) =>
        MessageId is { } message
            ? recorded.MessageId == message
            : recorded.Window.WindowStart < To && recorded.Window.WindowEnd > From;
}
