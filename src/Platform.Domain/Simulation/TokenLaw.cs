namespace Platform.Domain.Simulation;

/// <summary>
/// How many tokens a query has: a fixed number, or one drawn for each query. Numbers drawn are whole and at least 0.
/// </summary>
public abstract class TokenLaw
{
    // Whole numbers up to here are exact in a double.
    private const double MostTokens = 9_007_199_254_740_991;

    private TokenLaw(double mean) => Mean = mean;

    /// <summary>No tokens at all.</summary>
    public static TokenLaw None { get; } = Fixed(0);

    /// <summary>The mean number of tokens, at least 0.</summary>
    public double Mean { get; }

    /// <summary>
    /// Always the same number. A number with a fraction is rounded up or down for each query, so that the mean is kept.
    /// </summary>
    /// <param name="tokens">At least 0.</param>
    public static TokenLaw Fixed(double tokens) => new FixedLaw(tokens);

    /// <summary>
    /// The geometric law on 1, 2, 3 …: after each token the query ends with the same probability. Below a mean of 1 the
    /// number is 0 or 1.
    /// </summary>
    /// <param name="mean">At least 0.</param>
    public static TokenLaw Geometric(double mean) => mean > 1 ? new GeometricLaw(mean) : new FixedLaw(mean);

    /// <summary>For each query one of several laws, drawn by their weights.</summary>
    /// <param name="parts">At least one law; no weight is negative, and their sum is above 0.</param>
    public static TokenLaw Mixed(params (double Weight, TokenLaw Law)[] parts) => new MixedLaw(parts);

    /// <summary>Draws the tokens of a query.</summary>
    internal abstract long Draw(ref Xoshiro256 random);

    private static double Checked(double mean)
    {
        if (mean is >= 0 and <= MostTokens)
            return mean;
        throw new ArgumentOutOfRangeException(nameof(mean), mean, $"A mean number of tokens is 0 to {MostTokens}.");
    }

    private sealed class FixedLaw : TokenLaw
    {
        private readonly long _whole;
        private readonly double _fraction;

        public FixedLaw(double tokens)
            : base(Checked(tokens))
        {
            _whole = (long)tokens;
            _fraction = tokens - _whole;
        }

        internal override long Draw(ref Xoshiro256 random)
        {
            if (_fraction == 0)
                return _whole;
            return random.NextUnit() < _fraction ? _whole + 1 : _whole;
        }
    }

    private sealed class GeometricLaw : TokenLaw
    {
        private readonly double _scale;

        // P(more than n) = (1 − 1/mean)^n: an exponential sample over −ln(1 − 1/mean), rounded up, has that law.
        public GeometricLaw(double mean)
            : base(Checked(mean)) => _scale = -1 / Math.Log(1 - (1 / mean));

        internal override long Draw(ref Xoshiro256 random) => 1 + (long)(random.NextExponential() * _scale);
    }

    private sealed class MixedLaw : TokenLaw
    {
        private readonly TokenLaw[] _laws;
        private readonly AliasTable _choice;

        public MixedLaw((double Weight, TokenLaw Law)[] parts)
            : base(parts.Sum(part => part.Weight * part.Law.Mean) / parts.Sum(part => part.Weight))
        {
            _laws = [.. parts.Select(part => part.Law)];
            _choice = new([.. parts.Select(part => part.Weight)]);
        }

        internal override long Draw(ref Xoshiro256 random) => _laws[_choice.Draw(ref random)].Draw(ref random);
    }
}
