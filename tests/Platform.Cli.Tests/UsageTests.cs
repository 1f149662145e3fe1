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
        var status = await CommandRun.InvokeAsync(new RootCommand { UpCommand.Create(), MigrateCommand.Create(), StatusCommand.Create() }, arguments, error);
        Assert.Equal(CommandFailure.BadUsage, status);
        Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_failure_is_one_line_without_a_stack_trace()
    {
        var command = new Command("fail");
        command.SetAction(int (_) => throw new InvalidOperationException("two\nlines"));
        using var error = new StringWriter();
        Assert.Equal(CommandFailure.BadUsage, await CommandRun.InvokeAsync(new RootCommand { command }, ["fail"], error));
        Assert.Equal(
            "platform: something broke in this program (PLATFORM_DEBUG=1 shows where): two lines\n", error.ToString());
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
