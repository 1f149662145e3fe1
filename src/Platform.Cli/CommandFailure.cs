namespace Platform.Cli;

/// <summary>Ends a command with one line for the person and an exit status.</summary>
#pragma warning disable CA1032, CA1064 // Thrown and caught inside this program, and meaningless without its status.
internal sealed class CommandFailure(string message, int exitStatus) : Exception(message)
#pragma warning restore CA1032, CA1064
{
    /// <summary>The job says no: infeasible, a mismatch, a process that does not become ready.</summary>
    public const int JobSaysNo = 1;

    /// <summary>Bad usage or input.</summary>
    public const int BadUsage = 2;

    public int ExitStatus { get; } = exitStatus;
}
