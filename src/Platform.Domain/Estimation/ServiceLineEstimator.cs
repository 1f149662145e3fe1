using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The line y = a + c·x of service seconds y against tokens x by least squares on the exact sums, with priors around
/// the definition's line: normal for the base, gamma for the slope, both as wide as the values themselves (maximum a
/// posteriori; Gelman et al., Bayesian Data Analysis, 3rd ed., sections 13.1 and 14.8).
/// </summary>
/// <remarks>
/// <para>
/// In the level L = a + c·x̄ at the mean tokens, and the slope c, the data's information is diag(Σw, Sxx)/σ². The
/// covariance is H⁻¹JH⁻¹ with H the information weighted by w, J what the weighted data really scatter by, the prior's
/// precision in both.
/// </para>
/// <para>
/// The gamma prior, −ln p = c/s − κ·ln c with s the prior's deviation and κ = c₀/s, has its mode at c₀ and is 0 at 0:
/// scatter that drowns the tokens' part leaves a positive slope, about one standard error, and never tokens that cost
/// nothing.
/// </para>
/// </remarks>
internal static class ServiceLineEstimator
{
    /// <summary>
    /// Relative standard deviation of the prior's base and slope: a guess is often off by a factor of two.
    /// </summary>
    internal const double PriorRelativeDeviation = 1;

    /// <summary>
    /// Least standard deviation of the prior's base, in seconds: a base given as 0 is believed to within a tenth of a
    /// second.
    /// </summary>
    internal const double LeastBaseDeviation = 0.1;

    /// <summary>
    /// Least standard deviation of the prior's slope, in seconds per token: a fast server's time for one token.
    /// </summary>
    internal const double LeastSlopeDeviation = 0.001;

    /// <summary>Completions that the definition's variance around the line, mostly none, is worth.</summary>
    internal const double PriorScatterCompletions = 10;

    /// <summary>The coefficient of variation of service times that is presumed before any are seen.</summary>
    internal const double PresumedVariation = 0.5;

    /// <summary>
    /// Degrees of freedom that the presumption is worth, so that the first two or three completions are not taken for
    /// exact: ln σ² known to within √2, the deviation to within a factor of two.
    /// </summary>
    internal const double PresumedFreedom = 1;

    /// <summary>Variance, in seconds², that rounding each time to the nearest millisecond makes.</summary>
    internal const double RoundingVariance = 1e-6 / 12;

    /// <summary>Fits the line of one task type.</summary>
    /// <param name="prior">The line a₀ + c₀·x of the definition.</param>
    /// <param name="moments">What was seen; without a completion the prior is given as it is.</param>
    public static ServiceEstimate Estimate(ServiceLine prior, in ServiceMoments moments)
    {
        var baseDeviation = Math.Max(PriorRelativeDeviation * prior.BaseSeconds, LeastBaseDeviation);
        var slopeDeviation = Math.Max(PriorRelativeDeviation * prior.SecondsPerToken, LeastSlopeDeviation);
        var (basePrecision, slopePrecision) = (
            1 / (baseDeviation * baseDeviation),
            1 / (slopeDeviation * slopeDeviation)
        );
        if (moments.Count == 0)
            return Result(
                prior,
                new Matrix2(baseDeviation * baseDeviation, 0, slopeDeviation * slopeDeviation),
                prior.VarianceSecondsSquared,
                0,
                false
            );

        var x = moments.MeanTokens;
        var variance = Variance(PresumedVariation * prior.SecondsAt(x), moments);
        var told = Posterior(
            new Matrix2(moments.Count / variance, 0, moments.TokensSquared / variance),
            basePrecision,
            x
        );
        var line = Line(prior, moments, told, variance, slopeDeviation);

        var scores = moments.Scores(variance);
        var scatter = Posterior(scores, basePrecision, x).Plus(slopePrecision);
        var covariance = told.Plus(slopePrecision).Sandwich(scatter);
        var both = covariance.Off - (x * covariance.Second);
        return Result(
            line,
            new Matrix2(
                covariance.First - (2 * x * covariance.Off) + (x * x * covariance.Second),
                both,
                covariance.Second
            ),
            ((PriorScatterCompletions * prior.VarianceSecondsSquared) + (moments.Count * moments.Variance))
                / (moments.Count + PriorScatterCompletions),
            moments.Freedom,
            moments.TokensSquared / variance > slopePrecision
        );
    }

    /// <summary>
    /// The variance that the data's information is formed with, seconds²: logarithms of the presumed and of the seen
    /// one weighed by degrees of freedom, as ln s² scatters by about 2/ν whatever σ is (Bartlett and Kendall, J. R.
    /// Stat. Soc. Suppl. 8, 1946).
    /// </summary>
    private static double Variance(double presumed, in ServiceMoments moments) =>
        Variance(presumed * presumed, moments.Variance, moments.Freedom);

    /// <inheritdoc cref="Variance(double, in ServiceMoments)"/>
    internal static double Variance(double presumedVariance, double seenVariance, double freedom)
    {
        var before = Math.Max(presumedVariance, RoundingVariance);
        var seen = Math.Max(seenVariance, RoundingVariance);
        var part = freedom / (freedom + PresumedFreedom);
        return before * Elementary.Exp(part * Elementary.Log(seen / before));
    }

    /// <summary>
    /// The data's matrix in level and slope and the prior's of the base, which is the level less x̄ slopes.
    /// </summary>
    private static Matrix2 Posterior(Matrix2 data, double basePrecision, double x) =>
        new(data.First + basePrecision, data.Off - (basePrecision * x), data.Second + (basePrecision * x * x));

    private static ServiceEstimate Result(
        ServiceLine line,
        Matrix2 covariance,
        double variance,
        double freedom,
        bool identifiable
    ) =>
        new()
        {
            Line = line with { VarianceSecondsSquared = variance },
            BaseSeconds = Interval.Normal(line.BaseSeconds, Math.Sqrt(Math.Max(covariance.First, 0)), 0),
            SecondsPerToken = Interval.Normal(line.SecondsPerToken, Math.Sqrt(covariance.Second), 0),
            Covariance = covariance.Off,
            ResidualDegreesOfFreedom = freedom,
            Identifiable = identifiable,
        };

    /// <summary>
    /// The maximum of the density over a ≥ 0, c ≥ 0. Its logarithm is concave: where the maximum over all a has a below
    /// 0, a is 0.
    /// </summary>
    private static ServiceLine Line(
        ServiceLine prior,
        in ServiceMoments moments,
        Matrix2 told,
        double variance,
        double slopeDeviation
    )
    {
        var (x, slope) = (moments.MeanTokens, prior.SecondsPerToken);
        var (level, tilt) = (
            moments.Count * (moments.MeanSeconds - prior.SecondsAt(x)) / variance,
            (moments.TokenSeconds - (slope * moments.TokensSquared)) / variance
        );
        var ratio = told.Off / told.First;
        var information = Math.Max(told.Second - (ratio * told.Off), 0);
        var seconds = Slope(information, tilt - (ratio * level) + (information * slope), slope, slopeDeviation);
        var start = prior.SecondsAt(x) + (level / told.First) - (ratio * (seconds - slope)) - (seconds * x);
        return start >= 0
            ? new ServiceLine(start, seconds)
            : new ServiceLine(
                0,
                Slope(
                    ((moments.Count * x * x) + moments.TokensSquared) / variance,
                    ((moments.Count * x * moments.MeanSeconds) + moments.TokenSeconds) / variance,
                    slope,
                    slopeDeviation
                )
            );
    }

    /// <summary>
    /// The c ≥ 0 at which ½·i·c² − p·c + c/s − κ·ln c is least: the root of i·c² − (p − 1/s)·c − κ that is not
    /// negative.
    /// </summary>
    /// <param name="information">i ≥ 0.</param>
    /// <param name="pull">p, the information times the slope that the data ask for.</param>
    /// <param name="mode">c₀ ≥ 0.</param>
    /// <param name="deviation">s > 0; κ = c₀/s.</param>
    private static double Slope(double information, double pull, double mode, double deviation)
    {
        var (linear, constant) = (pull - (1 / deviation), mode / deviation);
        var root = Math.Sqrt((linear * linear) + (4 * information * constant));
        return linear > 0 ? (linear + root) / (2 * information)
            : root > 0 ? 2 * constant / (root - linear)
            : 0;
    }
}
