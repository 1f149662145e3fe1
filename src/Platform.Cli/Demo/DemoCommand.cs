using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Cli.Traces;
using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary><c>./platform demo</c>; the script has started services of its own for it.</summary>
internal static class DemoCommand
{
    private const int DefaultSeconds = 20;
    private const int MostSeconds = 3_600;

    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var trace = new Option<DemoTrace?>("--trace")
        {
            Description = "trace of Azure, BurstGPT, Mooncake, ServeGen or vLLM's benchmark; else one is generated",
            HelpName = "FILE",
            CustomParser = ReadTrace,
        };
        var seconds = WholeNumberOption.Create(
            "--seconds",
            "about how long to publish",
            DefaultSeconds,
            1,
            MostSeconds
        );
        var seed = WholeNumberOption.Create("--seed", "seed of everything random", 1, 0, int.MaxValue);
        var keep = new Option<bool>("--keep") { Description = "leave the platform running" };
        var killWorker = new Option<bool>("--kill-worker")
        {
            Description = "kill a worker in the middle of publishing",
            Hidden = true,
        };
        var output = Terminal.OutputOption();
        var command = new Command("demo", "The main job on real input, start to finish.")
        {
            trace,
            seconds,
            seed,
            keep,
            killWorker,
            output,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    new DemoRequest(
                        parsed.GetValue(trace)?.File,
                        parsed.GetValue(trace)?.Trace,
                        TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                        parsed.GetValue(seed),
                        parsed.GetValue(keep),
                        parsed.GetValue(killWorker)
                    ),
                    parsed.GetValue(output) is not null,
                    cancel
                )
        );
        return command;
    }

    /// <summary>
    /// Reads the trace with the command line, so that a bad one is told before services are started for it.
    /// </summary>
    private static DemoTrace? ReadTrace(ArgumentResult result)
    {
        var file = result.Tokens[0].Value;
        try
        {
            if (!File.Exists(file))
                throw new TraceFormatException($"--trace: there is no file {file}");
            var trace = TraceReader.ReadFile(file);
            DemoWorkload.CheckedLength(trace.Requests, file);
            return new DemoTrace(file, trace);
        }
        catch (TraceFormatException fault)
        {
            result.AddError(fault.Message);
            return null;
        }
    }

    private static async Task<int> RunAsync(DemoRequest request, bool json, CancellationToken cancel)
    {
        var report = await new DemoRun(request, PlatformSettings.FromEnvironment(), Terminal.Error).RunAsync(cancel);
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
        else
            DemoTable.Write(Terminal.Error, report);
        return report.Succeeded ? 0 : CommandFailure.JobSaysNo;
    }

    private sealed record DemoTrace(string File, RequestTrace Trace);
}
