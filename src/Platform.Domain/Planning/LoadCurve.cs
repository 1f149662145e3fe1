using Platform.Domain.Allocation;

namespace Platform.Domain.Planning;

/// <summary>What the queue does at an arrival rate.</summary>
/// <param name="ArrivalRate">λ of the fleet, per second.</param>
/// <param name="MeanSystemTimeSeconds">E[T], seconds.</param>
/// <param name="MeanInSystem">E[N] = λ E[T], queries at all servers, waiting ones included.</param>
public sealed record LoadPoint(double ArrivalRate, double MeanSystemTimeSeconds, double MeanInSystem);

/// <summary>Mean system time against arrival rate under one allocation, up to where the servers saturate.</summary>
/// <param name="SaturationRate">λ at which the utilization is 1, per second; +∞ where no rate is too much.</param>
/// <param name="Points">The curve, λ rising from 0.</param>
public sealed record LoadCurve(double SaturationRate, IReadOnlyList<LoadPoint> Points)
{
    /// <summary>How near to saturation the curve goes: beyond, time rises out of the picture.</summary>
    private const double MostPart = 0.95;

    /// <summary>The curve of an allocation; null where the queue is unstable at the problem's own rate.</summary>
    /// <param name="problem">A valid problem with arrivals.</param>
    /// <param name="tokens">Tokens of each type, in the problem's order.</param>
    /// <param name="count">Points, at least 2.</param>
    public static LoadCurve? Trace(AllocationProblem problem, ReadOnlySpan<long> tokens, int count)
    {
        var now = WholeTokenFigures.Of(new AllocationModel(problem), tokens);
        var utilization = 1 - now.Idle;
        if (!(now.Idle > 0) || !(problem.ArrivalRate > 0))
            return null;
        var saturation = utilization > 0 ? problem.ArrivalRate / utilization : double.PositiveInfinity;
        var most = Math.Max(Math.Min(MostPart * saturation, 2 * problem.ArrivalRate), problem.ArrivalRate);
        var points = new LoadPoint[count];
        for (var i = 0; i < count; i++)
        {
            var rate = most * i / (count - 1);
            var model = new AllocationModel(problem with { ArrivalRate = rate });
            var time = WholeTokenFigures.Of(model, tokens).MeanSystemTime;
            points[i] = new LoadPoint(rate, time, rate * time);
        }

        return new LoadCurve(saturation, points);
    }
}
