using System.Data;
using JasperFx;
using Marten;
using Npgsql;

namespace Platform.Persistence;

/// <summary>
/// The platform's database, or several over which its tenants are spread: hands out sessions that are bound to one
/// tenant. One for a process.
/// </summary>
public sealed class PlatformStore : IAsyncDisposable
{
    /// <summary>
    /// The few statements that do nearly all the work are parsed and planned once a connection, not each time. A pooler
    /// that cannot keep prepared statements is told so by the connection string, which comes after these.
    /// </summary>
    private const string Defaults = "Max Auto Prepare=40;";

    /// <summary>
    /// Lets go of the locks of a host that has vanished without a word, with its machine or its network: at once it is
    /// not missed, for a dead connection looks like one that has nothing to say.
    /// </summary>
    private const string Vanishing =
        "-c idle_in_transaction_session_timeout=60s -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";

    private const string Ping = """
        select rolsuper or rolbypassrls, (select count(*) from (select from platform.tenants limit 1) as one)
        from pg_roles where rolname = current_user
        """;

    private readonly DocumentStore _events;

    /// <summary>Prepares the connections; opens none.</summary>
    /// <param name="connectionString">Npgsql's connection string of the application's role.</param>
    /// <param name="others">The same of further databases, by the names under which the main one remembers who is
    /// where; null for none.</param>
    /// <exception cref="ArgumentException">A string cannot be read, or would leak one tenant's settings to the
    /// next.</exception>
    public PlatformStore(string connectionString, IReadOnlyDictionary<string, string>? others = null)
    {
        Databases = new TenantDatabases(
            Complete(connectionString),
            (others ?? new Dictionary<string, string>()).ToDictionary(it => it.Key, it => Complete(it.Value))
        );
        _events = EventStore.Open(Databases.Main, AutoCreate.None);
    }

    internal TenantDatabases Databases { get; }

    internal IDocumentStore Events => _events;

    /// <summary>Opens a unit of work for one tenant.</summary>
    public Task<TenantSession> OpenAsync(string tenant, CancellationToken cancel) =>
        OpenAsync(tenant, IsolationLevel.ReadCommitted, cancel);

    /// <summary>
    /// A connection of its own, which no pool hands on, that gives up a silent database within seconds.
    /// </summary>
    internal static async Task<NpgsqlConnection> OpenForListeningAsync(
        TenantDatabase database,
        CancellationToken cancel
    )
    {
        var settings = new NpgsqlConnectionStringBuilder(database.Settings)
        {
            Pooling = false,
            Timeout = 5,
            CommandTimeout = 2,
            CancellationTimeout = -1,
        };
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

    internal async Task<TenantSession> OpenAsync(string tenant, IsolationLevel isolation, CancellationToken cancel) =>
        await TenantSession.OpenAsync(await Databases.OfAsync(tenant, cancel), _events, tenant, isolation, cancel);

    /// <summary>
    /// Asks each database for a sign of life, on a connection of its own: those that are open may be dead, or all in
    /// use. When it gives none, those that wait for use are given up: they would fail one request each after it is
    /// back.
    /// </summary>
    /// <param name="patience">How long to wait for the connection.</param>
    /// <returns>Why a database gives none, other than the main one; null where all do.</returns>
    /// <exception cref="NpgsqlException">The main one gives none.</exception>
    /// <exception cref="InvalidOperationException">A role is above row-level security: nothing would keep tenants apart
    /// but this code.</exception>
    public async Task<Exception?> PingAsync(TimeSpan patience)
    {
        var others = Databases.All.Skip(1).Select(database => TryPingAsync(database, patience)).ToArray();
        await PingAsync(Databases.All[0], patience);
        return (await Task.WhenAll(others)).FirstOrDefault(fault => fault is not null);
    }

    private static async Task<Exception?> TryPingAsync(TenantDatabase database, TimeSpan patience)
    {
        try
        {
            await PingAsync(database, patience);
            return null;
        }
        catch (NpgsqlException fault)
        {
            return fault;
        }
    }

    private static async Task PingAsync(TenantDatabase database, TimeSpan patience)
    {
        var ownConnection = new NpgsqlConnectionStringBuilder(database.Settings)
        {
            Pooling = false,
            Timeout = (int)patience.TotalSeconds,
        };
        await using var connection = new NpgsqlConnection(ownConnection.ConnectionString);
        try
        {
            await connection.OpenAsync();
        }
        catch (NpgsqlException)
        {
            database.Source.Clear();
            throw;
        }

        await using var command = new NpgsqlCommand(Ping, connection);
        if (await command.ExecuteScalarAsync() is true)
            throw new InvalidOperationException(
                "The database role is above row-level security: give the hosts the application's role."
            );
    }

    /// <summary>
    /// The same again may succeed: the database was away, overloaded, full or shut down, or another session was in the
    /// way. What ends a session (FATAL, PANIC) was never a statement's fault. A unique key that is in the way counts
    /// too: who comes second finds on the next try that it is a duplicate.
    /// </summary>
    public static bool IsTransient(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (
                cause
                is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation or "57P01" or "57P02" or "57P03" }
                    or PostgresException { InvariantSeverity: "FATAL" or "PANIC" }
                    or NpgsqlException { IsTransient: true }
                    or IOException
                    or TimeoutException
                    or System.Net.Sockets.SocketException
            )
                return true;
        }

        return false;
    }

    /// <summary>
    /// The fault lies in what was to be read or written: neither did anyone give up, nor is the database away.
    /// </summary>
    public static bool IsNotTheDatabasesState(Exception fault) =>
        fault is not OperationCanceledException && (!IsTransient(fault) || IsUniqueViolation(fault));

    internal static bool IsUniqueViolation(Exception fault) =>
        (fault as PostgresException ?? fault.InnerException as PostgresException)?.SqlState
        == PostgresErrorCodes.UniqueViolation;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync();
        await Databases.DisposeAsync();
    }

    private static string Complete(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(Defaults + connectionString);
        if (settings.NoResetOnClose)
            throw new ArgumentException(
                "'No Reset On Close' would hand one tenant's session settings to the next.",
                nameof(connectionString)
            );
        settings.Options ??= Vanishing;
        return settings.ConnectionString;
    }
}
