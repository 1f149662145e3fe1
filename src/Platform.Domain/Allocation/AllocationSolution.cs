using System.Text.Json.Serialization;

namespace Platform.Domain.Allocation;

/// <summary>Whether a problem has an answer.</summary>
public enum SolutionStatus
{
    /// <summary>
    /// An allocation within every limit exists; the solution holds the best one found and how far it can be from the
    /// best.
    /// </summary>
    Optimal,

    /// <summary>
    /// Not even the lower bounds keep within the limits; <see cref="AllocationSolution.Reason"/> says which.
    /// </summary>
    Infeasible,
}

/// <summary>
/// Why no allocation exists. Every limit is looked at with each task type at its whole-token lower bound.
/// </summary>
public enum InfeasibilityReason
{
    /// <summary>The lower bounds alone bring the utilization to 1 or beyond its cap.</summary>
    Unstable,

    /// <summary>Some task types cannot reach their accuracy floor with the tokens allowed.</summary>
    AccuracyFloor,

    /// <summary>The lower bounds alone exceed the mean token budget.</summary>
    MeanTokenBudget,

    /// <summary>The lower bounds alone exceed the mean system time.</summary>
    MaxMeanSystemTime,

    /// <summary>The lower bounds alone exceed the mean time between two tokens.</summary>
    MaxInterTokenSeconds,

    /// <summary>The lower bounds alone exceed the mean time to the first token of the answer.</summary>
    MaxTimeToFirstAnswerTokenSeconds,
}

/// <summary>Where a task type's continuous optimum lies within its bounds.</summary>
public enum TokenBound
{
    /// <summary>Strictly between the bounds.</summary>
    None,

    /// <summary>At the lower bound: minTokens, or what the accuracy floor needs.</summary>
    Lower,

    /// <summary>At maxTokens.</summary>
    Max,
}

/// <summary>How the whole tokens were found.</summary>
public enum RoundingMethod
{
    /// <summary>Each type rounded to the nearest whole number.</summary>
    Nearest,

    /// <summary>Rounded, then improved one and two types at a time.</summary>
    Exchange,

    /// <summary>Branch and bound over whole tokens.</summary>
    Exact,
}

/// <summary>The method that found the continuous optimum.</summary>
public enum SolverMethod
{
    /// <summary>Newton's method on the two scalars that couple the task types.</summary>
    Newton,

    /// <summary>The coupled projected fixed point, safeguarded.</summary>
    [JsonStringEnumMemberName("fixed-point")]
    FixedPoint,

    /// <summary>Projected gradient ascent with a step known before solving.</summary>
    [JsonStringEnumMemberName("projected-gradient")]
    ProjectedGradient,

    /// <summary>The same with momentum, backtracking and restart.</summary>
    [JsonStringEnumMemberName("accelerated-projected-gradient")]
    AcceleratedProjectedGradient,
}

/// <summary>Why the method stopped.</summary>
public enum SolverExit
{
    /// <summary>The last step or the residual is at the level of rounding.</summary>
    Converged,

    /// <summary>The cap on iterations was reached; the certificate says how good the point is.</summary>
    IterationLimit,

    /// <summary>
    /// No step improves the point in the precision of a double, short of the tolerance; the certificate says how good
    /// it is.
    /// </summary>
    Stalled,
}

/// <summary>What the plain fixed-point iteration does from the lower bounds.</summary>
public enum PlainIteration
{
    /// <summary>It converges to the optimum.</summary>
    Converged,

    /// <summary>It swings between two points for ever.</summary>
    Cycle,

    /// <summary>Neither was seen within the iterations that were tried.</summary>
    IterationLimit,
}

/// <summary>The paper's fixed point without its safeguard.</summary>
/// <param name="Contracts">Whether the sufficient condition holds: a stable box that the map does not leave, with a
/// modulus below 1 on it.</param>
/// <param name="BoxModulus">Bound on the map's Lipschitz constant (maximum norm) on that box; null where there is no
/// such box or no finite bound.</param>
/// <param name="Plain">What the plain iteration does, the condition being only sufficient.</param>
/// <param name="PlainIterations">Its iterations until that was seen.</param>
public sealed record FixedPointReport(bool Contracts, double? BoxModulus, PlainIteration Plain, int PlainIterations);

/// <summary>A formula used in place of an exact one.</summary>
public enum QueueingApproximation
{
    /// <summary>Mean wait of M/G/k after Lee and Longton (1959): that of M/M/k times (1 + cv²)/2.</summary>
    LeeLongton,

    /// <summary>
    /// Servers that share with a cap on the queries in service, as a birth-death process: exact for exponential
    /// lengths, within 3 % for fixed ones.
    /// </summary>
    [JsonStringEnumMemberName("birth-death")]
    BirthDeath,
}

/// <summary>
/// The answer to an <see cref="AllocationProblem"/>. Figures are those of the whole tokens; null where the problem is
/// infeasible.
/// </summary>
public sealed record AllocationSolution
{
    /// <summary>Whether there is an answer.</summary>
    public required SolutionStatus Status { get; init; }

    /// <summary>Why there is none; null when there is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public InfeasibilityReason? Reason { get; init; }

    /// <summary>
    /// The arrivals per second of the whole fleet that the lower bounds can carry (a supremum), with
    /// <see cref="InfeasibilityReason.Unstable"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxArrivalRate { get; init; }

    /// <summary>
    /// What an unstable problem asks of its servers, and what that may mean, for people; null for other reasons.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    /// <summary>
    /// Ids of the types that cannot reach their floor, in the problem's order, with
    /// <see cref="InfeasibilityReason.AccuracyFloor"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? TaskTypes { get; init; }

    /// <summary>Mean tokens of the lower bounds, with <see cref="InfeasibilityReason.MeanTokenBudget"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinMeanTokenBudget { get; init; }

    /// <summary>
    /// Mean system time of the lower bounds in seconds, with <see cref="InfeasibilityReason.MaxMeanSystemTime"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinMeanSystemTimeSeconds { get; init; }

    /// <summary>
    /// Mean time between two tokens at the lower bounds in seconds, with
    /// <see cref="InfeasibilityReason.MaxInterTokenSeconds"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinInterTokenSeconds { get; init; }

    /// <summary>
    /// Mean time to the first token of the answer at the lower bounds in seconds, with
    /// <see cref="InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>J = accuracyWeight · weightedAccuracy − meanSystemTimeSeconds, in seconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Objective { get; init; }

    /// <summary>Σ share · accuracy, 0 to 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanAccuracy { get; init; }

    /// <summary>Σ share · weight · accuracy.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? WeightedAccuracy { get; init; }

    /// <summary>E[T], mean seconds from arrival to end, wait included.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanSystemTimeSeconds { get; init; }

    /// <summary>ρ, the part of the time that a server is busy, in [0, 1).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Utilization { get; init; }

    /// <summary>E[S], seconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanServiceSeconds { get; init; }

    /// <summary>E[S²], seconds squared.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanServiceSecondsSquared { get; init; }

    /// <summary>Σ share · tokens.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanTokens { get; init; }

    /// <summary>Mean number of queries in service on a server; null before dual-newton/6.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanInService { get; init; }

    /// <summary>
    /// Mean wait for a slot in service, seconds; null before dual-newton/6, and 0 with sharing and no cap.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanWaitSeconds { get; init; }

    /// <summary>
    /// Mean time between two output tokens of a query, over all tokens, in seconds; null before dual-newton/6, and
    /// where there are no tokens.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? InterTokenSeconds { get; init; }

    /// <summary>
    /// Mean time from arrival to the first token of the answer, seconds; null before dual-newton/6.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MeanTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>One entry for each task type, in the problem's order.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TaskAllocation>? Allocation { get; init; }

    /// <summary>The optimum over real numbers of tokens, with its certificate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ContinuousOptimum? Continuous { get; init; }

    /// <summary>What whole tokens cost against real ones.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Rounding? Rounding { get; init; }

    /// <summary>What one unit more of each limit would bring.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ShadowPrices? ShadowPrices { get; init; }

    /// <summary>
    /// The best static policy: one budget for all types. Null when no single budget keeps within the limits.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UniformAllocation? Uniform { get; init; }

    /// <summary>How the answer was found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SolverDiagnostics? Diagnostics { get; init; }
}

/// <summary>What one task type is granted.</summary>
/// <param name="TaskType">Id of the task type.</param>
/// <param name="Tokens">Whole tokens for one query.</param>
/// <param name="TokensContinuous">The optimum over real numbers.</param>
/// <param name="Accuracy">p(tokens), 0 to 1.</param>
/// <param name="ServiceSeconds">t(tokens), seconds on the server.</param>
/// <param name="Bound">Where the continuous optimum lies within the bounds.</param>
public sealed record TaskAllocation(
    string TaskType,
    long Tokens,
    double TokensContinuous,
    double Accuracy,
    double ServiceSeconds,
    TokenBound Bound
)
{
    /// <summary>Mean seconds from arrival to end of the type's queries; null before dual-newton/6.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? SystemSeconds { get; init; }

    /// <summary>
    /// Mean seconds from arrival to the first token of the answer, or to the end where the type's answerTokens are
    /// below 1; null before dual-newton/6.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TimeToFirstAnswerTokenSeconds { get; init; }
}

/// <summary>The optimum over real numbers of tokens.</summary>
/// <param name="Objective">J at that optimum, seconds; no whole-token allocation is better by more than the
/// gap.</param>
/// <param name="KktResidual">Largest violation of the optimality conditions over the types, relative to the larger of
/// the two terms that balance.</param>
/// <param name="OptimalityGap">Certified upper bound on what any allocation within the limits can gain over this one,
/// seconds.</param>
public sealed record ContinuousOptimum(double Objective, double KktResidual, double OptimalityGap);

/// <summary>What whole tokens cost.</summary>
/// <param name="Method">How they were found.</param>
/// <param name="Loss">Continuous objective less the whole-token objective, seconds.</param>
/// <param name="LossBound">Certified upper bound on the loss against the true continuous optimum.</param>
/// <param name="ProvenOptimal">True when no whole-token allocation is better (to 1e-11 of the objective).</param>
/// <param name="NearestObjective">Objective of plain rounding to the nearest, rounded down instead where that broke a
/// limit.</param>
public sealed record Rounding(
    RoundingMethod Method,
    double Loss,
    double LossBound,
    bool ProvenOptimal,
    double NearestObjective
);

/// <summary>
/// Gain in the objective for one unit more of each limit; 0 where the limit does not bind or is not set.
/// </summary>
/// <param name="MeanTokenBudget">Seconds for each token of the mean token budget.</param>
/// <param name="MaxMeanSystemTime">Seconds for each second of the mean system time.</param>
/// <param name="MaxUtilization">Seconds for each unit of utilization.</param>
public sealed record ShadowPrices(double MeanTokenBudget, double MaxMeanSystemTime, double MaxUtilization)
{
    /// <summary>Seconds for each second of the mean time between tokens; null where servers do not share.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxInterTokenSeconds { get; init; }

    /// <summary>
    /// Seconds for each second of the mean time to the first answer token; null where servers do not share.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>Whether any limit binds.</summary>
    internal bool Bind => MeanTokenBudget > 0 || MaxMeanSystemTime > 0 || MaxUtilization > 0 || BindsSharing;

    private bool BindsSharing => MaxInterTokenSeconds > 0 || MaxTimeToFirstAnswerTokenSeconds > 0;
}

/// <summary>The best single budget, given to every task type alike and clipped to each type's bounds.</summary>
/// <param name="Tokens">That budget; the least one, where several do the same.</param>
/// <param name="Objective">Its objective, seconds.</param>
public sealed record UniformAllocation(long Tokens, double Objective);

/// <summary>How the answer was found.</summary>
/// <param name="Method">The method.</param>
/// <param name="Iterations">Newton: sweeps over the task types. The other methods: steps.</param>
/// <param name="ContractionModulus">Bound on the Lipschitz constant of the fixed-point map over the region that holds
/// the optimum: below 1 it can contract. Null when there is no finite bound, or the queue is shared.</param>
/// <param name="GradientLipschitz">Bound on the Lipschitz constant of the gradient over the same region. Null
/// likewise.</param>
/// <param name="Exit">Why it stopped.</param>
public sealed record SolverDiagnostics(
    SolverMethod Method,
    int Iterations,
    double? ContractionModulus,
    double? GradientLipschitz,
    SolverExit Exit
)
{
    /// <summary>The formula used in place of an exact one, or null when the queueing formula is exact.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public QueueingApproximation? Approximation { get; init; }

    /// <summary>What is known of the plain fixed-point iteration, with <see cref="SolverMethod.FixedPoint"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FixedPointReport? FixedPoint { get; init; }

    /// <summary>How the continuous optimum changes with the problem. Null where the queue is shared.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Sensitivities? Sensitivities { get; init; }

    /// <summary>
    /// A proven lower bound, in seconds for a token squared, on the curvature of the objective in every direction at
    /// the continuous optimum: above 0 it certifies strict concavity there. Null where the queue is shared.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? LeastCurvature { get; init; }

    /// <summary>
    /// What plain rounding to the nearest can lose, in seconds, as known before it was done. Null with limits, which
    /// may forbid it, where it might make the queue unstable, and where the queue is shared.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? NearestLossBefore { get; init; }

    /// <summary>The same bound from what plain rounding did. Null where the queue is shared.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? NearestLossAfter { get; init; }
}

/// <summary>
/// Derivatives of the continuous optimum's objective, the allocation adapting itself and every limit staying as it is.
/// </summary>
/// <param name="ObjectivePerArrivalRate">Seconds for one arrival a second more at the fleet; at most 0.</param>
/// <param name="ObjectivePerAccuracyWeight">Seconds for one unit more of the accuracy weight: the weighted
/// accuracy.</param>
public sealed record Sensitivities(double ObjectivePerArrivalRate, double ObjectivePerAccuracyWeight);
