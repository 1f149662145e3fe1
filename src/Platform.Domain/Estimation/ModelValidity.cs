using System.Text.Json.Serialization;

namespace Platform.Domain.Estimation;

/// <summary>
/// Whether the model fits the fleet as a whole. Every figure is a number and a flag; a flag warns whoever reads it and
/// never changes the estimate. Thresholds with their reasons: <see cref="ValidityThresholds"/>.
/// </summary>
public sealed record ModelValidity
{
    /// <summary>
    /// Length in seconds of the stretches of time whose counts are compared: an age bucket, or four windows where those
    /// are long.
    /// </summary>
    public required int TimescaleSeconds { get; init; }

    /// <summary>
    /// Index of dispersion of the arrivals, variance over mean of counts in stretches of
    /// <see cref="TimescaleSeconds"/>, from successive differences: 1 for Poisson arrivals, also when their rate drifts
    /// slowly; above 1 for bursts.
    /// </summary>
    public required ValidityCheck Burstiness { get; init; }

    /// <summary>
    /// Arrival rate of the newest or oldest stretch that differs most from all others: the later rate over the earlier.
    /// A start at which only some servers reported counts too.
    /// </summary>
    public required ValidityCheck ArrivalDrift { get; init; }

    /// <summary>Tokens used over tokens granted.</summary>
    public required ValidityCheck Adherence { get; init; }

    /// <summary>Seconds since the end of the last window, and over the mean length of a window as the score.</summary>
    public required ValidityCheck Staleness { get; init; }

    /// <summary>
    /// Mean system time seen over that which the queue predicts from the seen arrival rate and service times; 0 where
    /// the prediction is that the queue grows for ever. The score is that of the logarithm. Null before estimator/4,
    /// and of servers that share.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? SystemTime { get; init; }

    /// <summary>
    /// Queries in service at a server in the mean, by Little's law; a server that serves one at a time has at most 1.
    /// The score is the mean wait seen over the mean service time, null where no system times were told. Null before
    /// estimator/4, and of servers that share.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? Concurrency { get; init; }

    /// <summary>Arrivals a second as the windows saw them over the definition's. Null before estimator/4.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? RateAgainstDefinition { get; init; }

    /// <summary>
    /// Of servers that share: mean system time seen over that which processor sharing predicts from the load of each
    /// stretch of time and from what was learnt of the servers. The score is that of the logarithm. Null of other
    /// servers, and before estimator/5.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? SharingSystemTime { get; init; }

    /// <summary>
    /// Of servers that share: the part of the system time that queries wait for a place in service; null where no
    /// system times were told. The score is the most in service in a stretch of time over maxInService, where that is
    /// set. Null of other servers, and before estimator/5.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? Saturation { get; init; }

    /// <summary>
    /// Of servers that share: tokens completed a second in the quarter of the time with most in service, over the best
    /// quarter with fewer. Servers whose memory is full complete less, the more there are in service. Null of other
    /// servers, and before estimator/5.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? MemoryCollapse { get; init; }
}

/// <summary>Whether the model fits one task type; see <see cref="ModelValidity"/>.</summary>
public sealed record TaskTypeValidity
{
    /// <summary>
    /// Index of dispersion of the share from stretch to stretch, against a constant probability: 1 for independent
    /// arrivals.
    /// </summary>
    public required ValidityCheck ShareDispersion { get; init; }

    /// <summary>
    /// Part of E[S²] that the scatter of service times around the line makes, 0 to 1: what the model's deterministic
    /// line would leave out of the wait. The score is the coefficient of variation of the residual.
    /// </summary>
    public required ValidityCheck ServiceSpread { get; init; }

    /// <summary>Tokens used over tokens granted.</summary>
    public required ValidityCheck Adherence { get; init; }

    /// <summary>χ² over degrees of freedom of the accuracy curve's fit.</summary>
    public required ValidityCheck CurveMisfit { get; init; }

    /// <summary>
    /// The largest rise of the slope of accuracy from one span of budgets to the next, per 1,000 tokens: concave curves
    /// have none.
    /// </summary>
    public required ValidityCheck Convexity { get; init; }

    /// <summary>
    /// This task type's arrival rate in the newest or oldest stretch that differs most: the later rate over the
    /// earlier.
    /// </summary>
    public required ValidityCheck ArrivalDrift { get; init; }

    /// <summary>
    /// Mean seconds by which the later service times lie above the earlier ones, beside the line, in the newest or
    /// oldest stretch that differs most.
    /// </summary>
    public required ValidityCheck ServiceDrift { get; init; }

    /// <summary>
    /// Accuracy by which the later verdicts lie above the earlier ones, beside the curve, in the newest or oldest
    /// stretch that differs most.
    /// </summary>
    public required ValidityCheck AccuracyDrift { get; init; }

    /// <summary>
    /// How much of the prior's doubt about what a token more brings is left: the variance of the logarithm of the
    /// curve's slope at the mean budget, with the verdicts over without. Flagged where more than half is left, or all
    /// verdicts are at one budget: the prior holds the curve. Null before estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? CurveIdentifiability { get; init; }

    /// <summary>
    /// The greatest fall of accuracy from one group of budgets to a larger one: curves of the model have none. Null
    /// before estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? FallingAccuracy { get; init; }

    /// <summary>
    /// Part of the verdicts that are right, where there are enough to tell; flagged where none or all are, which is
    /// more often a fault of the grader than a fact about the model. The score is the number of verdicts. Null before
    /// estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? OneSidedVerdicts { get; init; }

    /// <summary>
    /// Mean service time seen over that of the definition's line at the same tokens. Null before estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? ServiceAgainstDefinition { get; init; }

    /// <summary>
    /// Tokens that queries used in the mean though none were granted: the servers ignore that thinking is off. Null
    /// before estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? UngrantedTokens { get; init; }

    /// <summary>
    /// Of servers that share: mean time in service over that of the learnt line at the load, in the eighth of its
    /// time with most others in service. The score is that of the logarithm. Null of other servers, and before
    /// estimator/5.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? LoadResponse { get; init; }

    /// <summary>
    /// Tokens that the allocation grants over the largest budget that has verdicts; in a snapshot alone. Null before
    /// estimator/4, and in an estimate.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidityCheck? Extrapolation { get; init; }
}

/// <summary>One figure that says whether the model fits.</summary>
/// <param name="Value">The figure; null where too little was seen to tell.</param>
/// <param name="Score"> How far it is from what the model expects: a standard normal deviate, unless the figure says
/// otherwise; null where there is none.
/// </param>
/// <param name="Flagged">Whether it is beyond its threshold.</param>
public sealed record ValidityCheck(double? Value, double? Score, bool Flagged)
{
    internal static readonly ValidityCheck Unknown = new(null, null, false);
}

/// <summary>The thresholds of the flags, each with its reason.</summary>
public static class ValidityThresholds
{
    /// <summary>
    /// Significance that a single test needs: 3 standard deviations, one false alarm in 740 under a model that holds.
    /// </summary>
    public const double ZScore = 3;

    /// <summary>
    /// Significance where the largest of several scores is taken (12 stretches for drift, up to 56 triples of budgets
    /// for convexity): one false alarm in 15,800 a test, so again below one in 250 together.
    /// </summary>
    public const double LargestZScore = 4;

    /// <summary>
    /// Dispersion of arrivals that matters: the wait of a queue goes as (dispersion + cv²)/2 (Kingman, Proc. Cambridge
    /// Phil. Soc. 57,
    /// 1961), so at cv = 1 the model's wait is then 12 % too small.
    /// </summary>
    public const double Dispersion = 1.25;

    /// <summary>
    /// Part of E[S²], hence of the wait, that may come from scatter around the line before it is said aloud.
    /// </summary>
    public const double SpreadOfSecondMoment = 0.05;

    /// <summary>
    /// Relative distance of tokens used from tokens granted beyond which budgets do not govern service times.
    /// </summary>
    public const double Adherence = 0.1;

    /// <summary>
    /// How many times the predicted system time the seen one may be, either way, before a significant difference is
    /// said aloud: approximations and rounding differ by less.
    /// </summary>
    public const double SystemTimeRatio = 1.5;

    /// <summary>
    /// How many times a figure may be off what the definition says, or a system time off the prediction, before a wrong
    /// unit is asked after.
    /// </summary>
    public const double WrongUnitRatio = 10;

    /// <summary>
    /// Queries in service at a server that serves one at a time, beyond what the windows' edges explain.
    /// </summary>
    public const double Concurrency = 1.2;

    /// <summary>
    /// Part of the time in the system that queries wait at servers that share, beyond what the end of an iteration
    /// makes.
    /// </summary>
    public const double Waiting = 0.1;

    /// <summary>Part of maxInService that is in service in the mean of a stretch of time: the cap is reached.</summary>
    public const double AtCap = 0.95;

    /// <summary>
    /// Tokens completed a second with most in service over those with fewer: servers that share complete more, the more
    /// are in service.
    /// </summary>
    public const double ThroughputFall = 0.8;

    /// <summary>How many times as many must be in service where throughputs are compared.</summary>
    public const double MoreInService = 1.25;

    /// <summary>How many times a time in service may be off the line at its load.</summary>
    public const double LoadResponse = 1.05;

    /// <summary>Part of the prior's doubt about a curve's slope beyond which the prior holds it.</summary>
    public const double CurveDoubt = 0.5;

    /// <summary>
    /// Verdicts that must all be alike: with 300 the 95 % interval of the other kind ends at 1 % (the rule of three).
    /// </summary>
    public const double OneSidedVerdicts = 300;

    /// <summary>
    /// Tokens granted over the largest budget that has verdicts; budgets are pooled in cells 3 % wide.
    /// </summary>
    public const double Extrapolation = 1.1;

    /// <summary>
    /// Window lengths since the last window: one is being filled, one may be under way, the third is missing.
    /// </summary>
    public const double StaleWindows = 3;

    /// <summary>
    /// Seconds since the last window that are never stale: delivery, retries and a restart take that long.
    /// </summary>
    public const double StaleSeconds = 60;
}
