using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench page</c>.</summary>
internal static class PageCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var rounds = WholeNumberOption.Create(
            "--rounds",
            "measurements of each, by turns",
            initial: 40,
            least: 1,
            most: 1_000
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "page",
            "Time to the first byte of the dashboard's pages over that of the JSON calls behind them."
        )
        {
            rounds,
            output,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var report = await PageBenchmark.RunAsync(
                    PlatformSettings.FromEnvironment(),
                    parsed.GetValue(rounds),
                    Terminal.Error,
                    cancel
                );
                if (parsed.GetValue(output) is not null)
                    Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
                else
                    foreach (var line in report.ToLines())
                        Terminal.Error.Say(line);
                return 0;
            }
        );
        return command;
    }
}
