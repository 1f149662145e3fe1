using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// 95 % intervals from a value and its standard error, each in the scale in which the figure is nearly normal.
/// </summary>
internal static class Interval
{
    /// <summary>z with Φ(z) = 0.975.</summary>
    public const double Z = 1.959963984540054;

    /// <summary>value ± z·error, not below <paramref name="least"/>.</summary>
    public static IntervalEstimate Normal(double value, double error, double least) =>
        new(value, error, Math.Min(Math.Max(value - (Z * error), least), value), value + (Z * error));

    /// <summary>
    /// A positive figure that is a count over a time: quantiles of Gamma(<paramref name="shape"/> + ½) over the rate.
    /// </summary>
    /// <param name="value">The figure.</param>
    /// <param name="shape">Effective count, at least 0.</param>
    /// <param name="rate">Effective time, above 0.</param>
    /// <remarks>
    /// Jeffreys' interval, whose coverage is near nominal also for small counts (Brown, Cai and DasGupta, Statistica
    /// Sinica 13, 2003). Quantiles by the cube root of Wilson and Hilferty (PNAS 17, 1931): a·(1 − 1/(9a) + z/(3√a))³.
    /// </remarks>
    public static IntervalEstimate Count(double value, double shape, double rate)
    {
        var half = shape + 0.5;
        var lower = shape > 0 ? Quantile(half, -Z) / rate : 0;
        return new IntervalEstimate(
            value,
            Math.Sqrt(half) / rate,
            Math.Min(lower, value),
            Math.Max(Quantile(half, Z) / rate, value)
        );
    }

    /// <summary>
    /// A proportion seen in effectively <paramref name="total"/> trials: Wilson's interval (J. Am. Stat. Assoc. 22,
    /// 1927).
    /// </summary>
    public static IntervalEstimate Proportion(double value, double total)
    {
        var middle = (value + (Z * Z / (2 * total))) / (1 + (Z * Z / total));
        var half = Z / (1 + (Z * Z / total)) * Math.Sqrt((value * (1 - value) / total) + (Z * Z / (4 * total * total)));
        return new IntervalEstimate(
            value,
            half / Z,
            Math.Clamp(middle - half, 0, value),
            Math.Max(Math.Min(middle + half, 1), value)
        );
    }

    /// <summary>
    /// A probability with a standard error: ± z standard errors in the logit, so that the interval stays within 0 and
    /// 1; next to 0 and 1, where the logit would stretch any error over all of it, in the probability itself.
    /// </summary>
    public static IntervalEstimate Logit(double value, double error)
    {
        const double Edge = 1e-3;
        if (value is < Edge or > 1 - Edge)
            return new IntervalEstimate(
                value,
                error,
                Math.Max(value - (Z * error), 0),
                Math.Min(value + (Z * error), 1)
            );

        // At 0 and 1 the logit is infinite; a millionth inside, the error alone tells.
        var inside = Math.Clamp(value, 1e-6, 1 - 1e-6);
        var spread = Elementary.Exp(Math.Min(Z * error / (inside * (1 - inside)), 700));
        var odds = inside / (1 - inside);
        return new IntervalEstimate(
            value,
            error,
            Math.Min(odds / (odds + spread), value),
            Math.Max(odds * spread / (1 + (odds * spread)), value)
        );
    }

    private static double Quantile(double shape, double z)
    {
        var root = Math.Max(1 - (1 / (9 * shape)) + (z / (3 * Math.Sqrt(shape))), 0);
        return shape * root * root * root;
    }
}
