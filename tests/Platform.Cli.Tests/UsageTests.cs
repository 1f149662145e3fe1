using System.CommandLine;
using Platform.Cli.Hosting;
using Platform.Testing;

namespace Platform.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("up", "--nonsense")]
    [InlineData("up", "--port", "x")]
    [InlineData("up", "--port", "0")]
    [InlineData("migrate", "now")]
    [InlineData("status", "-o", "xml")]
    [InlineData]
    public async Task Bad_usage_is_one_line_and_status_2(params string[] arguments)
    {
        using var error = new StringWriter();
        var status = await CommandRun.InvokeAsync(
            new RootCommand { UpCommand.Create(), MigrateCommand.Create(), StatusCommand.Create() },
            arguments,
            error
        );
        Assert.Equal(CommandFailure.BadUsage, status);
        Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_failure_is_one_line_without_a_stack_trace()
    {
        var command = new Command("fail");
        command.SetAction(int (_) => throw new InvalidOperationException("two\nlines"));
        using var error = new StringWriter();
        Assert.Equal(
            CommandFailure.BadUsage,
            await CommandRun.InvokeAsync(new RootCommand { command }, ["fail"], error)
        );
        Assert.Equal(
            "platform: this is a fault of the command itself, please report it: two lines\n",
            error.ToString()
        );
    }

    public static TheoryData<string, Exception> Faults =>
        new()
        {
            { "no route to host", new HttpRequestException("no route to host") },
            {
                "The connection was lost: reset by peer",
                new IOException("The connection was lost.", new IOException("reset by peer"))
            },
            {
                "this is a fault of the command itself, please report it: the program object must have a value.",
                new InvalidOperationException("Nullable object must have a value.")
            },
            {
                "this is a fault of the command itself, please report it: the program is missing",
                new InvalidOperationException("System.Text.Json.JsonElement is missing")
            },
        };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task A_failure_is_told_without_names_of_the_programs_inside(string words, Exception fault)
    {
        var command = new Command("fail");
        command.SetAction(int (_) => throw fault);
        using var error = new StringWriter();
        Assert.Equal(
            CommandFailure.BadUsage,
            await CommandRun.InvokeAsync(new RootCommand { command }, ["fail"], error)
        );
        Assert.Equal($"platform: {words}\n", error.ToString());
    }

    [Fact]
    public async Task A_value_that_an_option_does_not_take_is_told_without_names_of_the_programs_inside()
    {
        var command = new Command("count") { new Option<int>("--number") };
        using var error = new StringWriter();
        Assert.Equal(
            CommandFailure.BadUsage,
            await CommandRun.InvokeAsync(new RootCommand { command }, ["count", "--number", "x"], error)
        );
        Assert.Equal("platform: --number: 'x' is not a value that it takes; --help says which are\n", error.ToString());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("down", "now")]
    [InlineData("services", "restart")]
    [InlineData("services", "stop", "--hme", "x")]
    [InlineData]
    public async Task The_script_says_bad_usage_in_one_line_with_status_2(params string[] arguments)
    {
        var (status, output, error) = await Script.RunAsync(arguments);
        Assert.Equal(2, status);
        Assert.Empty(output);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
