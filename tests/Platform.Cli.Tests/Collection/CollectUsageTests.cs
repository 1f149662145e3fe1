using System.CommandLine;
using Platform.Cli.Collection;

namespace Platform.Cli.Tests.Collection;

public sealed class CollectUsageTests
{
    private const string Page = "http://127.0.0.1:8000/metrics";

    /// <summary>Nobody answers at that address.</summary>
    private static readonly string[] Collect =
    [
        "collect",
        "--fleet",
        "chat",
        "--api",
        "http://127.0.0.1:1",
        "--key",
        "k",
    ];

    [Theory]
    [InlineData(
        "--prometheus: an address such as http://127.0.0.1:8000/metrics, not 'server:8000'",
        "--prometheus",
        "server:8000"
    )]
    [InlineData(
        "--prometheus: an address such as http://127.0.0.1:8000/metrics, not 'ftp://server/metrics'",
        "--prometheus",
        Page,
        "ftp://server/metrics"
    )]
    [InlineData(
        "--prometheus: an address such as http://127.0.0.1:8000/metrics, not 'http://a:b@server/'",
        "--prometheus",
        "http://a:b@server/"
    )]
    [InlineData(
        "--prometheus: http://127.0.0.1:8000/metrics is given twice, and would count twice",
        "--prometheus",
        Page,
        "http://127.0.0.1:8000"
    )]
    [InlineData("--task-type: must match", "--prometheus", Page, "--task-type", "a b")]
    [InlineData("--scrape: a whole number from 1 to 3600", "--prometheus", Page, "--scrape", "0")]
    [InlineData("--scrape: at most --every, which is 10 s", "--prometheus", Page, "--scrape", "11")]
    [InlineData("--scrape: is of metrics pages; --prometheus URL says which", "--scrape", "5")]
    [InlineData(
        "--listen: is of spans, and --prometheus takes none",
        "--prometheus",
        Page,
        "--listen",
        "http://127.0.0.1:4318"
    )]
    [InlineData(
        "--tokens-attribute: is of spans, and --prometheus takes none",
        "--prometheus",
        Page,
        "--tokens-attribute",
        "x"
    )]
    [InlineData("--listen: an address such as http://127.0.0.1:4318", "--listen", "https://127.0.0.1:4318")]
    public async Task Bad_usage_is_one_line_and_status_2(string words, params string[] arguments)
    {
        using var error = new StringWriter();
        string[] all = [.. Collect, .. arguments];
        var status = await CommandRun.InvokeAsync(new RootCommand { CollectCommand.Create() }, all, error);
        Assert.Equal(CommandFailure.BadUsage, status);
        var line = Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"platform: {words}", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fleet_that_cannot_be_asked_for_its_task_type_is_one_line_and_status_2()
    {
        using var error = new StringWriter();
        string[] all = [.. Collect, "--prometheus", Page];
        var status = await CommandRun.InvokeAsync(new RootCommand { CollectCommand.Create() }, all, error);
        Assert.Equal(CommandFailure.BadUsage, status);
        var line = Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("platform: http://127.0.0.1:1/ cannot be reached", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("collect", "--prometheus", Page)]
    [InlineData("collect", "--fleet", "chat", "--prometheus")]
    public async Task What_is_missing_is_one_line_and_status_2(params string[] arguments)
    {
        using var error = new StringWriter();
        var status = await CommandRun.InvokeAsync(new RootCommand { CollectCommand.Create() }, arguments, error);
        Assert.Equal(CommandFailure.BadUsage, status);
        Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
