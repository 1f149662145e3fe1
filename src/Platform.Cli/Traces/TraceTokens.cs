namespace Platform.Cli.Traces;

/// <summary>Numbers of tokens in a trace.</summary>
internal static class TraceTokens
{
    /// <summary>Most tokens of one request: ten times the longest context on the market.</summary>
    public const int Most = 10_000_000;

    /// <summary>What is expected of a number of tokens.</summary>
    public static readonly string Expected = $"must be a whole number from 0 to {Most}";

    /// <summary>A prompt's length as in the Azure conversation trace, for traces that tell none.</summary>
    public static int DrawContext(Random random) => LogNormal(random, 950, 0.9);

    /// <summary>An answer's length as in the Azure conversation trace, for traces that tell none.</summary>
    public static int DrawGenerated(Random random) => LogNormal(random, 130, 0.8);

    private static int LogNormal(Random random, double median, double sigma)
    {
        const int Longest = 16_384;
        return (int)Math.Clamp(median * Math.Exp(sigma * Draws.Normal(random)), 1, Longest);
    }
}
