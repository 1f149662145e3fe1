using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Contracts;

namespace Platform.Persistence.Ingestion;

/// <summary>A message of a proven tenant that the intake sets aside.</summary>
/// <param name="Tenant">The tenant, as the broker or a key has proven it.</param>
/// <param name="Id">Its <see cref="RejectedMessageId"/>.</param>
/// <param name="At">When it is set aside, in whole microseconds as the database keeps it.</param>
/// <param name="Fleet">The fleet that its routing key names, or null.</param>
/// <param name="MessageId">Its message-id, unchecked, or null.</param>
/// <param name="Reason">Why it is set aside.</param>
/// <param name="Body">Its body; one that is longer than a window may be is not kept.</param>
public sealed record NewRejection(
    string Tenant,
    string Id,
    DateTimeOffset At,
    string? Fleet,
    string? MessageId,
    string Reason,
    ReadOnlyMemory<byte> Body
);

/// <summary>A message that was set aside, as its tenant sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="At">When it was set aside, the last time.</param>
/// <param name="Fleet">The fleet that its routing key names, or null.</param>
/// <param name="MessageId">Its message-id, unchecked, or null.</param>
/// <param name="Reason">Why it was set aside.</param>
/// <param name="Bytes">Length of its body.</param>
/// <param name="Decision">What an operator has decided about it since, or null.</param>
public sealed record RejectionView(
    string Id,
    DateTimeOffset At,
    string? Fleet,
    string? MessageId,
    string Reason,
    int Bytes,
    RejectionDecisionView? Decision
);

/// <summary>What an operator has decided about a message that was set aside.</summary>
/// <param name="Action"><c>replayed</c> or <c>discarded</c>. It is written down before it is done.</param>
/// <param name="At">When.</param>
public sealed record RejectionDecisionView(string Action, DateTimeOffset At);

/// <summary>
/// What was set aside of each tenant's messages, for the tenant itself. The queue of rejected messages stays the
/// operators' truth; this keeps the latest <see cref="MostMessages"/> messages of a tenant and <see cref="MostBytes"/>
/// of their bodies, so that a tenant that floods the intake fills nothing but its own list.
/// </summary>
public sealed class Rejections(PlatformStore store)
{
    /// <summary>Messages that are kept for a tenant. The oldest are dropped first.</summary>
    public const int MostMessages = 1_000;

    /// <summary>Bytes of bodies that are kept for a tenant, 16 MiB. The oldest messages are dropped first.</summary>
    public const int MostBytes = 16 * 1024 * 1024;

    // A message that comes again, or is replayed in vain, keeps its row: the latest reason and instant hold.
    private const string Upsert = """
        insert into platform.rejections as kept
            (tenant_id, rejected_id, rejected_at, fleet_id, message_id, reason, bytes, body)
        select $1, it.rejected_id, it.rejected_at, it.fleet_id, it.message_id, it.reason, it.bytes, it.body
        from unnest($2, $3, $4, $5, $6, $7, $8)
            as it(rejected_id, rejected_at, fleet_id, message_id, reason, bytes, body)
        on conflict (tenant_id, rejected_id) do update
        set reason = case when excluded.rejected_at >= kept.rejected_at then excluded.reason else kept.reason end,
            rejected_at = greatest(excluded.rejected_at, kept.rejected_at)
        """;

    private const string DropTheOldest = """
        delete from platform.rejections where tenant_id = $1 and rejected_id in (
            select ranked.rejected_id from (
                select rejected_id, row_number() over newest as place, sum(octet_length(body)) over newest as bytes
                from platform.rejections where tenant_id = $1
                window newest as (order by rejected_at desc, rejected_id desc)) as ranked
            where ranked.place > $2 or ranked.bytes > $3)
        """;

    /// <summary>Writes messages down before they are set aside. The same again changes nothing.</summary>
    public async Task RecordAsync(IReadOnlyList<NewRejection> rejections, CancellationToken cancel)
    {
        foreach (var tenant in rejections.GroupBy(it => it.Tenant).OrderBy(group => group.Key, StringComparer.Ordinal))
            await RecordAsync(
                tenant.Key,
                [.. tenant.GroupBy(it => it.Id).Select(copies => copies.MaxBy(it => it.At)!)],
                cancel
            );
    }

    /// <summary>A page of a tenant's messages, the newest first.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleet">Only messages for this fleet; null for all.</param>
    /// <param name="after">The last message that the reader has; null at the start.</param>
    /// <param name="limit">Most messages.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<RejectionView>> ListAsync(
        string tenant,
        string? fleet,
        RejectionPlace? after,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var rows = session.Rows.Rejections.AsNoTracking();
        if (fleet is not null)
            rows = rows.Where(row => row.FleetId == fleet);
        if (after is not null)
        {
            rows = rows.Where(row =>
                row.RejectedAt < after.At
                || (row.RejectedAt == after.At && string.Compare(row.RejectedId, after.Id) < 0)
            );
        }

        var page = rows.OrderByDescending(row => row.RejectedAt).ThenByDescending(row => row.RejectedId).Take(limit);
        return await Views(session, page).ToListAsync(cancel);
    }

    /// <summary>
    /// One message with its body, which is null where it is no longer kept; or null when there is no such message.
    /// </summary>
    public async Task<(RejectionView Message, byte[]? Body)?> FindAsync(
        string tenant,
        string id,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var row = session.Rows.Rejections.AsNoTracking().Where(row => row.RejectedId == id);
        if (await Views(session, row).SingleOrDefaultAsync(cancel) is not { } message)
            return null;
        return (message, await row.Select(it => it.Body).SingleOrDefaultAsync(cancel));
    }

    // A decision is about the message as it was set aside then: one that was replayed and set aside again waits once
    // more.
    private static IQueryable<RejectionView> Views(TenantSession session, IQueryable<RejectionRow> rows) =>
        rows.Select(row => new RejectionView(
            row.RejectedId,
            row.RejectedAt,
            row.FleetId,
            row.MessageId,
            row.Reason,
            row.Bytes,
            session
                .Rows.RejectionDecisions.Where(decision =>
                    decision.RejectedId == row.RejectedId && decision.RejectedAt >= row.RejectedAt
                )
                .OrderByDescending(decision => decision.DecidedAt)
                .Select(decision => new RejectionDecisionView(
                    decision.Action == "replay" ? "replayed" : "discarded",
                    decision.DecidedAt
                ))
                .FirstOrDefault()
        ));

    private async Task RecordAsync(string tenant, IReadOnlyList<NewRejection> rejections, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        await session.LockAsync([EventStore.RejectionsOf(tenant)], cancel);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(Upserting(tenant, rejections));
        batch.BatchCommands.Add(DroppingTheOldest(tenant));
        await batch.ExecuteNonQueryAsync(cancel);
        await session.CommitAsync(cancel);
    }

    private static NpgsqlBatchCommand Upserting(string tenant, IReadOnlyList<NewRejection> rejections) =>
        new(Upsert)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = tenant },
                TenantSession.ArrayOf([.. rejections.Select(it => it.Id)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. rejections.Select(it => it.At.ToUniversalTime())], NpgsqlDbType.TimestampTz),
                TenantSession.ArrayOf([.. rejections.Select(it => it.Fleet)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. rejections.Select(it => Storable(it.MessageId))], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. rejections.Select(it => Storable(it.Reason))], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. rejections.Select(it => it.Body.Length)], NpgsqlDbType.Integer),
                TenantSession.ArrayOf(BodiesToKeep(rejections), NpgsqlDbType.Bytea),
            },
        };

    /// <summary>
    /// What is too long for a window, or more than a tenant may keep, is not even sent to the database.
    /// </summary>
    private static byte[]?[] BodiesToKeep(IReadOnlyList<NewRejection> rejections)
    {
        var bodies = new byte[]?[rejections.Count];
        var total = 0L;
        for (var i = rejections.Count - 1; i >= 0; i--)
        {
            var body = rejections[i].Body;
            if (body.Length > WorkloadWindowReader.MaxBytes || total + body.Length > MostBytes)
                continue;
            total += body.Length;
            bodies[i] = body.ToArray();
        }

        return bodies;
    }

    private static NpgsqlBatchCommand DroppingTheOldest(string tenant) =>
        new(DropTheOldest)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = tenant },
                new NpgsqlParameter<int> { TypedValue = MostMessages },
                new NpgsqlParameter<long> { TypedValue = MostBytes },
            },
        };

    /// <summary>
    /// A publisher's words without what the database refuses in a text: NUL, and halves of characters.
    /// </summary>
    private static string? Storable(string? text) =>
        text is null ? null : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD');
}

/// <summary>Where a message stands in a tenant's list.</summary>
/// <param name="At">When it was set aside.</param>
/// <param name="Id">Its id.</param>
public sealed record RejectionPlace(DateTimeOffset At, string Id);

/// <summary>A message that was set aside, as it is stored.</summary>
internal sealed class RejectionRow
{
    public required string TenantId { get; init; }

    public required string RejectedId { get; init; }

    public required DateTimeOffset RejectedAt { get; init; }

    public string? FleetId { get; init; }

    public string? MessageId { get; init; }

    public required string Reason { get; init; }

    /// <summary>Length of the body as it was sent.</summary>
    public required int Bytes { get; init; }

    public byte[]? Body { get; init; }
}
