namespace Platform.Cli.Demo;

/// <summary>How many of the tokens granted a simulated query really uses: some stop thinking early.</summary>
internal static class TokenUse
{
    /// <summary>Part of the queries that stop before their budget is used up.</summary>
    private const double StopsEarly = 0.2;

    /// <summary>Least part of its budget that a query uses.</summary>
    private const double LeastUse = 0.6;

    /// <summary>Mean part used.</summary>
    public static double Mean { get; } = 1 - (StopsEarly * (1 - LeastUse) / 2);

    /// <summary>Tokens used of those granted.</summary>
    /// <param name="granted">Tokens granted.</param>
    /// <param name="stop">Uniform in [0, 1): whether it stops early.</param>
    /// <param name="part">Uniform in [0, 1): how early.</param>
    public static long Of(long granted, double stop, double part) =>
        stop < StopsEarly ? (long)Math.Round(granted * (LeastUse + ((1 - LeastUse) * part))) : granted;
}

/// <summary>
/// What the gateways do so that there is something to learn: at a single budget neither the slope of the service line
/// nor the accuracy curve could be told. A part of the queries gets half or twice what the allocation in force says.
/// </summary>
internal static class Exploration
{
    /// <summary>Part of the queries that get another budget, half of these less and half more.</summary>
    public const double Part = 0.2;

    /// <summary>Tokens granted to a query.</summary>
    /// <param name="tokens">What the allocation says.</param>
    /// <param name="policyTokens">The fleet's order of magnitude: a type that gets nothing is tried with an eighth of
    /// it.</param>
    /// <param name="draw">Uniform in [0, 1).</param>
    public static long Grant(long tokens, int policyTokens, double draw) =>
        draw switch
        {
            < Part / 2 => tokens / 2,
            < Part => Math.Max(2 * tokens, policyTokens / 8),
            _ => tokens,
        };
}
