using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Traces;
using Platform.Domain.Contracts;

namespace Platform.Cli.Benchmarks;

/// <summary><c>./platform bench ladder</c>.</summary>
internal static class LadderCommand
{
    private static readonly JsonSerializerOptions Indented = new(StrictJson.Options) { WriteIndented = true };

    public static Command Create()
    {
        var trace = new Option<string>("--trace")
        {
            Description = "a request trace whose arrivals take the place of Poisson ones",
            HelpName = "FILE",
        };
        var surges = WholeNumberOption.Create("--surges", "surges of each kind", 50, 1, 10_000);
        var output = Terminal.OutputOption();
        var command = new Command(
            "ladder",
            "Surges of 2 to 10 times: one allocation, its ladder, and a clairvoyant; what a ladder costs to solve."
        )
        {
            trace,
            surges,
            output,
        };
        command.SetAction(parsed =>
            Run(parsed.GetValue(trace), parsed.GetValue(surges), parsed.GetValue(output) is not null)
        );
        return command;
    }

    private static int Run(string? traceFile, int surges, bool json)
    {
        double[]? instants = null;
        try
        {
            if (traceFile is not null)
                instants = [.. TraceReader.ReadFile(traceFile).Requests.Select(request => request.At.TotalSeconds)];
        }
        catch (TraceFormatException fault)
        {
            Terminal.Error.Say(fault.Message);
            return 2;
        }

        var report = new LadderBenchmark(instants, surges).Run();
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(report, Indented));
        else
            foreach (var line in report.ToLines())
                Terminal.Error.Say(line);
        return 0;
    }
}
