namespace Platform.Domain.Estimation;

/// <summary>
/// How much counts scatter from bucket to bucket against what chance alone gives, from successive differences (von
/// Neumann, Annals of Mathematical Statistics 12, 1941), so that a slow drift of the mean does not count.
/// </summary>
/// <param name="Index">Variance over the variance by chance: 1 when chance alone acts; null with fewer than two pairs
/// of buckets.</param>
/// <param name="Score">Its distance from 1 in standard deviations.</param>
/// <remarks>
/// Given the sum of two neighbours, the split of independent events among them is binomial (hypergeometric for a
/// share), whatever their rate: so the expected square of the contrast is known exactly, and the index is the ratio of
/// the sums of seen and expected squares.
/// </remarks>
internal readonly record struct Dispersion(double? Index, double? Score)
{
    /// <summary>
    /// Degrees of freedom that "chance alone" is worth before any bucket is seen: two or three buckets tell little.
    /// More would hide bursts that forty buckets show.
    /// </summary>
    internal const double PriorDegreesOfFreedom = 2;

    /// <summary>One pair of so many may lie across a jump.</summary>
    private const int JumpPart = 8;

    /// <summary>Mean of χ² of one degree of freedom within its lower seven eighths.</summary>
    private const double MeanOfLowerChiSquared = 0.5687;

    /// <summary>The factor on variances: at least 1, and 1 where nothing is known.</summary>
    public double Inflation { get; private init; } = 1;

    /// <summary>The index and its score, flagged when it is both significant and large enough to matter.</summary>
    public ValidityCheck Check() =>
        Index is null
            ? ValidityCheck.Unknown
            : new ValidityCheck(
                Index,
                Score,
                Score > ValidityThresholds.ZScore && Index > ValidityThresholds.Dispersion
            );

    /// <summary>Of event counts against covered seconds.</summary>
    public static Dispersion OfCounts(ReadOnlySpan<double> counts, ReadOnlySpan<double> seconds)
    {
        var sum = new Pairs();
        foreach (var (seen, expected) in PairsOf(counts, seconds))
            sum.Add(seen, expected);
        return sum.Result();
    }

    /// <summary>
    /// The factor on variances of event counts, at least 1, where the rate may have jumped: the eighth of the pairs
    /// that differ most is left out, and what is left is taken for the lower seven eighths of χ².
    /// </summary>
    public static double InflationBetweenJumps(ReadOnlySpan<double> counts, ReadOnlySpan<double> seconds)
    {
        var pairs = PairsOf(counts, seconds);
        var all = Inflation(pairs, 1);
        pairs.Sort((a, b) => (a.Seen / a.Expected).CompareTo(b.Seen / b.Expected));
        return Math.Min(all, Inflation(pairs[..(pairs.Count - (pairs.Count / JumpPart))], MeanOfLowerChiSquared));

        static double Inflation(List<(double Seen, double Expected)> pairs, double mean)
        {
            var sum = new Pairs();
            foreach (var (seen, expected) in pairs)
                sum.Add(seen / mean, expected);
            return sum.Result().Inflation;
        }
    }

    /// <summary>Of the part of a total that one type makes.</summary>
    public static Dispersion OfShares(ReadOnlySpan<double> counts, ReadOnlySpan<double> totals)
    {
        var sum = new Pairs();
        var last = -1;
        for (var i = 0; i < counts.Length; i++)
        {
            if (totals[i] <= 0)
                continue;
            if (last >= 0)
            {
                // Hypergeometric: (x₁m₂ − x₂m₁)²/(m₁m₂) is expected x(m − x)/(m − 1) with x = x₁ + x₂, m = m₁ + m₂ ≥ 2.
                var (x, m) = (counts[last] + counts[i], totals[last] + totals[i]);
                var contrast = (counts[last] * totals[i]) - (counts[i] * totals[last]);
                sum.Add(contrast * contrast / (totals[i] * totals[last]), x * (m - x) / (m - 1));
            }

            last = i;
        }

        return sum.Result();
    }

    /// <summary>Neighbours with any event: the square of their contrast, and what it is expected to be.</summary>
    private static List<(double Seen, double Expected)> PairsOf(
        ReadOnlySpan<double> counts,
        ReadOnlySpan<double> seconds
    )
    {
        var pairs = new List<(double Seen, double Expected)>(counts.Length);
        var last = -1;
        for (var i = 0; i < counts.Length; i++)
        {
            if (seconds[i] <= 0)
                continue;
            if (last >= 0 && counts[last] + counts[i] > 0)
            {
                // (n₁e₂ − n₂e₁)²/(e₁e₂) is (n₁ − mq)²/(q(1 − q)) with m = n₁ + n₂ and q = e₁/(e₁ + e₂): expected m.
                var contrast = (counts[last] * seconds[i]) - (counts[i] * seconds[last]);
                pairs.Add((contrast * contrast / (seconds[i] * seconds[last]), counts[last] + counts[i]));
            }

            last = i;
        }

        return pairs;
    }

    private struct Pairs
    {
        private double _seen;
        private double _expected;
        private double _expectedSquared;
        private int _count;

        public void Add(double seen, double expected)
        {
            _seen += seen;
            _expected += expected;
            _expectedSquared += expected * expected;
            _count += expected > 0 ? 1 : 0;
        }

        /// <summary>
        /// A square of mean μ has variance near 2μ², and neighbouring pairs share a bucket, which makes that of the sum
        /// 3/2 times as large: Var = 3Σμ²/(Σμ)², that is, 2/Var degrees of freedom. The score is that of Wilson and
        /// Hilferty's cube root.
        /// </summary>
        public readonly Dispersion Result()
        {
            if (_count < 2)
                return new Dispersion(null, null);
            var index = _seen / _expected;
            var freedom = 2 * _expected * _expected / (3 * _expectedSquared);
            return new Dispersion(index, ChiSquared.ZScore(index * freedom, freedom))
            {
                Inflation = Math.Max(
                    1,
                    ((index * freedom) + PriorDegreesOfFreedom) / (freedom + PriorDegreesOfFreedom)
                ),
            };
        }
    }
}
