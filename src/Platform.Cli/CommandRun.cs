using System.CommandLine;

namespace Platform.Cli;

/// <summary>
/// Runs one command line: every failure is one line on standard error and an exit status. Words of a person's, none of
/// the program's.
/// </summary>
internal static class CommandRun
{
    private const int Interrupted = 130;

    // A command that is cut short stops the processes it started, which takes longer than the two seconds of the
    // default.
    private static readonly TimeSpan TidyingTime = TimeSpan.FromSeconds(30);

    public static async Task<int> InvokeAsync(RootCommand root, string[] args, TextWriter? error = null)
    {
        error ??= Console.Error;
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
            return Fail(error, FaultWords.OfUsage(parsed.Errors[0].Message), CommandFailure.BadUsage);

        // ./platform asks first, so that bad usage is said before services are started for it.
        if (Environment.GetEnvironmentVariable("PLATFORM_CHECK_USAGE") == "1")
            return 0;

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = TidyingTime,
                }
            );
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
#pragma warning disable CA1031 // The last place before a person: no stack trace passes.
        catch (Exception exception)
        {
            return Fail(error, exception);
        }
#pragma warning restore CA1031
    }

    private static int Fail(TextWriter error, Exception exception)
    {
        if (exception is CommandFailure failure)
            return Fail(error, failure.Message, failure.ExitStatus);
        var isDebugged = Environment.GetEnvironmentVariable("PLATFORM_DEBUG") == "1";
        return Fail(error, isDebugged ? exception.ToString() : FaultWords.Of(exception), CommandFailure.BadUsage);
    }

    private static int Fail(TextWriter error, string message, int exitStatus)
    {
        error.WriteLine($"platform: {message.ReplaceLineEndings(" ")}");
        return exitStatus;
    }
}
