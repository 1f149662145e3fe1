using System.CommandLine;
using Platform.Cli.Demo;
using Platform.Cli.Replay;

namespace Platform.Cli.Tests.Replay;

public sealed class ReplayUsageTests : IDisposable
{
    private const string Header = "Timestamp,Model,Request tokens,Response tokens\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("replay").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(
        "--task-type ID says what the requests are, or --type-column NAME which column does",
        Header + "1,m,2,3\n"
    )]
    [InlineData(
        "TRACE, line 1: there is no column 'Log Type'; the header is 'Timestamp,Model,Request tokens,Response tokens'",
        Header + "1,m,2,3\n",
        "--type-column",
        "Log Type"
    )]
    [InlineData(
        "TRACE, line 2: column Request tokens: must be a whole number from 0 to 10000000, not 'x'",
        Header + "1,m,x,3\n",
        "--task-type",
        "math"
    )]
    [InlineData(
        "TRACE, column model: '' cannot be made a task type's id; --task-type names one for such requests",
        Header + "1,,2,3\n",
        "--type-column",
        "model"
    )]
    [InlineData(
        "--task-type: must match [A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?",
        Header + "1,m,2,3\n",
        "--task-type",
        "no id"
    )]
    [InlineData(
        "--speed: a whole number from 1 to 1000000",
        Header + "1,m,2,3\n",
        "--task-type",
        "math",
        "--speed",
        "0.5"
    )]
    [InlineData("--every: a whole number from 1 to 86400", Header + "1,m,2,3\n", "--task-type", "math", "--every", "x")]
    [InlineData(
        "--api: an address such as http://127.0.0.1:5080, not 'here'",
        Header + "1,m,2,3\n",
        "--task-type",
        "math",
        "--api",
        "here"
    )]
    public async Task A_bad_trace_or_option_is_one_line_that_says_where_and_what(
        string fault,
        string text,
        params string[] options
    )
    {
        var file = Path.Combine(_folder, "trace.csv");
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        Assert.Equal(
            $"platform: {fault.Replace("TRACE", file, StringComparison.Ordinal)}\n",
            await RefusedAsync(["replay", file, "--fleet", "chat", .. options])
        );
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_said() =>
        Assert.Equal(
            "platform: TRACE: there is no file /nowhere/trace.csv\n",
            await RefusedAsync("replay", "/nowhere/trace.csv", "--fleet", "chat", "--task-type", "math")
        );

    /// <summary>The script asks for nothing but the usage before it starts services.</summary>
    [Theory]
    [InlineData(
        "line 2: column ContextTokens: must be a whole number from 0 to 10000000, not 'x'",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,x,1\n"
    )]
    [InlineData("holds 1 requests over 0 s; the demo needs at least 100 over 60 s", Header + "1,m,2,3\n")]
    public async Task A_bad_trace_of_the_demo_is_told_with_the_command_line(string fault, string text)
    {
        var file = Path.Combine(_folder, "trace.csv");
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        var error = await RefusedAsync("demo", "--trace", file);
        Assert.StartsWith($"platform: {file}", error, StringComparison.Ordinal);
        Assert.EndsWith($"{fault}\n", error, StringComparison.Ordinal);
    }

    private static async Task<string> RefusedAsync(params string[] arguments)
    {
        using var error = new StringWriter();
        var status = await CommandRun.InvokeAsync(
            new RootCommand { ReplayCommand.Create(), DemoCommand.Create() },
            arguments,
            error
        );
        Assert.Equal(CommandFailure.BadUsage, status);
        return error.ToString();
    }
}
