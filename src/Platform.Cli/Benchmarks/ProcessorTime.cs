using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using Platform.Cli.Hosting;

namespace Platform.Cli.Benchmarks;

/// <summary>CPU seconds that processes have used so far, from /proc.</summary>
/// <param name="Workers">Those of the worker processes.</param>
/// <param name="Postgres">Those of PostgreSQL: the server, its children, and those of its children that have
/// ended.</param>
/// <param name="Hangfire">Of these, those of the connections of Hangfire's own pool.</param>
internal sealed record ProcessorTime(double Workers, double Postgres, double Hangfire)
{
    // USER_HZ, which Linux has fixed at 100 for what it shows to programs.
    private const double TicksPerSecond = 100;

    // proc(5): utime, stime, cutime and cstime are fields 14 to 17; the first one after the name is the third.
    private const int UserTime = 14 - 3;

    public static ProcessorTime operator -(ProcessorTime a, ProcessorTime b) =>
        new(a.Workers - b.Workers, a.Postgres - b.Postgres, a.Hangfire - b.Hangfire);

    /// <summary>
    /// Reads the clock of these workers and of the server behind a connection, which must be on this machine.
    /// </summary>
    public static async Task<ProcessorTime> ReadAsync(
        IEnumerable<int> workers,
        NpgsqlDataSource database,
        CancellationToken cancel
    )
    {
        await using var command = database.CreateCommand(
            "select pg_backend_pid(), array(select pid from pg_stat_activity where application_name = 'hangfire')"
        );
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        var (backend, hangfire) = (reader.GetInt32(0), reader.GetFieldValue<int[]>(1));
        if (Stat(backend) is not { } own || Stat(Parent(own)) is not { } server)
            throw new CommandFailure(
                "PostgreSQL is not on this machine: its CPU time cannot be read",
                CommandFailure.BadUsage
            );
        var postmaster = Parent(own);
        var children = Directory
            .GetDirectories("/proc")
            .Select(Path.GetFileName)
            .Select(name =>
                int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? Stat(pid) : null
            )
            .Where(stat => stat is not null && Parent(stat) == postmaster);
        return new ProcessorTime(
            workers.Sum(pid => Seconds(Stat(pid), 2)),
            Seconds(server, 4) + children.Sum(stat => Seconds(stat, 2)),
            hangfire.Sum(pid => Seconds(Stat(pid), 2))
        );
    }

    /// <summary>Seconds that a process has used, its children left out; 0 when it has ended.</summary>
    public static double OfProcess(int pid) => Seconds(Stat(pid), 2);

    /// <summary>The broker's process, which must be on this machine for its time to be read.</summary>
    public static async Task<int> BrokerAsync(PlatformSettings settings, CancellationToken cancel)
    {
        using var client = new HttpClient();
        var administrator = Uri.UnescapeDataString(new Uri(settings.RabbitMq).UserInfo);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(administrator))
        );
        var pid = await Waiting.ForAsync(
            async () =>
            {
                // A broker that has just started does not know its own node yet: it learns of it every five seconds.
                var nodes = await client.GetFromJsonAsync<JsonElement>(
                    $"{settings.RabbitMqManagement.TrimEnd('/')}/api/nodes",
                    cancel
                );
                return nodes[0].TryGetProperty("os_pid", out var known) ? known.GetString() : null;
            },
            "the broker to know its process",
            cancel
        );
        return int.Parse(pid, CultureInfo.InvariantCulture);
    }

    /// <summary>The fields after the name, which may hold spaces; null when the process has ended.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{pid}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static int Parent(string[] stat) => int.Parse(stat[1], CultureInfo.InvariantCulture);

    private static double Seconds(string[]? stat, int fields) =>
        stat is null
            ? 0
            : stat.Skip(UserTime).Take(fields).Sum(field => long.Parse(field, CultureInfo.InvariantCulture))
                / TicksPerSecond;
}
