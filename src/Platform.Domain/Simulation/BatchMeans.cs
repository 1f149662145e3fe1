namespace Platform.Domain.Simulation;

/// <summary>Means with confidence intervals from the means of successive batches.</summary>
internal static class BatchMeans
{
    /// <summary>Batches of a run.</summary>
    public const int Count = 30;

    /// <summary>Fewest arrivals that are cut into batches.</summary>
    public const long LeastArrivals = 300;

    // The 97.5 % point of Student's t with 29 degrees of freedom.
    private const double StudentT = 2.045229642132703;

    /// <summary>
    /// Arrivals left out at the start: a tenth, and so many more that the rest falls into equal batches.
    /// </summary>
    /// <param name="arrivals">At least <see cref="LeastArrivals"/>.</param>
    public static long WarmUp(long arrivals) => arrivals - ((arrivals - (arrivals / 10)) / Count * Count);

    /// <summary>The mean of equally long batches and its 95 % interval.</summary>
    /// <param name="means">The batches' means; fewer than <see cref="Count"/> give no interval.</param>
    public static SimulatedMean Estimate(ReadOnlySpan<double> means)
    {
        var (mean, squares, _) = Deviations(means);
        if (means.Length < Count)
            return new(mean, null, null, null);
        var error = Math.Sqrt(squares / (Count - 1) / Count);
        return new(mean, error, mean - (StudentT * error), mean + (StudentT * error));
    }

    /// <summary>
    /// The ratio of two sums over all batches, with the 95 % interval of the residuals: the mean over what came in
    /// unequal numbers to the batches.
    /// </summary>
    /// <param name="sums">Each batch's sum; fewer than <see cref="Count"/> batches give no interval.</param>
    /// <param name="weights">What each sum is divided by, at least 0.</param>
    /// <returns>The ratio; null where all weights are 0.</returns>
    public static SimulatedFigure? Ratio(ReadOnlySpan<double> sums, ReadOnlySpan<double> weights)
    {
        var (sum, weight) = (Sum(sums), Sum(weights));
        if (weight == 0)
            return null;
        var ratio = sum / weight;
        if (sums.Length < Count)
            return new(ratio, null, null, null);
        var squares = 0.0;
        for (var i = 0; i < sums.Length; i++)
        {
            var residual = sums[i] - (ratio * weights[i]);
            squares += residual * residual;
        }

        var error = Math.Sqrt(squares / (Count - 1) * Count) / weight;
        return new(ratio, error, ratio - (StudentT * error), ratio + (StudentT * error));
    }

    private static double Sum(ReadOnlySpan<double> terms)
    {
        var sum = 0.0;
        foreach (var term in terms)
            sum += term;
        return sum;
    }

    /// <summary>Lag-1 autocorrelation; 0 where all batches are equal.</summary>
    public static double Correlation(ReadOnlySpan<double> means)
    {
        var (_, squares, products) = Deviations(means);
        return squares > 0 ? products / squares : 0;
    }

    private static (double Mean, double Squares, double Products) Deviations(ReadOnlySpan<double> means)
    {
        var (sum, squares, products, before) = (0.0, 0.0, 0.0, 0.0);
        foreach (var mean in means)
            sum += mean;
        var center = sum / means.Length;
        foreach (var mean in means)
        {
            squares += (mean - center) * (mean - center);
            products += (mean - center) * before;
            before = mean - center;
        }

        return (center, squares, products);
    }
}
