namespace Platform.Domain.Ingestion;

/// <summary>
/// How much successive amounts differ against what chance gives, 1 by chance alone: gateways with different parts of
/// the traffic, bursts. A lasting change shows in one difference only (von Neumann, Annals of Mathematical Statistics
/// 12, 1941).
/// </summary>
internal sealed class Scatter
{
    /// <summary>Differences that chance alone is worth before any is seen.</summary>
    private const double PresumedDifferences = 2;

    /// <summary>Differences that are remembered, the older the less.</summary>
    private const double Memory = 32;

    private double _index = 1;
    private double _differences;
    private (double Ratio, double Expected, double Variance) _last;

    /// <summary>The factor on variances, at least 1.</summary>
    public double Inflation => Math.Max(_index, 1);

    /// <summary>Takes an amount into account.</summary>
    /// <param name="seen">The amount.</param>
    /// <param name="expected">What was expected.</param>
    /// <param name="variance">Its variance by chance.</param>
    public void Add(double seen, double expected, double variance)
    {
        if (!(expected > 0) || !(variance > 0))
            return;
        var (ratio, last) = (seen / expected, _last);
        _last = (ratio, expected, variance / (expected * expected));
        var level = (seen + (last.Ratio * last.Expected)) / (expected + last.Expected);
        if (!(last.Expected > 0) || !(level > 0))
            return;

        // Variances that go with the mean, as those of counts do, move with its level.
        var square = (ratio - last.Ratio) * (ratio - last.Ratio) / (level * (_last.Variance + last.Variance));
        _index += (square - _index) / Math.Min(++_differences + PresumedDifferences, Memory);
    }
}
