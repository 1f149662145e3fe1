using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench estimate</c>.</summary>
internal static class EstimateCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var history = WholeNumberOption.Create(
            "--history",
            "events of the long history, in thousands",
            1_000,
            2,
            10_000
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "estimate",
            "Windows folded a second; a re-solve with a short history and with a long one."
        )
        {
            history,
            output,
        };
        command.SetAction(
            (parsed, cancel) => RunAsync(parsed.GetValue(history) * 1_000, parsed.GetValue(output) is not null, cancel)
        );
        return command;
    }

    private static async Task<int> RunAsync(int history, bool json, CancellationToken cancel)
    {
        var report = await EstimateBenchmark.RunAsync(
            PlatformSettings.FromEnvironment(),
            history,
            Terminal.Error,
            cancel
        );
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
        else
            foreach (var line in report.ToLines())
                Terminal.Error.Say(line);
        return 0;
    }
}
