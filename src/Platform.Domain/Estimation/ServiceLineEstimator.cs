using System.Numerics;
using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The line y = a + c·x of service seconds y against tokens x by least squares on the exact sums, with a normal prior around the
/// definition's line (conjugate Bayesian regression; Gelman et al., Bayesian Data Analysis, 3rd ed., section 14.8).
/// </summary>
/// <remarks>
/// In the level L = a + c·x̄ at the mean tokens, and the slope c, the data's information is diag(Σw, Sxx)/σ². The covariance is
/// H⁻¹JH⁻¹ with H the information weighted by w, J the same weighted by w² (what weighted data really scatter by), the prior's
/// precision in both.
/// </remarks>
internal static class ServiceLineEstimator
{
    /// <summary>Relative standard deviation of the prior's base and slope: a guess is often off by a factor of two.</summary>
    internal const double PriorRelativeDeviation = 1;

    /// <summary>Least standard deviation of the prior's base, in seconds: a base given as 0 is believed to within a tenth of a second.</summary>
    internal const double LeastBaseDeviation = 0.1;

    /// <summary>Least standard deviation of the prior's slope, in seconds per token: a fast server's time for one token.</summary>
    internal const double LeastSlopeDeviation = 0.001;

    /// <summary>Completions that the definition's variance around the line, mostly none, is worth.</summary>
    internal const double PriorScatterCompletions = 10;

    /// <summary>
    /// The coefficient of variation of service times that is presumed before any are seen, at the weight of one completion: without it
    /// the first two or three would be taken for exact.
    /// </summary>
    internal const double PresumedVariation = 0.5;

    /// <summary>Fits the line of one task type.</summary>
    /// <param name="prior">The line a₀ + c₀·x of the definition.</param>
    /// <param name="moments">What was seen; without a completion the prior is given as it is.</param>
    public static ServiceEstimate Estimate(ServiceLine prior, in ServiceMoments moments)
    {
        var baseDeviation = Math.Max(PriorRelativeDeviation * prior.BaseSeconds, LeastBaseDeviation);
        var slopeDeviation = Math.Max(PriorRelativeDeviation * prior.SecondsPerToken, LeastSlopeDeviation);
        var (basePrecision, slopePrecision) = (1 / (baseDeviation * baseDeviation), 1 / (slopeDeviation * slopeDeviation));
        if (moments.Count == 0)
            return Result(prior, (baseDeviation * baseDeviation, 0, slopeDeviation * slopeDeviation), prior.VarianceSecondsSquared, 0, false);

        var x = moments.MeanTokens;
        var presumed = PresumedVariation * At(prior, x);
        var variance = ((presumed * presumed) + (moments.Count * moments.Variance)) / (1 + moments.Count);
        variance = Math.Max(variance, 1e-12);
        var information = new Matrix2(
            (moments.Count / variance) + basePrecision,
            -basePrecision * x,
            (moments.TokensSquared / variance) + (basePrecision * x * x) + slopePrecision);
        var scatter = new Matrix2(
            (moments.Squared.Count / variance) + basePrecision,
            (moments.Squared.Tokens / variance) - (basePrecision * x),
            (moments.Squared.TokensSquared / variance) + (basePrecision * x * x) + slopePrecision);
        var slopePull = moments.TokenSeconds - (prior.SecondsPerToken * moments.TokensSquared);
        var (level, slope) = information.Solve(moments.Count * (moments.MeanSeconds - At(prior, x)) / variance, slopePull / variance);
        var line = NonNegative(information, x, At(prior, x) + level, prior.SecondsPerToken + slope);

        var covariance = information.Sandwich(scatter);
        var both = covariance.Off - (x * covariance.Second);
        return Result(
            line,
            (covariance.First - (2 * x * covariance.Off) + (x * x * covariance.Second), both, covariance.Second),
            ((PriorScatterCompletions * prior.VarianceSecondsSquared) + (moments.Count * moments.Variance)) / (moments.Count + PriorScatterCompletions),
            moments.Freedom,
            moments.TokensSquared / variance > slopePrecision);
    }

    private static double At(ServiceLine line, double tokens) => line.BaseSeconds + (line.SecondsPerToken * tokens);

    private static ServiceEstimate Result(
        ServiceLine line, (double Base, double Both, double Slope) covariance, double variance, double freedom, bool identifiable)
    {
        return new ServiceEstimate
        {
            Line = line with { VarianceSecondsSquared = variance },
            BaseSeconds = Interval.Normal(line.BaseSeconds, Math.Sqrt(Math.Max(covariance.Base, 0)), 0),
            SecondsPerToken = Interval.Normal(line.SecondsPerToken, Math.Sqrt(covariance.Slope), 0),
            Covariance = covariance.Both,
            ResidualDegreesOfFreedom = freedom,
            Identifiable = identifiable,
        };
    }

    /// <summary>
    /// The maximum over a ≥ 0, c ≥ 0 of the density around (level, slope): inside, or, as it is concave, the better of the two edges.
    /// </summary>
    private static ServiceLine NonNegative(Matrix2 information, double x, double level, double slope)
    {
        var inside = new ServiceLine(level - (slope * x), slope);
        if (inside.BaseSeconds >= 0 && inside.SecondsPerToken >= 0)
            return inside;

        // Without a base the line is c·(x, 1) in (level, slope); without a slope it is a·(1, 0).
        var noBase = Math.Max(information.Form(x, 1, level, slope) / information.Form(x, 1, x, 1), 0);
        var noSlope = Math.Max(information.Form(1, 0, level, slope) / information.First, 0);
        var (lossWithoutBase, lossWithoutSlope) = (Loss((noBase * x) - level, noBase - slope), Loss(noSlope - level, -slope));
        return lossWithoutBase <= lossWithoutSlope ? new ServiceLine(0, noBase) : new ServiceLine(noSlope, 0);

        double Loss(double first, double second) => information.Form(first, second, first, second);
    }
}

/// <summary>
/// n, x̄, ȳ and the centred sums of completions, tokens x and service seconds y, weighted by age; each bucket's part is formed in whole
/// numbers and loses nothing, and the parts between buckets are squares, so that no cancellation is left.
/// </summary>
internal readonly struct ServiceMoments
{
    public ServiceMoments(ReadOnlySpan<TaskSums?> tasks, ReadOnlySpan<double> weights)
    {
        var (tokens, millis) = (0.0, 0.0);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task)
                continue;
            Count += weights[i] * task.Of(WorkloadSum.Completions);
            tokens += weights[i] * task.Of(WorkloadSum.Tokens);
            millis += weights[i] * task.Of(WorkloadSum.Millis);
        }

        if (Count == 0)
            return;
        (MeanTokens, MeanSeconds) = (tokens / Count, millis / Count / 1e3);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task || task[WorkloadSum.Completions] == 0)
                continue;
            var (w, n) = (weights[i], task.Of(WorkloadSum.Completions));
            var x = (task.Of(WorkloadSum.Tokens) / n) - MeanTokens;
            var y = (task.Of(WorkloadSum.Millis) / n / 1e3) - MeanSeconds;
            var squares = Centred(task, WorkloadSum.TokensSquared, WorkloadSum.Tokens, WorkloadSum.Tokens) + (n * x * x);
            TokensSquared += w * squares;
            TokenSeconds += w * ((Centred(task, WorkloadSum.TokenMillis, WorkloadSum.Tokens, WorkloadSum.Millis) / 1e3) + (n * x * y));
            SecondsSquared += w * ((Centred(task, WorkloadSum.MillisSquared, WorkloadSum.Millis, WorkloadSum.Millis) / 1e6) + (n * y * y));
            Squared = (Squared.Count + (w * w * n), Squared.Tokens + (w * w * n * x), Squared.TokensSquared + (w * w * squares));
        }
    }

    /// <summary>Σwn.</summary>
    public double Count { get; }

    public double MeanTokens { get; }

    public double MeanSeconds { get; }

    /// <summary>Sxx.</summary>
    public double TokensSquared { get; }

    /// <summary>Sxy.</summary>
    public double TokenSeconds { get; }

    /// <summary>Syy.</summary>
    public double SecondsSquared { get; }

    /// <summary>Count, Σ(x − x̄) and Σ(x − x̄)² weighted by the squares of the weights.</summary>
    public (double Count, double Tokens, double TokensSquared) Squared { get; }

    /// <summary>Degrees of freedom of the residual: effective completions (Σw)²/Σw² less the fitted parameters, at least 0.</summary>
    public double Freedom => Count == 0 ? 0 : Math.Max((Count * Count / Squared.Count) - Parameters, 0);

    /// <summary>Variance of a completion around the least-squares line, in seconds²; 0 when there are no degrees of freedom.</summary>
    public double Variance => Freedom == 0 ? 0 : Residual / (Count - (Parameters * Squared.Count / Count));

    /// <summary>One operating point has no slope to fit; what spread it shows is that of rounding its mean.</summary>
    private int Parameters => TokensSquared > 1e-18 * MeanTokens * MeanTokens * Count ? 2 : 1;

    private double Residual => Math.Max(Parameters == 2 ? SecondsSquared - (TokenSeconds * TokenSeconds / TokensSquared) : SecondsSquared, 0);

    /// <summary>Σxy − ΣxΣy/n = (nΣxy − ΣxΣy)/n, the difference in whole numbers.</summary>
    private static double Centred(TaskSums task, WorkloadSum products, WorkloadSum x, WorkloadSum y)
    {
        var (n, xy, sumX, sumY) = (task[WorkloadSum.Completions], task[products], task[x], task[y]);
        if ((n | xy | sumX | sumY) > ulong.MaxValue)
            return (double)(((BigInteger)n * xy) - ((BigInteger)sumX * sumY)) / (double)n;
        var (more, less) = (Product((ulong)n, (ulong)xy), Product((ulong)sumX, (ulong)sumY));
        return (more >= less ? TaskSums.Nearest(more - less) : -TaskSums.Nearest(less - more)) / (ulong)n;
    }

    private static UInt128 Product(ulong a, ulong b) => new(Math.BigMul(a, b, out var low), low);
}

/// <summary>A symmetric matrix of two rows.</summary>
internal readonly record struct Matrix2(double First, double Off, double Second)
{
    /// <summary>uᵀ·M·v.</summary>
    public double Form(double u1, double u2, double v1, double v2) => (u1 * ((First * v1) + (Off * v2))) + (u2 * ((Off * v1) + (Second * v2)));

    /// <summary>M⁻¹·b of a positive definite matrix, by Cholesky.</summary>
    public (double First, double Second) Solve(double b1, double b2)
    {
        var ratio = Off / First;
        var second = (b2 - (ratio * b1)) / (Second - (ratio * Off));
        return ((b1 / First) - (ratio * second), second);
    }

    /// <summary>M⁻¹·S·M⁻¹.</summary>
    public Matrix2 Sandwich(Matrix2 inside)
    {
        var (a1, a2) = Solve(inside.First, inside.Off);
        var (b1, b2) = Solve(inside.Off, inside.Second);
        var (first, off) = Solve(a1, b1);
        return new Matrix2(first, off, Solve(a2, b2).Second);
    }
}
