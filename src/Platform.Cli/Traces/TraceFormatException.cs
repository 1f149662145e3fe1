namespace Platform.Cli.Traces;

/// <summary>A trace cannot be used; the message is one line that says where and what.</summary>
internal sealed class TraceFormatException(string message) : Exception(message);
