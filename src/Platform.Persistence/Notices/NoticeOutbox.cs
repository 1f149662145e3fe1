using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Notices;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Notices;

/// <summary>
/// Changes of what is in force that are still to be told: they wait in a queue that each change goes to in its own
/// transaction, and leave it when they have been told. So each is told at least once, in order, whatever dies between.
/// </summary>
public sealed class NoticeOutbox(PlatformStore store)
{
    /// <summary>Notices told under one lock.</summary>
    private const int Most = 500;

    private const string Waiting = $"""
        select {InForceNotices.Columns}
        from platform.notice_queue q
        join platform.in_force_changes c on c.tenant_id = $1 and c.fleet_id = q.fleet_id and c.change = q.change
        left join platform.allocation_snapshots a on a.tenant_id = $1 and a.fleet_id = c.fleet_id and a.version = c.version
        where q.tenant_id = $1 and q.fleet_id = any($2)
        order by q.fleet_id, q.change limit $3
        """;

    private const string Told = """
        delete from platform.notice_queue q using unnest($2, $3) as u(fleet_id, change)
        where q.tenant_id = $1 and q.fleet_id = u.fleet_id and q.change = u.change
        """;

    /// <summary>Fleets with something to tell.</summary>
    public async Task<IReadOnlyList<FleetKey>> WaitingAsync(int most, CancellationToken cancel) =>
        await store.Databases.AskForWorkAsync(
            "select tenant_id, fleet_id from platform.unannounced_fleets($1)",
            [most],
            row => new FleetKey(row.GetString(0), row.GetString(1)),
            cancel
        );

    /// <summary>Tells what is waiting of some fleets of one tenant; those of one fleet one after the other.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleets">Ids of its fleets.</param>
    /// <param name="send">Tells one; ends when it can no longer be lost.</param>
    /// <param name="cancel">Gives up; what was not remembered as told is told again.</param>
    /// <returns>How many were told; 0 also when another worker is at it.</returns>
    public async Task<int> AnnounceAsync(
        string tenant,
        IReadOnlyList<string> fleets,
        Func<AllocationNotice, CancellationToken, Task> send,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.TryLockAsync(EventStore.NoticesOf(tenant), cancel))
            return 0;
        var notices = await ReadAsync(session, fleets, cancel);
        await Task.WhenAll(
            notices
                .GroupBy(it => it.Fleet)
                .Select(async fleet =>
                {
                    foreach (var notice in fleet)
                        await send(new AllocationNotice(notice), cancel);
                })
        );
        if (notices.Count > 0)
            await RememberAsync(session, notices, cancel);
        return notices.Count;
    }

    private static async Task<List<InForceNotice>> ReadAsync(
        TenantSession session,
        IReadOnlyList<string> fleets,
        CancellationToken cancel
    )
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Waiting)
            {
                Parameters =
                {
                    new() { Value = session.Tenant },
                    TenantSession.ArrayOf<string>([.. fleets], NpgsqlDbType.Text),
                    new() { Value = Most },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var notices = new List<InForceNotice>();
        while (await reader.ReadAsync(cancel))
            notices.Add(InForceNotices.Read(reader, session.Tenant));
        return notices;
    }

    private static async Task RememberAsync(
        TenantSession session,
        List<InForceNotice> notices,
        CancellationToken cancel
    )
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Told)
            {
                Parameters =
                {
                    new() { Value = session.Tenant },
                    TenantSession.ArrayOf<string>([.. notices.Select(it => it.Fleet)], NpgsqlDbType.Text),
                    TenantSession.ArrayOf<long>([.. notices.Select(it => it.Change)], NpgsqlDbType.Bigint),
                },
            }
        );
        await batch.ExecuteNonQueryAsync(cancel);
        await session.CommitAsync(cancel);
    }
}
