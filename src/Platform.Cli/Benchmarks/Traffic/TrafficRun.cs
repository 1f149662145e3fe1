using Platform.Domain.Estimation;
using Platform.Domain.Simulation;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>A moment of a run, for those who want to see why.</summary>
internal sealed record TrafficMoment
{
    /// <summary>Since the begin.</summary>
    public required int Second { get; init; }

    /// <summary>The true rate.</summary>
    public required double Rate { get; init; }

    /// <summary>What is known of the fleet; null at moments at which it was not asked for.</summary>
    public required FleetEstimate? Estimate { get; init; }

    /// <summary>The rate of the alarm that stands; 0 for none.</summary>
    public required double AlarmRate { get; init; }

    /// <summary>How many times as long as the estimate says the servers take, by that alarm; 1 for none.</summary>
    public required double AlarmServiceFactor { get; init; }

    /// <summary>The true utilization under the allocation in force.</summary>
    public required double Utilization { get; init; }

    /// <summary>That of the clairvoyant.</summary>
    public required double BestUtilization { get; init; }

    /// <summary>Mean seconds from arrival to end.</summary>
    public required double SystemSeconds { get; init; }

    /// <summary>Versions written so far.</summary>
    public required int Versions { get; init; }

    /// <summary>Early solves so far.</summary>
    public required int EarlySolves { get; init; }

    /// <summary>Tokens in force.</summary>
    public required long[] Tokens { get; init; }
}

/// <summary>Plays a scenario to a fleet under one method. The clock is the scenario's.</summary>
/// <param name="scenario">The scenario.</param>
/// <param name="method">The method.</param>
/// <param name="truth">What is true of the fleet.</param>
/// <param name="windowSeconds">Length of a window, a multiple of <see cref="TrafficTruth.StepSeconds"/>.</param>
internal sealed class TrafficRun(TrafficScenario scenario, TrafficMethod method, TrafficTruth truth, int windowSeconds)
{
    /// <summary>Seconds between two looks at the estimate, in the middle between two periodic solves.</summary>
    private const int EstimateSeconds = 300,
        EstimateOffset = 150;

    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Learns of every moment; null when nobody asks.</summary>
    public Action<TrafficMoment>? Watcher { get; init; }

    /// <summary>Plays it once.</summary>
    /// <param name="score">Where it adds up.</param>
    /// <param name="seed">Seed of what is drawn.</param>
    /// <returns>The fleet at the end.</returns>
    public TrafficFleet Play(TrafficScore score, ulong seed)
    {
        var definition = method.Apply(scenario.Definition);
        var fleet = new TrafficFleet(definition, method.Versions, Start, new Xoshiro256(seed).NextUnit());
        var windows = new TrafficWindows(definition, windowSeconds, seed)
        {
            TellsArrivalsAlone = scenario.TellsArrivalsAlone,
        };
        var server = new ServerInTruth(truth, fleet);
        for (var second = 0; second + windowSeconds <= scenario.Seconds; second += windowSeconds)
        {
            SolveUntil(fleet, second);
            var tokens = fleet.Tokens;
            for (var step = second; step < second + windowSeconds; step += TrafficTruth.StepSeconds)
            {
                SolveUntil(fleet, step);
                server.Pass(scenario.RateAt(step));
                Look(fleet, score, step, server);
            }

            var recorded = scenario.RecordedArrivals(second, second + windowSeconds);
            var window = windows.Next(Start.AddSeconds(second), MeanRate(second), recorded, tokens);
            SolveUntil(fleet, second + windowSeconds - 1);
            fleet.Take(window, window.WindowEnd);
        }

        return fleet;
    }

    private static void SolveUntil(TrafficFleet fleet, int second)
    {
        while (fleet.DueAt <= Start.AddSeconds(second))
            fleet.Solve();
    }

    private void Look(TrafficFleet fleet, TrafficScore score, int second, ServerInTruth server)
    {
        var rate = scenario.RateAt(second);
        var utilization = rate / server.Allocation.Saturation;
        var step = second / TrafficTruth.StepSeconds;
        score.AddLoad(second, utilization, truth.CanCarry(rate));
        score.AddObjective(second, rate, server.Objective, truth.BestObjectives[step], truth.SingleObjectives[step]);
        var asksForEstimate = second % EstimateSeconds == EstimateOffset;
        var estimate = asksForEstimate ? fleet.EstimateAt(Start.AddSeconds(second)) : null;
        if (estimate is not null)
            score.AddRate(estimate.ArrivalRate, rate);
        Watcher?.Invoke(
            new TrafficMoment
            {
                Second = second,
                Rate = rate,
                Estimate = estimate,
                Utilization = utilization,
                BestUtilization = rate / truth.BestIn(second / 60).Saturation,
                SystemSeconds = server.SystemSeconds,
                AlarmRate = fleet.Alarm?.ArrivalRate ?? 0,
                AlarmServiceFactor = fleet.Alarm?.ServiceFactor ?? 1,
                Versions = fleet.Versions,
                EarlySolves = fleet.EarlySolves,
                Tokens = fleet.Tokens,
            }
        );
    }

    private double MeanRate(int second)
    {
        var sum = 0.0;
        for (var step = 0; step < windowSeconds; step += TrafficTruth.StepSeconds)
            sum += scenario.RateAt(second + step);
        return sum * TrafficTruth.StepSeconds / windowSeconds;
    }

    /// <summary>A server of the fleet under the allocation that is in force.</summary>
    private sealed class ServerInTruth(TrafficTruth truth, TrafficFleet fleet)
    {
        private readonly TrafficBacklog _backlog = new();

        public TrafficAllocation Allocation { get; private set; } = truth.Of(fleet.Tokens);

        public double SystemSeconds => _backlog.SystemSeconds(Allocation);

        public double Objective => Allocation.Worth - SystemSeconds;

        public void Pass(double rate)
        {
            if (!ReferenceEquals(Allocation.Tokens, fleet.Tokens))
                Allocation = truth.Of(fleet.Tokens);
            _backlog.Pass(Allocation, rate, TrafficTruth.StepSeconds);
        }
    }
}
