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
/// The floor of writing: the very snapshots and events of the latest versions, copied in one go into empty tables with the same columns and
/// indexes, without a lock, a check or a policy.
/// </summary>
internal static class SweepFloor
{
    private const string Tables = """
        drop schema if exists benchmark cascade; create schema benchmark;
        create table benchmark.snapshots (like platform.allocation_snapshots including all);
        create table benchmark.events (like events.mt_events including all)
        """;

    private const string LatestSnapshots = """
        from platform.allocation_snapshots a join platform.fleets f using (tenant_id, fleet_id) where a.version = f.latest_version
        """;

    private const string LatestEvents = """
        from (select distinct on (stream_id) * from events.mt_events where type = 'allocation-published' order by stream_id, version desc) e
        """;

    private const string SnapshotColumns =
        "tenant_id, fleet_id, version, solved_at, hash, document, objective, mean_accuracy, mean_system_time_seconds, utilization";

    private const string EventColumns = "seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived";

    /// <summary>Copies what is stored, and measures the writing of it.</summary>
    public static async Task<CopyTime> MeasureAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await ExecuteAsync(database, Tables, cancel);
        try
        {
            var snapshots = await ReadAsync(database, $"copy (select a.{SnapshotColumns.Replace(", ", ", a.", StringComparison.Ordinal)} {LatestSnapshots}) to stdout (format binary)", cancel);
            var events = await ReadAsync(database, $"copy (select {EventColumns} {LatestEvents}) to stdout (format binary)", cancel);
            await ExecuteAsync(database, "checkpoint", cancel);
            var (before, own) = (await ProcessorTime.ReadAsync([], database, cancel), ProcessorTime.OfProcess(Environment.ProcessId));
            await WriteAsync(database, $"copy benchmark.snapshots ({SnapshotColumns}) from stdin (format binary)", snapshots, cancel);
            await WriteAsync(database, $"copy benchmark.events ({EventColumns}) from stdin (format binary)", events, cancel);
            return new CopyTime(ProcessorTime.OfProcess(Environment.ProcessId) - own, (await ProcessorTime.ReadAsync([], database, cancel) - before).Postgres);
        }
        finally
        {
            await ExecuteAsync(database, "drop schema benchmark cascade", CancellationToken.None);
        }
    }

    private static async Task<byte[]> ReadAsync(NpgsqlDataSource database, string copy, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var rows = await connection.BeginRawBinaryCopyAsync(copy, cancel);
        using var bytes = new MemoryStream();
        await rows.CopyToAsync(bytes, cancel);
        return bytes.ToArray();
    }

    private static async Task WriteAsync(NpgsqlDataSource database, string copy, byte[] bytes, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var rows = await connection.BeginRawBinaryCopyAsync(copy, cancel);
        await rows.WriteAsync(bytes, cancel);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancel);
    }
}
