namespace Platform.Domain.Estimation;

/// <summary>
/// Arrival rate and shares by conjugate priors (Gelman et al., Bayesian Data Analysis, 3rd ed., sections 2.6 and 3.4):
/// the prior counts as arrivals seen before, the estimate is the pooled ratio. Its variance is that of this ratio:
/// arrivals weighted by w add w² times theirs, and overdispersed ones (McCullagh and Nelder, Generalized Linear Models,
/// 2nd ed., section 6.2.3) the dispersion more.
/// </summary>
internal static class ArrivalEstimator
{
    /// <summary>
    /// Arrivals that the prior of the arrival rate is worth, at most: a relative standard deviation of ½, so that a
    /// guess that is off by a factor of two is within its own doubt.
    /// </summary>
    internal const double PriorArrivals = 4;

    /// <summary>
    /// The longest time that the prior of the arrival rate may be worth, as a part of the horizon: a prior near 0 would
    /// otherwise be worth more time than the horizon ever holds, and no traffic could overrule it.
    /// </summary>
    internal const double PriorHorizonShare = 1.0 / 64;

    /// <summary>
    /// Arrivals that the prior of the shares is worth: at a share of a fifth a relative standard deviation of 0.6.
    /// </summary>
    internal const double PriorShareArrivals = 10;

    /// <summary>
    /// λ with prior Gamma(λ₀·e₀, e₀), e₀ = min(<see cref="PriorArrivals"/>/λ₀,
    /// horizon·<see cref="PriorHorizonShare"/>): (λ₀e₀ + Σwn)/(e₀ + Σwe), with variance (λ₀e₀ + φΣw²n)/(e₀ + Σwe)².
    /// </summary>
    /// <param name="prior">λ₀ ≥ 0, per second.</param>
    /// <param name="evidence">Arrivals n, covered seconds e and weights w; nothing covered gives the prior.</param>
    /// <param name="dispersion">φ ≥ 1.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    public static IntervalEstimate Rate(double prior, WorkloadEvidence evidence, double dispersion, int horizon)
    {
        var priorExposure = PriorExposure(prior, horizon);
        var (count, time, spread) = (prior * priorExposure, priorExposure, prior * priorExposure);
        for (var i = 0; i < evidence.Count; i++)
        {
            var w = evidence.Weight[i];
            count += w * evidence.Arrivals[i];
            time += w * evidence.Covered[i];
            spread += w * w * dispersion * evidence.Arrivals[i];
        }

        var value = time == priorExposure ? prior : count / time;
        var ratio = spread > 0 ? count / spread : 1;
        return Interval.Count(value, count * ratio, time * ratio);
    }

    /// <summary>Seconds that the prior of the arrival rate is worth.</summary>
    /// <param name="prior">λ₀ ≥ 0, per second.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    internal static double PriorExposure(double prior, int horizon) =>
        Math.Min(PriorArrivals / prior, horizon * PriorHorizonShare);

    /// <summary>
    /// π with prior Dirichlet(κπ₀), κ = <see cref="PriorShareArrivals"/>: (κπ₀ₖ + Σwnₖ)/(κ + Σwn), with the variance of
    /// (κ + Σwn)²/(κ + φₖΣw²n) trials.
    /// </summary>
    /// <param name="prior">π₀ₖ, 0 to 1.</param>
    /// <param name="type">k.</param>
    /// <param name="evidence">Arrivals nₖ of the type and n of all known ones, weights w; no arrivals give the
    /// prior.</param>
    /// <param name="dispersion">φₖ ≥ 1.</param>
    public static IntervalEstimate Share(double prior, int type, WorkloadEvidence evidence, double dispersion)
    {
        var (count, total, spread) = (PriorShareArrivals * prior, PriorShareArrivals, PriorShareArrivals);
        var tasks = evidence.Of(type);
        for (var i = 0; i < evidence.Count; i++)
        {
            var w = evidence.Weight[i];
            count += w * (tasks[i]?.Of(WorkloadSum.Arrivals) ?? 0);
            total += w * evidence.KnownArrivals[i];
            spread += w * w * dispersion * evidence.KnownArrivals[i];
        }

        return Interval.Proportion(total == PriorShareArrivals ? prior : count / total, total * total / spread);
    }
}
