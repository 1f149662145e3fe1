using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Traces;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary><c>./platform bench traffic</c>.</summary>
internal static class TrafficCommand
{
    /// <summary>Where recorded data lie unless it is said: beside the checkout.</summary>
    private const string UsualData = "../shared/data";

    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var scenarios = Scenarios();
        var hours = WholeNumberOption.Create("--hours", "hours of each scenario; 0 for its own", 0, 0, 168);
        var window = WholeNumberOption.Create("--window", "tens of seconds of a window", 3, 1, 30);
        var rounds = WholeNumberOption.Create("--rounds", "times that each is played, with other draws", 1, 1, 100);
        var quantile = WholeNumberOption.Create(
            "--quantile",
            "percent of the rate's law that an allocation must carry",
            90,
            50,
            99
        );
        var curves = new Option<bool>("--known-curves")
        {
            Description = "windows tell arrivals alone, so that curves and lines stay the true ones",
        };
        var data = new Option<string>("--data")
        {
            Description = "the folder of recorded traces; without it they are left out",
            DefaultValueFactory = _ => UsualData,
            HelpName = "FOLDER",
        };
        var moments = new Option<string?>("--moments")
        {
            Description = "a folder for a CSV file of each run: every ten seconds of it",
            HelpName = "FOLDER",
        };
        var output = Terminal.OutputOption();
        var command = new Command("traffic", "Traffic that changes: minutes of overload and objective, by method.")
        {
            scenarios,
            hours,
            window,
            rounds,
            quantile,
            curves,
            data,
            moments,
            output,
        };
        command.SetAction(
            (parsed, cancel) =>
            {
                var folder = parsed.GetValue(data)!;
                var request = new TrafficRequest
                {
                    Scenarios = parsed.GetValue(scenarios) is { Length: > 0 } named ? named : AllNames(folder),
                    Hours = parsed.GetValue(hours) is > 0 and var length ? length : null,
                    WindowSeconds = 10 * parsed.GetValue(window),
                    Rounds = parsed.GetValue(rounds),
                    Quantile = parsed.GetValue(quantile),
                    KnowsCurves = parsed.GetValue(curves),
                    Data = folder,
                    Moments = parsed.GetValue(moments),
                };
                return Task.FromResult(Run(request, parsed.GetValue(output) is not null, cancel));
            }
        );
        return command;
    }

    private static Option<string[]> Scenarios()
    {
        string[] names = [.. TrafficScenarios.GeneratedNames, .. TrafficScenarios.RecordedNames];
        var option = new Option<string[]>("--scenarios")
        {
            Description = $"those to play, or all: {string.Join(", ", names)}",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        option.AcceptOnlyFromAmong(names);
        return option;
    }

    private static string[] AllNames(string data)
    {
        if (Directory.Exists(data))
            return [.. TrafficScenarios.GeneratedNames, .. TrafficScenarios.RecordedNames];
        Terminal.Error.Say($"there are no recorded traces in {data} (--data): they are left out");
        return [.. TrafficScenarios.GeneratedNames];
    }

    private static int Run(TrafficRequest request, bool json, CancellationToken cancel)
    {
        try
        {
            var report = new TrafficBenchmark(request, Terminal.Error).Run(cancel);
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
            else
                foreach (var line in report.ToLines())
                    Terminal.Error.Say(line);
            return 0;
        }
        catch (Exception fault) when (TraceFault(fault) is { } message)
        {
            throw new CommandFailure(message, CommandFailure.BadUsage);
        }
    }

    /// <summary>What is wrong with a trace; null where something else is wrong.</summary>
    private static string? TraceFault(Exception fault) =>
        fault switch
        {
            TraceFormatException => fault.Message,
            AggregateException all => all.InnerExceptions.OfType<TraceFormatException>().FirstOrDefault()?.Message,
            _ => null,
        };
}
