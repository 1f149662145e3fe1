using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Spectre.Console;

namespace Platform.Cli.Hosting;

/// <summary><c>./platform status</c>: exit status 0 when all that should run does and is well.</summary>
internal static class StatusCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static Command Create()
    {
        var output = Terminal.OutputOption();
        var command = new Command("status", "Shows each process of the platform, and whether it is well.") { output };
        command.SetAction(
            (parsed, cancellation) =>
                RunAsync(
                    WhereItRuns(PlatformSettings.Variable("PLATFORM_HOME")),
                    parsed.GetValue(output) == "json",
                    cancellation
                )
        );
        return command;
    }

    /// <summary>A demo that was kept runs in a home of its own: it is shown where nothing else runs.</summary>
    private static string WhereItRuns(string home)
    {
        var demo = Path.Combine(home, "demo");
        return ProcessRecord.ReadAll(PlatformProcess.RunFolderOf(home)).Count == 0 && Directory.Exists(demo)
            ? demo
            : home;
    }

    internal sealed record ProcessStatus(string Name, int? Pid, DateTimeOffset? Since, Uri Address, bool Healthy);

    private static async Task<int> RunAsync(string home, bool json, CancellationToken cancellation)
    {
        var processes = await Task.WhenAll(
            ProcessRecord
                .ReadAll(PlatformProcess.RunFolderOf(home))
                .Select(record => InspectAsync(record, cancellation))
        );
        if (json)
            Console.Out.WriteLine(JsonSerializer.Serialize(new { home, processes }, Json));
        else if (processes.Length == 0)
            Terminal.Error.Say("nothing is running; ./platform up starts it");
        else
            Terminal.Error.Write(TableOf(processes));
        return processes.Length > 0 && processes.All(process => process.Healthy) ? 0 : CommandFailure.JobSaysNo;
    }

    private static async Task<ProcessStatus> InspectAsync(ProcessRecord record, CancellationToken cancellation) =>
        record.IsAlive
            ? new(
                record.Name,
                record.Pid,
                StartOf(record.Pid),
                record.Address,
                await HealthProbe.IsHealthyAsync(record.Address, cancellation)
            )
            : new(record.Name, null, null, record.Address, false);

    private static DateTimeOffset? StartOf(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.StartTime.ToUniversalTime();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return null; // ended between the two looks
        }
    }

    private static Table TableOf(IEnumerable<ProcessStatus> processes)
    {
        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumns("process", "pid", "since (UTC)", "address", "state");
        foreach (var process in processes)
        {
            table.AddRow(
                process.Name,
                $"{process.Pid}",
                $"{process.Since:yyyy-MM-dd HH:mm:ss}",
                process.Address.OriginalString,
                process switch
                {
                    { Healthy: true } => "healthy",
                    { Pid: null } => "ended",
                    _ => "not healthy",
                }
            );
        }

        return table;
    }
}
