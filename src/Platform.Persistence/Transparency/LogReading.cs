using System.Runtime.CompilerServices;
using Npgsql;
using Platform.Domain.Transparency;

namespace Platform.Persistence.Transparency;

/// <summary>Reads a tenant's log in its order, each entry with the leaf that its event gives today.</summary>
internal static class LogReading
{
    private const string Entries = """
        select l.index, l.stream_id, l.stream_version, l.fleet_id, l.allocation_version, l.leaf_hash, e.type, e.data::text
        from platform.log_entries l
        left join events.mt_events e on e.tenant_id = $1 and e.stream_id = l.stream_id and e.version = l.stream_version
        where l.tenant_id = $1 and l.index > $2 order by l.index limit $3
        """;

    /// <summary>The entries after an index; the leaf is null where the event is gone.</summary>
    public static async IAsyncEnumerable<(LogEntryRow Entry, LogLeaf? Leaf)> ReadAsync(
        TenantSession session,
        long after,
        int limit,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Entries)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = session.Tenant },
                    new NpgsqlParameter<long> { TypedValue = after },
                    new NpgsqlParameter<int> { TypedValue = limit },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var entry = new LogEntryRow
            {
                TenantId = session.Tenant,
                Index = reader.GetInt64(0),
                StreamId = reader.GetGuid(1),
                StreamVersion = reader.GetInt64(2),
                FleetId = reader.IsDBNull(3) ? null : reader.GetString(3),
                AllocationVersion = reader.IsDBNull(4) ? null : reader.GetInt32(4),
                LeafHash = reader.GetFieldValue<byte[]>(5),
            };
            yield return (
                entry,
                reader.IsDBNull(6)
                    ? null
                    : new LogLeaf(
                        session.Tenant,
                        entry.FleetId,
                        entry.StreamVersion,
                        reader.GetString(6),
                        reader.GetString(7)
                    )
            );
        }
    }
}
