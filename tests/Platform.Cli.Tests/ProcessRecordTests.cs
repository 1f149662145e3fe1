using System.Diagnostics;
using Platform.Cli.Hosting;
using Platform.Testing;

namespace Platform.Cli.Tests;

public sealed class ProcessRecordTests : IDisposable
{
    private static readonly Uri Address = new("http://127.0.0.1:1/");
    private readonly string _home = Directory.CreateTempSubdirectory("platform-cli-").FullName;

    private string RunFolder => PlatformProcess.RunFolderOf(_home);

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void A_record_reads_back_as_it_was_written()
    {
        var record = ProcessRecord.Of("me", Environment.ProcessId, Address);
        record.Write(RunFolder);
        Assert.Equal([record], ProcessRecord.ReadAll(RunFolder));
        Assert.True(record.IsAlive);
    }

    [Fact]
    public async Task A_process_that_was_given_a_recorded_pid_later_is_not_ended()
    {
        using var stranger = Process.Start("sleep", "60");
        try
        {
            var own = ProcessRecord.Of("api", stranger.Id, Address);
            (own with { StartTicks = "1" }).Write(RunFolder);
            Assert.Null(PlatformProcess.Find(_home, "api"));
            own.Write(RunFolder);
            var found = PlatformProcess.Find(_home, "api")!;
            (own with { StartTicks = "1" }).Write(RunFolder);
            await RunScript("services", "stop", "--home", _home);
            Assert.True(found.IsRunning);
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public void A_record_of_an_earlier_boot_is_of_no_process()
    {
        var record = ProcessRecord.Of("api", Environment.ProcessId, Address) with { BootId = Guid.Empty.ToString() };
        Assert.False(record.IsAlive);
    }

    [Fact]
    public void A_stale_record_is_removed_when_it_is_looked_up()
    {
        (ProcessRecord.Of("api", Environment.ProcessId, Address) with { StartTicks = "1" }).Write(RunFolder);
        Assert.Null(PlatformProcess.Find(_home, "api"));
        Assert.Empty(Directory.GetFiles(RunFolder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("12\n")]
    [InlineData("x y z\ntcp://127.0.0.1:1\n")]
    public void A_damaged_record_is_of_no_process(string text)
    {
        Directory.CreateDirectory(RunFolder);
        File.WriteAllText(Path.Combine(RunFolder, "api.pid"), text);
        Assert.Empty(ProcessRecord.ReadAll(RunFolder));
        Assert.Null(PlatformProcess.Find(_home, "api"));
    }

    private static async Task RunScript(params string[] arguments) =>
        Assert.Equal(0, (await Script.RunAsync(arguments)).ExitCode);
}
