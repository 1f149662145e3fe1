namespace Platform.Domain.Simulation;

/// <summary>
/// Measures a fleet of servers that batch by simulating each iteration. It knows constants of servers and tokens of
/// queries, and no formula of the analysis of queues, so that each can check the other. Equal input gives equal
/// results.
/// </summary>
public static class BatchingSimulator
{
    /// <summary>Simulates Poisson arrivals. At rate 0, every query finds an idle server.</summary>
    /// <param name="fleet">The servers and task types.</param>
    /// <param name="arrivalsPerSecond">Arrivals per second at the whole fleet, at least 0.</param>
    /// <param name="options">Length and seed.</param>
    public static SimulationResult Simulate(BatchingFleet fleet, double arrivalsPerSecond, SimulationOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Arrivals, 1, nameof(options));
        var arrivals = new PoissonArrivals(arrivalsPerSecond, fleet.TypesByShare);
        return new BatchingRun<PoissonArrivals>(fleet, arrivals, options.Arrivals, options).Measure();
    }

    /// <summary>Simulates recorded arrivals.</summary>
    /// <param name="fleet">The servers and task types; its shares are used only where the trace has no types.</param>
    /// <param name="trace">The arrivals, all of which are simulated.</param>
    /// <param name="options">Seed, for what the trace leaves open.</param>
    /// <exception cref="ArgumentException">A type of the trace is not in the fleet.</exception>
    public static SimulationResult Simulate(BatchingFleet fleet, ArrivalTrace trace, SimulationOptions options)
    {
        var count = fleet.Types.Count;
        if (trace.TaskTypes is { } types && types.AsSpan().ContainsAnyExceptInRange(0, count - 1))
            throw new ArgumentException($"The trace has a type that is not one of the fleet's {count}.", nameof(trace));
        var arrivals = new TracedArrivals(trace, fleet.TypesByShare);
        return new BatchingRun<TracedArrivals>(fleet, arrivals, trace.InstantsSeconds.Length, options).Measure();
    }
}
