namespace Platform.Domain.Simulation;

/// <summary>What a query asks of a server that batches.</summary>
public readonly record struct BatchedQuery
{
    /// <summary>The caller's number for the query, handed back when it has ended.</summary>
    public long Index { get; init; }

    /// <summary>Index of its task type.</summary>
    public int TaskType { get; init; }

    /// <summary>Tokens of its prompt, at least 0.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Output tokens of its reasoning, at least 0; they come before the answer.</summary>
    public long ReasoningTokens { get; init; }

    /// <summary>Output tokens of its answer, at least 0.</summary>
    public long AnswerTokens { get; init; }

    /// <summary>What the query costs.</summary>
    public TokenCosts Costs { get; init; }

    /// <summary>Reasoning and answer together.</summary>
    public long OutputTokens => ReasoningTokens + AnswerTokens;
}

/// <summary>What the tokens of a query add to the iterations in which they are made. All are at least 0.</summary>
/// <param name="SecondsPerOutputToken">δ, seconds that an output token adds to its iteration.</param>
/// <param name="SecondsPerEarlierToken">
/// Seconds that an output token adds beside those for each output token made before it: the growing context. The n
/// tokens of a query add n (n − 1)/2 times that in all.
/// </param>
/// <param name="SecondsPerPromptToken">γ, seconds that a prompt token adds to the iteration that processes it.</param>
public readonly record struct TokenCosts(
    double SecondsPerOutputToken,
    double SecondsPerEarlierToken = 0,
    double SecondsPerPromptToken = 0
)
{
    /// <summary>Seconds that a query adds to the iterations it takes part in.</summary>
    /// <param name="promptTokens">Tokens of its prompt.</param>
    /// <param name="outputTokens">Tokens of its output.</param>
    public double WorkSeconds(long promptTokens, long outputTokens)
    {
        var pairs = outputTokens * (outputTokens - 1.0) / 2;
        var prefill = promptTokens * SecondsPerPromptToken;
        return prefill + (outputTokens * SecondsPerOutputToken) + (pairs * SecondsPerEarlierToken);
    }
}

/// <summary>A query that has ended. Instants are seconds since the beginning of the simulation.</summary>
/// <param name="Query">What it asked for.</param>
/// <param name="ArrivalSeconds">When it came.</param>
/// <param name="StartSeconds">
/// When it was taken into service, at the end of an iteration or, on an idle server, at once.
/// </param>
/// <param name="FirstTokenSeconds">
/// When its first output token was made; <see cref="EndSeconds"/> without output.
/// </param>
/// <param name="FirstAnswerTokenSeconds">When the first token of its answer was made; NaN without an answer.</param>
/// <param name="EndSeconds">When its last token was made.</param>
public readonly record struct FinishedQuery(
    BatchedQuery Query,
    double ArrivalSeconds,
    double StartSeconds,
    double FirstTokenSeconds,
    double FirstAnswerTokenSeconds,
    double EndSeconds
)
{
    /// <summary>
    /// Sum over its output tokens of the queries in service on its server when the token was made, its own included; 0
    /// without output.
    /// </summary>
    public long InServiceAtTokens { get; init; }

    /// <summary>Seconds from arrival to the start of service.</summary>
    public double WaitSeconds => StartSeconds - ArrivalSeconds;

    /// <summary>Seconds from the start of service to the end.</summary>
    public double ServiceSeconds => EndSeconds - StartSeconds;

    /// <summary>Seconds from arrival to the end.</summary>
    public double SystemSeconds => EndSeconds - ArrivalSeconds;
}

/// <summary>A server that batches.</summary>
/// <param name="OverheadSeconds">α ≥ 0, the part of an iteration that all queries in service share, seconds.</param>
/// <param name="MaxInService">
/// Most queries in service at once, at least 1, as vLLM's max_num_seqs; null for any number.
/// </param>
/// <param name="PromptTokensPerIteration">
/// Most prompt tokens that one iteration processes, at least 1: the chunk of a prefill.
/// </param>
public sealed record BatchingConstants(
    double OverheadSeconds,
    int? MaxInService = null,
    int PromptTokensPerIteration = 2048
);
