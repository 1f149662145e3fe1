using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Npgsql;

namespace Platform.Persistence;

/// <summary>A database that holds tenants.</summary>
/// <param name="Name">Under which the main one remembers who is in it; empty for the main one itself.</param>
/// <param name="Settings">Its connection string, whole.</param>
/// <param name="Source">Its pool.</param>
internal sealed record TenantDatabase(string Name, string Settings, NpgsqlDataSource Source);

/// <summary>
/// The databases that tenants are spread over. A tenant is in one of them, whole, from its registration on; the first,
/// the main one, remembers in which. Where there is no other, nothing is asked.
/// </summary>
internal sealed class TenantDatabases : IAsyncDisposable
{
    private const string Find = "select platform.find_tenant_database($1)";

    private const string Place =
        "insert into platform.tenant_databases (tenant_id, database) values ($1, $2) on conflict do nothing";

    private readonly TenantDatabase[] _databases;

    // A tenant does not move: what was read once holds.
    private readonly ConcurrentDictionary<string, NpgsqlDataSource> _known = new(StringComparer.Ordinal);

    /// <summary>Prepares connections; opens none.</summary>
    /// <param name="main">Connection string of the main database.</param>
    /// <param name="others">Connection strings of the others, by the names under which they are remembered.</param>
    public TenantDatabases(string main, IReadOnlyDictionary<string, string> others)
    {
        string[] names = ["", .. others.Keys.Order(StringComparer.Ordinal)];
        _databases =
        [
            .. names
                .Select(name => name.Length == 0 ? main : others[name])
                .Select((settings, i) => new TenantDatabase(names[i], settings, Open(settings))),
        ];
    }

    /// <summary>The main database.</summary>
    public NpgsqlDataSource Main => _databases[0].Source;

    /// <summary>All of them, the main one first.</summary>
    public IReadOnlyList<TenantDatabase> All => _databases;

    /// <summary>The database of a tenant; the main one where there is no such tenant.</summary>
    /// <exception cref="InvalidOperationException">It is in one that this process was not told of.</exception>
    public async ValueTask<NpgsqlDataSource> OfAsync(string tenant, CancellationToken cancel)
    {
        if (_databases.Length == 1)
            return Main;
        if (_known.TryGetValue(tenant, out var known))
            return known;
        await using var command = Main.CreateCommand(Find);
        command.Parameters.Add(new() { Value = tenant });
        // One that is not there may be registered at any moment: it is not remembered.
        if (await command.ExecuteScalarAsync(cancel) is not string name)
            return Main;
        return _known[tenant] =
            _databases.FirstOrDefault(it => it.Name == name)?.Source
            ?? throw new InvalidOperationException(
                $"The tenant {tenant} is in the database {name}, of which this process was not told."
            );
    }

    /// <summary>
    /// Gives a tenant that is to be registered its database, unless it has one: that with the fewest.
    /// </summary>
    public async Task PlaceAsync(string tenant, CancellationToken cancel)
    {
        var name = await LeastAsync(cancel);
        await using var connection = await Main.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await RowSecurity.BindAsync(transaction, tenant, cancel);
        await using var command = new NpgsqlCommand(Place, connection, transaction)
        {
            Parameters =
            {
                new() { Value = tenant },
                new() { Value = name },
            },
        };
        await command.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Asks all databases the same, at the same time.</summary>
    /// <param name="sql">The question.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="read">Reads a row.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The rows of those that have answered, the main one's first, and why another has not, or null.</returns>
    public async Task<(List<T> Rows, Exception? Fault)> AskAsync<T>(
        string sql,
        object[] parameters,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    )
    {
        var answers = await Task.WhenAll(_databases.Select(it => AskAsync(it.Source, sql, parameters, read, cancel)));
        return (
            [.. answers.SelectMany(it => it.Rows)],
            answers.Select(it => it.Fault).FirstOrDefault(it => it is not null)
        );
    }

    /// <summary>
    /// The same for work that is looked for again and again: a database that is away keeps the work of the others from
    /// nobody.
    /// </summary>
    /// <exception cref="Exception">None has answered.</exception>
    public async Task<List<T>> AskForWorkAsync<T>(
        string sql,
        object[] parameters,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    )
    {
        var (rows, fault) = await AskAsync(sql, parameters, read, cancel);
        if (rows.Count == 0 && fault is not null)
            ExceptionDispatchInfo.Throw(fault);
        return rows;
    }

    /// <summary>Asks one database.</summary>
    public static async Task<List<T>> ReadAsync<T>(
        NpgsqlDataSource source,
        string sql,
        object[] parameters,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    )
    {
        await using var command = source.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(new() { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel))
            rows.Add(read(reader));
        return rows;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var database in _databases)
            await database.Source.DisposeAsync();
    }

    private async Task<string> LeastAsync(CancellationToken cancel)
    {
        if (_databases.Length == 1)
            return "";
        var counts = (
            await ReadAsync(
                Main,
                "select database, tenants from platform.count_tenants_by_database()",
                [],
                row => (Name: row.GetString(0), Tenants: row.GetInt64(1)),
                cancel
            )
        ).ToDictionary(it => it.Name, it => it.Tenants);
        return _databases.MinBy(it => counts.GetValueOrDefault(it.Name))!.Name;
    }

    private static async Task<(List<T> Rows, Exception? Fault)> AskAsync<T>(
        NpgsqlDataSource source,
        string sql,
        object[] parameters,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    )
    {
        try
        {
            return (await ReadAsync(source, sql, parameters, read, cancel), null);
        }
        catch (Exception fault) when (PlatformStore.IsTransient(fault))
        {
            return ([], fault);
        }
    }

    private static NpgsqlDataSource Open(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        // A statement that belongs to nothing that is traced, such as the look for what is due, would be a trace of its
        // own each time.
        builder.ConfigureTracing(tracing =>
            tracing
                .ConfigureCommandFilter(_ => Activity.Current is not null)
                .ConfigureBatchFilter(_ => Activity.Current is not null)
        );
        return builder.Build();
    }
}
