using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Platform.Domain.Contracts;

namespace Platform.Domain.Snapshots;

/// <summary>
/// What a stored snapshot says of its own origin. Only names that every version of the format has are looked at.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record SnapshotHeader
{
    /// <summary>When it was solved, UTC.</summary>
    public required DateTimeOffset SolvedAt { get; init; }

    /// <summary>What it was derived from.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>The arithmetic that derived it.</summary>
    [JsonIgnore]
    public DerivationVersions Versions => new(Provenance.Estimator, Provenance.Solver);

    /// <summary>Reads it from a snapshot's canonical JSON.</summary>
    /// <param name="document">The stored bytes.</param>
    /// <param name="header">The header, or null when there is a fault.</param>
    /// <param name="fault">What is wrong with the document, or null.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> document,
        [NotNullWhen(true)] out SnapshotHeader? header,
        [NotNullWhen(false)] out InputError? fault
    ) => StrictJson.TryRead(document, out header, out fault);
}
