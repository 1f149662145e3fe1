using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>
/// What an allocation does in truth, by the fleet's true curves and lines: formulas of its own, not the solver's.
/// </summary>
internal sealed class TrafficAllocation
{
    /// <param name="definition">The fleet.</param>
    /// <param name="tokens">Tokens of each type, in its order.</param>
    public TrafficAllocation(FleetDefinition definition, long[] tokens)
    {
        Tokens = tokens;
        Servers = definition.Servers;
        Cap = definition.Dispatch == Dispatch.Sharing ? definition.Sharing?.MaxInService ?? int.MaxValue : null;
        var alpha = definition.Sharing?.OverheadSecondsPerToken ?? 0;
        double mean = 0,
            square = 0,
            overhead = 0,
            accuracy = 0;
        foreach (var (type, granted) in definition.TaskTypes.Zip(tokens))
        {
            var alone = type.Service.BaseSeconds + (type.Service.SecondsPerToken * granted);
            mean += type.Share * alone;
            square += type.Share * ((alone * alone) + type.Service.VarianceSecondsSquared);
            overhead += type.Share * alpha * (type.AnswerTokens + granted);
            accuracy += type.Share * type.Weight * RightAt(type.Accuracy, granted);
        }

        Overhead = overhead;
        Work = mean - overhead;
        ResidualSeconds = square / (2 * mean);
        Worth = definition.Objective.AccuracyWeight * accuracy;
        Saturation = Servers / (Cap is { } cap ? Work + (Overhead / cap) : mean);
    }

    /// <summary>Tokens of each type.</summary>
    public long[] Tokens { get; }

    /// <summary>Number of servers.</summary>
    public int Servers { get; }

    /// <summary>Most queries in service at a server that batches; null where the servers do not.</summary>
    public int? Cap { get; }

    /// <summary>Mean seconds that a query keeps its server from others: E[S] of a queue.</summary>
    public double Work { get; }

    /// <summary>Mean seconds that a query needs beside; 0 of a queue.</summary>
    public double Overhead { get; }

    /// <summary>E[S²]/(2 E[S]) of a queue: the mean rest of a service that an arrival finds.</summary>
    public double ResidualSeconds { get; }

    /// <summary>Seconds that the accuracy of the mean query is worth.</summary>
    public double Worth { get; }

    /// <summary>λ at which the servers are wholly busy, per second for the whole fleet.</summary>
    public double Saturation { get; }

    private static double RightAt(AccuracyCurve curve, long tokens) =>
        curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));
}
