using System.Text.Json.Serialization;

namespace Platform.Domain.Allocation;

/// <summary>
/// What a fleet's servers can be told: not every number of tokens. Some take none below a minimum, some none between
/// off and a minimum, some only levels that have names.
/// </summary>
public sealed record Actuator
{
    /// <summary>Most ranges.</summary>
    public const int MostRanges = 64;

    /// <summary>The numbers that can be sent: ascending ranges that do not meet, 1 to 64.</summary>
    public required IReadOnlyList<TokenRange> Allowed { get; init; }

    /// <summary>Two say the same. (A record's own equality compares the lists by reference.)</summary>
    public static bool SameContent(Actuator? one, Actuator? other) =>
        one is null || other is null ? one is null && other is null : one.Allowed.SequenceEqual(other.Allowed);
}

/// <summary>Numbers of tokens that can be sent.</summary>
/// <param name="Min">The least, at least 0.</param>
/// <param name="Max">The greatest; that of a level is its least.</param>
/// <param name="Name">What is sent in place of a number, such as <c>high</c>; null for the number itself.</param>
public sealed record TokenRange(
    long Min,
    long Max,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name = null
);

/// <summary>What is to be sent, beside the optimum over all whole tokens.</summary>
public sealed record SentAllocation
{
    /// <summary>How it was chosen: <see cref="Actuation.Version"/>.</summary>
    public required string Method { get; init; }

    /// <summary>Tokens of each type, in the problem's order.</summary>
    public required IReadOnlyList<SentTokens> Allocation { get; init; }

    /// <summary>
    /// Whether it keeps every limit. Nothing that can be sent may do so: then it is the least that can be sent.
    /// </summary>
    public required bool KeepsLimits { get; init; }

    /// <summary>The objective at what is sent; null where the queue is not stable.</summary>
    public required double? Objective { get; init; }

    /// <summary>
    /// What that is short of the optimum over all whole tokens: no more than this could be gained by anything else that
    /// can be sent.
    /// </summary>
    public required double? Loss { get; init; }

    /// <summary>Σ share · accuracy.</summary>
    public required double MeanAccuracy { get; init; }

    /// <summary>Mean system time in seconds; null where the queue is not stable.</summary>
    public required double? MeanSystemTimeSeconds { get; init; }

    /// <summary>ρ.</summary>
    public required double Utilization { get; init; }
}

/// <summary>What is sent for a task type.</summary>
/// <param name="TaskType">The task type's id.</param>
/// <param name="Tokens">Tokens.</param>
/// <param name="Name">What is sent in place of the number, or null.</param>
public sealed record SentTokens(
    string TaskType,
    long Tokens,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name = null
);
