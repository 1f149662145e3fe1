using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Estimation;

/// <summary>
/// What is known of a fleet as of an instant: arrival rate, shares, service lines and accuracy curves, drawn from the
/// windows within the horizon and the definition's prior together, with their uncertainty, and whether the model fits.
/// Counts are of the windows as they came; every figure weighs them by age. Wire form: the JSON of the contract.
/// Formulas: docs/estimation.md.
/// </summary>
public sealed record FleetEstimate
{
    /// <summary>Which estimator gave it: <see cref="Estimator.EstimatorVersion"/>.</summary>
    public required string Version { get; init; }

    /// <summary>The instant from which ages are counted, UTC.</summary>
    [JsonConverter(typeof(UtcInstantConverter))]
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>Age in seconds beyond which evidence does not count.</summary>
    public required int HorizonSeconds { get; init; }

    /// <summary>The latest end of any window, UTC; null before the first.</summary>
    [JsonConverter(typeof(UtcInstantConverter))]
    public required DateTimeOffset? LastWindowEnd { get; init; }

    /// <summary>Seconds within the horizon that some window covers, each counted once.</summary>
    public required long ExposureSeconds { get; init; }

    /// <summary>Queries that arrived, of all task types, also of those that the definition does not know.</summary>
    public required long Arrivals { get; init; }

    /// <summary>Queries that ended, of all task types.</summary>
    public required long Completions { get; init; }

    /// <summary>Queries with a verdict, of all task types.</summary>
    public required long Trials { get; init; }

    /// <summary>
    /// λ, arrivals per second for the whole fleet as of now; up to estimator/5 over the horizon. Arrivals of unknown
    /// task types count, for they keep the servers busy too: leaving them out would promise time that is not there.
    /// </summary>
    public required IntervalEstimate ArrivalRate { get; init; }

    /// <summary>The traffic as of now beside that of the horizon; null before estimator/6.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TrafficEstimate? Traffic { get; init; }

    /// <summary>
    /// How queries share a server, of a fleet whose dispatch is sharing; null of others, and before estimator/5.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SharingEstimate? Sharing { get; init; }

    /// <summary>
    /// Mean seconds from arrival to end over all task types as the windows saw it; null when none told.
    /// </summary>
    public required double? MeanSystemTimeSeconds { get; init; }

    /// <summary>
    /// Tokens used over tokens granted, where both are known; null when none told. 1 means that budgets are used up.
    /// </summary>
    public required double? Adherence { get; init; }

    /// <summary>
    /// Whether the model fits the fleet as a whole; for each task type see <see cref="TaskTypeEstimate.Validity"/>.
    /// </summary>
    public required ModelValidity Validity { get; init; }

    /// <summary>One entry for each task type of the definition, in its order; the shares sum to 1.</summary>
    public required IReadOnlyList<TaskTypeEstimate> TaskTypes { get; init; }

    /// <summary>Task types that windows named and the definition does not know, in ordinal order.</summary>
    public required IReadOnlyList<UnknownTaskType> UnknownTaskTypes { get; init; }
}

/// <summary>What is known of one task type of the definition.</summary>
public sealed record TaskTypeEstimate
{
    /// <summary>The task type's id.</summary>
    public required string Id { get; init; }

    /// <summary>Queries that arrived within the horizon.</summary>
    public required long Arrivals { get; init; }

    /// <summary>Queries that ended within the horizon.</summary>
    public required long Completions { get; init; }

    /// <summary>Queries with a verdict within the horizon.</summary>
    public required long Trials { get; init; }

    /// <summary>π, share of the arrivals among the definition's task types, 0 to 1.</summary>
    public required IntervalEstimate Share { get; init; }

    /// <summary>
    /// Service time against tokens; of a fleet whose dispatch is sharing that of a query alone on its server.
    /// </summary>
    public required ServiceEstimate Service { get; init; }

    /// <summary>
    /// m, mean output tokens of a query beside the reasoning ones, of a fleet whose dispatch is sharing; null of
    /// others, and before estimator/5.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IntervalEstimate? AnswerTokens { get; init; }

    /// <summary>Accuracy against tokens.</summary>
    public required AccuracyEstimate Accuracy { get; init; }

    /// <summary>Mean tokens used a query; null when none told.</summary>
    public required double? MeanTokens { get; init; }

    /// <summary>Mean seconds from arrival to end; null when none told.</summary>
    public required double? MeanSystemTimeSeconds { get; init; }

    /// <summary>Tokens used over tokens granted; null when none told.</summary>
    public required double? Adherence { get; init; }

    /// <summary>
    /// The largest number of granted tokens that has a verdict within the horizon; null without any, and before
    /// estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? LargestBudgetTried { get; init; }

    /// <summary>Whether the model fits this task type.</summary>
    public required TaskTypeValidity Validity { get; init; }
}

/// <summary>A task type that windows named and the definition does not know.</summary>
/// <param name="Id">The id in the windows.</param>
/// <param name="Arrivals">Queries that arrived within the horizon.</param>
/// <param name="Completions">Queries that ended within the horizon.</param>
public sealed record UnknownTaskType(string Id, long Arrivals, long Completions);

/// <summary>A figure with the interval that holds the truth with 95 % probability, prior's doubt included.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="StandardError">Its standard error.</param>
/// <param name="Lower">Lower end, at most the value.</param>
/// <param name="Upper">Upper end, at least the value. An interval need not be symmetric.</param>
public sealed record IntervalEstimate(double Value, double StandardError, double Lower, double Upper);

/// <summary>The service line, its uncertainty, and how service times scatter around it.</summary>
public sealed record ServiceEstimate
{
    /// <summary>
    /// Base seconds and seconds per token, both at least 0, and the variance of a query's service time around them: the
    /// definition's without evidence, from which the data's takes over as completions come.
    /// </summary>
    public required ServiceLine Line { get; init; }

    /// <summary>a, the base in seconds.</summary>
    public required IntervalEstimate BaseSeconds { get; init; }

    /// <summary>c, seconds per token.</summary>
    public required IntervalEstimate SecondsPerToken { get; init; }

    /// <summary>Cov(a, c), in seconds² per token; the variances are the squares of the standard errors.</summary>
    public required double Covariance { get; init; }

    /// <summary>Degrees of freedom of the residual variance as the data alone give it, at least 0.</summary>
    public required double ResidualDegreesOfFreedom { get; init; }

    /// <summary>
    /// Whether the data say more of the slope than the prior does. At a single number of tokens they say nothing of it,
    /// and the prior holds.
    /// </summary>
    public required bool Identifiable { get; init; }

    /// <summary>
    /// Of servers that share: the doubt of the time in service at the load that was seen, which is known better than
    /// the line and the overhead by themselves. Null elsewhere, and without completions.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ServicePace? Pace { get; init; }

    /// <summary>Mean service time at a number of tokens, in seconds.</summary>
    /// <param name="tokens">At least 0.</param>
    public IntervalEstimate SecondsAt(double tokens)
    {
        var (a, c) = (BaseSeconds.StandardError, SecondsPerToken.StandardError);
        var variance = (a * a) + (2 * tokens * Covariance) + (tokens * tokens * c * c);
        return Interval.Normal(Line.SecondsAt(tokens), Math.Sqrt(Math.Max(variance, 0)), 0);
    }
}

/// <summary>
/// The doubt of the time in service with N others, (a + c·l)(1 + N) − α (m + l) N, of a query of l tokens.
/// </summary>
/// <param name="InService">N, the mean number in service that was seen.</param>
/// <param name="BaseStandardError">Standard error of the part that does not depend on the tokens, seconds.</param>
/// <param name="PerTokenStandardError">Standard error of the seconds per token.</param>
/// <param name="Covariance">Covariance of the two, seconds² per token.</param>
public sealed record ServicePace(
    double InService,
    double BaseStandardError,
    double PerTokenStandardError,
    double Covariance
);

/// <summary>The accuracy curve, its uncertainty, and how it was found.</summary>
public sealed record AccuracyEstimate
{
    /// <summary>
    /// Floor, gain and rate: floor and gain ≥ 0, floor + gain at most 1. The floor is below 0 only where the
    /// definition's is, and up to estimator/3: the accuracy is then 0 up to some number of tokens. Where hundreds of
    /// verdicts are all wrong the gain is 0: nothing says that tokens bring anything.
    /// </summary>
    public required AccuracyCurve Curve { get; init; }

    /// <summary>Covariance of floor, gain and rate, by the delta method.</summary>
    public required AccuracyCurveCovariance Covariance { get; init; }

    /// <summary>
    /// Whether the verdicts say more of the curve's slope than the prior does. At a single budget they say nothing of
    /// it, and the prior holds. Null without verdicts, and before estimator/4.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Identifiable { get; init; }

    /// <summary>
    /// Part of the prior's doubt about the slope that is left, 0 to 1; null as <see cref="Identifiable"/> is.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DoubtLeft { get; init; }

    /// <summary>How well the curve fits the verdicts; null with too few different budgets to judge by.</summary>
    public required GoodnessOfFit? Fit { get; init; }

    /// <summary>Why the fit ended.</summary>
    public required FitExit Exit { get; init; }

    /// <summary>Steps that the fit took.</summary>
    public required int Iterations { get; init; }

    /// <summary>
    /// Probability of a right answer with a number of granted tokens, within 0 and 1; the interval is normal in the
    /// logit.
    /// </summary>
    /// <param name="tokens">At least 0.</param>
    public IntervalEstimate AccuracyAt(double tokens)
    {
        var decay = Elementary.Exp(-Curve.RatePerToken * tokens);
        var accuracy = Math.Clamp(Curve.Floor + (Curve.Gain * (1 - decay)), 0, 1);
        var variance = Covariance.Form(1, 1 - decay, Curve.Gain * tokens * decay);
        return Interval.Logit(accuracy, Math.Sqrt(Math.Max(variance, 0)));
    }
}

/// <summary>The covariance matrix of an accuracy curve's parameters, upper triangle.</summary>
/// <param name="FloorFloor">Variance of the floor.</param>
/// <param name="FloorGain">Covariance of floor and gain.</param>
/// <param name="FloorRate">Covariance of floor and rate.</param>
/// <param name="GainGain">Variance of the gain.</param>
/// <param name="GainRate">Covariance of gain and rate.</param>
/// <param name="RateRate">Variance of the rate.</param>
public sealed record AccuracyCurveCovariance(
    double FloorFloor,
    double FloorGain,
    double FloorRate,
    double GainGain,
    double GainRate,
    double RateRate
)
{
    /// <summary>vᵀ·Cov·v, the variance of a function with gradient v in (floor, gain, rate).</summary>
    public double Form(double floor, double gain, double rate) =>
        (floor * ((floor * FloorFloor) + (2 * gain * FloorGain) + (2 * rate * FloorRate)))
        + (gain * ((gain * GainGain) + (2 * rate * GainRate)))
        + (rate * rate * RateRate);
}

/// <summary>Pearson's test of a fit.</summary>
/// <param name="ChiSquared">Σ (seen − expected)²/variance over pooled budgets.</param>
/// <param name="DegreesOfFreedom">Pooled budgets less fitted parameters, at least 1.</param>
/// <param name="ZScore">χ² as a standard normal deviate (Wilson and Hilferty): about 0 for a good fit, above 3 for a
/// bad one.</param>
public sealed record GoodnessOfFit(double ChiSquared, int DegreesOfFreedom, double ZScore);

/// <summary>Why an iterative fit ended.</summary>
public enum FitExit
{
    /// <summary>There was nothing to fit: the prior holds.</summary>
    Prior,

    /// <summary>The next step would gain nothing that matters.</summary>
    Converged,

    /// <summary>No step along the direction of ascent gained anything: the limit of the arithmetic.</summary>
    Stalled,

    /// <summary>The cap on the number of steps was reached; the best point so far is given.</summary>
    IterationCap,
}
