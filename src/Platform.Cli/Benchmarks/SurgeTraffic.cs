using Platform.Domain.Simulation;

namespace Platform.Cli.Benchmarks;

/// <summary>Traffic that is steady but for surges of one size and length, one in each period.</summary>
/// <param name="Rate">Arrivals a second outside surges.</param>
/// <param name="Times">How many times as many come in a surge.</param>
/// <param name="SurgeSeconds">Length of a surge.</param>
/// <param name="CalmSeconds">From the end of a surge to the next.</param>
internal sealed record SurgeTraffic(double Rate, double Times, double SurgeSeconds, double CalmSeconds)
{
    /// <summary>Length of a period: calm, then a surge.</summary>
    public double PeriodSeconds => CalmSeconds + SurgeSeconds;

    /// <summary>Arrivals a second at an instant.</summary>
    public double RateAt(double instantSeconds) => IsSurge(instantSeconds) ? Rate * Times : Rate;

    /// <summary>Whether an instant lies in a surge.</summary>
    public bool IsSurge(double instantSeconds) => instantSeconds % PeriodSeconds >= CalmSeconds;

    /// <summary>Poisson arrivals over some periods.</summary>
    public ArrivalTrace Generate(int periods, int seed)
    {
        var random = new Random(seed);
        return Play(Gaps());

        IEnumerable<double> Gaps()
        {
            var end = Expected(periods);
            for (var sum = 0.0; sum < end; )
            {
                var gap = -Math.Log(1 - random.NextDouble());
                sum += gap;
                yield return gap;
            }
        }
    }

    /// <summary>
    /// Recorded arrivals, played again and again at the pace of this traffic: their own gaps over their mean, so that
    /// they keep what bursts they have.
    /// </summary>
    public ArrivalTrace Replay(double[] instants, int periods)
    {
        var mean = (instants[^1] - instants[0]) / (instants.Length - 1);
        return Play(Gaps());

        IEnumerable<double> Gaps()
        {
            var end = Expected(periods);
            var sum = 0.0;
            for (var i = 1; sum < end; i = (i % (instants.Length - 1)) + 1)
            {
                var gap = (instants[i] - instants[i - 1]) / mean;
                sum += gap;
                yield return gap;
            }
        }
    }

    // The last surge is followed by calm like the others.
    private double Expected(int periods) => Rate * (((periods + 1) * CalmSeconds) + (periods * Times * SurgeSeconds));

    /// <summary>Lays gaps of mean 1 out so that as many fall into each second as come in it.</summary>
    private ArrivalTrace Play(IEnumerable<double> gaps)
    {
        var instants = new List<double>();
        var now = 0.0;
        foreach (var gap in gaps)
        {
            now = After(now, gap);
            instants.Add(now);
        }

        return new ArrivalTrace(instants);
    }

    private double After(double now, double expected)
    {
        while (true)
        {
            var position = now % PeriodSeconds;
            var left = (position < CalmSeconds ? CalmSeconds : PeriodSeconds) - position;
            var rate = position < CalmSeconds ? Rate : Rate * Times;
            if (expected <= rate * left)
                return now + (expected / rate);
            expected -= rate * left;
            now += Math.Max(left, 1e-9);
        }
    }
}
