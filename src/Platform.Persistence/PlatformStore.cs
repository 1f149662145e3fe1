using System.Data;
using System.Diagnostics;
using JasperFx;
using Marten;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.Persistence;

/// <summary>The platform's database: hands out sessions that are bound to one tenant. One for a process.</summary>
public sealed class PlatformStore : IAsyncDisposable
{
    /// <summary>
    /// The few statements that do nearly all the work are parsed and planned once a connection, not each time. A pooler that cannot keep
    /// prepared statements is told so by the connection string, which comes after these.
    /// </summary>
    private const string Defaults = "Max Auto Prepare=40;";

    /// <summary>
    /// Lets go of the locks of a host that has vanished without a word, with its machine or its network: at once it is not missed, for a
    /// dead connection looks like one that has nothing to say.
    /// </summary>
    private const string Vanishing =
        "-c idle_in_transaction_session_timeout=60s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";

    private const string Ping = """
        select rolsuper or rolbypassrls, (select count(*) from (select from platform.tenants limit 1) as one)
        from pg_roles where rolname = current_user
        """;

    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly NpgsqlDataSource _dataSource;
    private readonly DocumentStore _events;

    /// <summary>Prepares the connections; opens none.</summary>
    /// <param name="connectionString">Npgsql's connection string of the application's role.</param>
    /// <exception cref="ArgumentException">The string cannot be read, or would leak one tenant's settings to the next.</exception>
    public PlatformStore(string connectionString)
    {
        _settings = new NpgsqlConnectionStringBuilder(Defaults + connectionString);
        if (_settings.NoResetOnClose)
            throw new ArgumentException("'No Reset On Close' would hand one tenant's session settings to the next.", nameof(connectionString));
        _settings.Options ??= Vanishing;
        var builder = new NpgsqlDataSourceBuilder(_settings.ConnectionString);
        // A statement that belongs to nothing that is traced, such as the look for what is due, would be a trace of its own each time.
        builder.ConfigureTracing(tracing => tracing
            .ConfigureCommandFilter(_ => Activity.Current is not null).ConfigureBatchFilter(_ => Activity.Current is not null));
        _dataSource = builder.Build();
        _events = EventStore.Open(_dataSource, AutoCreate.None);
    }

    internal NpgsqlDataSource DataSource => _dataSource;

    internal IDocumentStore Events => _events;

    /// <summary>Opens a unit of work for one tenant.</summary>
    public Task<TenantSession> OpenAsync(string tenant, CancellationToken cancel) => OpenAsync(tenant, IsolationLevel.ReadCommitted, cancel);

    /// <summary>A connection of its own, which no pool hands on, that gives up a silent database within seconds.</summary>
    internal async Task<NpgsqlConnection> OpenForListeningAsync(CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(_settings.ConnectionString) { Pooling = false, Timeout = 5, CommandTimeout = 2, CancellationTimeout = -1 };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    internal Task<TenantSession> OpenAsync(string tenant, IsolationLevel isolation, CancellationToken cancel) =>
        TenantSession.OpenAsync(_dataSource, _events, tenant, isolation, cancel);

    /// <summary>
    /// Asks the database for a sign of life, on a connection of its own: those that are open may be dead, or all in use. When it gives
    /// none, those that wait for use are given up: they would fail one request each after it is back.
    /// </summary>
    /// <param name="patience">How long to wait for the connection.</param>
    /// <exception cref="NpgsqlException">It gives none.</exception>
    /// <exception cref="InvalidOperationException">The role is above row-level security: nothing would keep tenants apart but this code.</exception>
    public async Task PingAsync(TimeSpan patience)
    {
        var ownConnection = new NpgsqlConnectionStringBuilder(_settings.ConnectionString) { Pooling = false, Timeout = (int)patience.TotalSeconds };
        await using var connection = new NpgsqlConnection(ownConnection.ConnectionString);
        try
        {
            await connection.OpenAsync();
        }
        catch (NpgsqlException)
        {
            _dataSource.Clear();
            throw;
        }

        await using var command = new NpgsqlCommand(Ping, connection);
        if (await command.ExecuteScalarAsync() is true)
            throw new InvalidOperationException("The database role is above row-level security: give the hosts the application's role.");
    }

    /// <summary>
    /// The same again may succeed: the database was away, overloaded, full or shut down, or another session was in the way. What ends a session
    /// (FATAL, PANIC) was never a statement's fault. A unique key that is in the way counts too: who comes second finds on the next try
    /// that it is a duplicate.
    /// </summary>
    public static bool IsTransient(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation or "57P01" or "57P02" or "57P03" } or
                PostgresException { InvariantSeverity: "FATAL" or "PANIC" } or
                NpgsqlException { IsTransient: true } or IOException or TimeoutException or System.Net.Sockets.SocketException)
                return true;
        }

        return false;
    }

    /// <summary>The fault lies in what was to be read or written: neither did anyone give up, nor is the database away.</summary>
    public static bool IsNotTheDatabasesState(Exception fault) =>
        fault is not OperationCanceledException && (!IsTransient(fault) || IsUniqueViolation(fault));

    internal static bool IsUniqueViolation(Exception fault) =>
        fault is DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync();
        await _dataSource.DisposeAsync();
    }
}
