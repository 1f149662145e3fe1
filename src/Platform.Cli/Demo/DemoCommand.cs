using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
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
        var trace = new Option<string?>("--trace")
        {
            Description = "request trace in the format of the Azure LLM inference traces; without it one is generated",
            HelpName = "FILE.csv",
        };
        var seconds = WholeNumberOption.Create("--seconds", "about how long to publish", DefaultSeconds, 1, MostSeconds);
        var seed = WholeNumberOption.Create("--seed", "seed of everything random", 1, 0, int.MaxValue);
        var keep = new Option<bool>("--keep") { Description = "leave the platform running" };
        var killWorker = new Option<bool>("--kill-worker") { Description = "kill a worker in the middle of publishing", Hidden = true };
        var output = Terminal.OutputOption();
        trace.Validators.Add(result =>
        {
            if (result.Tokens is [var file] && !File.Exists(file.Value))
                result.AddError($"--trace: there is no file {file.Value}");
        });
        var command = new Command("demo", "The main job on real input, start to finish.") { trace, seconds, seed, keep, killWorker, output };
        command.SetAction((parsed, cancel) => RunAsync(
            new DemoRequest(
                parsed.GetValue(trace), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(seed), parsed.GetValue(keep),
                parsed.GetValue(killWorker)),
            parsed.GetValue(output) is not null,
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(DemoRequest request, bool json, CancellationToken cancel)
    {
        try
        {
            var report = await new DemoRun(request, PlatformSettings.FromEnvironment(), Terminal.Error).RunAsync(cancel);
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
            else
                DemoTable.Write(Terminal.Error, report);
            return report.Succeeded ? 0 : CommandFailure.JobSaysNo;
        }
        catch (TraceFormatException fault)
        {
            throw new CommandFailure(fault.Message, CommandFailure.BadUsage);
        }
    }
}
