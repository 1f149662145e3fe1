using System.CommandLine;
using System.Net.Sockets;
using Npgsql;

namespace Platform.Cli;

/// <summary>Runs one command line: every failure is one line on standard error and an exit status.</summary>
internal static class CommandRun
{
    private const int Interrupted = 130;

    // A command that is cut short stops the processes it started, which takes longer than the two seconds of the default.
    private static readonly TimeSpan TidyingTime = TimeSpan.FromSeconds(30);

    public static async Task<int> InvokeAsync(RootCommand root, string[] args, TextWriter? error = null)
    {
        error ??= Console.Error;
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
            return Fail(error, parsed.Errors[0].Message, CommandFailure.BadUsage);

        // ./platform asks first, so that bad usage is said before services are started for it.
        if (Environment.GetEnvironmentVariable("PLATFORM_CHECK_USAGE") == "1")
            return 0;

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TidyingTime,
            });
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

    private static int Fail(TextWriter error, Exception exception) => exception is CommandFailure failure
        ? Fail(error, failure.Message, failure.ExitStatus)
        : Fail(error, WordsFor(exception), CommandFailure.BadUsage);

    /// <summary>What is away or cannot be read says so itself; anything else is a fault of this program.</summary>
    private static string WordsFor(Exception exception)
    {
        if (Environment.GetEnvironmentVariable("PLATFORM_DEBUG") == "1")
            return exception.ToString();
        return exception switch
        {
            NpgsqlException => $"the database does not answer, or refuses: {exception.Message}",
            HttpRequestException or SocketException => $"no answer: {exception.Message}",
            IOException or UnauthorizedAccessException or TimeoutException => exception.Message,
            _ => $"something broke in this program (PLATFORM_DEBUG=1 shows where): {exception.Message}",
        };
    }

    private static int Fail(TextWriter error, string message, int exitStatus)
    {
        error.WriteLine($"platform: {message.ReplaceLineEndings(" ")}");
        return exitStatus;
    }
}
