using System.Text.Json.Serialization;
using Platform.Domain.Estimation;

namespace Platform.Domain.Planning;

/// <summary>Where the arrival rate of a plan comes from.</summary>
public enum PlannedRateBasis
{
    /// <summary>The plan names a rate, or a multiple of the one that a solve would take.</summary>
    Asked,

    /// <summary>The upper rate of the traffic as of now.</summary>
    Now,

    /// <summary>The upper rate, where the same hours of the days before let expect more than arrives now.</summary>
    Forecast,

    /// <summary>
    /// Less than the upper rate, at which no allocation keeps the limits: nearly the most that the fewest tokens carry,
    /// at least the rate as of now.
    /// </summary>
    Carried,

    /// <summary>More than the upper rate: that of an alarm that stands.</summary>
    Alarm,
}

/// <summary>The arrival rate that a plan is made for, beside the traffic as it is now.</summary>
public sealed record PlannedTraffic
{
    /// <summary>The rate that the plan is made for, per second: λ of its problem.</summary>
    public required double PlannedRate { get; init; }

    /// <summary>Where that rate comes from.</summary>
    public required PlannedRateBasis Basis { get; init; }

    /// <summary>Arrivals per second as of now, with their 95 % interval.</summary>
    public required IntervalEstimate ArrivalRate { get; init; }

    /// <summary>
    /// The rate that the true one is below with the probability: what a solve makes an allocation for.
    /// </summary>
    public required double UpperRate { get; init; }

    /// <summary>That probability, 0.5 to 0.999: the definition's <c>solving.arrivalRateQuantile</c>.</summary>
    public required double Probability { get; init; }

    /// <summary>What the same hours of the days before let expect; null where they say nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TrafficForecast? Forecast { get; init; }

    /// <summary>The traffic of a plan; null where the estimate knows no traffic as of now.</summary>
    /// <param name="estimate">The estimate that the plan starts from.</param>
    /// <param name="solvedRate">λ that a solve of the fleet as it is would take, per second.</param>
    /// <param name="plannedRate">λ of the plan's problem, per second.</param>
    public static PlannedTraffic? Find(FleetEstimate estimate, double solvedRate, double plannedRate)
    {
        if (estimate.Traffic is not { } traffic)
            return null;
        return new PlannedTraffic
        {
            PlannedRate = plannedRate,
            Basis = plannedRate == solvedRate ? FindBasis(traffic, solvedRate) : PlannedRateBasis.Asked,
            ArrivalRate = estimate.ArrivalRate,
            UpperRate = traffic.UpperRate,
            Probability = traffic.Probability,
            Forecast = traffic.Forecast,
        };
    }

    private static PlannedRateBasis FindBasis(TrafficEstimate traffic, double solvedRate)
    {
        if (solvedRate < traffic.UpperRate)
            return PlannedRateBasis.Carried;
        if (solvedRate > traffic.UpperRate)
            return PlannedRateBasis.Alarm;
        return traffic.UpperRate == traffic.Forecast?.UpperRate ? PlannedRateBasis.Forecast : PlannedRateBasis.Now;
    }
}
