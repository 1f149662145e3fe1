using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Snapshots;

/// <summary>
/// The few numbers of a snapshot that the next solve and those who are told of it want: kept beside the document, of
/// which they are a fiftieth. Derived; verification holds it against the document.
/// </summary>
public sealed record AllocationSummary
{
    /// <summary>The revision of the definition that it was solved for.</summary>
    public required int DefinitionRevision { get; init; }

    /// <summary>Version of the workload stream that it was solved on: the windows that it knew.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>Tokens by task type.</summary>
    public required IReadOnlyDictionary<string, long> Tokens { get; init; }

    /// <summary>Tokens by task type that are sent, where these are others; null where they are not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, long>? SentTokens { get; init; }

    /// <summary>
    /// The limit that even these tokens break, the fewest allowed; null where every limit is kept.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public InfeasibilityReason? Shortfall { get; init; }

    /// <summary>
    /// The arrival rate that it was made to carry, per second for the whole fleet; null of rows from before it was
    /// kept.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ArrivalRate { get; init; }

    /// <summary>Tokens by task type that a gateway is given.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, long> Given => SentTokens ?? Tokens;

    /// <summary>That of a snapshot.</summary>
    public static AllocationSummary Of(AllocationSnapshot snapshot) =>
        new()
        {
            DefinitionRevision = snapshot.Provenance.DefinitionRevision,
            WorkloadVersion = snapshot.Provenance.WorkloadVersion,
            Tokens = snapshot.Solution.Allocation!.ToDictionary(
                type => type.TaskType,
                type => type.Tokens,
                StringComparer.Ordinal
            ),
            SentTokens = snapshot.Sent?.Allocation.ToDictionary(
                type => type.TaskType,
                type => type.Tokens,
                StringComparer.Ordinal
            ),
            Shortfall = snapshot.Shortfall?.Reason,
            ArrivalRate = snapshot.Problem.ArrivalRate,
        };

    /// <summary>
    /// Reads it from a stored snapshot. Only names that every version of the format has are looked at.
    /// </summary>
    /// <param name="document">The snapshot's canonical JSON.</param>
    /// <exception cref="FormatException">It is no snapshot.</exception>
    public static AllocationSummary OfDocument(ReadOnlyMemory<byte> document)
    {
        try
        {
            using var json = JsonDocument.Parse(document);
            var root = json.RootElement;
            return new AllocationSummary
            {
                DefinitionRevision = root.GetProperty("provenance").GetProperty("definitionRevision").GetInt32(),
                WorkloadVersion = root.GetProperty("provenance").GetProperty("workloadVersion").GetInt64(),
                Tokens = TokensOf(root.GetProperty("solution")),
                SentTokens = root.TryGetProperty("sent", out var sent) ? TokensOf(sent) : null,
                Shortfall = root.TryGetProperty("shortfall", out var shortfall)
                    ? shortfall.GetProperty("reason").Deserialize<InfeasibilityReason>(StrictJson.Options)
                    : null,
                ArrivalRate = RateOf(root),
            };
        }
        catch (Exception fault)
            when (fault is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            throw new FormatException("The stored bytes are no snapshot.", fault);
        }
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="JsonException">It did not write this.</exception>
    public static AllocationSummary FromBytes(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<AllocationSummary>(bytes, StrictJson.Options)
        ?? throw new JsonException("null is no summary.");

    /// <summary>Its canonical JSON: equal summaries give equal bytes.</summary>
    public byte[] ToBytes() => CanonicalJson.Write(this);

    /// <summary>
    /// Whether stored bytes are the summary of a stored snapshot, as it is written now or was before it had the rate.
    /// </summary>
    /// <param name="summary">The stored bytes.</param>
    /// <param name="document">The snapshot's canonical JSON.</param>
    /// <exception cref="FormatException">The document is no snapshot.</exception>
    public static bool IsOf(ReadOnlySpan<byte> summary, ReadOnlyMemory<byte> document)
    {
        var read = OfDocument(document);
        var withoutRate = read with { ArrivalRate = null };
        return summary.SequenceEqual(read.ToBytes()) || summary.SequenceEqual(withoutRate.ToBytes());
    }

    private static double? RateOf(JsonElement snapshot) =>
        snapshot.TryGetProperty("problem", out var problem) ? problem.GetProperty("arrivalRate").GetDouble() : null;

    private static Dictionary<string, long> TokensOf(JsonElement answer) =>
        answer
            .GetProperty("allocation")
            .EnumerateArray()
            .ToDictionary(
                type => type.GetProperty("taskType").GetString()!,
                type => type.GetProperty("tokens").GetInt64(),
                StringComparer.Ordinal
            );
}
