using System.Diagnostics;
using System.Text.Json;
using Platform.Domain.Contracts;

namespace Platform.Benchmarks;

/// <summary>
/// <c>./platform bench startup</c>: the wall time of <c>./platform solve</c> on one small problem over that of an empty
/// .NET program (framework dependent, Release, run as <c>dotnet Platform.Empty.dll</c>). The programs take turns, so
/// that a noisy machine is noisy to all.
/// </summary>
internal static class StartupBenchmark
{
    private const int Turns = 41;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Runs all and prints the figures.</summary>
    /// <param name="output">Receives the figures.</param>
    /// <param name="json">Whether they are written as JSON.</param>
    /// <returns>The exit status: 0.</returns>
    public static int Run(TextWriter output, bool json)
    {
        var root =
            Environment.GetEnvironmentVariable("PLATFORM_ROOT")
            ?? throw new InvalidOperationException("run it by ./platform bench startup");
        var problem = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(problem, StrictJson.Write(new GeneratedFleet(6, 5).Problem()));
            var rows = Measure(root, problem);
            if (json)
                output.WriteLine(JsonSerializer.Serialize(rows, Json));
            else
                Print(output, rows);
            return 0;
        }
        finally
        {
            File.Delete(problem);
        }
    }

    private static List<Row> Measure(string root, string problem)
    {
        string Built(string project) =>
            Path.Combine(root, project, "bin", "Release", "net10.0", $"{Path.GetFileName(project)}.dll");
        var native = Path.Combine(root, ".platform", "build", "native", "solver");
        List<(string Name, string Program, string[] Words)> programs =
        [
            ("empty .NET program", Environment.ProcessPath!, [Built("benchmarks/Platform.Empty")]),
            ("./platform solve", Path.Combine(root, "platform"), ["solve", problem]),
            ("the managed solver", Environment.ProcessPath!, [Built("src/Platform.Solver"), "solve", problem]),
        ];
        if (File.Exists(native))
            programs.Add(("the solver in machine code", native, ["solve", problem]));
        var times = programs.ConvertAll(_ => new List<double>());
        for (var turn = -1; turn < Turns; turn++)
        {
            for (var i = 0; i < programs.Count; i++)
            {
                var seconds = Seconds(programs[i].Program, programs[i].Words);
                // The first turn fills the file cache.
                if (turn >= 0)
                    times[i].Add(seconds);
            }
        }

        var medians = times.ConvertAll(Median);
        return [.. programs.Select((program, i) => new Row(program.Name, medians[i] / medians[0], medians[i] * 1e3))];
    }

    private static double Seconds(string program, string[] words)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return process.ExitCode == 0
            ? seconds
            : throw new InvalidOperationException($"{program} ended with status {process.ExitCode}");
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    private static void Print(TextWriter output, List<Row> rows)
    {
        output.WriteLine($"median wall time of {Turns} runs that take turns, over that of an empty .NET program");
        foreach (var row in rows)
            output.WriteLine($"{row.Program, -28} {row.Times, 6:F2} x {row.Milliseconds, 8:F1} ms");
    }

    internal sealed record Row(string Program, double Times, double Milliseconds);
}
