namespace Platform.Cli.Traces;

/// <summary>One request of a trace: when it arrived, and how long its prompt and its answer were.</summary>
/// <param name="At">Since the first request of the trace.</param>
/// <param name="ContextTokens">Tokens of the prompt.</param>
/// <param name="GeneratedTokens">Tokens of the answer.</param>
internal readonly record struct TraceRequest(TimeSpan At, int ContextTokens, int GeneratedTokens)
{
    /// <summary>From its arrival to its end; null where the trace does not tell.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>What the column says that tells task types apart; null where none was asked for.</summary>
    public string? Kind { get; init; }
}
