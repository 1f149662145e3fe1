using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>Chi-squared as a standard normal deviate.</summary>
internal static class ChiSquared
{
    /// <summary>
    /// ((χ²/ν)^⅓ − 1 + 2/(9ν))·√(9ν/2) (Wilson and Hilferty, PNAS 17, 1931): nearly standard normal, also for small ν.
    /// </summary>
    /// <param name="chiSquared">At least 0.</param>
    /// <param name="freedom">ν > 0.</param>
    public static double ZScore(double chiSquared, double freedom)
    {
        var ratio = chiSquared / freedom;
        var root = ratio > 0 ? Elementary.Exp(Elementary.Log(ratio) / 3) : 0;
        return (root - 1 + (2 / (9 * freedom))) * Math.Sqrt(4.5 * freedom);
    }
}
