using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>The standard normal distribution, with the same bits on every machine.</summary>
internal static class NormalLaw
{
    private const double InverseRootTwoPi = 0.39894228040143267794;

    /// <summary>Φ(z) with an error below 7.5·10⁻⁸ (Abramowitz and Stegun 26.2.17).</summary>
    public static double Below(double z)
    {
        var t = 1 / (1 + (0.2316419 * Math.Abs(z)));
        var series =
            t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        var tail = InverseRootTwoPi * Elementary.Exp(-z * z / 2) * series;
        return z > 0 ? 1 - tail : tail;
    }
}
