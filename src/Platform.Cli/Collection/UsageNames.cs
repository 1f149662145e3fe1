namespace Platform.Cli.Collection;

/// <summary>What of a span means what. Of several names the first that the span has counts.</summary>
internal sealed record UsageNames
{
    /// <summary>
    /// Attributes with the reasoning tokens used, as OpenTelemetry, OpenLLMetry (two), OpenInference and Sentry write
    /// them.
    /// </summary>
    public static readonly IReadOnlyList<string> ReasoningTokens =
    [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "gen_ai.usage.output_tokens.reasoning",
    ];

    /// <summary>
    /// Attributes with the output tokens, reasoning and answer together, as OpenTelemetry, its former conventions and
    /// vLLM, OpenLLMetry (two) and OpenInference write them.
    /// </summary>
    public static readonly IReadOnlyList<string> OutputTokens =
    [
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.usage.output_tokens",
        "llm.token_count.completion",
    ];

    /// <summary>All of them: output tokens are taken where a span tells no reasoning tokens.</summary>
    public static readonly IReadOnlyList<string> KnownTokens = [.. ReasoningTokens, .. OutputTokens];

    /// <summary>Attribute with the task type.</summary>
    public required string TaskType { get; init; }

    /// <summary>Task type of spans that have none; null to leave those out.</summary>
    public required string? DefaultTaskType { get; init; }

    /// <summary>Attributes with the tokens that were used.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Attribute with the reasoning tokens that were granted.</summary>
    public required string Granted { get; init; }

    /// <summary>Attribute with the seconds of a span that were spent waiting for the server.</summary>
    public required string QueueSeconds { get; init; }
}
