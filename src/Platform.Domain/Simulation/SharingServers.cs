using Platform.Domain.Allocation;

namespace Platform.Domain.Simulation;

/// <summary>
/// The servers that batch of a problem. The problem says how long a query is alone on a server, base + c l + q l², and
/// which part of that is overhead, α for each of its m + l output tokens; the rest is what it adds to the iterations.
/// The simulated query takes part in m + l iterations, and adds exactly that rest to them.
/// </summary>
/// <remarks>
/// <para>
/// Each output token adds c − α, as the reasoning tokens do by their slope, and 2 q more for each token before it: the
/// context grows at one pace over reasoning and answer, and the slope at no reasoning, c, has what m answer tokens add
/// to it already. What the base has beyond its m tokens at that price is the prompt's, and the query's first iteration
/// takes so much longer. A problem does not know prompts by their tokens, so that they are not cut into chunks.
/// </para>
/// <para>
/// A base that is less than its m tokens at that price leaves nothing for a prompt, and says that the answer's tokens
/// are faster than the line's. The whole rest is then spread over all output tokens alike: a query alone takes what the
/// problem says and adds what the problem says, but all its tokens have one pace.
/// </para>
/// </remarks>
internal static class SharingServers
{
    // A base that is a product of decimal fractions comes out a few units in the last place beside itself.
    private const double Rounding = 1e-12;

    /// <summary>The fleet that a problem and tokens describe.</summary>
    /// <param name="problem">A valid problem whose dispatch is sharing.</param>
    /// <param name="tokens">Tokens of each type, at least 0, in the problem's order.</param>
    public static BatchingFleet Of(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        var count = problem.TaskTypes.Count;
        if (tokens.Length != count)
            throw new ArgumentException(
                $"There are {count} types and {tokens.Length} numbers of tokens.",
                nameof(tokens)
            );
        var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
        var types = new BatchedType[tokens.Length];
        for (var k = 0; k < types.Length; k++)
            types[k] = TypeOf(problem.TaskTypes[k], tokens[k], overhead);
        return new(problem.Servers, new(overhead, problem.Sharing.MaxInService), types);
    }

    /// <summary>A task type at some tokens.</summary>
    internal static BatchedType TypeOf(TaskType type, long tokens, double overhead)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return new()
        {
            Id = type.Id,
            Share = type.Share,
            PromptTokens = TokenLaw.Fixed(1),
            ReasoningTokens = TokenLaw.Fixed(tokens),
            AnswerTokens = TokenLaw.Fixed(type.AnswerTokens),
            Costs = PromptAndTokens(type, overhead) ?? TokensAlike(type, tokens, overhead),
        };
    }

    /// <summary>
    /// The price of tokens by the line's slope, and the rest for the prompt; null where there is no such rest.
    /// </summary>
    private static TokenCosts? PromptAndTokens(TaskType type, double overhead)
    {
        var line = type.Service;
        var answer = type.AnswerTokens;
        var squared = line.SecondsPerTokenSquared;
        var perToken = line.SecondsPerToken - overhead - (((2 * answer) - 1) * squared);
        var prompt = line.BaseSeconds - (answer * line.SecondsPerToken) + (answer * answer * squared);
        var leastPerToken = -Rounding * line.SecondsPerToken;
        var leastPrompt = -Rounding * line.BaseSeconds;
        if (perToken < leastPerToken || prompt < leastPrompt)
            return null;
        return new(Math.Max(0, perToken), 2 * squared, Math.Max(0, prompt));
    }

    private static TokenCosts TokensAlike(TaskType type, long tokens, double overhead)
    {
        var line = type.Service;
        var reasoning = tokens * (line.SecondsPerToken - overhead + (tokens * line.SecondsPerTokenSquared));
        var work = line.BaseSeconds - (overhead * type.AnswerTokens) + reasoning;
        var output = type.AnswerTokens + tokens;
        return new(Math.Max(0, work / output));
    }
}
