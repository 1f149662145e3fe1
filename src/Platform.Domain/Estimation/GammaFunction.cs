using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>The gamma function, with the same bits on every machine.</summary>
internal static class GammaFunction
{
    private const double HalfLogTwoPi = 0.91893853320467274178;

    /// <summary>
    /// ln Γ(x) by Stirling's series (Abramowitz and Stegun 6.1.41) from 8 on, below it by Γ(x) = Γ(x + 1)/x: to some
    /// twelve digits.
    /// </summary>
    /// <param name="x">Above 0.</param>
    public static double Log(double x)
    {
        var product = 1.0;
        for (; x < 8; x++)
            product *= x;
        var inverse = 1 / x;
        var square = inverse * inverse;
        var series = inverse * ((1.0 / 12) - (square * ((1.0 / 360) - (square * ((1.0 / 1260) - (square / 1680))))));
        return ((x - 0.5) * Elementary.Log(x)) - x + HalfLogTwoPi + series - Elementary.Log(product);
    }
}
