using System.Diagnostics;

namespace Platform.Cli.Hosting;

/// <summary>What to start: a program with its arguments and variables; the address is where it will listen.</summary>
internal sealed record ProcessStart(string Name, IReadOnlyList<string> Command, string WorkingFolder, Uri Address)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// A host as a process of its own, which outlives the command that started it: its output goes to HOME/logs, its record
/// to HOME/run.
/// </summary>
internal sealed class PlatformProcess
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PatienceOnStop = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan DeadlineOfKill = TimeSpan.FromSeconds(5);
    private readonly string _runFolder;
    private readonly ProcessRecord _record;

    private PlatformProcess(string home, ProcessRecord record)
    {
        _runFolder = RunFolderOf(home);
        _record = record;
        LogFile = LogFileOf(home, record.Name);
    }

    public string Name => _record.Name;

    public int Id => _record.Pid;

    public Uri Address => _record.Address;

    public string LogFile { get; }

    public bool IsRunning => _record.IsAlive;

    public static string RunFolderOf(string home) => Path.Combine(home, "run");

    public static PlatformProcess Start(string home, ProcessStart start)
    {
        var log = LogFileOf(home, start.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        // Each step replaces the one before, so that the pid is the host's: the shell redirects, setsid leaves the
        // terminal's Ctrl-C to us, and no pipe ties the host to our life.
        var info = new ProcessStartInfo("/bin/sh") { WorkingDirectory = start.WorkingFolder };
        foreach (var argument in (string[])["-c", "exec setsid \"$@\" >>\"$0\" 2>&1 </dev/null", log, .. start.Command])
            info.ArgumentList.Add(argument);
        foreach (var (name, value) in start.Environment)
            info.Environment[name] = value;
        using var process = Process.Start(info)!;
        var record = ProcessRecord.Of(start.Name, process.Id, start.Address);
        record.Write(RunFolderOf(home));
        return new PlatformProcess(home, record);
    }

    /// <summary>One that an earlier command started and that still runs.</summary>
    public static PlatformProcess? Find(string home, string name) =>
        ProcessRecord.FindAlive(RunFolderOf(home), name) is { } record ? new PlatformProcess(home, record) : null;

    /// <summary>
    /// Waits until the address answers; a process that ends before, or a deadline that passes, is a failure with the
    /// log's last lines.
    /// </summary>
    public async Task WaitReadyAsync(TimeSpan deadline, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        while (!await HealthProbe.IsHealthyAsync(Address, cancellation))
        {
            if (!IsRunning)
                throw Failure("ended before it was ready");
            if (watch.Elapsed > deadline)
                throw Failure($"was not ready after {deadline.TotalSeconds:0} s");
            await Task.Delay(Pause, cancellation);
        }
    }

    /// <summary>SIGTERM, and SIGKILL for one that does not end.</summary>
    /// <returns>Whether it ended by itself.</returns>
    public async Task<bool> StopAsync()
    {
        Signal("TERM");
        var ended = await EndsWithinAsync(PatienceOnStop);
        if (!ended)
            Kill();
        await EndsWithinAsync(DeadlineOfKill);
        _record.Remove(_runFolder);
        return ended;
    }

    /// <summary>SIGKILL: the process gets no chance to tidy up.</summary>
    public void Kill() => Signal("KILL");

    private static string LogFileOf(string home, string name) => Path.Combine(home, "logs", $"{name}.log");

    private async Task<bool> EndsWithinAsync(TimeSpan patience)
    {
        var watch = Stopwatch.StartNew();
        while (IsRunning)
        {
            if (watch.Elapsed > patience)
                return false;
            await Task.Delay(Pause);
        }

        return true;
    }

    private void Signal(string signal)
    {
        if (!IsRunning)
            return;
        // The shell's own kill: the program of that name is not on every machine.
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -s {signal} {Id} 2>/dev/null"]);
        kill.WaitForExit();
    }

    private CommandFailure Failure(string what)
    {
        const int LastLines = 5;
        var lines = File.Exists(LogFile)
            ? File.ReadLines(LogFile).Where(line => line.Trim().Length > 0).TakeLast(LastLines)
            : [];
        return new CommandFailure(
            $"{Name} {what}; its log, {LogFile}, ends: {string.Join(" | ", lines)}",
            CommandFailure.JobSaysNo
        );
    }
}
