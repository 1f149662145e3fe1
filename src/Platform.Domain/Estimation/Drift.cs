namespace Platform.Domain.Estimation;

/// <summary>
/// Whether the newest buckets differ from those before them, or the oldest from those after: the newest and the oldest
/// 1, 2, 4, 8, 16 and 32 buckets that tell anything are each compared with all others, and the greatest score counts.
/// So a step is seen soon after it, a slow change too, and a start at which not all servers reported yet for as long as
/// it counts.
/// </summary>
internal static class Drift
{
    /// <summary>Buckets that tell anything, at least: of two each would be judged by the other alone.</summary>
    private const int LeastBuckets = 3;

    /// <summary>
    /// Of a rate: events against covered seconds; the value is the ratio of the rates, the later over the earlier.
    /// </summary>
    /// <param name="counts">Events by bucket, oldest first.</param>
    /// <param name="seconds">Covered seconds by bucket.</param>
    /// <param name="dispersion">Variance over that of Poisson counts, at least 1.</param>
    /// <remarks>
    /// Given n events in all, a part of the time, q, is expected to hold nq. The score is taken between square roots
    /// (Anscombe, Biometrika 35, 1948), where a few events in a short stretch do not look like much: 2(√(k + ⅜) − √(nq
    /// + ⅜))/√(φ(1 − q)).
    /// </remarks>
    public static ValidityCheck OfRate(ReadOnlySpan<double> counts, ReadOnlySpan<double> seconds, double dispersion)
    {
        var all = Sum(counts, seconds);
        var greatest = new Greatest(1);
        foreach (var isNewest in stackalloc[] { true, false })
        {
            var end = new End(isNewest, counts, seconds);
            while (all.Value > 0 && end.TryGrow(all.Weight))
            {
                var part = end.Weight / all.Weight;
                var score =
                    2
                    * (Math.Sqrt(end.Value + 0.375) - Math.Sqrt((all.Value * part) + 0.375))
                    / Math.Sqrt(dispersion * (1 - part));
                var rest = (Value: all.Value - end.Value, Weight: all.Weight - end.Weight);
                greatest.Add(
                    isNewest,
                    score,
                    isNewest ? Ratio((end.Value, end.Weight), rest) : Ratio(rest, (end.Value, end.Weight))
                );
            }
        }

        return greatest.Check(seconds);
    }

    /// <summary>
    /// Of a mean: sums of residuals against their variances; the value is the difference of the weighted means, later
    /// less earlier.
    /// </summary>
    /// <param name="residuals">Σ residual by bucket, oldest first.</param>
    /// <param name="information">Weight of the bucket: the sum of the residuals has this variance times
    /// <paramref name="variance"/>.</param>
    /// <param name="variance">Variance of a residual of weight 1, above 0.</param>
    public static ValidityCheck OfMean(
        ReadOnlySpan<double> residuals,
        ReadOnlySpan<double> information,
        double variance
    )
    {
        var all = Sum(residuals, information);
        var greatest = new Greatest(0);
        foreach (var isNewest in stackalloc[] { true, false })
        {
            var end = new End(isNewest, residuals, information);
            while (end.TryGrow(all.Weight))
            {
                var rest = all.Weight - end.Weight;
                var difference = (end.Value / end.Weight) - ((all.Value - end.Value) / rest);
                var score = difference / Math.Sqrt(variance * ((1 / end.Weight) + (1 / rest)));
                greatest.Add(isNewest, score, isNewest ? difference : -difference);
            }
        }

        return greatest.Check(information);
    }

    /// <summary>Of two rates; half an event stands for none, so that a beginning of traffic has a ratio too.</summary>
    private static double Ratio((double Value, double Weight) later, (double Value, double Weight) earlier) =>
        later.Value / later.Weight / (Math.Max(earlier.Value, 0.5) / earlier.Weight);

    private static (double Value, double Weight) Sum(ReadOnlySpan<double> values, ReadOnlySpan<double> weights)
    {
        var sum = (Value: 0.0, Weight: 0.0);
        for (var i = 0; i < values.Length; i++)
            sum = (sum.Value + values[i], sum.Weight + weights[i]);
        return sum;
    }

    /// <summary>The newest or the oldest buckets: 1, 2, 4 … that have a weight.</summary>
    private ref struct End(bool isNewest, ReadOnlySpan<double> values, ReadOnlySpan<double> weights)
    {
        private readonly ReadOnlySpan<double> _values = values;
        private readonly ReadOnlySpan<double> _weights = weights;
        private int _taken;
        private int _seen;
        private int _next = 1;

        public double Value { get; private set; }

        public double Weight { get; private set; }

        /// <summary>Takes in the next buckets; false when no others are left to compare with.</summary>
        public bool TryGrow(double all)
        {
            while (_seen < _next && _taken < _values.Length)
            {
                var i = isNewest ? _values.Length - 1 - _taken : _taken;
                (Value, Weight) = (Value + _values[i], Weight + _weights[i]);
                _seen += _weights[i] > 0 ? 1 : 0;
                _taken++;
            }

            var isPart = _seen == _next && Weight < all;
            _next *= 2;
            return isPart;
        }
    }

    private struct Greatest(double none)
    {
        private double _value = none;
        private double _score;

        public void Add(bool isNewest, double score, double value)
        {
            if (Math.Abs(score) > Math.Abs(_score))
                (_value, _score) = (value, isNewest ? score : -score);
        }

        public readonly ValidityCheck Check(ReadOnlySpan<double> weights)
        {
            var seen = 0;
            foreach (var weight in weights)
                seen += weight > 0 ? 1 : 0;
            return seen < LeastBuckets
                ? ValidityCheck.Unknown
                : new ValidityCheck(_value, _score, Math.Abs(_score) > ValidityThresholds.LargestZScore);
        }
    }
}
