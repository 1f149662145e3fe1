using System.Text.Json.Serialization;

namespace Platform.Domain.Allocation;

/// <summary>How a query finds a server of its fleet.</summary>
public enum Dispatch
{
    /// <summary>
    /// One FIFO queue for each server, chosen at random: each is an M/G/1 queue with its part of the arrivals.
    /// </summary>
    Split,

    /// <summary>One FIFO queue for all servers: M/G/k.</summary>
    Shared,

    /// <summary>
    /// Servers that batch: each serves many queries at once, a token for each of them an iteration. A query goes to a
    /// server at random, and all that are in service there share it.
    /// </summary>
    Sharing,
}

/// <summary>How the queries in service share a server that batches; of <see cref="Dispatch.Sharing"/> alone.</summary>
/// <param name="OverheadSecondsPerToken">
/// α ≥ 0, seconds: the part of an iteration that all queries in service have in common. A problem must have it; a
/// definition may leave it out, and windows tell it.
/// </param>
/// <param name="MaxInService">
/// B ≥ 1, most queries in service at once on a server (max_num_seqs); null where memory and engine set no cap that
/// matters.
/// </param>
public sealed record SharingServer(double? OverheadSecondsPerToken = null, int? MaxInService = null)
{
    /// <summary>The greatest cap: beyond it no engine is set.</summary>
    public const int MostInService = 100_000;
}

/// <summary>
/// Service time of a query: affine in its reasoning tokens in the mean, base + tokens · secondsPerToken, with scatter
/// around that.
/// </summary>
/// <param name="BaseSeconds">t⁰ ≥ 0, seconds that do not depend on the tokens.</param>
/// <param name="SecondsPerToken">c ≥ 0, seconds for each token.</param>
/// <param name="VarianceSecondsSquared"> v ≥ 0, variance around the line, seconds squared, the same at any number of
/// tokens; 0 is the deterministic line of the paper. The queue sees it: E[S²] = Σ π (t² + v). Servers that share do
/// not: their mean times are insensitive to it.
/// </param>
/// <param name="SecondsPerTokenSquared">
/// q ≥ 0, seconds a token squared, of <see cref="Dispatch.Sharing"/> alone: the context that a query's own tokens add
/// makes the later ones slower. The line is then base + secondsPerToken · l + q · l².
/// </param>
public sealed record ServiceLine(
    double BaseSeconds,
    double SecondsPerToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double VarianceSecondsSquared = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double SecondsPerTokenSquared = 0
)
{
    /// <summary>
    /// Mean service time in seconds at a number of tokens; with <see cref="Dispatch.Sharing"/> that of a query alone on
    /// the server.
    /// </summary>
    /// <param name="tokens">l ≥ 0, reasoning tokens.</param>
    public double SecondsAt(double tokens) =>
        BaseSeconds + (SecondsPerToken * tokens) + (SecondsPerTokenSquared * tokens * tokens);
}

/// <summary>
/// Probability of a right answer with l tokens: floor + gain · (1 − e^(−ratePerToken · l)). A curve that was fitted to
/// large budgets may be below 0 at small ones: the objective takes it as it is, so that it stays concave; accuracies
/// that are shown are predictions, at least 0.
/// </summary>
/// <param name="Floor">D, the accuracy without reasoning, −1 to 1.</param>
/// <param name="Gain">A ≥ 0, what endless reasoning adds; floor + gain is 0 to 1.</param>
/// <param name="RatePerToken">b ≥ 0, per token.</param>
public sealed record AccuracyCurve(double Floor, double Gain, double RatePerToken);

/// <summary>A class of query with its own token budget, as the optimiser sees it.</summary>
public sealed record TaskType
{
    /// <summary>Name within the fleet.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// Other names under which windows may report it, of a fleet's definition alone: what came under an old name counts
    /// as this task type. At most 20; null for none. A problem has none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Aliases { get; init; }

    /// <summary>π, share of the arrivals, 0 to 1; the shares of a problem sum to 1.</summary>
    public required double Share { get; init; }

    /// <summary>w > 0, importance of this type's accuracy.</summary>
    public double Weight { get; init; } = 1.0;

    /// <summary>Fewest tokens that may be granted, at least 0.</summary>
    public long MinTokens { get; init; }

    /// <summary>Most tokens that may be granted, at least <see cref="MinTokens"/>.</summary>
    public required long MaxTokens { get; init; }

    /// <summary>Least accuracy that must be reached, or null.</summary>
    public double? AccuracyFloor { get; init; }

    /// <summary>m ≥ 0, mean output tokens beside the reasoning ones: those of the answer.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double AnswerTokens { get; init; }

    /// <summary>
    /// Service time against tokens; with <see cref="Dispatch.Sharing"/> that of a query alone on the server.
    /// </summary>
    public required ServiceLine Service { get; init; }

    /// <summary>Accuracy against tokens.</summary>
    public required AccuracyCurve Accuracy { get; init; }
}

/// <summary>
/// The token allocation problem of Ozbas and Bastopcu (arXiv 2601.10274) with limits: choose tokens l for each task
/// type to maximise accuracyWeight · Σ share · weight · accuracy(l) − mean system time. Fully determines its solution.
/// </summary>
public sealed record AllocationProblem
{
    /// <summary>λ ≥ 0, Poisson arrivals per second for the whole fleet.</summary>
    public required double ArrivalRate { get; init; }

    /// <summary>Number of identical servers, at least 1.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>How queries find a server.</summary>
    public Dispatch Dispatch { get; init; } = Dispatch.Split;

    /// <summary>How queries share a server: needed with <see cref="Dispatch.Sharing"/>, null without.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SharingServer? Sharing { get; init; }

    /// <summary>α ≥ 0, seconds of mean system time that one unit of accuracy is worth.</summary>
    public required double AccuracyWeight { get; init; }

    /// <summary>Cap on the utilization, in (0, 1), or null.</summary>
    public double? MaxUtilization { get; init; }

    /// <summary>Cap on Σ share · tokens, or null.</summary>
    public double? MeanTokenBudget { get; init; }

    /// <summary>Cap on the mean system time in seconds, or null.</summary>
    public double? MaxMeanSystemTimeSeconds { get; init; }

    /// <summary>
    /// Cap on the mean time between two output tokens of a query in seconds, or null; of <see cref="Dispatch.Sharing"/>
    /// alone. It is kept by the slowest task type at its most tokens, and with a cap on the queries in service even if
    /// their overhead held no slot: docs/solving.md.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxInterTokenSeconds { get; init; }

    /// <summary>
    /// Cap on the mean time from arrival to the first token of the answer in seconds, or null; of
    /// <see cref="Dispatch.Sharing"/> alone.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>The task types, at least one.</summary>
    public required IReadOnlyList<TaskType> TaskTypes { get; init; }
}
