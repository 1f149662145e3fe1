using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench ingest</c>.</summary>
internal static class IngestCommand
{
    private const int DefaultWindows = 30_000;
    private const int FewestWindows = 2_000;
    private const int MostWindows = 300_000;

    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var windows = WholeNumberOption.Create(
            "--windows",
            "windows to send over all rounds",
            DefaultWindows,
            FewestWindows,
            MostWindows
        );
        var output = Terminal.OutputOption();
        var command = new Command(
            "ingest",
            "From a published window to a stored event and to an allocation, beside the raw limits."
        )
        {
            windows,
            output,
        };
        command.SetAction(
            (parsed, cancel) => RunAsync(parsed.GetValue(windows), parsed.GetValue(output) is not null, cancel)
        );
        return command;
    }

    private static async Task<int> RunAsync(int windows, bool json, CancellationToken cancel)
    {
        var figures = await IngestBenchmark.RunAsync(
            PlatformSettings.FromEnvironment(),
            windows,
            Terminal.Error,
            cancel
        );
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(figures, Indented));
        else
            foreach (var line in figures.ToLines())
                Terminal.Error.Say(line);
        return 0;
    }
}
