using System.Globalization;

namespace Platform.Cli.Hosting;

/// <summary>
/// What is written down of a started process, in the form that eng/services.sh reads and writes as well: a line "pid
/// start-time boot-id", then the address. The start time (in clock ticks since the machine started) tells our process
/// from a stranger that was given its pid later.
/// </summary>
internal sealed record ProcessRecord(string Name, int Pid, string StartTicks, string BootId, Uri Address)
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>True while that very process lives; a zombie does not.</summary>
    public bool IsAlive =>
        BootId == CurrentBootId()
        && ReadStat(Pid) is { } stat
        && stat.StartTicks == StartTicks
        && stat.State is not ('Z' or 'X');

    public static ProcessRecord Of(string name, int pid, Uri address)
    {
        var stat =
            ReadStat(pid)
            ?? throw new CommandFailure($"{name} ended as soon as it was started", CommandFailure.JobSaysNo);
        return new ProcessRecord(name, pid, stat.StartTicks, CurrentBootId(), address);
    }

    /// <summary>The records of a run folder; those that cannot be read are of no process.</summary>
    public static IReadOnlyList<ProcessRecord> ReadAll(string folder) =>
        Directory.Exists(folder)
            ?
            [
                .. Directory
                    .GetFiles(folder, "*.pid")
                    .Order(StringComparer.Ordinal)
                    .Select(Read)
                    .OfType<ProcessRecord>(),
            ]
            : [];

    /// <summary>The record of a process that lives; a stale one is removed.</summary>
    public static ProcessRecord? FindAlive(string folder, string name)
    {
        var record = Read(PathOf(folder, name));
        if (record is { IsAlive: true })
            return record;
        // The folder may not be there yet.
        if (File.Exists(PathOf(folder, name)))
            File.Delete(PathOf(folder, name));
        return null;
    }

    /// <summary>Written in one rename: a reader never sees half a record.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var draft = Path.Combine(folder, $".{Name}.tmp");
        File.WriteAllText(draft, $"{Pid} {StartTicks} {BootId}\n{Address}\n");
        File.Move(draft, PathOf(folder, Name), overwrite: true);
    }

    public void Remove(string folder) => File.Delete(PathOf(folder, Name));

    private static string PathOf(string folder, string name) => Path.Combine(folder, $"{name}.pid");

    private static ProcessRecord? Read(string path)
    {
        if (!File.Exists(path) || File.ReadAllLines(path) is not [var process, var address, ..])
            return null;
        return
            process.Split(' ') is [var pid, var ticks, var boot]
            && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && Uri.TryCreate(address, UriKind.Absolute, out var uri)
            ? new ProcessRecord(Path.GetFileNameWithoutExtension(path), number, ticks, boot, uri)
            : null;
    }

    private static string CurrentBootId() => File.ReadAllText(BootIdFile).Trim();

    // proc(5): the name, second field, may hold spaces; after its closing parenthesis follow the state and, 19 later,
    // the start time.
    private static (char State, string StartTicks)? ReadStat(int pid)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{pid}/stat");
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], fields[19]);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
