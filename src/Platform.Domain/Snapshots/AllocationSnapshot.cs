using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>
/// One immutable, versioned answer: problem, tokens per task type, figures, and where it came from. Its canonical JSON
/// is the body that the API serves and that its hash is taken of, so that anybody can check the one against the other.
/// </summary>
public sealed record AllocationSnapshot
{
    /// <summary>The tenant's id.</summary>
    public required string Tenant { get; init; }

    /// <summary>The fleet's id.</summary>
    public required string Fleet { get; init; }

    /// <summary>Version, from 1, without gaps.</summary>
    public required int Version { get; init; }

    /// <summary>When it was solved, UTC; the age of evidence was taken relative to it.</summary>
    public required DateTimeOffset SolvedAt { get; init; }

    /// <summary>What it was derived from.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>The numbers that the optimiser got.</summary>
    public required AllocationProblem Problem { get; init; }

    /// <summary>The optimiser's answer.</summary>
    public required AllocationSolution Solution { get; init; }

    /// <summary>
    /// What is to be sent, where the definition says that not every number of tokens can be; null where the solution is
    /// sent as it is.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SentAllocation? Sent { get; init; }

    /// <summary>
    /// The task types that are granted less than the estimate alone would have, and how much that would be; null where
    /// none is, and before estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<HeldBack>? HeldBack { get; init; }

    /// <summary>
    /// Why these are the fewest tokens allowed, and what would be needed for more; null where the allocation keeps
    /// every limit, and before estimator/6. The problem's arrival rate is then what these tokens carry at most, and
    /// limits that they break are left out of it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Shortfall? Shortfall { get; init; }

    /// <summary>Tokens for surges, where the definition asks for them; null where it does not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SurgeLadder? Ladder { get; init; }

    /// <summary>Where the model does not fit what the windows say; changes nothing about the answer.</summary>
    public required SnapshotValidity Validity { get; init; }

    /// <summary>The canonical JSON (RFC 8785), in UTF-8.</summary>
    public byte[] ToCanonicalBytes() => CanonicalJson.Write(this);

    /// <summary>SHA-256 of a canonical form, lower-case hexadecimal.</summary>
    public static string HashOf(ReadOnlySpan<byte> canonicalBytes) =>
        Convert.ToHexStringLower(SHA256.HashData(canonicalBytes));
}

/// <summary>The figures and flags of <see cref="ModelValidity"/> at the moment of the solve.</summary>
/// <param name="Fleet">Of the fleet as a whole.</param>
/// <param name="TaskTypes">Of each task type, by id.</param>
public sealed record SnapshotValidity(ModelValidity Fleet, IReadOnlyDictionary<string, TaskTypeValidity> TaskTypes)
{
    /// <summary>Those of an estimate, and how far its allocation goes beyond what was tried.</summary>
    public static SnapshotValidity Of(FleetEstimate estimate, AllocationSolution solution) =>
        new(
            estimate.Validity,
            estimate
                .TaskTypes.Zip(solution.Allocation!)
                .ToDictionary(it => it.First.Id, it => Extrapolated(it.First, it.Second), StringComparer.Ordinal)
        );

    private static TaskTypeValidity Extrapolated(TaskTypeEstimate type, TaskAllocation given)
    {
        if (type.LargestBudgetTried is not { } tried)
            return type.Validity;
        var ratio = given.Tokens / (double)Math.Max(tried, 1);
        var isBeyond = ratio > ValidityThresholds.Extrapolation;
        return type.Validity with { Extrapolation = new ValidityCheck(ratio, null, isBeyond) };
    }
}

/// <summary>What a snapshot was derived from: enough to derive it again from the events.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record Provenance
{
    /// <summary>Revision of the fleet's definition.</summary>
    public required int DefinitionRevision { get; init; }

    /// <summary>Version of the workload stream up to which windows are in it; 0 before the first window.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>Version of the estimator.</summary>
    public required string Estimator { get; init; }

    /// <summary>Version of the solver.</summary>
    public required string Solver { get; init; }

    /// <summary>SHA-256 of the problem's canonical form.</summary>
    public required string ProblemHash { get; init; }

    /// <summary>Hash of the fleet's snapshot before this one, or null for the first.</summary>
    public required string? PreviousHash { get; init; }

    /// <summary>
    /// The alarm whose figures the problem counts with in place of the estimate's; null for none, and before
    /// estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LoadAlarm? Alarm { get; init; }
}
