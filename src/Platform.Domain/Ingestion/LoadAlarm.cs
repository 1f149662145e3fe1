using System.Text.Json.Serialization;
using Platform.Domain.Contracts;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Ingestion;

/// <summary>
/// Windows that bring more work than the servers can do under the allocation in force. The estimate follows a change
/// over half a horizon; until it has, or until the windows fall below the alarm again, solves count with the alarm's
/// figures where they are the greater.
/// </summary>
public sealed record LoadAlarm
{
    /// <summary>When it was raised first, UTC.</summary>
    [JsonConverter(typeof(UtcInstantConverter))]
    public required DateTimeOffset Since { get; init; }

    /// <summary>
    /// Arrivals per second of the whole fleet as the windows tell them; 0 where the arrivals are as expected.
    /// </summary>
    public required double ArrivalRate { get; init; }

    /// <summary>How many times as long as the estimate says the servers take, at least 1.</summary>
    public required double ServiceFactor { get; init; }

    /// <summary>The alarm that windows raise.</summary>
    /// <param name="standing">The one that stands already, or null.</param>
    /// <param name="expectation">What the last solve expected.</param>
    /// <param name="excess">How much more came.</param>
    /// <param name="now">The moment.</param>
    public static LoadAlarm Raise(
        LoadAlarm? standing,
        WorkloadExpectation expectation,
        WorkloadExcess excess,
        DateTimeOffset now
    )
    {
        var hasMoreArrivals = excess.ArrivalFactor > 1;
        var seenRate = expectation.FleetArrivalRate * excess.ArrivalFactor;
        return new LoadAlarm
        {
            Since = standing?.Since ?? now,
            ArrivalRate = hasMoreArrivals ? seenRate : standing?.ArrivalRate ?? 0,
            ServiceFactor = Math.Max(expectation.ServiceFactor * excess.ServiceFactor, 1),
        };
    }

    /// <summary>
    /// Whether it still stands: after half a horizon the estimate rests on windows that have come since.
    /// </summary>
    /// <param name="at">The moment.</param>
    /// <param name="horizonSeconds">The fleet's horizon.</param>
    public bool StandsAt(DateTimeOffset at, int horizonSeconds) => at < Since.AddSeconds(horizonSeconds / 2.0);

    /// <summary>Whether solves count otherwise for it.</summary>
    /// <param name="arrivalRate">λ of the estimate.</param>
    public bool Exceeds(double arrivalRate) => ArrivalRate > arrivalRate || ServiceFactor > 1;
}

/// <summary>How much more, or less, windows bring than was expected; 1 where nothing was decided.</summary>
/// <param name="Reason">Why the fleet should be solved.</param>
/// <param name="ArrivalFactor">Arrivals seen over expected.</param>
/// <param name="ServiceFactor">Time on the servers seen over expected.</param>
public sealed record WorkloadExcess(SolveReason Reason, double ArrivalFactor, double ServiceFactor)
{
    /// <summary>Whether less came than was expected, of the one or the other.</summary>
    public bool IsLess => ArrivalFactor < 1 || ServiceFactor < 1;
}
