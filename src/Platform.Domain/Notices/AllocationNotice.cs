using System.Text.Json.Serialization;
using Platform.Domain.Contracts;

namespace Platform.Domain.Notices;

/// <summary>
/// Tells that another version is in force for a fleet, as a CloudEvents 1.0 message in structured mode.
/// </summary>
/// <param name="Data">What is in force.</param>
public sealed record AllocationNotice(InForceNotice Data)
{
    /// <summary>Content type of the message.</summary>
    public const string ContentType = "application/cloudevents+json";

    /// <summary>Version of the specification that it follows.</summary>
    [JsonPropertyName("specversion")]
    public string SpecVersion { get; } = "1.0";

    /// <summary>
    /// The snapshot's hash; <c>none</c> where nothing is in force any more. With <see cref="Source"/> it is unique: a
    /// message that comes twice is told by both.
    /// </summary>
    public string Id => Data.Hash ?? "none";

    /// <summary>The change that it tells: one version may come into force more than once.</summary>
    public string Source => $"/tenants/{Data.Tenant}/fleets/{Data.Fleet}/changes/{Data.Change}";

    /// <summary>The kind of event.</summary>
    public string Type { get; } = "allocation.in-force";

    /// <summary>The fleet.</summary>
    public string Subject => Data.Fleet;

    /// <summary>Since when it is in force.</summary>
    public DateTimeOffset Time => Data.At;

    /// <summary>Form of <see cref="Data"/>.</summary>
    [JsonPropertyName("datacontenttype")]
    public string DataContentType { get; } = "application/json";

    /// <summary>The message's body.</summary>
    public byte[] ToBytes() => StrictJson.Write(this);
}

/// <summary>What is in force for a fleet, and who has decided it.</summary>
public sealed record InForceNotice
{
    /// <summary>The tenant.</summary>
    public required string Tenant { get; init; }

    /// <summary>The fleet.</summary>
    public required string Fleet { get; init; }

    /// <summary>
    /// Counts the fleet's changes, from 1, without gaps: what is older than what one has is of no use any more.
    /// </summary>
    public required long Change { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The version; 0 for none.</summary>
    public required int Version { get; init; }

    /// <summary>SHA-256 of its document, which is its entity tag; null for none.</summary>
    public required string? Hash { get; init; }

    /// <summary>Name of the event that caused it.</summary>
    public required string Cause { get; init; }

    /// <summary>Name of the key, or null where a solve did it.</summary>
    public required string? By { get; init; }

    /// <summary>The reason that was given, or null.</summary>
    public required string? Reason { get; init; }

    /// <summary>Tokens by task type that are to be sent; empty for none.</summary>
    public required IReadOnlyDictionary<string, long> Tokens { get; init; }
}
