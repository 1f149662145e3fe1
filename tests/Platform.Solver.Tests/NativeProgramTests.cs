using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Solver.Allocation;
using Platform.Solver.Simulation;
using Platform.Solver.Tests.Allocation;
using Platform.Testing;

namespace Platform.Solver.Tests;

/// <summary>
/// The program in machine code, which ./platform runs where the machine can make it, gives the bytes that the managed
/// one gives.
/// </summary>
public sealed class NativeProgramTests
{
    private const int DamagedDocuments = 300;

    private static readonly string Build = Path.Combine(Script.Root, ".platform", "build", "native");

    private static readonly JsonArray Golden = JsonNode
        .Parse(File.ReadAllText(Path.Combine(Script.Root, "tests", "Platform.Domain.Tests", "golden", "golden.json")))!
        .AsArray();

    [Theory]
    [InlineData("--method", "newton")]
    [InlineData("--method", "fixed-point")]
    [InlineData("--method", "projected-gradient")]
    [InlineData("--method", "accelerated-projected-gradient")]
    [InlineData("--rounding", "exchange")]
    [InlineData("--rounding", "nearest")]
    public async Task Golden_problems_have_equal_solutions(params string[] options)
    {
        foreach (var golden in Golden)
            await Equal("solve", SolveCommand.Run, golden!["problem"]!.ToJsonString(), ["-", .. options]);
    }

    [Fact]
    public async Task Golden_problems_have_equal_simulations()
    {
        foreach (var golden in Golden)
            await Equal(
                "simulate",
                SimulateCommand.Run,
                golden!["problem"]!.ToJsonString(),
                ["-", "--arrivals=20000", "--seed=7"]
            );
        var sharing = new JsonObject { ["problem"] = Commands.SharingProblem(), ["tokens"] = new JsonArray(800, 100) };
        await Equal("simulate", SimulateCommand.Run, sharing.ToJsonString(), ["-", "--arrivals=20000", "--seed=7"]);
    }

    [Fact]
    public async Task Arrays_have_equal_answers()
    {
        var problems = new JsonArray([
            .. Golden.Select(golden => golden!["problem"]!.DeepClone()),
            .. Enumerable.Range(1, 1200).Select(i => Commands.Problem(i / 5000.0)),
        ]);
        await Equal("solve", SolveCommand.Run, problems.ToJsonString(), ["-"]);
        await Equal("solve", SolveCommand.Run, "[]", ["-"]);
        var given = new JsonObject { ["problem"] = Commands.Problem(), ["tokens"] = new JsonArray(100, 0) };
        await Equal(
            "simulate",
            SimulateCommand.Run,
            new JsonArray(given.DeepClone(), given).ToJsonString(),
            ["-", "--arrivals=20000"]
        );
    }

    [Fact]
    public async Task Bad_input_has_equal_lines()
    {
        foreach (var fault in SolveCommandTests.Faults)
            await Equal("solve", SolveCommand.Run, fault.Data.Item1, ["-"]);
        var random = new Random(3);
        for (var i = 0; i < DamagedDocuments; i++)
            await Equal(
                "solve",
                SolveCommand.Run,
                ProblemReaderTests.Damaged(Commands.Problem().ToJsonString(), random),
                ["-"]
            );
    }

    [Theory]
    [InlineData]
    [InlineData("-", "--nonsense")]
    [InlineData("-", "--method", "magic")]
    [InlineData("/nowhere/problem.json")]
    [InlineData("/")]
    public Task Bad_usage_has_equal_lines(params string[] words) => Equal("solve", SolveCommand.Run, "", words);

    [Fact]
    public async Task The_script_answers_as_the_managed_program_does()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Commands.Problem().ToJsonString(), TestContext.Current.CancellationToken);
        var managed = await Script.RunProgramAsync("dotnet", typeof(SolveCommand).Assembly.Location, "solve", file);
        Assert.Equal(0, managed.ExitCode);
        Assert.Equal(
            (managed.ExitCode, managed.Output),
            await Script.RunAsync("solve", file) is var it ? (it.ExitCode, it.Output) : default
        );
        File.Delete(file);
    }

    private static async Task Equal(string command, Func<string[], Streams, int> managed, string input, string[] words)
    {
        var (status, output, error) = Commands.Run(managed, input, words);
        var native = await RunAsync(await ProgramAsync(), [command, .. words], input);
        Assert.Equal((status, output), (native.Status, native.Output));
        Assert.Equal(
            WithoutProgress(error),
            WithoutProgress(native.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        );
    }

    // How far a job is told to be depends on how fast the machine happens to be.
    private static IEnumerable<string> WithoutProgress(IEnumerable<string> lines) =>
        lines.Where(line => !line.EndsWith("% done", StringComparison.Ordinal));

    /// <summary>The script makes it first. Where it cannot be made, there is nothing to compare.</summary>
    private static async Task<string> ProgramAsync()
    {
        var program = Path.Combine(Build, "solver");
        if (Made.Add(program))
            Assert.Equal(0, (await Script.RunAsync("solve", "--help")).ExitCode);
        if (!File.Exists(program))
        {
            var log = Path.Combine(Build, "log");
            Assert.SkipUnless(File.Exists(log), "no linker on this machine, or not Linux x64");
            Assert.SkipWhen(
                File.ReadAllText(log).Contains(" NU1", StringComparison.Ordinal),
                "the compiler's package is not to be had"
            );
            Assert.Fail(File.ReadAllText(log));
        }

        return program;
    }

    private static readonly HashSet<string> Made = [];

    private static async Task<(int Status, string Output, string Error)> RunAsync(
        string program,
        string[] arguments,
        string input
    )
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        using var process = Process.Start(info)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Bad usage ends it before it reads.
        }

        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
