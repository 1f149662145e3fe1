namespace Platform.Domain.Estimation;

/// <summary>The sums that are kept for each task type and age bucket. The order is part of the stored form.</summary>
internal enum WorkloadSum
{
    Arrivals,
    Completions,
    Tokens,
    TokensSquared,
    Millis,
    MillisSquared,
    TokenMillis,

    /// <summary>Tokens granted, where the publisher knew it.</summary>
    TokensGranted,

    /// <summary>Tokens used by the same queries.</summary>
    TokensUsedOfGranted,
    SystemCompletions,
    SystemMillis,

    /// <summary>Squares of these, of the windows that tell them: not of all completions.</summary>
    SystemMillisSquared,

    /// <summary>Output tokens beside the reasoning ones, where the publisher knew them.</summary>
    AnswerTokens,

    /// <summary>Queries that ended of which it did.</summary>
    AnswerCompletions,

    /// <summary>Output tokens of which publishers told how many queries were in service.</summary>
    ConcurrencyTokens,

    /// <summary>Queries in service at these tokens, their own included.</summary>
    ConcurrencyInService,
}
