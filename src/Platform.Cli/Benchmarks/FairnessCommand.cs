using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench fairness</c>.</summary>
internal static class FairnessCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var rate = WholeNumberOption.Create(
            "--rate",
            "windows a second of the quiet tenant",
            initial: 10,
            least: 1,
            most: 100
        );
        var times = WholeNumberOption.Create(
            "--times",
            "the loud tenant's windows for each of the quiet one's",
            initial: 20,
            least: 1,
            most: 100
        );
        var seconds = WholeNumberOption.Create(
            "--seconds",
            "length of each measurement",
            initial: 20,
            least: 5,
            most: 300
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "fairness",
            "From event to allocation for one tenant, alone and beside one that sends many times as much."
        )
        {
            rate,
            times,
            seconds,
            output,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var load = new FairnessLoad(
                    parsed.GetValue(rate),
                    parsed.GetValue(times),
                    TimeSpan.FromSeconds(parsed.GetValue(seconds))
                );
                var figures = await FairnessBenchmark.RunAsync(
                    PlatformSettings.FromEnvironment(),
                    load,
                    Terminal.Error,
                    cancel
                );
                if (parsed.GetValue(output) is not null)
                    Console.Out.WriteLine(JsonSerializer.Serialize(figures, Indented));
                else
                    foreach (var line in figures.ToLines())
                        Terminal.Error.Say(line);
                return figures.IsFair ? 0 : CommandFailure.JobSaysNo;
            }
        );
        return command;
    }
}
