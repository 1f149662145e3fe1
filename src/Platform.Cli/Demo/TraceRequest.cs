namespace Platform.Cli.Demo;

/// <summary>One request of a trace: when it arrived, and how long its prompt and its answer were.</summary>
/// <param name="At">Since the first request of the trace.</param>
/// <param name="ContextTokens">Tokens of the prompt.</param>
/// <param name="GeneratedTokens">Tokens of the answer.</param>
internal readonly record struct TraceRequest(TimeSpan At, int ContextTokens, int GeneratedTokens);

/// <summary>A trace cannot be used; the message is one line that says where and what.</summary>
internal sealed class TraceFormatException(string message) : Exception(message);
