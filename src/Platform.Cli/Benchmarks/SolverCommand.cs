using System.CommandLine;
using System.Diagnostics;
using Platform.Cli.Hosting;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench solver</c>: runs the benchmark program, whose libraries this one is spared.</summary>
internal static class SolverCommand
{
    private const string Program = "benchmarks/Platform.Benchmarks/bin/Release/net10.0/Platform.Benchmarks.dll";

    public static Command Create()
    {
        var output = Terminal.OutputOption();
        var command = new Command("solver", "The default method beside the others and a general optimiser.") { output };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(output) is not null, cancel));
        return command;
    }

    private static async Task<int> RunAsync(bool json, CancellationToken cancel)
    {
        var program = Path.Combine(PlatformSettings.Variable("PLATFORM_ROOT"), Program);
        string[] arguments = json ? [program, "solver", "-o", "json"] : [program, "solver"];
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments))!;
        try
        {
            await process.WaitForExitAsync(cancel);
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
