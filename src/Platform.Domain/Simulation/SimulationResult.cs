namespace Platform.Domain.Simulation;

/// <summary>How long to simulate, and with which random numbers.</summary>
public sealed record SimulationOptions
{
    /// <summary>Queries to simulate, at least 1, those of the warm-up included. A trace brings its own number.</summary>
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
public sealed record SimulatedMean(double MeanSeconds, double? StandardErrorSeconds, double? LowSeconds, double? HighSeconds);

/// <summary>What the queries of one task type saw.</summary>
/// <param name="TaskType">Its id.</param>
/// <param name="Count">Measured queries.</param>
/// <param name="MeanSystemTimeSeconds">Mean seconds from arrival to end; null without a query.</param>
public sealed record SimulatedTaskType(string TaskType, long Count, double? MeanSystemTimeSeconds);

/// <summary>
/// What a simulation saw. The means are over the measured queries. Their intervals come from batch means (Schmeiser 1982, "Batch size effects
/// in the analysis of simulation output": 10 to 30 batches are enough): the measured queries in order, cut into 30 batches of equal length,
/// whose means are almost independent if the batches are long, and Student's t with 29 degrees of freedom.
/// </summary>
public sealed record SimulationResult
{
    /// <summary>Batches of the intervals: 30, or 0 with fewer than 300 arrivals, where no interval would mean much.</summary>
    public required int Batches { get; init; }

    /// <summary>Queries of the warm-up, served but not measured: the first tenth and what the batches leave over; 0 without batches.</summary>
    public required long WarmUpArrivals { get; init; }

    /// <summary>Queries measured.</summary>
    public required long MeasuredArrivals { get; init; }

    /// <summary>
    /// Correlation of the system time's successive batch means, −1 to 1; null without batches. Well above 0.3, the batches are too short for
    /// the load and the interval is too narrow.
    /// </summary>
    public required double? BatchCorrelation { get; init; }

    /// <summary>Seconds from arrival to end.</summary>
    public required SimulatedMean SystemTime { get; init; }

    /// <summary>Seconds from arrival to the start of service.</summary>
    public required SimulatedMean Wait { get; init; }

    /// <summary>Mean seconds on a server.</summary>
    public required double MeanServiceSeconds { get; init; }

    /// <summary>Part of the time that a server was busy between the first and the last measured arrival, 0 to 1.</summary>
    public required double Utilization { get; init; }

    /// <summary>Work that arrived in that time over what the servers could have done, at least 0; null when work came in no time at all.</summary>
    public required double? OfferedLoad { get; init; }

    /// <summary>Whether the offered load was below 1. If not, the queue grows for as long as the simulation lasts, and its means say little.</summary>
    public required bool Stable { get; init; }

    /// <summary>One entry for each task type, in the problem's order.</summary>
    public required IReadOnlyList<SimulatedTaskType> TaskTypes { get; init; }
}
