using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Domain.Estimation;

/// <summary>
/// What is known of a fleet as of an instant: arrival rate, shares, service lines and accuracy curves, drawn from the windows within
/// the horizon and the definition's prior together, with their uncertainty. Counts are of the windows as they came; every figure
/// weighs them by age. Wire form: the JSON of the contract.
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
    /// λ, arrivals per second for the whole fleet. Arrivals of unknown task types count, for they keep the servers busy too: leaving
    /// them out would promise time that is not there.
    /// </summary>
    public required IntervalEstimate ArrivalRate { get; init; }

    /// <summary>Mean seconds from arrival to end over all task types as the windows saw it; null when none told.</summary>
    public required double? MeanSystemTimeSeconds { get; init; }

    /// <summary>Tokens used over tokens granted, where both are known; null when none told. 1 means that budgets are used up.</summary>
    public required double? Adherence { get; init; }

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

    /// <summary>Service time against tokens.</summary>
    public required ServiceEstimate Service { get; init; }

    /// <summary>Accuracy against tokens.</summary>
    public required AccuracyEstimate Accuracy { get; init; }

    /// <summary>Mean tokens used a query; null when none told.</summary>
    public required double? MeanTokens { get; init; }

    /// <summary>Mean seconds from arrival to end; null when none told.</summary>
    public required double? MeanSystemTimeSeconds { get; init; }

    /// <summary>Tokens used over tokens granted; null when none told.</summary>
    public required double? Adherence { get; init; }
}

/// <summary>A task type that windows named and the definition does not know.</summary>
/// <param name="Id">The id in the windows.</param>
/// <param name="Arrivals">Queries that arrived within the horizon.</param>
/// <param name="Completions">Queries that ended within the horizon.</param>
public sealed record UnknownTaskType(string Id, long Arrivals, long Completions);

/// <summary>A figure with the interval that holds the truth with 95 % probability.</summary>
/// <param name="Value">Posterior mean.</param>
/// <param name="Lower">Lower end, at most the value.</param>
/// <param name="Upper">Upper end, at least the value.</param>
public sealed record IntervalEstimate(double Value, double Lower, double Upper);

/// <summary>The service line with its uncertainty.</summary>
/// <param name="Line">Base seconds and seconds per token, both at least 0.</param>
/// <param name="StandardError">Standard errors; null with fewer than three completions, which leave no residual to judge by.</param>
public sealed record ServiceEstimate(ServiceLine Line, ServiceLineError? StandardError);

/// <summary>Standard errors of a service line.</summary>
/// <param name="BaseSeconds">Of the base, in seconds.</param>
/// <param name="SecondsPerToken">Of the slope, in seconds per token.</param>
public sealed record ServiceLineError(double BaseSeconds, double SecondsPerToken);

/// <summary>The accuracy curve with its uncertainty and how it was found.</summary>
/// <param name="Curve">Floor, gain and rate: floor ≥ 0, gain ≥ 0, floor + gain ≤ 1.</param>
/// <param name="StandardError">Standard errors; null without a verdict.</param>
/// <param name="Exit">Why the fit ended.</param>
/// <param name="Iterations">Steps that the fit took.</param>
public sealed record AccuracyEstimate(AccuracyCurve Curve, AccuracyCurveError? StandardError, FitExit Exit, int Iterations);

/// <summary>Standard errors of an accuracy curve, by the delta method.</summary>
/// <param name="Floor">Of the floor.</param>
/// <param name="Gain">Of the gain.</param>
/// <param name="RatePerToken">Of the rate, per token.</param>
public sealed record AccuracyCurveError(double Floor, double Gain, double RatePerToken);

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
