using System.Data;
using System.Runtime.CompilerServices;
using JasperFx.Events;
using Marten;
using Marten.Services;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Fleets;
using Platform.Domain.Tenants;
using Platform.Persistence.Transparency;

namespace Platform.Persistence;

/// <summary>
/// One tenant's unit of work: rows and events in one transaction, which commit together or not at all. Sees and writes
/// nothing of any other tenant. Not for use by several threads at once.
/// </summary>
public sealed class TenantSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly IDocumentStore _store;
    private readonly List<(Guid Stream, string? Fleet)> _unlogged = [];
    private IDocumentSession? _events;
    private bool _hasEnded;

    private TenantSession(
        string tenant,
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IDocumentStore store
    )
    {
        Tenant = tenant;
        (_connection, _transaction, _store) = (connection, transaction, store);
        Rows = new PlatformDbContext(OptionsFor(connection), tenant);
    }

    /// <summary>The tenant's id.</summary>
    public string Tenant { get; }

    internal PlatformDbContext Rows { get; }

    // Marten's session on the same transaction. Conjoined tenancy wants one for each tenant.
    private IDocumentSession Events => _events ??= _store.LightweightSession(EventsOf(Tenant, _transaction));

    internal static async Task<TenantSession> OpenAsync(
        NpgsqlDataSource dataSource,
        IDocumentStore store,
        string tenant,
        IsolationLevel isolation,
        CancellationToken cancel
    )
    {
        var connection = await dataSource.OpenConnectionAsync(cancel);
        try
        {
            var transaction = await connection.BeginTransactionAsync(isolation, cancel);
            var session = new TenantSession(tenant, connection, transaction, store);
            // The first of a process takes seconds on a busy machine: before the first statement, with which the
            // server's transaction begins.
            await session.Rows.Database.UseTransactionAsync(transaction, cancel);
            await RowSecurity.BindAsync(transaction, tenant, cancel);
            return session;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    internal static SessionOptions EventsOf(string tenant, NpgsqlTransaction transaction)
    {
        var options = SessionOptions.ForTransaction(transaction);
        options.TenantId = tenant;
        return options;
    }

    internal static DbContextOptions<PlatformDbContext> OptionsFor(NpgsqlConnection connection) =>
        new DbContextOptionsBuilder<PlatformDbContext>()
            .UseNpgsql(connection, Migrator.Configure)
            .UseSnakeCaseNamingConvention()
            .Options;

    /// <summary>Takes the locks of an array of keys, in one order for all sessions.</summary>
    internal const string LockStatement =
        "select pg_advisory_xact_lock(key) from (select key from unnest($1) as keys(key) order by key) as ordered";

    /// <summary>
    /// Waits until no other session holds the same locks, and holds them until the end of the transaction.
    /// </summary>
    internal async Task LockAsync(IEnumerable<Guid> subjects, CancellationToken cancel)
    {
        await using var batch = CreateBatch();
        batch.BatchCommands.Add(Locking(subjects));
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Holds a lock until the end of the transaction, unless another session has it.</summary>
    internal async Task<bool> TryLockAsync(Guid subject, CancellationToken cancel)
    {
        await using var batch = CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand("select pg_try_advisory_xact_lock($1)")
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey(subject) } },
            }
        );
        return await batch.ExecuteScalarAsync(cancel) is true;
    }

    /// <summary>
    /// A statement that takes several locks, in one order for all sessions, so that two of them cannot wait for one
    /// another.
    /// </summary>
    internal static NpgsqlBatchCommand Locking(IEnumerable<Guid> subjects) =>
        new(LockStatement)
        {
            Parameters = { new NpgsqlParameter<long[]> { TypedValue = [.. subjects.Select(LockKey).Distinct()] } },
        };

    /// <summary>Appends what is decided about a fleet to its stream, and to the tenant's log.</summary>
    internal void Append(string fleet, FleetEvent happened) =>
        Append(EventStore.FleetStream(Tenant, fleet), fleet, happened);

    /// <summary>Appends what is decided about the tenant to its stream, and to its log.</summary>
    internal void Append(TenantEvent happened) => Append(EventStore.TenantStream(Tenant), null, happened);

    /// <summary>Reads the events of a stream after a version, oldest first.</summary>
    internal Task<IReadOnlyList<IEvent>> ReadAsync(Guid stream, long after, int limit, CancellationToken cancel) =>
        Events.Events.FetchStreamAsync(stream, version: after + limit, fromVersion: after + 1, token: cancel);

    /// <summary>
    /// Reads all events of a stream, oldest first, a page at a time: memory does not grow with the history.
    /// </summary>
    internal async IAsyncEnumerable<IEvent> ReadAllAsync(Guid stream, [EnumeratorCancellation] CancellationToken cancel)
    {
        const int pageLength = 500;
        IReadOnlyList<IEvent> page;
        for (var after = 0L; (page = await ReadAsync(stream, after, pageLength, cancel)).Count > 0; after += page.Count)
        {
            foreach (var recorded in page)
                yield return recorded;
        }
    }

    /// <summary>Tells those who listen, at the commit, that something of the tenant has changed.</summary>
    internal async Task NotifyAsync(string channel, IReadOnlyList<string> subjects, CancellationToken cancel)
    {
        await using var batch = CreateBatch();
        batch.BatchCommands.Add(Notifying(channel, subjects));
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The statement that does so.</summary>
    internal NpgsqlBatchCommand Notifying(string channel, IReadOnlyList<string> subjects) =>
        new("select pg_notify($1, $2 || '/' || subject) from unnest($3) as of(subject)")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = channel },
                new NpgsqlParameter<string> { TypedValue = Tenant },
                ArrayOf<string>([.. subjects], NpgsqlDbType.Text),
            },
        };

    /// <summary>Statements of this transaction, sent together.</summary>
    internal NpgsqlBatch CreateBatch() => new(_connection, _transaction);

    /// <summary>Writes rows and events; <see cref="CommitAsync"/> does so too.</summary>
    internal async Task SaveAsync(CancellationToken cancel)
    {
        await Rows.SaveChangesAsync(cancel);
        if (_events is not null)
            await _events.SaveChangesAsync(cancel);
        if (_unlogged.Count == 0)
            return;
        await using var batch = CreateBatch();
        batch.BatchCommands.Add(TransparencyLog.Queueing(Tenant, _unlogged));
        await batch.ExecuteNonQueryAsync(cancel);
        _unlogged.Clear();
    }

    /// <summary>
    /// The statements that append to several fleets' streams at once, and to the tenant's log: one event for each
    /// fleet.
    /// </summary>
    internal NpgsqlBatchCommand[] Appending(IReadOnlyList<(string Fleet, FleetEvent Happened)> events)
    {
        (Guid Stream, string? Fleet)[] streams =
        [
            .. events.Select(it => (EventStore.FleetStream(Tenant, it.Fleet), it.Fleet)),
        ];
        var appended = streams.Zip(events, (it, e) => new EventToAppend(it.Stream, Guid.CreateVersion7(), e.Happened));
        return [EventAppending.Statement(_store, Tenant, [.. appended]), TransparencyLog.Queueing(Tenant, streams)];
    }

    /// <summary>
    /// The statement that appends an event to a fleet's workload stream, which is in no log. The caller holds the
    /// stream's lock.
    /// </summary>
    internal NpgsqlBatchCommand AppendingToWorkload(string fleet, object happened) =>
        EventAppending.Statement(
            _store,
            Tenant,
            [new EventToAppend(EventStore.WorkloadStream(Tenant, fleet), Guid.CreateVersion7(), happened)]
        );

    internal void Append(Guid stream, string? fleet, object happened)
    {
        Events.Events.Append(stream, happened);
        _unlogged.Add((stream, fleet));
    }

    /// <summary>Writes rows and events, and commits both.</summary>
    public async Task CommitAsync(CancellationToken cancel)
    {
        await SaveAsync(cancel);
        await _transaction.CommitAsync(cancel);
    }

    /// <summary>Ends the session; what is not committed is undone.</summary>
    public async ValueTask DisposeAsync()
    {
        // Npgsql keeps one transaction object with each connection: to dispose of it again would undo what the
        // connection's next user does.
        if (_hasEnded)
            return;
        _hasEnded = true;
        await Rows.DisposeAsync();
        if (_events is not null)
            await _events.DisposeAsync();
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    /// <summary>An array as a parameter of a statement.</summary>
    internal static NpgsqlParameter<T[]> ArrayOf<T>(T[] values, NpgsqlDbType type) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };

    internal static long LockKey(Guid subject) =>
        System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(subject.ToByteArray());
}
