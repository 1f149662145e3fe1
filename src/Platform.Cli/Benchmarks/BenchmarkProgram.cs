using System.CommandLine;
using System.Diagnostics;
using Platform.Cli.Hosting;

namespace Platform.Cli.Benchmarks;

/// <summary>Runs the benchmark program, whose libraries this one is spared.</summary>
internal static class BenchmarkProgram
{
    private const string Program = "benchmarks/Platform.Benchmarks/bin/Release/net10.0/Platform.Benchmarks.dll";

    /// <summary>A benchmark of that program.</summary>
    /// <param name="name">Its name there and here.</param>
    /// <param name="description">What it shows.</param>
    public static Command Create(string name, string description)
    {
        var output = Terminal.OutputOption();
        var command = new Command(name, description) { output };
        command.SetAction((parsed, cancel) => RunAsync(name, parsed.GetValue(output) is not null, cancel));
        return command;
    }

    private static async Task<int> RunAsync(string name, bool json, CancellationToken cancel)
    {
        var program = Path.Combine(PlatformSettings.Variable("PLATFORM_ROOT"), Program);
        string[] arguments = json ? [program, name, "-o", "json"] : [program, name];
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
