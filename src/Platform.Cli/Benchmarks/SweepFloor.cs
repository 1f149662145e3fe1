using Npgsql;

namespace Platform.Cli.Benchmarks;

/// <summary>What no sweep with new versions can fall below.</summary>
/// <param name="WriterSeconds">CPU seconds of the process that copies.</param>
/// <param name="PostgresSeconds">CPU seconds of PostgreSQL.</param>
internal sealed record CopyTime(double WriterSeconds, double PostgresSeconds)
{
    public double CpuSeconds => WriterSeconds + PostgresSeconds;
}

/// <summary>
/// The floor of writing: the very snapshots and events of the latest versions, copied in one go into empty tables with
/// the same columns and indexes, without a lock, a check or a policy.
/// </summary>
internal static class SweepFloor
{
    private const string Tables = """
        drop schema if exists benchmark cascade; create schema benchmark;
        create table benchmark.snapshots (like platform.allocation_snapshots including all);
        create table benchmark.events (like events.mt_events including all)
        """;

    private const string LatestSnapshots =
        "select a.* from platform.allocation_snapshots a join platform.fleets f using (tenant_id, fleet_id) where a.version = f.latest_version";

    private const string LatestEvents =
        "select distinct on (stream_id) * from events.mt_events where type = 'allocation-published' order by stream_id, version desc";

    /// <summary>Copies what is stored, and measures the writing of it.</summary>
    public static async Task<CopyTime> MeasureAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await ExecuteAsync(database, Tables, cancel);
        try
        {
            var snapshots = await ReadAsync(database, LatestSnapshots, cancel);
            var events = await ReadAsync(database, LatestEvents, cancel);
            await ExecuteAsync(database, "checkpoint", cancel);
            var (before, own) = (
                await ProcessorTime.ReadAsync([], database, cancel),
                ProcessorTime.OfProcess(Environment.ProcessId)
            );
            await WriteAsync(database, "benchmark.snapshots", snapshots, cancel);
            await WriteAsync(database, "benchmark.events", events, cancel);
            return new CopyTime(
                ProcessorTime.OfProcess(Environment.ProcessId) - own,
                (await ProcessorTime.ReadAsync([], database, cancel) - before).Postgres
            );
        }
        finally
        {
            await ExecuteAsync(database, "drop schema benchmark cascade", CancellationToken.None);
        }
    }

    private static async Task<byte[]> ReadAsync(NpgsqlDataSource database, string query, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var rows = await connection.BeginRawBinaryCopyAsync(
            $"copy ({query}) to stdout (format binary)",
            cancel
        );
        using var bytes = new MemoryStream();
        await rows.CopyToAsync(bytes, cancel);
        return bytes.ToArray();
    }

    private static async Task WriteAsync(
        NpgsqlDataSource database,
        string table,
        byte[] bytes,
        CancellationToken cancel
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var rows = await connection.BeginRawBinaryCopyAsync(
            $"copy {table} from stdin (format binary)",
            cancel
        );
        await rows.WriteAsync(bytes, cancel);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancel);
    }
}
