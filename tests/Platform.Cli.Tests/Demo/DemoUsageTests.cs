using System.CommandLine;
using Platform.Cli.Benchmarks;
using Platform.Cli.Demo;

namespace Platform.Cli.Tests.Demo;

public sealed class DemoUsageTests
{
    [Theory]
    [InlineData("--seconds: a whole number from 1 to 3600", "demo", "--seconds", "abc")]
    [InlineData("--seconds: a whole number from 1 to 3600", "demo", "--seconds", "0")]
    [InlineData("--seconds: a whole number from 1 to 3600", "demo", "--seconds", "99999999999")]
    [InlineData("--seed: a whole number from 0 to 2147483647", "demo", "--seed", "-1")]
    [InlineData("--trace: there is no file /nowhere/trace.csv", "demo", "--trace", "/nowhere/trace.csv")]
    [InlineData("--windows: a whole number from 2000 to 300000", "bench", "ingest", "--windows", "7")]
    public async Task A_bad_value_is_one_line_that_says_what_it_must_be(string fault, params string[] arguments)
    {
        using var error = new StringWriter();
        var status = await CommandRun.InvokeAsync(
            new RootCommand { DemoCommand.Create(), BenchCommand.Create() },
            arguments,
            error
        );

        Assert.Equal(CommandFailure.BadUsage, status);
        Assert.Equal($"platform: {fault}{Environment.NewLine}", error.ToString());
    }

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        var option = WholeNumberOption.Create("--seconds", "", 20, 1, 3_600);

        Assert.Equal(
            20,
            new RootCommand { option }
                .Parse([])
                .GetValue(option)
        );
        Assert.Equal(
            30,
            new RootCommand { option }
                .Parse(["--seconds", "30"])
                .GetValue(option)
        );
    }
}
