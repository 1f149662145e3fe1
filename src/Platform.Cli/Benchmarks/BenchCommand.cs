using System.CommandLine;
using Platform.Cli.Benchmarks.Traffic;
using Platform.Cli.Chaos;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// <c>./platform bench NAME</c>: named benchmarks, which print figures and the ratios that survive a noisy machine.
/// </summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new("bench", "A named benchmark; prints its figures and ratios.")
        {
            IngestCommand.Create(),
            FairnessCommand.Create(),
            ChaosCommand.Create(),
            RestartCommand.Create(),
            SweepCommand.Create(),
            EstimateCommand.Create(),
            LadderCommand.Create(),
            TrafficCommand.Create(),
            ReadCommand.Create(),
            PageCommand.Create(),
            BenchmarkProgram.Create("solver", "The default method beside the others and a general optimiser."),
            BenchmarkProgram.Create("startup", "The wall time of ./platform solve over that of an empty .NET program."),
        };
}
