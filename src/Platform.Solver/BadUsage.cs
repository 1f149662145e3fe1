namespace Platform.Solver;

/// <summary>Bad usage, or an input that cannot be read: one line for the person.</summary>
#pragma warning disable CA1032, CA1064 // Thrown and caught inside this program.
internal sealed class BadUsage(string message) : Exception(message);
#pragma warning restore CA1032, CA1064
