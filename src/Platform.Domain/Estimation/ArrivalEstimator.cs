namespace Platform.Domain.Estimation;

/// <summary>
/// Arrival rate and shares by conjugate priors (Gelman et al., Bayesian Data Analysis, 3rd ed., sections 2.6 and 3.4): the prior
/// counts as arrivals seen before, the posterior mean is the pooled ratio.
/// </summary>
internal static class ArrivalEstimator
{
    /// <summary>Arrivals that the prior of the arrival rate is worth, at most.</summary>
    internal const double PriorArrivals = 10;

    /// <summary>
    /// The longest time that the prior of the arrival rate may be worth, as a part of the horizon: a prior near 0 would otherwise be
    /// worth more time than the horizon ever holds, and no traffic could overrule it.
    /// </summary>
    internal const double PriorHorizonShare = 1.0 / 64;

    /// <summary>Arrivals that the prior of the shares is worth.</summary>
    internal const double PriorShareArrivals = 20;

    /// <summary>z with Φ(z) = 0.975.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>
    /// λ with prior Gamma(λ₀·e₀, e₀), e₀ = min(<see cref="PriorArrivals"/>/λ₀, horizon·<see cref="PriorHorizonShare"/>): after n Poisson
    /// arrivals in e seconds it is Gamma(λ₀e₀ + n, e₀ + e).
    /// </summary>
    /// <param name="prior">λ₀ ≥ 0, per second.</param>
    /// <param name="arrivals">n, weighted by age.</param>
    /// <param name="exposure">e, seconds covered, weighted by age; 0 gives the prior.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    public static IntervalEstimate Rate(double prior, double arrivals, double exposure, int horizon)
    {
        var priorExposure = Math.Min(PriorArrivals / prior, horizon * PriorHorizonShare);
        var count = (prior * priorExposure) + arrivals;
        var time = priorExposure + exposure;
        var value = exposure == 0 ? prior : count / time;
        return new IntervalEstimate(value, Math.Min(CountQuantile(count, -Z) / time, value), Math.Max(CountQuantile(count + 1, Z) / time, value));
    }

    /// <summary>
    /// π with prior Dirichlet(<see cref="PriorShareArrivals"/> · π₀): after nₖ arrivals the mean is in proportion to
    /// <see cref="PriorShareArrivals"/> · π₀ₖ + nₖ. Intervals are Wilson's (J. Am. Stat. Assoc. 22, 1927) with the prior counted in.
    /// </summary>
    /// <param name="prior">π₀, each at least 0, sum 1.</param>
    /// <param name="arrivals">nₖ, weighted by age; all 0 gives the prior.</param>
    public static IntervalEstimate[] Shares(IReadOnlyList<double> prior, IReadOnlyList<double> arrivals)
    {
        var counts = prior.Zip(arrivals, (share, count) => (PriorShareArrivals * share) + count).ToArray();
        var total = counts.Sum();
        var seen = arrivals.Any(count => count > 0);
        return [.. prior.Select((share, k) => Wilson(seen ? counts[k] / total : share, total))];
    }

    /// <summary>
    /// The exact interval for a Poisson count n runs from a quantile of Gamma(n) to one of Gamma(n + 1) (Garwood, Biometrika 28, 1936);
    /// the quantiles by the cube root of Wilson and Hilferty (PNAS 17, 1931): a·(1 − 1/(9a) + z/(3√a))³.
    /// </summary>
    private static double CountQuantile(double shape, double z)
    {
        if (shape <= 0)
            return 0;
        var root = Math.Max(1 - (1 / (9 * shape)) + (z / (3 * Math.Sqrt(shape))), 0);
        return shape * root * root * root;
    }

    private static IntervalEstimate Wilson(double share, double total)
    {
        var middle = (share + (Z * Z / (2 * total))) / (1 + (Z * Z / total));
        var half = Z / (1 + (Z * Z / total)) * Math.Sqrt((share * (1 - share) / total) + (Z * Z / (4 * total * total)));
        return new IntervalEstimate(share, Math.Clamp(middle - half, 0, share), Math.Max(Math.Min(middle + half, 1), share));
    }
}
