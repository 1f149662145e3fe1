using Platform.Domain.Fleets;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>A fleet and the traffic that it gets.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Definition">The fleet. Its curves and lines are true; its arrival rate is the mean one.</param>
/// <param name="RateByMinute">λ in each minute, per second for the whole fleet.</param>
internal sealed record TrafficScenario(string Name, FleetDefinition Definition, double[] RateByMinute)
{
    /// <summary>Arrivals in each second of a recorded trace; null where they are drawn from the rates.</summary>
    public int[]? ArrivalsBySecond { get; init; }

    /// <summary>Whether windows tell nothing but arrivals.</summary>
    public bool TellsArrivalsAlone { get; init; }

    /// <summary>From begin to end.</summary>
    public int Seconds => RateByMinute.Length * 60;

    /// <summary>λ at a second since the begin.</summary>
    public double RateAt(int second) => RateByMinute[Math.Min(second / 60, RateByMinute.Length - 1)];

    /// <summary>Arrivals of the record in a stretch of seconds; null where there is no record.</summary>
    public int? RecordedArrivals(int from, int to)
    {
        if (ArrivalsBySecond is null)
            return null;
        var until = Math.Min(to, ArrivalsBySecond.Length);
        return from < until ? ArrivalsBySecond[from..until].Sum() : 0;
    }
}
