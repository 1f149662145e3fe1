using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench read</c>.</summary>
internal static class ReadCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var snapshots = WholeNumberOption.Create(
            "--snapshots",
            "snapshots stored, in thousands",
            initial: 1_000,
            least: 1,
            most: 2_000
        );
        var seconds = WholeNumberOption.Create(
            "--seconds",
            "length of each measurement",
            initial: 5,
            least: 1,
            most: 60
        );
        var rounds = WholeNumberOption.Create(
            "--rounds",
            "measurements of each, by turns",
            initial: 3,
            least: 1,
            most: 20
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "read",
            "Requests a second for the allocation in force, for 304s and for history, over an empty ASP.NET Core endpoint."
        )
        {
            snapshots,
            seconds,
            rounds,
            output,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var load = new ReadLoad(
                    parsed.GetValue(snapshots) * 1_000,
                    TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                    parsed.GetValue(rounds)
                );
                var report = await ReadBenchmark.RunAsync(
                    PlatformSettings.FromEnvironment(),
                    load,
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
