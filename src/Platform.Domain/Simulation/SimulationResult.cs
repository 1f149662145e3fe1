using System.Text.Json.Serialization;

namespace Platform.Domain.Simulation;

/// <summary>How long to simulate, and with which random numbers.</summary>
public sealed record SimulationOptions
{
    /// <summary>
    /// Queries to simulate, at least 1, those of the warm-up included. A trace brings its own number.
    /// </summary>
    public long Arrivals { get; init; } = 1_000_000;

    /// <summary>Any number; equal seeds give equal results.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Told now and then how many arrivals are done; or null.</summary>
    public Action<long>? Progress { get; init; }
}

/// <summary>A simulated mean.</summary>
/// <param name="MeanSeconds">Mean over the measured queries, seconds.</param>
/// <param name="StandardErrorSeconds">Standard error of that mean, from the batches; null without batches.</param>
/// <param name="LowSeconds">Lower end of the 95 % confidence interval, seconds; null without batches.</param>
/// <param name="HighSeconds">Its upper end.</param>
public sealed record SimulatedMean(
    double MeanSeconds,
    double? StandardErrorSeconds,
    double? LowSeconds,
    double? HighSeconds
);

/// <summary>A simulated mean of something that is not a time.</summary>
/// <param name="Mean">Mean over the measured time.</param>
/// <param name="StandardError">Standard error of that mean, from the batches; null without batches.</param>
/// <param name="Low">Lower end of the 95 % confidence interval; null without batches.</param>
/// <param name="High">Its upper end.</param>
public sealed record SimulatedFigure(double Mean, double? StandardError, double? Low, double? High)
{
    internal SimulatedMean Seconds => new(Mean, StandardError, Low, High);
}

/// <summary>What the queries of one task type saw.</summary>
/// <param name="TaskType">Its id.</param>
/// <param name="Count">Measured queries.</param>
/// <param name="MeanSystemTimeSeconds">Mean seconds from arrival to end; null without a query.</param>
public sealed record SimulatedTaskType(string TaskType, long Count, double? MeanSystemTimeSeconds)
{
    /// <summary>Seconds from arrival to end; of servers that batch alone, as all that follows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedMean? SystemTime { get; init; }

    /// <summary>Seconds from arrival to the start of service.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedMean? Wait { get; init; }

    /// <summary>
    /// Seconds from arrival to the first token of the answer, or to the end of a query that has no answer.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedMean? TimeToFirstAnswerToken { get; init; }

    /// <summary>Seconds from one output token of a query to the next; null without such a pair.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedMean? InterToken { get; init; }
}

/// <summary>
/// What a simulation saw. The means are over the measured queries. Their intervals come from batch means (Schmeiser
/// 1982, "Batch size effects in the analysis of simulation output": 10 to 30 batches are enough): the measured queries
/// in order, cut into 30 batches of equal length, whose means are almost independent if the batches are long, and
/// Student's t with 29 degrees of freedom.
/// </summary>
public sealed record SimulationResult
{
    /// <summary>
    /// Batches of the intervals: 30, or 0 with fewer than 300 arrivals, where no interval would mean much.
    /// </summary>
    public required int Batches { get; init; }

    /// <summary>
    /// Queries of the warm-up, served but not measured: the first tenth and what the batches leave over; 0 without
    /// batches.
    /// </summary>
    public required long WarmUpArrivals { get; init; }

    /// <summary>Queries measured.</summary>
    public required long MeasuredArrivals { get; init; }

    /// <summary>
    /// Correlation of the system time's successive batch means, −1 to 1; null without batches. Well above 0.3, the
    /// batches are too short for the load and the interval is too narrow.
    /// </summary>
    public required double? BatchCorrelation { get; init; }

    /// <summary>Seconds from arrival to end.</summary>
    public required SimulatedMean SystemTime { get; init; }

    /// <summary>Seconds from arrival to the start of service.</summary>
    public required SimulatedMean Wait { get; init; }

    /// <summary>
    /// Mean seconds on a server; where it batches, those that the queries would take if each were alone.
    /// </summary>
    public required double MeanServiceSeconds { get; init; }

    /// <summary>
    /// Part of the time that a server was busy between the first and the last measured arrival, 0 to 1. Of a server
    /// that batches, which is busy with any number of queries, the work that the tokens added over the time; with a cap
    /// on the queries in service each token also counts its part of a full iteration's overhead.
    /// </summary>
    public required double Utilization { get; init; }

    /// <summary>
    /// Work that arrived in that time over what the servers could have done, at least 0; null when work came in no time
    /// at all.
    /// </summary>
    public required double? OfferedLoad { get; init; }

    /// <summary>
    /// Whether the offered load was below 1. If not, the queue grows for as long as the simulation lasts, and its means
    /// say little.
    /// </summary>
    public required bool Stable { get; init; }

    /// <summary>
    /// Seconds from arrival to the first token of the answer, or to the end of a query that has no answer; of servers
    /// that batch alone, as all that follows.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedMean? TimeToFirstAnswerToken { get; init; }

    /// <summary>
    /// Seconds from one output token of a query to the next, over all tokens; null without such a pair.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedMean? InterToken { get; init; }

    /// <summary>Queries in service on a server, over time.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedFigure? InService { get; init; }

    /// <summary>Queries at a server, those that wait included, over time.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedFigure? InSystem { get; init; }

    /// <summary>Part of the time that a server had any query in service.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedFigure? BusyShare { get; init; }

    /// <summary>Queries of the whole fleet that ended in a second.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedFigure? QueriesPerSecond { get; init; }

    /// <summary>Output tokens that the whole fleet made in a second.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SimulatedFigure? OutputTokensPerSecond { get; init; }

    /// <summary>Iterations of all servers in the measured time.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Iterations { get; init; }

    /// <summary>One entry for each task type, in the problem's order.</summary>
    public required IReadOnlyList<SimulatedTaskType> TaskTypes { get; init; }
}
