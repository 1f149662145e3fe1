using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Chaos;

/// <summary><c>./platform bench chaos</c>.</summary>
internal static class ChaosCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static Command Create()
    {
        var messages = WholeNumberOption.Create(
            "--messages",
            "messages to publish",
            initial: 20_000,
            least: 100,
            most: 1_000_000
        );
        var kills = WholeNumberOption.Create(
            "--kills",
            "components to kill with SIGKILL while messages are on their way",
            initial: 8,
            least: 1,
            most: 1_000
        );
        var seed = WholeNumberOption.Create(
            "--seed",
            "seed of what is killed, and when",
            initial: 1,
            least: 0,
            most: int.MaxValue
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "chaos",
            "Kills PostgreSQL, RabbitMQ, API and workers under load, and counts what was lost and doubled."
        )
        {
            messages,
            kills,
            seed,
            output,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var request = new ChaosRequest(
                    parsed.GetValue(messages),
                    parsed.GetValue(kills),
                    parsed.GetValue(seed)
                );
                var figures = await ChaosRun.RunAsync(
                    PlatformSettings.FromEnvironment(),
                    request,
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
