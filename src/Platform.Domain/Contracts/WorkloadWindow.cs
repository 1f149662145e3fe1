using System.Text.Json.Serialization;

namespace Platform.Domain.Contracts;

/// <summary>
/// What one publisher saw of one fleet between two instants, as sums that add up exactly in any order. Every sum is a
/// whole number from 0 to 2^53 - 1. Wire form: the JSON of the contract; this namespace and these names are permanent.
/// </summary>
public sealed record WorkloadWindow
{
    /// <summary>The fleet's id within its tenant.</summary>
    public required string Fleet { get; init; }

    /// <summary>Start of the window, inclusive, UTC.</summary>
    public required DateTimeOffset WindowStart { get; init; }

    /// <summary>
    /// End of the window, exclusive, UTC; after the start, at most a day later; at most 8 days ago and 5 minutes ahead.
    /// </summary>
    public required DateTimeOffset WindowEnd { get; init; }

    /// <summary>One entry for each task type that had something to report.</summary>
    public required IReadOnlyList<TaskWindow> Tasks { get; init; }
}

/// <summary>What was seen of one task type in a window.</summary>
public sealed record TaskWindow
{
    /// <summary>The task type's id.</summary>
    public required string TaskType { get; init; }

    /// <summary>
    /// Queries that arrived in the window. At most 1,000,000 for each second of it, and for a shorter one.
    /// </summary>
    public required long Arrivals { get; init; }

    /// <summary>Time on the server of the queries that ended in the window, wait excluded.</summary>
    public ServiceSums? Service { get; init; }

    /// <summary>Time in the system of the same queries, wait included.</summary>
    public SystemSums? System { get; init; }

    /// <summary>Queries with a known verdict, by the tokens they were granted.</summary>
    public IReadOnlyList<AccuracyCount>? Accuracy { get; init; }
}

/// <summary>
/// Sums over the queries that ended in the window: reasoning tokens used, and milliseconds on the server.
/// </summary>
public sealed record ServiceSums
{
    /// <summary>
    /// Queries that ended. At most 1,000,000 for each second of the window, and 1,000,000 for a shorter one.
    /// </summary>
    public required long Completions { get; init; }

    /// <summary>Sum of reasoning tokens really used.</summary>
    public required long Tokens { get; init; }

    /// <summary>Sum of the squares of reasoning tokens used.</summary>
    public required long TokensSquared { get; init; }

    /// <summary>Sum of reasoning tokens granted, where the publisher knows it.</summary>
    public long? TokensGranted { get; init; }

    /// <summary>
    /// Sum of output tokens beside the reasoning ones, those of the answers, where the publisher knows it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? AnswerTokens { get; init; }

    /// <summary>
    /// Queries in service at the server when output tokens of these queries were made, where the publisher knows it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ConcurrencySums? Concurrency { get; init; }

    /// <summary>Sum of milliseconds on the server.</summary>
    public required long Millis { get; init; }

    /// <summary>Sum of the squares of milliseconds on the server.</summary>
    public required long MillisSquared { get; init; }

    /// <summary>Sum of tokens used times milliseconds.</summary>
    public required long TokenMillis { get; init; }
}

/// <summary>Sums over output tokens of the queries that ended in the window: over all of them, or a sample.</summary>
public sealed record ConcurrencySums
{
    /// <summary>Output tokens that were looked at.</summary>
    public required long Tokens { get; init; }

    /// <summary>
    /// Sum over these tokens of the queries in service at the server when the token was made, its own query included:
    /// at least the number of tokens.
    /// </summary>
    public required long InService { get; init; }
}

/// <summary>Sums over the queries that ended in the window: milliseconds from arrival to end.</summary>
public sealed record SystemSums
{
    /// <summary>
    /// Queries that ended. At most 1,000,000 for each second of the window, and 1,000,000 for a shorter one.
    /// </summary>
    public required long Completions { get; init; }

    /// <summary>Sum of milliseconds in the system.</summary>
    public required long Millis { get; init; }

    /// <summary>
    /// Sum of the squares of milliseconds in the system. Left out by a publisher that knows the sum alone.
    /// </summary>
    public long? MillisSquared { get; init; }
}

/// <summary>Verdicts at one number of granted tokens.</summary>
public sealed record AccuracyCount
{
    /// <summary>Reasoning tokens granted.</summary>
    public required long Tokens { get; init; }

    /// <summary>
    /// Queries with a verdict. At most 1,000,000 for each second of the window, and 1,000,000 for a shorter one.
    /// </summary>
    public required long Trials { get; init; }

    /// <summary>Of these, the correct ones.</summary>
    public required long Correct { get; init; }
}
