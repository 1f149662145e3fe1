namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>
/// The mean state of one of a fleet's servers while rate and allocation change: the pointwise stationary fluid-flow
/// approximation (Wang, Tipper and Banerjee, INFOCOM 1996). What is left to do grows by what comes and falls by what a
/// stationary server with so much left gets done. So a steady rate comes to the stationary mean, and an overload costs
/// as much as it piles up. Steps are implicit, so that they may be long.
/// </summary>
internal sealed class TrafficBacklog
{
    /// <summary>Seconds of work of a queue, V; queries in service of a server that batches, N.</summary>
    private double _left;

    /// <summary>Lets time pass.</summary>
    /// <param name="allocation">The allocation in force.</param>
    /// <param name="rate">λ of the whole fleet, per second.</param>
    /// <param name="seconds">How long.</param>
    public void Pass(TrafficAllocation allocation, double rate, double seconds)
    {
        var perServer = rate / allocation.Servers;
        _left = allocation.Cap is { } cap
            ? InService(allocation, perServer, seconds, cap)
            : WorkLeft(allocation, perServer, seconds);
    }

    /// <summary>Mean seconds from arrival to end of a query that arrives now.</summary>
    public double SystemSeconds(TrafficAllocation allocation)
    {
        if (allocation.Cap is not { } cap)
            return allocation.Work + _left;
        var served = Math.Min(_left + 1, cap);
        var perQuery = allocation.Work + (allocation.Overhead / cap);
        return (allocation.Work * served) + allocation.Overhead + ((_left + 1 - served) * perQuery);
    }

    /// <summary>dV/dt = ρ − V/(V + r): stationary at V = ρr/(1 − ρ), the wait of Pollaczek and Khinchine.</summary>
    private double WorkLeft(TrafficAllocation allocation, double rate, double seconds)
    {
        var come = _left + (seconds * rate * allocation.Work);
        return Step(come, allocation.ResidualSeconds, seconds);
    }

    /// <summary>dN/dt = λ − N/(W(1 + N) + O), and λ − B/(WB + O) beyond the cap B.</summary>
    private double InService(TrafficAllocation allocation, double rate, double seconds, int cap)
    {
        var come = _left + (seconds * rate);
        var left = Step(come, 1 + (allocation.Overhead / allocation.Work), seconds / allocation.Work);
        var beyondCap = come - (seconds / (allocation.Work + (allocation.Overhead / cap)));
        return left > cap ? Math.Max(beyondCap, cap) : left;
    }

    /// <summary>The x > 0 with x = come − seconds · x/(x + r).</summary>
    private static double Step(double come, double r, double seconds)
    {
        var half = (come - r - seconds) / 2;
        return half + Math.Sqrt((half * half) + (r * come));
    }
}
