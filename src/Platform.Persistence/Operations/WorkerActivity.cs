using Npgsql;

namespace Platform.Persistence.Operations;

/// <summary>A worker that solves.</summary>
/// <param name="Id">Machine, process and a random part.</param>
/// <param name="StartedAt">Since when.</param>
/// <param name="HeartbeatAt">When it was heard of last.</param>
public sealed record SolvingWorker(string Id, DateTimeOffset StartedAt, DateTimeOffset HeartbeatAt);

/// <summary>A sweep that has ended.</summary>
/// <param name="EndedAt">When.</param>
/// <param name="DurationSeconds">How long it took.</param>
/// <param name="Fleets">Fleets that were found due.</param>
/// <param name="Published">Of these, those with a new version.</param>
/// <param name="Failed">Of these, those that could not be solved.</param>
public sealed record Sweep(DateTimeOffset EndedAt, double DurationSeconds, int Fleets, int Published, int Failed);

/// <summary>What the workers do, as Hangfire's tables tell it: of all tenants, for operators.</summary>
public sealed class WorkerActivity(PlatformStore store)
{
    private const string Workers =
        "select id, (data ->> 'StartedAt')::timestamptz, lastheartbeat from hangfire.server order by id";

    // Ended jobs are kept for ten minutes. A figure that is 0 is left out of the result.
    private const string Sweeps = """
        select (data ->> 'SucceededAt')::timestamptz, (data ->> 'PerformanceDuration')::float8 / 1000,
            coalesce((result ->> 'Fleets')::int, 0), coalesce((result ->> 'Published')::int, 0), coalesce((result ->> 'Failed')::int, 0)
        from (
            select id, data, (data ->> 'Result')::jsonb as result from hangfire.state
            where name = 'Succeeded' and data ->> 'Result' like '%SweepFigures%' order by id desc limit $1) latest
        order by id
        """;

    /// <summary>The workers that have not signed off; one that was killed stays for some minutes.</summary>
    public Task<IReadOnlyList<SolvingWorker>> WorkersAsync(CancellationToken cancel) =>
        ReadAsync(
            Workers,
            [],
            row => new SolvingWorker(
                row.GetString(0),
                row.GetFieldValue<DateTimeOffset>(1),
                row.GetFieldValue<DateTimeOffset>(2)
            ),
            cancel
        );

    /// <summary>The latest sweeps, oldest first.</summary>
    /// <param name="most">Most sweeps wanted.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<IReadOnlyList<Sweep>> SweepsAsync(int most, CancellationToken cancel) =>
        ReadAsync(
            Sweeps,
            [most],
            row => new Sweep(
                row.GetFieldValue<DateTimeOffset>(0),
                row.GetDouble(1),
                row.GetInt32(2),
                row.GetInt32(3),
                row.GetInt32(4)
            ),
            cancel
        );

    private async Task<IReadOnlyList<T>> ReadAsync<T>(
        string sql,
        object[] parameters,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    ) => await TenantDatabases.ReadAsync(store.Databases.Main, sql, parameters, read, cancel);
}
