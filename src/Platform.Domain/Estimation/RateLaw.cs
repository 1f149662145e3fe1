using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// What is known of a rate: a mixture of gamma distributions, each of a stretch over which it may have held.
/// </summary>
/// <param name="parts">The gamma distributions; their weights sum to 1.</param>
internal sealed class RateLaw(IReadOnlyList<RatePart> parts)
{
    /// <summary>A part with less weight than this moves nothing that anybody reads.</summary>
    private const double LeastWeight = 1e-6;

    /// <summary>Halvings of an interval that holds a quantile: to some ten digits.</summary>
    private const int Halvings = 36;

    private readonly RatePart[] _parts = [.. parts.Where(part => part.Weight > LeastWeight)];

    /// <summary>The mean, per second.</summary>
    public double Mean => _parts.Sum(part => part.Weight * part.Mean) / _parts.Sum(part => part.Weight);

    /// <summary>The parts that count.</summary>
    public IReadOnlyList<RatePart> Parts => _parts;

    /// <summary>The mean with the interval that holds the truth with 95 % probability.</summary>
    public IntervalEstimate Interval =>
        new(Mean, Deviation, Math.Min(Quantile(0.025), Mean), Math.Max(Quantile(0.975), Mean));

    /// <summary>The standard deviation, per second.</summary>
    public double Deviation
    {
        get
        {
            var (mean, total, square) = (Mean, 0.0, 0.0);
            foreach (var part in _parts)
            {
                var off = part.Mean - mean;
                total += part.Weight;
                square += part.Weight * ((part.Mean / part.Seconds) + (off * off));
            }

            return Math.Sqrt(square / total);
        }
    }

    /// <summary>The rate that the truth is below with a probability, per second.</summary>
    /// <param name="probability">Above 0, below 1.</param>
    public double Quantile(double probability)
    {
        double low = 0,
            high = 0;
        foreach (var part in _parts)
            high = Math.Max(high, part.HighRoot);
        for (var i = 0; i < Halvings; i++)
        {
            var middle = (low + high) / 2;
            var isBelow = Below(middle) < probability;
            low = isBelow ? middle : low;
            high = isBelow ? high : middle;
        }

        return high * high * high;
    }

    /// <summary>The probability that the cube root of the rate is below a value.</summary>
    private double Below(double root)
    {
        double below = 0,
            total = 0;
        foreach (var part in _parts)
        {
            below += part.Weight * part.Below(root);
            total += part.Weight;
        }

        return below / total;
    }
}

/// <summary>A gamma distribution of a rate, by the cube root of Wilson and Hilferty (PNAS 17, 1931).</summary>
internal readonly struct RatePart
{
    /// <summary>Standard deviations beyond which nothing of it lies that counts.</summary>
    private const double Far = 8;

    private readonly double _middle;
    private readonly double _deviation;

    /// <param name="weight">Its weight, 0 to 1.</param>
    /// <param name="count">Its shape, above 0: arrivals.</param>
    /// <param name="seconds">Its rate parameter, above 0: seconds in which they came.</param>
    public RatePart(double weight, double count, double seconds)
    {
        Weight = weight;
        Seconds = seconds;
        Mean = count / seconds;
        var scale = Elementary.Exp(Elementary.Log(Mean) / 3);
        _middle = scale * (1 - (1 / (9 * count)));
        _deviation = scale / (3 * Math.Sqrt(count));
    }

    public double Weight { get; }

    public double Seconds { get; }

    public double Mean { get; }

    /// <summary>A cube root of a rate that it hardly ever reaches.</summary>
    public double HighRoot => _middle + (Far * _deviation);

    /// <summary>The probability that the cube root of the rate is below a value.</summary>
    public double Below(double root) => NormalLaw.Below((root - _middle) / _deviation);
}
