namespace Platform.Domain.Estimation;

/// <summary>
/// Whether the newest buckets differ from those before them: the newest 1, 2, 4, 8, 16 and 32 buckets that tell anything are each
/// compared with all older ones, and the greatest score counts. So a step is seen soon after it, and a slow change too.
/// </summary>
internal static class Drift
{
    /// <summary>Of a rate: events against covered seconds; the value is the ratio of the rates.</summary>
    /// <param name="counts">Events by bucket, oldest first.</param>
    /// <param name="seconds">Covered seconds by bucket.</param>
    /// <param name="dispersion">Variance over that of Poisson counts, at least 1.</param>
    /// <remarks>
    /// Given n events in all, the newest part of the time, q, is expected to hold nq. The score is taken between square roots (Anscombe,
    /// Biometrika 35, 1948), where a few events in a short stretch do not look like much: 2(√(k + ⅜) − √(nq + ⅜))/√(φ(1 − q)).
    /// </remarks>
    public static ValidityCheck OfRate(ReadOnlySpan<double> counts, ReadOnlySpan<double> seconds, double dispersion)
    {
        var (allCounts, allSeconds) = (Sum(counts), Sum(seconds));
        var (newCounts, newSeconds, seen, next) = (0.0, 0.0, 0, 1);
        var (value, greatest) = (1.0, 0.0);
        for (var i = counts.Length - 1; i > 0 && allCounts > 0; i--)
        {
            newCounts += counts[i];
            newSeconds += seconds[i];
            if (seconds[i] <= 0 || ++seen != next || newSeconds >= allSeconds)
                continue;
            next *= 2;
            var part = newSeconds / allSeconds;
            var score = 2 * (Math.Sqrt(newCounts + 0.375) - Math.Sqrt((allCounts * part) + 0.375)) / Math.Sqrt(dispersion * (1 - part));
            var older = (allCounts - newCounts) / (allSeconds - newSeconds);
            if (Math.Abs(score) > Math.Abs(greatest) && older > 0)
                (value, greatest) = (newCounts / newSeconds / older, score);
        }

        return seen < 2 ? ValidityCheck.Unknown : Check(value, greatest);
    }

    /// <summary>Of a mean: sums of residuals against their variances; the value is the difference of the weighted means.</summary>
    /// <param name="residuals">Σ residual by bucket, oldest first.</param>
    /// <param name="information">Weight of the bucket: the sum of the residuals has this variance times <paramref name="variance"/>.</param>
    /// <param name="variance">Variance of a residual of weight 1, above 0.</param>
    public static ValidityCheck OfMean(ReadOnlySpan<double> residuals, ReadOnlySpan<double> information, double variance)
    {
        var (allResiduals, allInformation) = (Sum(residuals), Sum(information));
        var (newResiduals, newInformation, seen, next) = (0.0, 0.0, 0, 1);
        var (value, greatest) = (0.0, 0.0);
        for (var i = residuals.Length - 1; i > 0; i--)
        {
            newResiduals += residuals[i];
            newInformation += information[i];
            var older = allInformation - newInformation;
            if (information[i] <= 0 || ++seen != next || older <= 0)
                continue;
            next *= 2;
            var difference = (newResiduals / newInformation) - ((allResiduals - newResiduals) / older);
            var score = difference / Math.Sqrt(variance * ((1 / newInformation) + (1 / older)));
            if (Math.Abs(score) > Math.Abs(greatest))
                (value, greatest) = (difference, score);
        }

        return seen < 2 ? ValidityCheck.Unknown : Check(value, greatest);
    }

    private static ValidityCheck Check(double value, double score) =>
        new(value, score, Math.Abs(score) > ValidityThresholds.LargestZScore);

    private static double Sum(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum;
    }
}
