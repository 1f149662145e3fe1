using Platform.Domain.Allocation;

namespace Platform.Domain.Simulation;

/// <summary>
/// Seeded discrete-event simulation of a fleet's FIFO queues, or of its servers that batch. It takes problems as data
/// and shares no formula with the analysis of queues, so that each can check the other. Bounded memory for any number
/// of arrivals; equal input gives equal results.
/// </summary>
public static class QueueSimulator
{
    /// <summary>
    /// Simulates Poisson arrivals at the problem's rate. At rate 0, every query finds an empty fleet.
    /// </summary>
    /// <param name="problem">A valid problem.</param>
    /// <param name="tokens">Tokens of each type, at least 0, in the problem's order. They may break the problem's
    /// limits, and be unstable.</param>
    /// <param name="options">Length and seed.</param>
    public static SimulationResult Simulate(
        AllocationProblem problem,
        ReadOnlySpan<long> tokens,
        SimulationOptions options
    )
    {
        if (problem.Dispatch == Dispatch.Sharing)
            return BatchingSimulator.Simulate(SharingServers.Of(problem, tokens), problem.ArrivalRate, options);
        var arrivals = new PoissonArrivals(problem.ArrivalRate, TypesByShare(problem));
        return Simulate(problem, tokens, arrivals, options.Arrivals, options);
    }

    /// <summary>Simulates recorded arrivals.</summary>
    /// <param name="problem">A valid problem; its arrival rate is not used, its shares only where the trace has no
    /// types.</param>
    /// <param name="tokens">Tokens of each type, at least 0, in the problem's order.</param>
    /// <param name="trace">The arrivals, all of which are simulated.</param>
    /// <param name="options">Seed, for what the trace leaves open.</param>
    /// <exception cref="ArgumentException">A type of the trace is not in the problem.</exception>
    public static SimulationResult Simulate(
        AllocationProblem problem,
        ReadOnlySpan<long> tokens,
        ArrivalTrace trace,
        SimulationOptions options
    )
    {
        if (trace.TaskTypes is { } types && types.AsSpan().ContainsAnyExceptInRange(0, problem.TaskTypes.Count - 1))
            throw new ArgumentException(
                $"The trace has a type that is not one of the problem's {problem.TaskTypes.Count}.",
                nameof(trace)
            );
        if (problem.Dispatch == Dispatch.Sharing)
            return BatchingSimulator.Simulate(SharingServers.Of(problem, tokens), trace, options);
        return Simulate(
            problem,
            tokens,
            new TracedArrivals(trace, TypesByShare(problem)),
            trace.InstantsSeconds.Length,
            options
        );
    }

    private static SimulationResult Simulate<TArrivals>(
        AllocationProblem problem,
        ReadOnlySpan<long> tokens,
        TArrivals process,
        long arrivals,
        SimulationOptions options
    )
        where TArrivals : struct, IArrivalProcess
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(arrivals, 1, nameof(options));
        var service = ServiceSeconds(problem, tokens);
        var scatter = Scatter(problem, service);
        return problem.Dispatch == Dispatch.Shared
            ? new QueueRun<TArrivals, SharedServers>(process, new(problem.Servers), service, scatter, options).Measure(
                problem,
                arrivals
            )
            : new QueueRun<TArrivals, SplitServers>(process, new(problem.Servers), service, scatter, options).Measure(
                problem,
                arrivals
            );
    }

    private static AliasTable TypesByShare(AllocationProblem problem) =>
        new([.. problem.TaskTypes.Select(type => type.Share)]);

    /// <summary>The law of each type's service time; null where all are fixed, which then cost nothing.</summary>
    private static GammaLaw[]? Scatter(AllocationProblem problem, double[] seconds) =>
        problem.TaskTypes.All(type => type.Service.VarianceSecondsSquared == 0)
            ? null
            : [.. problem.TaskTypes.Select((type, k) => new GammaLaw(seconds[k], type.Service.VarianceSecondsSquared))];

    private static double[] ServiceSeconds(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        if (tokens.Length != problem.TaskTypes.Count)
            throw new ArgumentException(
                $"There are {problem.TaskTypes.Count} task types and {tokens.Length} numbers of tokens.",
                nameof(tokens)
            );
        var seconds = new double[tokens.Length];
        for (var k = 0; k < seconds.Length; k++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(tokens[k], nameof(tokens));
            seconds[k] = problem.TaskTypes[k].Service.SecondsAt(tokens[k]);
        }

        return seconds;
    }
}
