using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Fleets;
using Platform.Domain.Transparency;

namespace Platform.Persistence.Transparency;

/// <summary>An entry of the log, with the event that it is.</summary>
/// <param name="Index">Counts the tenant's entries, from 0, without gaps.</param>
/// <param name="Fleet">The fleet that it is about; null for what is about the tenant itself.</param>
/// <param name="StreamVersion">Version of the stream of decisions after it.</param>
/// <param name="Event">Name of the event.</param>
/// <param name="Data">The event.</param>
/// <param name="LeafHash">Hash of its leaf, base64.</param>
public sealed record LogEntry(
    long Index,
    string? Fleet,
    long StreamVersion,
    string Event,
    JsonElement Data,
    string LeafHash
);

/// <summary>Proof that a version's announcement is in the log.</summary>
/// <param name="Index">Index of its entry.</param>
/// <param name="Size">Entries of the log that it is proven to be in.</param>
/// <param name="Leaf">The leaf: canonical JSON whose hash, with a zero byte before it, the proof begins with.</param>
/// <param name="Proof">Hashes from the leaf upwards, base64 (RFC 6962).</param>
/// <param name="Checkpoint">The signed checkpoint of that size.</param>
public sealed record LogInclusion(long Index, long Size, string Leaf, IReadOnlyList<string> Proof, string Checkpoint);

/// <summary>A signed checkpoint, and the key that verifies it.</summary>
/// <param name="Size">Entries.</param>
/// <param name="Note">The signed note.</param>
/// <param name="Verifier">The public key.</param>
public sealed record LogCheckpoint(long Size, string Note, string Verifier);

/// <summary>
/// A tenant's transparency log: everything that is decided about it and its fleets, in one order, under one root that
/// is signed and can be kept elsewhere. What is decided waits in a queue until a worker gives it its place; so deciding
/// waits for nobody.
/// </summary>
public sealed class TransparencyLog(PlatformStore store)
{
    private const string Enqueue = """
        insert into platform.log_queue (tenant_id, stream_id, fleet_id) select $1, u.stream_id, u.fleet_id from unnest($2, $3) as u(stream_id, fleet_id)
        """;

    private const string TakeNew = """
        with waiting as (delete from platform.log_queue where tenant_id = $1 returning stream_id, fleet_id)
        select e.stream_id, w.fleet_id, e.version, e.type, e.data::text
        from (select distinct stream_id, fleet_id from waiting) w
        join events.mt_events e on e.tenant_id = $1 and e.stream_id = w.stream_id
            and e.version > coalesce((select max(l.stream_version) from platform.log_entries l where l.tenant_id = $1 and l.stream_id = w.stream_id), 0)
        order by e.seq_id
        """;

    private const string SaveEntries = """
        insert into platform.log_entries (tenant_id, index, stream_id, stream_version, fleet_id, allocation_version, leaf_hash)
        select $1, u.* from unnest($2, $3, $4, $5, $6, $7) as u
        """;

    private const string SaveCheckpoint =
        "insert into platform.log_checkpoints (tenant_id, size, signed_at, note, verifier) values ($1, $2, $3, $4, $5)";

    private const string SaveNodes =
        "insert into platform.log_nodes (tenant_id, level, index, hash) select $1, u.* from unnest($2, $3, $4) as u";

    /// <summary>Tenants whose log has something waiting.</summary>
    public async Task<IReadOnlyList<string>> WaitingTenantsAsync(int most, CancellationToken cancel) =>
        await store.Databases.AskForWorkAsync(
            "select tenant_id from platform.unlogged_tenants($1)",
            [most],
            row => row.GetString(0),
            cancel
        );

    /// <summary>Gives what is waiting its place in the log, and signs the new root.</summary>
    /// <returns>Entries added; 0 also when another worker is at it.</returns>
    public async Task<int> AppendAsync(string tenant, LogSigner signer, DateTimeOffset at, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.TryLockAsync(EventStore.LogOf(tenant), cancel))
            return 0;
        var size = await SizeAsync(session, cancel);
        var entries = await TakeNewAsync(session, size, cancel);
        if (entries.Count > 0)
            await SaveAsync(session, size, entries, signer, at, cancel);
        await session.CommitAsync(cancel);
        return entries.Count;
    }

    /// <summary>The latest checkpoint; null when nothing was logged yet.</summary>
    public async Task<LogCheckpoint?> CheckpointAsync(string tenant, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await LatestAsync(session, cancel);
    }

    /// <summary>The log after an entry, oldest first.</summary>
    public async Task<IReadOnlyList<LogEntry>> EntriesAsync(
        string tenant,
        long after,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var entries = new List<LogEntry>();
        await foreach (var (entry, leaf) in LogReading.ReadAsync(session, after, limit, cancel))
        {
            if (leaf is not null)
                entries.Add(
                    new LogEntry(
                        entry.Index,
                        leaf.Fleet,
                        leaf.StreamVersion,
                        leaf.Event,
                        JsonElement.Parse(leaf.Data),
                        Convert.ToBase64String(entry.LeafHash)
                    )
                );
        }

        return entries;
    }

    /// <summary>Proves that a version of a fleet was announced in the log; null when it is not there (yet).</summary>
    public async Task<LogInclusion?> InclusionAsync(string tenant, string fleet, int version, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var entry = await session
            .Rows.LogEntries.AsNoTracking()
            .FirstOrDefaultAsync(row => row.FleetId == fleet && row.AllocationVersion == version, cancel);
        if (entry is null || await LatestAsync(session, cancel) is not { } checkpoint)
            return null;
        var (_, leaf) = await LogReading.ReadAsync(session, entry.Index - 1, 1, cancel).FirstAsync(cancel);
        var proof = await HashesAsync(session, MerkleTree.InclusionProof(entry.Index, checkpoint.Size), cancel);
        return leaf is null
            ? null
            : new LogInclusion(
                entry.Index,
                checkpoint.Size,
                Encoding.UTF8.GetString(leaf.ToCanonicalBytes()),
                proof,
                checkpoint.Note
            );
    }

    /// <summary>
    /// Proves that the log at one size is the beginning of the log at another; null when there was no such size.
    /// </summary>
    public async Task<IReadOnlyList<string>?> ConsistencyAsync(
        string tenant,
        long from,
        long to,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var size = await SizeAsync(session, cancel);
        return from < 1 || from > to || to > size
            ? null
            : await HashesAsync(session, MerkleTree.ConsistencyProof(from, to), cancel);
    }

    private static async Task<long> SizeAsync(TenantSession session, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand("select coalesce(max(size), 0) from platform.log_checkpoints where tenant_id = $1")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = session.Tenant } },
            }
        );
        return (long)(await batch.ExecuteScalarAsync(cancel))!;
    }

    internal static NpgsqlBatchCommand Queueing(string tenant, IReadOnlyList<(Guid Stream, string? Fleet)> streams) =>
        new(Enqueue)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = tenant },
                TenantSession.ArrayOf([.. streams.Select(it => it.Stream)], NpgsqlDbType.Uuid),
                TenantSession.ArrayOf([.. streams.Select(it => it.Fleet)], NpgsqlDbType.Text),
            },
        };

    private static async Task<List<LogEntryRow>> TakeNewAsync(
        TenantSession session,
        long size,
        CancellationToken cancel
    )
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(TakeNew)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = session.Tenant } },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var entries = new List<LogEntryRow>();
        while (await reader.ReadAsync(cancel))
        {
            var leaf = new LogLeaf(
                session.Tenant,
                reader.IsDBNull(1) ? null : reader.GetString(1),
                reader.GetInt64(2),
                reader.GetString(3),
                reader.GetString(4)
            );
            entries.Add(
                new LogEntryRow
                {
                    TenantId = session.Tenant,
                    Index = size + entries.Count,
                    StreamId = reader.GetGuid(0),
                    StreamVersion = leaf.StreamVersion,
                    FleetId = leaf.Fleet,
                    AllocationVersion = AllocationVersion(leaf),
                    LeafHash = leaf.Hash(),
                }
            );
        }

        return entries;
    }

    private static int? AllocationVersion(LogLeaf leaf) =>
        leaf.Event == EventStore.EventNames[typeof(AllocationPublished)]
            ? JsonElement.Parse(leaf.Data).GetProperty("version").GetInt32()
            : null;

    private static async Task SaveAsync(
        TenantSession session,
        long size,
        List<LogEntryRow> entries,
        LogSigner signer,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        var nodes = await NodesAsync(session, MerkleTree.NodesOf(0, size), cancel);
        var added = new List<(MerkleNode Node, byte[] Hash)>();
        foreach (
            var (node, hash) in entries.SelectMany(entry =>
                MerkleTree.Completed(entry.Index, entry.LeafHash, it => nodes[it])
            )
        )
        {
            nodes[node] = hash;
            if (node.Level > 0)
                added.Add((node, hash));
        }

        var checkpoint = new Checkpoint(
            Checkpoint.OriginOf(session.Tenant),
            size + entries.Count,
            MerkleTree.RangeHash(0, size + entries.Count, it => nodes[it])
        );
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(SaveCheckpoint)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = session.Tenant },
                    new NpgsqlParameter<long> { TypedValue = checkpoint.Size },
                    new NpgsqlParameter<DateTimeOffset> { TypedValue = at },
                    new NpgsqlParameter<string> { TypedValue = signer.Sign(checkpoint).ToString() },
                    new NpgsqlParameter<string> { TypedValue = signer.VerifierOf(checkpoint.Origin).ToString() },
                },
            }
        );
        batch.BatchCommands.Add(Saving(session.Tenant, entries));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(SaveNodes)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = session.Tenant },
                    TenantSession.ArrayOf([.. added.Select(it => (short)it.Node.Level)], NpgsqlDbType.Smallint),
                    TenantSession.ArrayOf([.. added.Select(it => it.Node.Index)], NpgsqlDbType.Bigint),
                    TenantSession.ArrayOf([.. added.Select(it => it.Hash)], NpgsqlDbType.Bytea),
                },
            }
        );
        await batch.ExecuteNonQueryAsync(cancel);
    }

    private static NpgsqlBatchCommand Saving(string tenant, List<LogEntryRow> entries) =>
        new(SaveEntries)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = tenant },
                TenantSession.ArrayOf([.. entries.Select(it => it.Index)], NpgsqlDbType.Bigint),
                TenantSession.ArrayOf([.. entries.Select(it => it.StreamId)], NpgsqlDbType.Uuid),
                TenantSession.ArrayOf([.. entries.Select(it => it.StreamVersion)], NpgsqlDbType.Bigint),
                TenantSession.ArrayOf([.. entries.Select(it => it.FleetId)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. entries.Select(it => it.AllocationVersion)], NpgsqlDbType.Integer),
                TenantSession.ArrayOf([.. entries.Select(it => it.LeafHash)], NpgsqlDbType.Bytea),
            },
        };

    private static async Task<LogCheckpoint?> LatestAsync(TenantSession session, CancellationToken cancel) =>
        await session
            .Rows.LogCheckpoints.AsNoTracking()
            .OrderByDescending(row => row.Size)
            .Select(row => new LogCheckpoint(row.Size, row.Note, row.Verifier))
            .FirstOrDefaultAsync(cancel);

    private static async Task<IReadOnlyList<string>> HashesAsync(
        TenantSession session,
        IReadOnlyList<(long From, long To)> ranges,
        CancellationToken cancel
    )
    {
        var nodes = await NodesAsync(
            session,
            ranges.SelectMany(range => MerkleTree.NodesOf(range.From, range.To)),
            cancel
        );
        return
        [
            .. ranges.Select(range =>
                Convert.ToBase64String(MerkleTree.RangeHash(range.From, range.To, it => nodes[it]))
            ),
        ];
    }

    private static async Task<Dictionary<MerkleNode, byte[]>> NodesAsync(
        TenantSession session,
        IEnumerable<MerkleNode> wanted,
        CancellationToken cancel
    )
    {
        MerkleNode[] nodes = [.. wanted];
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(
                """
                select u.level, u.index, coalesce(n.hash, e.leaf_hash) from unnest($2, $3) as u(level, index)
                left join platform.log_nodes n on n.tenant_id = $1 and n.level = u.level and n.index = u.index
                left join platform.log_entries e on e.tenant_id = $1 and u.level = 0 and e.index = u.index
                """
            )
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = session.Tenant },
                    TenantSession.ArrayOf([.. nodes.Select(it => (short)it.Level)], NpgsqlDbType.Smallint),
                    TenantSession.ArrayOf([.. nodes.Select(it => it.Index)], NpgsqlDbType.Bigint),
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var found = new Dictionary<MerkleNode, byte[]>();
        while (await reader.ReadAsync(cancel))
            found[new MerkleNode(reader.GetInt16(0), reader.GetInt64(1))] = reader.GetFieldValue<byte[]>(2);
        return found;
    }
}
