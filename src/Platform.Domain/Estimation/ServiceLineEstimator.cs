using System.Numerics;
using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The line y = a + c·x of service seconds y against tokens x by least squares on the exact sums, with the prior as pseudo-observations
/// (conjugate Bayesian regression; Gelman et al., Bayesian Data Analysis, 3rd ed., section 14.8).
/// </summary>
/// <remarks>
/// The prior is worth <see cref="PriorCompletions"/> queries that lie on the prior line, half with no tokens and half with twice the
/// mean tokens seen. Their mean tokens are those of the data, so level and slope part: with n queries of mean x̄, ȳ and centred sums
/// Sxx, Sxy, the level at x̄ is L = (n·ȳ + m·(a₀ + c₀x̄))/(n + m) and the slope ĉ = (Sxy + m·x̄²·c₀)/(Sxx + m·x̄²). When every query
/// used the same tokens, Sxx = Sxy = 0 and the slope stays the prior's.
/// </remarks>
internal static class ServiceLineEstimator
{
    /// <summary>m, completions that the prior is worth.</summary>
    internal const double PriorCompletions = 10;

    /// <summary>Fits the line of one task type.</summary>
    /// <param name="prior">The line a₀ + c₀·x of the definition.</param>
    /// <param name="evidence">What was seen; without a completion the prior is given as it is.</param>
    public static ServiceEstimate Estimate(ServiceLine prior, TaskEvidence evidence)
    {
        if (evidence.WeightedExactly(WorkloadSum.Completions) == 0)
            return new ServiceEstimate(prior, null);
        var seen = new Moments(evidence);
        var pull = PriorCompletions * Math.Max(seen.MeanTokens * seen.MeanTokens, 1);
        var fit = new Quadratic(
            seen.MeanTokens,
            ((seen.Count * seen.MeanSeconds) + (PriorCompletions * At(prior, seen.MeanTokens))) / (seen.Count + PriorCompletions),
            (seen.TokenSeconds + (pull * prior.SecondsPerToken)) / (seen.TokensSquared + pull),
            seen.Count + PriorCompletions,
            seen.TokensSquared + pull);
        var line = fit.NonNegativeMinimum();
        return new ServiceEstimate(line, StandardError(seen, fit, line));
    }

    private static double At(ServiceLine line, double tokens) => line.BaseSeconds + (line.SecondsPerToken * tokens);

    /// <summary>σ² from the residuals on n − 2 degrees of freedom; then var(L) = σ²/(n + m), var(ĉ) = σ²/(Sxx + m·x̄²), a = L − ĉ·x̄.</summary>
    private static ServiceLineError? StandardError(Moments seen, Quadratic fit, ServiceLine line)
    {
        if (seen.Count < 3)
            return null;
        var slope = line.SecondsPerToken;
        var offset = seen.MeanSeconds - At(line, seen.MeanTokens);
        var residual = seen.SecondsSquared - (2 * slope * seen.TokenSeconds) + (slope * slope * seen.TokensSquared)
            + (seen.Count * offset * offset);
        var variance = Math.Max(residual, 0) / (seen.Count - 2);
        var slopeVariance = variance / fit.SlopeWeight;
        var baseVariance = (variance / fit.LevelWeight) + (seen.MeanTokens * seen.MeanTokens * slopeVariance);
        return new ServiceLineError(Math.Sqrt(baseVariance), Math.Sqrt(slopeVariance));
    }

    /// <summary>n, x̄, ȳ and the centred sums Sxx, Sxy, Syy, in seconds; the differences are formed in whole numbers and lose nothing.</summary>
    private readonly struct Moments
    {
        public Moments(TaskEvidence evidence)
        {
            Count = evidence.Weighted(WorkloadSum.Completions);
            MeanTokens = evidence.Weighted(WorkloadSum.Tokens) / Count;
            MeanSeconds = evidence.Weighted(WorkloadSum.Millis) / Count / 1e3;
            TokensSquared = Centred(evidence, WorkloadSum.TokensSquared, WorkloadSum.Tokens, WorkloadSum.Tokens);
            TokenSeconds = Centred(evidence, WorkloadSum.TokenMillis, WorkloadSum.Tokens, WorkloadSum.Millis) / 1e3;
            SecondsSquared = Centred(evidence, WorkloadSum.MillisSquared, WorkloadSum.Millis, WorkloadSum.Millis) / 1e6;
        }

        public double Count { get; }

        public double MeanTokens { get; }

        public double MeanSeconds { get; }

        public double TokensSquared { get; }

        public double TokenSeconds { get; }

        public double SecondsSquared { get; }

        /// <summary>Σxy − ΣxΣy/n = (nΣxy − ΣxΣy)/n, each sum weighted.</summary>
        private static double Centred(TaskEvidence evidence, WorkloadSum products, WorkloadSum x, WorkloadSum y)
        {
            var n = (BigInteger)evidence.WeightedExactly(WorkloadSum.Completions);
            var numerator = (n * evidence.WeightedExactly(products))
                - ((BigInteger)evidence.WeightedExactly(x) * evidence.WeightedExactly(y));

            // Both n and the sums carry the unit of the weights: numerator / n still has it once.
            return (double)numerator / (double)n * (evidence.Weighted(WorkloadSum.Completions) / (double)n);
        }
    }

    /// <summary>
    /// The function to be minimised, LevelWeight·(a + c·x̄ − Level)² + SlopeWeight·(c − Slope)², up to a constant.
    /// </summary>
    private readonly record struct Quadratic(double MeanTokens, double Level, double Slope, double LevelWeight, double SlopeWeight)
    {
        /// <summary>The minimum over a ≥ 0, c ≥ 0: inside, or, as the function is convex, the better of the two edges.</summary>
        public ServiceLine NonNegativeMinimum()
        {
            var inside = new ServiceLine(Level - (Slope * MeanTokens), Slope);
            if (inside.BaseSeconds >= 0 && inside.SecondsPerToken >= 0)
                return inside;
            var x = MeanTokens;
            var slopeAlone = ((LevelWeight * x * Level) + (SlopeWeight * Slope)) / ((LevelWeight * x * x) + SlopeWeight);
            var noBase = new ServiceLine(0, Math.Max(slopeAlone, 0));
            var noSlope = new ServiceLine(Math.Max(Level, 0), 0);
            return Value(noBase) <= Value(noSlope) ? noBase : noSlope;
        }

        private double Value(ServiceLine line)
        {
            var level = At(line, MeanTokens) - Level;
            var slope = line.SecondsPerToken - Slope;
            return (LevelWeight * level * level) + (SlopeWeight * slope * slope);
        }
    }
}
