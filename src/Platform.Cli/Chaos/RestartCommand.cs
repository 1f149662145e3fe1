using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Chaos;

/// <summary><c>./platform bench restart</c>.</summary>
internal static class RestartCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var rate = WholeNumberOption.Create("--rate", "messages a second", initial: 200, least: 10, most: 5_000);
        var rounds = WholeNumberOption.Create(
            "--rounds",
            "times that each process is restarted",
            initial: 2,
            least: 1,
            most: 100
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "restart",
            "Restarts two APIs and two workers one after the other under load, and counts what was lost, doubled, and not answered."
        )
        {
            rate,
            rounds,
            output,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var figures = await RestartRun.RunAsync(
                    PlatformSettings.FromEnvironment(),
                    parsed.GetValue(rate),
                    parsed.GetValue(rounds),
                    Terminal.Error,
                    cancel
                );
                if (parsed.GetValue(output) is not null)
                    Console.Out.WriteLine(JsonSerializer.Serialize(figures, Indented));
                else
                    foreach (var line in figures.ToLines())
                        Terminal.Error.Say(line);
                return figures.Succeeded ? 0 : CommandFailure.JobSaysNo;
            }
        );
        return command;
    }
}
