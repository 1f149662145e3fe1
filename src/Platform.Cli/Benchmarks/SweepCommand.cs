using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench sweep</c>.</summary>
internal static class SweepCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var fleets = WholeNumberOption.Create("--fleets", "fleets that are due at once", 10_000, 100, 100_000);
        var tenants = WholeNumberOption.Create("--tenants", "tenants that they belong to", 100, 1, 100_000);
        var output = Terminal.OutputOption();
        var command = new Command(
            "sweep",
            "Due fleets re-solved by one worker and by two: fleets a second a core, and where the time goes."
        )
        {
            fleets,
            tenants,
            output,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(parsed.GetValue(fleets), parsed.GetValue(tenants), parsed.GetValue(output) is not null, cancel)
        );
        return command;
    }

    private static async Task<int> RunAsync(int fleets, int tenants, bool json, CancellationToken cancel)
    {
        var report = await SweepBenchmark.RunAsync(
            PlatformSettings.FromEnvironment(),
            fleets,
            tenants,
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
