using System.Text.Json.Serialization;

namespace Platform.Domain.Allocation;

/// <summary>How a query finds a server of its fleet.</summary>
public enum Dispatch
{
    /// <summary>One FIFO queue for each server, chosen at random: each is an M/G/1 queue with its part of the arrivals.</summary>
    Split,

    /// <summary>One FIFO queue for all servers: M/G/k.</summary>
    Shared,
}

/// <summary>Service time of a query: affine in its reasoning tokens in the mean, base + tokens · secondsPerToken, with scatter around that.</summary>
/// <param name="BaseSeconds">t⁰ ≥ 0, seconds that do not depend on the tokens.</param>
/// <param name="SecondsPerToken">c ≥ 0, seconds for each token.</param>
/// <param name="VarianceSecondsSquared">
/// v ≥ 0, variance around the line, seconds squared, the same at any number of tokens; 0 is the deterministic line of the paper. The queue
/// sees it: E[S²] = Σ π (t² + v).
/// </param>
public sealed record ServiceLine(
    double BaseSeconds, double SecondsPerToken,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double VarianceSecondsSquared = 0);

/// <summary>
/// Probability of a right answer with l tokens: floor + gain · (1 − e^(−ratePerToken · l)). A curve that was fitted to large budgets may be
/// below 0 at small ones: the objective takes it as it is, so that it stays concave; accuracies that are shown are predictions, at least 0.
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

    /// <summary>Service time against tokens.</summary>
    public required ServiceLine Service { get; init; }

    /// <summary>Accuracy against tokens.</summary>
    public required AccuracyCurve Accuracy { get; init; }
}

/// <summary>
/// The token allocation problem of Ozbas and Bastopcu (arXiv 2601.10274) with limits: choose tokens l for each task type to maximise
/// accuracyWeight · Σ share · weight · accuracy(l) − mean system time. Fully determines its solution.
/// </summary>
public sealed record AllocationProblem
{
    /// <summary>λ ≥ 0, Poisson arrivals per second for the whole fleet.</summary>
    public required double ArrivalRate { get; init; }

    /// <summary>Number of identical servers, at least 1.</summary>
    public int Servers { get; init; } = 1;

    /// <summary>How queries find a server.</summary>
    public Dispatch Dispatch { get; init; } = Dispatch.Split;

    /// <summary>α ≥ 0, seconds of mean system time that one unit of accuracy is worth.</summary>
    public required double AccuracyWeight { get; init; }

    /// <summary>Cap on the utilization, in (0, 1), or null.</summary>
    public double? MaxUtilization { get; init; }

    /// <summary>Cap on Σ share · tokens, or null.</summary>
    public double? MeanTokenBudget { get; init; }

    /// <summary>Cap on the mean system time in seconds, or null.</summary>
    public double? MaxMeanSystemTimeSeconds { get; init; }

    /// <summary>The task types, at least one.</summary>
    public required IReadOnlyList<TaskType> TaskTypes { get; init; }
}
