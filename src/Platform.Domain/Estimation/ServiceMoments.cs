using System.Numerics;

namespace Platform.Domain.Estimation;

/// <summary>
/// n, x̄, ȳ and the centred sums of completions, tokens x and service seconds y, weighted by age; each bucket's part is
/// formed in whole numbers and loses nothing, and the parts between buckets are squares, so that no cancellation is
/// left.
/// </summary>
internal readonly struct ServiceMoments
{
    /// <summary>
    /// Buckets that the presumption of one variance at all tokens is worth against what the buckets show: a few of them
    /// tell little.
    /// </summary>
    internal const double PresumedBuckets = 4;

    // One for each bucket of the horizon and of the five minutes that windows may lie ahead, mostly.
    private const int MostOnStack = 128;

    private readonly Matrix2 _seen;
    private readonly double _buckets;

    public ServiceMoments(ReadOnlySpan<TaskSums?> tasks, ReadOnlySpan<double> weights)
    {
        var (tokens, millis) = (0.0, 0.0);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task)
                continue;
            Count += weights[i] * task.Of(WorkloadSum.Completions);
            tokens += weights[i] * task.Of(WorkloadSum.Tokens);
            millis += weights[i] * task.Of(WorkloadSum.Millis);
        }

        if (Count == 0)
            return;
        (MeanTokens, MeanSeconds) = (tokens / Count, millis / Count / 1e3);
        Span<Part> parts = tasks.Length <= MostOnStack ? stackalloc Part[MostOnStack] : new Part[tasks.Length];
        var (count, squares) = (0, 0.0);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is not { } task || task[WorkloadSum.Completions] == 0)
                continue;
            var (w, part) = (weights[i], new Part(task, weights[i], MeanTokens, MeanSeconds));
            parts[count++] = part;
            (TokensSquared, TokenSeconds, SecondsSquared) = (
                TokensSquared + (w * part.TokensSquared),
                TokenSeconds + (w * part.TokenSeconds),
                SecondsSquared + (w * part.SecondsSquared)
            );
            Squared = (
                Squared.Count + (w * w * part.Count),
                Squared.Tokens + (w * w * part.Tokens),
                Squared.TokensSquared + (w * w * part.TokensSquared)
            );
            squares += w * w * part.Count * w * w * part.Count;
        }

        _buckets = Squared.Count * Squared.Count / squares;
        var slope = Parameters == 2 ? TokenSeconds / TokensSquared : 0;
        foreach (var part in parts[..count])
            _seen = part.AddScore(_seen, slope);
    }

    /// <summary>Σwn.</summary>
    public double Count { get; }

    public double MeanTokens { get; }

    public double MeanSeconds { get; }

    /// <summary>Sxx.</summary>
    public double TokensSquared { get; }

    /// <summary>Sxy.</summary>
    public double TokenSeconds { get; }

    /// <summary>Syy.</summary>
    public double SecondsSquared { get; }

    /// <summary>
    /// Degrees of freedom of the residual: effective completions (Σw)²/Σw² less the fitted parameters, at least 0.
    /// </summary>
    public double Freedom => Count == 0 ? 0 : Math.Max((Count * Count / Squared.Count) - Parameters, 0);

    /// <summary>
    /// Variance of a completion around the least-squares line, in seconds²; 0 when there are no degrees of freedom.
    /// </summary>
    public double Variance => Freedom == 0 ? 0 : Residual / (Count - (Parameters * Squared.Count / Count));

    /// <summary>Count, Σ(x − x̄) and Σ(x − x̄)² weighted by the squares of the weights.</summary>
    private (double Count, double Tokens, double TokensSquared) Squared { get; }

    /// <summary>One operating point has no slope to fit; what spread it shows is that of rounding its mean.</summary>
    private int Parameters => TokensSquared > 1e-18 * MeanTokens * MeanTokens * Count ? 2 : 1;

    private double Residual =>
        Math.Max(Parameters == 2 ? SecondsSquared - (TokenSeconds * TokenSeconds / TokensSquared) : SecondsSquared, 0);

    /// <summary>
    /// The covariance of the weighted data's score, Σw(1, x − x̄)·e/σ² with the residual e, in level and slope: as one
    /// variance at all tokens gives it, and as the sums of the buckets show it whatever the scatter depends on (Liang
    /// and Zeger, Biometrika 73, 1986), weighed by the number of buckets.
    /// </summary>
    /// <param name="variance">σ² > 0.</param>
    public Matrix2 Scores(double variance)
    {
        var buckets = Math.Max(_buckets - Parameters, 0);
        var presumed = PresumedBuckets / (PresumedBuckets + buckets) / variance;

        // The fitted line passes nearer to the buckets than the true one: G of them show G − p.
        var seen = buckets == 0 ? 0 : _buckets / (PresumedBuckets + buckets) / (variance * variance);
        return new Matrix2(
            (presumed * Squared.Count) + (seen * _seen.First),
            (presumed * Squared.Tokens) + (seen * _seen.Off),
            (presumed * Squared.TokensSquared) + (seen * _seen.Second)
        );
    }

    /// <summary>The sums of one bucket around the means of all.</summary>
    private readonly struct Part
    {
        private readonly double _weight;
        private readonly double _seconds;

        public Part(TaskSums task, double weight, double meanTokens, double meanSeconds)
        {
            var n = task.Of(WorkloadSum.Completions);
            var x = (task.Of(WorkloadSum.Tokens) / n) - meanTokens;
            var y = (task.Of(WorkloadSum.Millis) / n / 1e3) - meanSeconds;
            (_weight, Count, Tokens, _seconds) = (weight, n, n * x, n * y);
            TokensSquared =
                Centred(task, WorkloadSum.TokensSquared, WorkloadSum.Tokens, WorkloadSum.Tokens) + (n * x * x);
            TokenSeconds =
                (Centred(task, WorkloadSum.TokenMillis, WorkloadSum.Tokens, WorkloadSum.Millis) / 1e3) + (n * x * y);
            SecondsSquared =
                (Centred(task, WorkloadSum.MillisSquared, WorkloadSum.Millis, WorkloadSum.Millis) / 1e6) + (n * y * y);
        }

        public double Count { get; }

        public double Tokens { get; }

        public double TokensSquared { get; }

        public double TokenSeconds { get; }

        public double SecondsSquared { get; }

        /// <summary>Adds s·sᵀ with s = w·Σ(1, x − x̄)·(y − ȳ − c·(x − x̄)).</summary>
        public Matrix2 AddScore(Matrix2 sum, double slope)
        {
            var (level, tilt) = (
                _weight * (_seconds - (slope * Tokens)),
                _weight * (TokenSeconds - (slope * TokensSquared))
            );
            return new Matrix2(sum.First + (level * level), sum.Off + (level * tilt), sum.Second + (tilt * tilt));
        }
    }

    /// <summary>Σxy − ΣxΣy/n = (nΣxy − ΣxΣy)/n, the difference in whole numbers.</summary>
    internal static double Centred(TaskSums task, WorkloadSum products, WorkloadSum x, WorkloadSum y)
    {
        return task.IsShort
            ? Centred(task.Short(WorkloadSum.Completions), task.Short(products), task.Short(x), task.Short(y))
            : Centred(task[WorkloadSum.Completions], task[products], task[x], task[y]);
    }

    private static double Centred(UInt128 n, UInt128 xy, UInt128 sumX, UInt128 sumY) =>
        (n | xy | sumX | sumY) > ulong.MaxValue
            ? (double)(((BigInteger)n * xy) - ((BigInteger)sumX * sumY)) / (double)n
            : Centred((ulong)n, (ulong)xy, (ulong)sumX, (ulong)sumY);

    private static double Centred(ulong n, ulong xy, ulong sumX, ulong sumY)
    {
        var (more, less) = (Product(n, xy), Product(sumX, sumY));
        return (more >= less ? TaskSums.Nearest(more - less) : -TaskSums.Nearest(less - more)) / n;
    }

    private static UInt128 Product(ulong a, ulong b) => new(Math.BigMul(a, b, out var low), low);
}
