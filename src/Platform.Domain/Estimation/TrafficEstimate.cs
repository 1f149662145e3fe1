using System.Text.Json.Serialization;

namespace Platform.Domain.Estimation;

/// <summary>The traffic as of now, beside what it was over the horizon.</summary>
/// <param name="AverageRate">
/// Arrivals per second over the horizon, weighed by age: what the rate would be had it never changed.
/// </param>
/// <param name="UpperRate">
/// The rate that the true one is below with the probability that the definition names, until the next solve: what an
/// allocation must carry. The greater of those of the rate as of now and of a forecast that is above it.
/// </param>
/// <param name="Probability">That probability, 0.5 to 0.999.</param>
public sealed record TrafficEstimate(IntervalEstimate AverageRate, double UpperRate, double Probability)
{
    /// <summary>What the hours of the days before say; null where they say nothing, and before estimator/7.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TrafficForecast? Forecast { get; init; }
}
