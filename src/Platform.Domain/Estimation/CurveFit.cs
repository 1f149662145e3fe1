using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>Whether verdicts lie on the fitted curve, and whether on any concave curve at all.</summary>
internal static class CurveFit
{
    /// <summary>
    /// Right and wrong answers that a pooled group must be expected to have: Cochran's rule for χ² (Biometrics 10,
    /// 1954).
    /// </summary>
    internal const double LeastExpected = 5;

    /// <summary>
    /// Effective trials below which a group is pooled with the next: proportions of fewer are not nearly normal.
    /// </summary>
    private const double LeastGroup = 20;

    /// <summary>Fitted parameters: floor, gain and rate.</summary>
    private const int Parameters = 3;

    /// <summary>
    /// Most groups among which triples are compared; more are pooled in neighbours, which keeps the power of the test.
    /// </summary>
    private const int MostGroups = 8;

    /// <summary>Accuracy at a number of tokens, within 0 and 1.</summary>
    public static double At(AccuracyCurve curve, double tokens) =>
        Math.Clamp(curve.Floor - (curve.Gain * Elementary.ExpMinusOne(-curve.RatePerToken * tokens)), 0, 1);

    /// <summary>
    /// Pearson's χ² = Σ (c − np)²/(np(1 − p)) over groups of neighbouring cells, c, n and p(1 − p) as effective counts;
    /// null with no more groups than parameters, or from estimator/4 on with a single group: three parameters bent by
    /// their prior do not meet any three groups, and a curve that rises meets none that fall. Those few are judged by
    /// one degree of freedom.
    /// </summary>
    public static GoodnessOfFit? Of(AccuracyCurve curve, ReadOnlySpan<WeightedVerdicts> cells, bool judgesFew)
    {
        var (chiSquared, groups) = (0.0, 0);
        var (excess, variance, rights, wrongs) = (0.0, 0.0, 0.0, 0.0);
        foreach (var cell in cells)
        {
            var p = At(curve, cell.Tokens);
            excess += cell.Correct - (cell.Trials * p);
            variance += cell.SquaredTrials * p * (1 - p);
            rights += cell.EffectiveTrials * p;
            wrongs += cell.EffectiveTrials * (1 - p);
            if (rights < LeastExpected || wrongs < LeastExpected)
                continue;
            groups++;
            chiSquared += excess * excess / variance;
            (excess, variance, rights, wrongs) = (0, 0, 0, 0);
        }

        var freedom = judgesFew && groups > 1 ? Math.Max(groups - Parameters, 1) : groups - Parameters;
        return freedom < 1 ? null : new GoodnessOfFit(chiSquared, freedom, ChiSquared.ZScore(chiSquared, freedom));
    }

    /// <summary>
    /// The greatest evidence of any three groups of budgets, in order, that accuracy rises faster between the later two
    /// than between the earlier two, which no concave curve does.
    /// </summary>
    public static ValidityCheck Convexity(ReadOnlySpan<WeightedVerdicts> cells)
    {
        Span<(double Tokens, double Accuracy, double Variance)> groups =
            stackalloc (double, double, double)[MostGroups];
        var count = Pool(cells, groups);
        if (count < 3)
            return ValidityCheck.Unknown;
        var (value, greatest) = (0.0, double.NegativeInfinity);
        for (var i = 0; i < count; i++)
        {
            for (var j = i + 1; j < count; j++)
            {
                for (var k = j + 1; k < count; k++)
                {
                    var (first, last) = (
                        1 / (groups[j].Tokens - groups[i].Tokens),
                        1 / (groups[k].Tokens - groups[j].Tokens)
                    );
                    var rise =
                        (last * (groups[k].Accuracy - groups[j].Accuracy))
                        - (first * (groups[j].Accuracy - groups[i].Accuracy));
                    var variance =
                        (last * last * groups[k].Variance)
                        + ((last + first) * (last + first) * groups[j].Variance)
                        + (first * first * groups[i].Variance);
                    var score = rise / Math.Sqrt(variance);
                    if (score > greatest)
                        (value, greatest) = (rise * 1e3, score);
                }
            }
        }

        return new ValidityCheck(value, greatest, greatest > ValidityThresholds.LargestZScore);
    }

    /// <summary>The greatest evidence of any two groups of budgets that accuracy is less at the larger.</summary>
    public static ValidityCheck Fall(ReadOnlySpan<WeightedVerdicts> cells)
    {
        Span<(double Tokens, double Accuracy, double Variance)> groups =
            stackalloc (double, double, double)[MostGroups];
        var count = Pool(cells, groups);
        if (count < 2)
            return ValidityCheck.Unknown;
        var (value, greatest) = (0.0, double.NegativeInfinity);
        for (var i = 0; i < count; i++)
        {
            for (var j = i + 1; j < count; j++)
            {
                var fall = groups[i].Accuracy - groups[j].Accuracy;
                var score = fall / Math.Sqrt(groups[i].Variance + groups[j].Variance);
                if (score > greatest)
                    (value, greatest) = (fall, score);
            }
        }

        return new ValidityCheck(value, greatest, greatest > ValidityThresholds.LargestZScore);
    }

    /// <summary>
    /// Neighbouring cells in at most <see cref="MostGroups"/> groups of about equal effective trials.
    /// </summary>
    private static int Pool(
        ReadOnlySpan<WeightedVerdicts> cells,
        Span<(double Tokens, double Accuracy, double Variance)> groups
    )
    {
        var all = 0.0;
        foreach (var cell in cells)
            all += cell.EffectiveTrials;
        var least = Math.Max(cells.Length <= MostGroups ? 0 : all / MostGroups, LeastGroup);
        var count = 0;
        var (trials, tokens, rights) = (0.0, 0.0, 0.0);
        for (var i = 0; i < cells.Length; i++)
        {
            var n = cells[i].EffectiveTrials;
            (trials, tokens, rights) = (trials + n, tokens + (n * cells[i].Tokens), rights + (n * cells[i].Accuracy));
            if ((trials < least || count == MostGroups - 1) && i < cells.Length - 1)
                continue;

            // Agresti and Coull's p (American Statistician 52, 1998) keeps the variance of all-right and all-wrong
            // groups above 0.
            var p = (rights + 2) / (trials + 4);
            groups[count++] = (tokens / trials, rights / trials, p * (1 - p) / trials);
            (trials, tokens, rights) = (0, 0, 0);
        }

        return count;
    }
}
