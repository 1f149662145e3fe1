namespace Platform.Domain.Ingestion;

/// <summary>
/// Page's cumulative sum (Biometrika 41, 1954) of the logarithm of the likelihood ratio between "so many times what was
/// expected" and "what was expected", started again whenever it falls below 0. Quasi-likelihood (Wedderburn, Biometrika
/// 61, 1974): how the variance goes with the mean is all that is presumed, and what is beyond it divides the logarithm.
/// </summary>
/// <param name="alternative">The ratio that it looks for: above 1 for more than expected, below 1 for less.</param>
/// <param name="threshold">Where the sum must come to.</param>
internal sealed class PageTest(double alternative, double threshold = WorkloadWatch.Threshold)
{
    private readonly double _log = Math.Log(alternative);
    private double _sum;
    private double _seen;
    private double _middle;

    /// <summary>Whether it is decided that something has changed.</summary>
    public bool IsDecided => _sum > threshold;

    /// <summary>What was seen over what was expected, since the sum was 0 last.</summary>
    public double Ratio => _seen / _middle;

    /// <summary>Takes a count into account, whose variance goes with its mean.</summary>
    /// <param name="seen">The count.</param>
    /// <param name="middle">What was expected.</param>
    /// <param name="expected">The same with its doubt, towards the alternative.</param>
    /// <param name="dispersion">Variance over mean, above 0.</param>
    public void AddCount(double seen, double middle, double expected, double dispersion) =>
        Add(((seen * _log) - (expected * (alternative - 1))) / dispersion, seen, middle);

    /// <summary>
    /// Takes a sum of times into account, whose deviation goes with its mean: exact for the gamma law. To presume for
    /// times what holds for counts would take a few long ones for a change.
    /// </summary>
    /// <param name="seen">The sum.</param>
    /// <param name="middle">What was expected.</param>
    /// <param name="expected">The same with its doubt, towards the alternative; above 0.</param>
    /// <param name="variation">Variance over the mean's square, above 0.</param>
    public void AddTime(double seen, double middle, double expected, double variation) =>
        Add((((1 - (1 / alternative)) * seen / expected) - _log) / variation, seen, middle);

    private void Add(double logarithm, double seen, double middle)
    {
        (_sum, _seen, _middle) = (_sum + logarithm, _seen + seen, _middle + middle);
        if (!(_sum > 0))
            (_sum, _seen, _middle) = (0, 0, 0);
    }
}
