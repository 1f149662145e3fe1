using Platform.Domain.Allocation;
using Platform.Domain.Queueing;

namespace Platform.Domain.Tests.Allocation;

/// <summary>
/// The objective and the limits of servers that share, at real numbers of tokens: written from the formulas, without
/// the solver's arrays.
/// </summary>
internal sealed class SharingReference(AllocationProblem problem)
{
    private readonly double _overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
    private readonly double _rate = problem.ArrivalRate / problem.Servers;
    private readonly int? _cap = problem.Sharing.MaxInService;

    public int Count => problem.TaskTypes.Count;

    public double Lower(int k) => problem.TaskTypes[k].MinTokens;

    public double Upper(int k) => problem.TaskTypes[k].MaxTokens;

    /// <summary>J, −∞ where the servers are saturated.</summary>
    public double Objective(ReadOnlySpan<double> tokens)
    {
        var accuracy = 0.0;
        for (var k = 0; k < tokens.Length; k++)
        {
            var type = problem.TaskTypes[k];
            var wrong = Math.Exp(-type.Accuracy.RatePerToken * tokens[k]);
            accuracy += type.Share * type.Weight * (type.Accuracy.Floor + (type.Accuracy.Gain * (1 - wrong)));
        }

        return (problem.AccuracyWeight * accuracy) - Means(tokens).SystemSeconds;
    }

    /// <summary>Whether the servers are not saturated and every limit is kept.</summary>
    public bool Keeps(ReadOnlySpan<double> tokens)
    {
        var load = Load(tokens);
        var means = ProcessorSharing.Means(_rate, load, _cap);
        if (!double.IsFinite(means.SystemSeconds))
            return false;
        var stretch = (means.SystemSeconds - means.WaitSeconds) / load.LoneSeconds;
        var busy = _rate * load.WorkSeconds;
        var longest = _cap is { } cap ? Enumerable.Range(0, cap).Sum(i => Math.Pow(busy, i)) : 1 / (1 - busy);
        var granted = 0.0;
        var slowest = 0.0;
        var later = 0.0;
        for (var k = 0; k < tokens.Length; k++)
        {
            var type = problem.TaskTypes[k];
            granted += type.Share * tokens[k];
            later += type.Share * type.Service.SecondsPerToken * Math.Max(type.AnswerTokens - 1, 0);
            var lastToken = type.Service.SecondsPerToken + (type.Service.SecondsPerTokenSquared * type.MaxTokens);
            slowest = Math.Max(slowest, lastToken);
        }

        return !(granted > problem.MeanTokenBudget)
            && !(means.SystemSeconds > problem.MaxMeanSystemTimeSeconds)
            && !(ProcessorSharing.Utilization(_rate, load, _cap) > problem.MaxUtilization)
            && !(slowest * longest > problem.MaxInterTokenSeconds)
            && !(means.WaitSeconds + ((load.LoneSeconds - later) * stretch) > problem.MaxTimeToFirstAnswerTokenSeconds);
    }

    /// <summary>Tokens somewhere between the bounds, near the lower ones mostly.</summary>
    public double[] Anywhere(Random random)
    {
        var part = Math.Pow(random.NextDouble(), 3);
        return [.. Enumerable.Range(0, Count).Select(Within)];

        double Within(int k) => Lower(k) + ((Upper(k) - Lower(k)) * part * random.NextDouble());
    }

    private SharingMeans Means(ReadOnlySpan<double> tokens) => ProcessorSharing.Means(_rate, Load(tokens), _cap);

    private SharingLoad Load(ReadOnlySpan<double> tokens)
    {
        var output = 0.0;
        var lone = 0.0;
        for (var k = 0; k < tokens.Length; k++)
        {
            var type = problem.TaskTypes[k];
            var l = tokens[k];
            output += type.Share * (type.AnswerTokens + l);
            lone +=
                type.Share
                * (
                    type.Service.BaseSeconds
                    + (type.Service.SecondsPerToken * l)
                    + (type.Service.SecondsPerTokenSquared * l * l)
                );
        }

        return new SharingLoad(_overhead * output, lone - (_overhead * output));
    }
}
