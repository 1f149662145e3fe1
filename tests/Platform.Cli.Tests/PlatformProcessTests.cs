using System.Diagnostics;
using Platform.Cli.Hosting;

namespace Platform.Cli.Tests;

/// <summary>A shell stands in for a host.</summary>
public sealed class PlatformProcessTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly string _home = Directory.CreateTempSubdirectory("platform-cli-").FullName;
    private readonly Uri _address = new($"tcp://127.0.0.1:{LoopbackPort.FirstFree(21000)}");

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public async Task A_process_stopped_with_patience_can_tidy_up()
    {
        var process = Start("trap 'echo tidied; exit' TERM; echo begun; while :; do sleep 0.05; done");
        await UntilAsync(() => HasSaid(process, "begun"));
        await process.StopAsync();
        Assert.False(process.IsRunning);
        Assert.Contains("tidied", File.ReadAllText(process.LogFile), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(PlatformProcess.RunFolderOf(_home)));
    }

    [Fact]
    public async Task A_killed_process_is_gone_and_its_variables_were_its_own()
    {
        var process = Start("echo \"$MESSAGE\"; exec sleep 60");
        await UntilAsync(() => HasSaid(process, "for the host"));
        process.Kill();
        await UntilAsync(() => !process.IsRunning);
        Assert.Null(PlatformProcess.Find(_home, "host"));
    }

    [Fact]
    public async Task A_process_that_ends_early_is_reported_with_its_last_words()
    {
        var process = Start("sleep 0.2; echo no such database; exit 3");
        var failure = await Assert.ThrowsAsync<CommandFailure>(() =>
            process.WaitReadyAsync(Deadline, TestContext.Current.CancellationToken)
        );
        Assert.Equal(CommandFailure.JobSaysNo, failure.ExitStatus);
        Assert.Contains("no such database", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_is_ready_once_its_address_answers()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, _address.Port);
        var process = Start("exec sleep 60");
        var ready = process.WaitReadyAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.False(ready.IsCompleted);
        listener.Start();
        await ready;
        process.Kill();
        await process.StopAsync();
    }

    private PlatformProcess Start(string script) =>
        PlatformProcess.Start(
            _home,
            new ProcessStart("host", ["/bin/sh", "-c", script], _home, _address)
            {
                Environment = new Dictionary<string, string> { ["MESSAGE"] = "for the host" },
            }
        );

    // The shell makes the file a moment after it has started.
    private static bool HasSaid(PlatformProcess process, string words) =>
        File.Exists(process.LogFile) && File.ReadAllText(process.LogFile).Contains(words, StringComparison.Ordinal);

    private static async Task UntilAsync(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Deadline, "the condition did not come true");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
