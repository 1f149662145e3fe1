using Marten;
using Npgsql;
using NpgsqlTypes;

namespace Platform.Persistence;

/// <summary>An event to be appended.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Id">Its own id, unique over all tenants.</param>
/// <param name="Data">What has happened.</param>
internal readonly record struct EventToAppend(Guid Stream, Guid Id, object Data);

/// <summary>
/// Appends to many streams by one statement, where Marten's session calls its function once a stream: a quarter of the
/// time in PostgreSQL, and the sweep appends to a hundred streams at once. The rows are those that Marten writes,
/// column by column, in its own serialisation, so that it reads them like its own. The caller holds the streams' locks,
/// which also keep Marten's sessions from them.
/// </summary>
internal static class EventAppending
{
    // Numbered from the version that the stream had; in an order of their own, so that a stream's later event has the
    // later number over all.
    private const string Append = $"""
        with streams as (
            insert into {EventStore.Schema}.mt_streams as stored (tenant_id, id, version, timestamp)
            select $1, u.stream_id, count(*), now() from unnest($2) as u(stream_id) group by u.stream_id
            on conflict (tenant_id, id) do update set version = stored.version + excluded.version, timestamp = excluded.timestamp
            where not stored.is_archived
            returning id, version)
        insert into {EventStore.Schema}.mt_events (seq_id, id, stream_id, version, data, type, tenant_id, timestamp, mt_dotnet_type, is_archived)
        select nextval('{EventStore.Schema}.mt_events_sequence'), e.id, e.stream_id, e.version, e.data, e.type, $1, now(), e.dotnet_type, false
        from (
            select u.id, u.stream_id, s.version - count(*) over stream + row_number() over (stream order by u.position) as version, u.data, u.type, u.dotnet_type
            from unnest($2, $3, $4, $5, $6) with ordinality as u(stream_id, id, data, type, dotnet_type, position) join streams s on s.id = u.stream_id
            window stream as (partition by u.stream_id)
            order by u.position) e
        """;

    /// <summary>
    /// The statement. It writes as many rows as there are events, or the stream of those that are missing is archived.
    /// </summary>
    /// <param name="store">Serialises.</param>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="events">The events, those of a stream in their order; at least one.</param>
    public static NpgsqlBatchCommand Statement(IDocumentStore store, string tenant, IReadOnlyList<EventToAppend> events)
    {
        var serializer = store.Options.Serializer();
        return new NpgsqlBatchCommand(Append)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = tenant },
                TenantSession.ArrayOf([.. events.Select(it => it.Stream)], NpgsqlDbType.Uuid),
                TenantSession.ArrayOf([.. events.Select(it => it.Id)], NpgsqlDbType.Uuid),
                TenantSession.ArrayOf([.. events.Select(it => serializer.ToJson(it.Data))], NpgsqlDbType.Jsonb),
                TenantSession.ArrayOf(
                    [.. events.Select(it => EventStore.EventNames[it.Data.GetType()])],
                    NpgsqlDbType.Text
                ),
                TenantSession.ArrayOf([.. events.Select(it => DotNetName(it.Data.GetType()))], NpgsqlDbType.Text),
            },
        };
    }

    /// <summary>Appends them as a statement of its own.</summary>
    /// <inheritdoc cref="Check"/>
    public static async Task RunAsync(
        NpgsqlTransaction transaction,
        IDocumentStore store,
        string tenant,
        IReadOnlyList<EventToAppend> events,
        CancellationToken cancel
    )
    {
        var statement = Statement(store, tenant, events);
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction) { BatchCommands = { statement } };
        await batch.ExecuteNonQueryAsync(cancel);
        Check(statement, events.Count);
    }

    /// <summary>Throws when events are missing among the rows written.</summary>
    /// <exception cref="InvalidOperationException">A stream is archived.</exception>
    public static void Check(NpgsqlBatchCommand statement, int events)
    {
        if (statement.RecordsAffected != events)
            throw new InvalidOperationException("A stream is archived: nothing can be appended to it.");
    }

    private static string DotNetName(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";
}
