using System.CommandLine;
using Spectre.Console;

namespace Platform.Cli;

/// <summary>
/// Standard output is for machines (<c>-o json</c>) alone; what a person reads goes to standard error.
/// </summary>
internal static class Terminal
{
    /// <summary>Draws progress on a terminal, and plain lines elsewhere.</summary>
    public static IAnsiConsole Error { get; } =
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>
    /// Writes a line as it is. The console's own WriteLine breaks a long one at the width that it thinks a file has.
    /// </summary>
    public static void Say(this IAnsiConsole console, string line) => console.Profile.Out.Writer.WriteLine(line);

    /// <summary>The option <c>-o json</c>.</summary>
    public static Option<string> OutputOption()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "json: machine output on standard output",
            HelpName = "json",
        };
        option.AcceptOnlyFromAmong("json");
        return option;
    }
}
