using System.Text.Json.Serialization;
using Platform.Domain.Contracts;

namespace Platform.Domain.Estimation;

/// <summary>
/// The rate that the same hours of the days before let expect for the coming period: there only where that has
/// predicted better than the present does.
/// </summary>
public sealed record TrafficForecast
{
    /// <summary>The end of the coming period, UTC.</summary>
    [JsonConverter(typeof(UtcInstantConverter))]
    public required DateTimeOffset Until { get; init; }

    /// <summary>
    /// The greatest arrival rate until then and half a quarter of an hour on, per second, with its 95 % interval: by
    /// quarters of an hour a jump is not told from a rise.
    /// </summary>
    public required IntervalEstimate Rate { get; init; }

    /// <summary>
    /// The rate that it is below with the definition's probability, per second: <see cref="TrafficEstimate.UpperRate"/>
    /// where allocations are made for the forecast.
    /// </summary>
    public required double UpperRate { get; init; }

    /// <summary>
    /// Which hours it is drawn from: <c>yesterday</c>, <c>days</c> (up to the last seven) or <c>weekday</c>.
    /// </summary>
    public required string Hours { get; init; }

    /// <summary>
    /// Root mean square error of such forecasts of the quarters of an hour seen so far, over that of the best guess
    /// from the present alone: above 0, below 1.
    /// </summary>
    public required double ErrorRatio { get; init; }
}
