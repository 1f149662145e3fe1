namespace Platform.Cli.Benchmarks;

/// <summary>The middle of repeated measurements, which one slow round does not move.</summary>
internal static class Median
{
    /// <summary>The median of values; the mean of the middle two if their number is even.</summary>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The median of a figure over rounds.</summary>
    public static double Of<T>(IEnumerable<T> rounds, Func<T, double> figure) => Of(rounds.Select(figure));
}
