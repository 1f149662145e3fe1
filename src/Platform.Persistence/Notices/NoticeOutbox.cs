using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Notices;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Notices;

/// <summary>
/// Changes of what is in force that are still to be told. A fleet remembers the last change that was: so each is told at least once, in
/// order, whatever dies between.
/// </summary>
public sealed class NoticeOutbox(PlatformStore store)
{
    /// <summary>Notices told under one lock.</summary>
    private const int Most = 500;

    private const string Waiting = $"""
        select {InForceNotices.Columns}
        from platform.fleets f
        join platform.in_force_changes c on c.tenant_id = $1 and c.fleet_id = f.fleet_id and c.change > f.announced_change
        left join platform.allocation_snapshots a on a.tenant_id = $1 and a.fleet_id = c.fleet_id and a.version = c.version
        where f.tenant_id = $1 and f.fleet_id = any($2)
        order by c.fleet_id, c.change limit $3
        """;

    private const string Announced = """
        update platform.fleets f set announced_change = greatest(f.announced_change, u.change)
        from unnest($2, $3) as u(fleet_id, change) where f.tenant_id = $1 and f.fleet_id = u.fleet_id
        """;

    /// <summary>Fleets with something to tell.</summary>
    public async Task<IReadOnlyList<FleetKey>> WaitingAsync(int most, CancellationToken cancel) => await store.Databases.AskForWorkAsync(
        "select tenant_id, fleet_id from platform.unannounced_fleets($1)", [most], row => new FleetKey(row.GetString(0), row.GetString(1)), cancel);

    /// <summary>Tells what is waiting of some fleets of one tenant; those of one fleet one after the other.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleets">Ids of its fleets.</param>
    /// <param name="send">Tells one; ends when it can no longer be lost.</param>
    /// <param name="cancel">Gives up; what was not remembered as told is told again.</param>
    /// <returns>How many were told; 0 also when another worker is at it.</returns>
    public async Task<int> AnnounceAsync(string tenant, IReadOnlyList<string> fleets, Func<AllocationNotice, CancellationToken, Task> send, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.TryLockAsync(EventStore.NoticesOf(tenant), cancel))
            return 0;
        var notices = await ReadAsync(session, fleets, cancel);
        await Task.WhenAll(notices.GroupBy(it => it.Fleet).Select(async fleet =>
        {
            foreach (var notice in fleet)
                await send(new AllocationNotice(notice), cancel);
        }));
        await RememberAsync(session, notices, cancel);
        return notices.Count;
    }

    private static async Task<List<InForceNotice>> ReadAsync(TenantSession session, IReadOnlyList<string> fleets, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Waiting)
        {
            Parameters = { new() { Value = session.Tenant }, TenantSession.ArrayOf<string>([.. fleets], NpgsqlDbType.Text), new() { Value = Most } },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var notices = new List<InForceNotice>();
        while (await reader.ReadAsync(cancel))
            notices.Add(InForceNotices.Read(reader, session.Tenant));
        return notices;
    }

    private static async Task RememberAsync(TenantSession session, List<InForceNotice> notices, CancellationToken cancel)
    {
        if (notices.Count == 0)
            return;
        var last = notices.GroupBy(it => it.Fleet).Select(fleet => fleet.Last()).ToArray();
        // Whoever writes these rows has the same locks: without, two that write several in different orders would wait for one another.
        await session.LockAsync(last.Select(it => EventStore.FleetStream(session.Tenant, it.Fleet)), cancel);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Announced)
        {
            Parameters =
            {
                new() { Value = session.Tenant },
                TenantSession.ArrayOf<string>([.. last.Select(it => it.Fleet)], NpgsqlDbType.Text),
                TenantSession.ArrayOf<long>([.. last.Select(it => it.Change)], NpgsqlDbType.Bigint),
            },
        });
        await batch.ExecuteNonQueryAsync(cancel);
        await session.CommitAsync(cancel);
    }
}
