using Platform.Domain.Estimation;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>A moment of a run, for those who want to see why.</summary>
/// <param name="Second">Since the begin.</param>
/// <param name="Rate">The true rate.</param>
/// <param name="Utilization">The true utilization under the allocation in force.</param>
/// <param name="BestUtilization">That of the clairvoyant.</param>
/// <param name="AlarmRate">The rate of the alarm that stands; 0 for none.</param>
/// <param name="Versions">Versions written so far.</param>
/// <param name="EarlySolves">Early solves so far.</param>
/// <param name="Tokens">Tokens in force.</param>
internal sealed record TrafficMoment(
    int Second, double Rate, double Utilization, double BestUtilization, double AlarmRate, int Versions, int EarlySolves,
    long[] Tokens)
{
    /// <summary>The estimate of the rate and its interval; null at moments at which it was not asked for.</summary>
    public IntervalEstimate? Estimate { get; init; }
}

/// <summary>Plays a scenario to a fleet under one method. The clock is the scenario's.</summary>
/// <param name="scenario">The scenario.</param>
/// <param name="method">The method.</param>
/// <param name="truth">What is true of the fleet.</param>
/// <param name="windowSeconds">Length of a window, a multiple of <see cref="StepSeconds"/>.</param>
internal sealed class TrafficRun(TrafficScenario scenario, TrafficMethod method, TrafficTruth truth, int windowSeconds)
{
    /// <summary>Seconds between two looks at the fleet.</summary>
    public const int StepSeconds = 10;

    /// <summary>Seconds between two looks at the estimate, in the middle between two periodic solves.</summary>
    private const int EstimateSeconds = 300, EstimateOffset = 150;

    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Learns of every moment; null when nobody asks.</summary>
    public Action<TrafficMoment>? Watcher { get; init; }

    /// <summary>Plays it once.</summary>
    /// <param name="score">Where it adds up.</param>
    /// <param name="single">The best single budget, as an allocation.</param>
    /// <param name="seed">Seed of what is drawn.</param>
    /// <returns>The fleet at the end.</returns>
    public TrafficFleet Play(TrafficScore score, long[] single, ulong seed)
    {
        var definition = method.Apply(scenario.Definition);
        var fleet = new TrafficFleet(definition, method.Versions, Start);
        var windows = new TrafficWindows(definition, windowSeconds, seed);
        var singleSaturation = truth.Saturation(single);
        var saturations = new SaturationOf(truth);
        for (var second = 0; second + windowSeconds <= scenario.Seconds; second += windowSeconds)
        {
            SolveUntil(fleet, second);
            var tokens = fleet.Tokens;
            for (var step = second; step < second + windowSeconds; step += StepSeconds)
            {
                SolveUntil(fleet, step);
                Look(fleet, score, step, saturations.At(fleet.Tokens), (single, singleSaturation));
            }

            var window = windows.Next(
                Start.AddSeconds(second), MeanRate(second), scenario.RecordedArrivals(second, second + windowSeconds), tokens);
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

    private void Look(
        TrafficFleet fleet, TrafficScore score, int second, double saturation, (long[] Tokens, double Saturation) single)
    {
        var rate = scenario.RateAt(second);
        var utilization = rate / saturation;
        score.AddLoad(second, utilization, truth.CanCarry(rate));
        score.AddObjective(
            second, rate, truth.Objective(fleet.Tokens, saturation, rate), truth.BestObjective(rate),
            truth.Objective(single.Tokens, single.Saturation, rate));
        var asksForEstimate = second % EstimateSeconds == EstimateOffset;
        var estimate = asksForEstimate ? fleet.EstimateAt(Start.AddSeconds(second)).ArrivalRate : null;
        if (estimate is not null)
            score.AddRate(estimate, rate);
        if (Watcher is null)
            return;
        var best = rate / truth.Saturation(truth.Best(rate));
        Watcher(new TrafficMoment(
            second, rate, utilization, best, fleet.Alarm?.ArrivalRate ?? 0, fleet.Versions, fleet.EarlySolves, fleet.Tokens)
        {
            Estimate = estimate,
        });
    }

    private double MeanRate(int second)
    {
        var sum = 0.0;
        for (var step = 0; step < windowSeconds; step += StepSeconds)
            sum += scenario.RateAt(second + step);
        return sum * StepSeconds / windowSeconds;
    }

    /// <summary>The saturation of an allocation, kept while the allocation stays.</summary>
    private sealed class SaturationOf(TrafficTruth truth)
    {
        private long[]? _tokens;
        private double _saturation;

        public double At(long[] tokens)
        {
            if (!ReferenceEquals(tokens, _tokens))
                _saturation = truth.Saturation(tokens);
            _tokens = tokens;
            return _saturation;
        }
    }
}
