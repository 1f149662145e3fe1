using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence.Snapshots;

/// <summary>
/// Reads a whole history, however long, a few versions at a time: neither memory nor a transaction waits for a slow
/// reader.
/// </summary>
public sealed class SnapshotExport(PlatformStore store)
{
    // A document of a thousand task types has some 300 KiB.
    private const int PageLength = 50;

    /// <summary>Whether the tenant has such a fleet, or had it once.</summary>
    public async Task<bool> IsFleetAsync(string tenant, string fleet, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await session.Rows.Fleets.AnyAsync(row => row.FleetId == fleet, cancel);
    }

    /// <summary>The versions of a fleet, oldest first.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="from">The first version wanted.</param>
    /// <param name="to">The last version wanted.</param>
    /// <param name="cancel">Gives up.</param>
    public async IAsyncEnumerable<StoredSnapshot> ReadAsync(
        string tenant,
        string fleet,
        int from,
        int to,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        for (var (next, full) = (from, true); full; )
        {
            var page = await PageAsync(tenant, fleet, next, to, cancel);
            foreach (var snapshot in page)
                yield return snapshot;
            full = page.Count == PageLength && page[^1].Version < to;
            next = full ? page[^1].Version + 1 : next;
        }
    }

    private async Task<List<StoredSnapshot>> PageAsync(
        string tenant,
        string fleet,
        int from,
        int to,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await session
            .Rows.Snapshots.AsNoTracking()
            .Where(row => row.FleetId == fleet && row.Version >= from && row.Version <= to)
            .OrderBy(row => row.Version)
            .Take(PageLength)
            .Select(row => new StoredSnapshot(row.Version, row.Hash, row.Document))
            .ToListAsync(cancel);
    }
}
