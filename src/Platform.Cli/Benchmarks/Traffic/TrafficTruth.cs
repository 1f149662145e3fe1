using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Planning;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>What allocations do in truth, by the true curves, lines and rate.</summary>
internal sealed class TrafficTruth
{
    /// <summary>
    /// The objective of servers that are busier than this counts as it is at a rate that makes them so busy: beyond,
    /// a stationary mean says nothing.
    /// </summary>
    public const double MostUtilization = 0.99;

    /// <summary>A rate at which every allocation is stable, as a part of the mean one.</summary>
    private const double LittleRate = 1e-5;

    private readonly AllocationProblem _limited, _free;
    private readonly Dictionary<double, long[]> _best = [];
    private readonly Dictionary<double, double> _bestObjective = [];
    private readonly double _fewestSaturation;
    private readonly long[] _fewest;

    public TrafficTruth(FleetDefinition definition)
    {
        _limited = ProblemBuilder.OfDefinition(definition);
        _free = _limited with { MaxUtilization = null };
        _fewest = [.. definition.TaskTypes.Select(type => type.MinTokens)];
        _fewestSaturation = Saturation(_fewest);
    }

    /// <summary>λ at which an allocation makes the servers wholly busy, per second.</summary>
    public double Saturation(long[] tokens)
    {
        var little = _free with { ArrivalRate = LittleRate * _free.ArrivalRate };
        return LoadCurve.Trace(little, tokens, 2)!.SaturationRate;
    }

    /// <summary>Whether some allocation is stable at a rate.</summary>
    public bool CanCarry(double rate) => rate < _fewestSaturation;

    /// <summary>The objective of an allocation at a rate, of a busy one at <see cref="MostUtilization"/>.</summary>
    public double Objective(long[] tokens, double saturation, double rate)
    {
        var counted = Math.Min(rate, MostUtilization * saturation);
        return AllocationSolver.Objective(_free with { ArrivalRate = counted }, tokens);
    }

    /// <summary>The best allocation at a rate; the fewest tokens where none keeps the limits.</summary>
    public long[] Best(double rate)
    {
        if (_best.TryGetValue(rate, out var known))
            return known;
        var answer = AllocationSolver.SolveInSteps(_limited with { ArrivalRate = rate }).Answer;
        long[] tokens = answer.Allocation is { } allocation ? [.. allocation.Select(type => type.Tokens)] : _fewest;
        return _best[rate] = tokens;
    }

    /// <summary>The objective of <see cref="Best"/>.</summary>
    public double BestObjective(double rate)
    {
        if (_bestObjective.TryGetValue(rate, out var known))
            return known;
        var tokens = Best(rate);
        return _bestObjective[rate] = Objective(tokens, Saturation(tokens), rate);
    }

    /// <summary>
    /// The one number of tokens for every query of every minute that is best over them all, known beforehand.
    /// </summary>
    /// <param name="rates">λ of each minute.</param>
    /// <returns>The allocation that grants it to every type.</returns>
    public long[] BestSingle(double[] rates)
    {
        const double Coarse = 1.4;
        var counts = rates.GroupBy(rate => rate).ToDictionary(it => it.Key, it => it.Count());
        var bestTokens = 0L;
        var bestWorth = WorthOfSingle(0, counts);
        for (var tokens = 1.0; tokens < _free.TaskTypes[0].MaxTokens; tokens *= Coarse)
            Try((long)Math.Round(tokens));
        for (var step = Math.Max(bestTokens / 4, 1); step >= 1; step = step == 1 ? 0 : (step + 1) / 2)
        {
            Try(bestTokens + step);
            Try(bestTokens - step);
        }

        return SameForAll(bestTokens);

        void Try(long tokens)
        {
            var worth = tokens < 0 ? double.NegativeInfinity : WorthOfSingle(tokens, counts);
            if (worth <= bestWorth)
                return;
            bestWorth = worth;
            bestTokens = tokens;
        }
    }

    private double WorthOfSingle(long tokens, Dictionary<double, int> minutes)
    {
        var allocation = SameForAll(tokens);
        var saturation = Saturation(allocation);
        return minutes.Sum(it => it.Value * it.Key * Objective(allocation, saturation, it.Key));
    }

    private long[] SameForAll(long tokens) => [.. Enumerable.Repeat(tokens, _free.TaskTypes.Count)];
}
