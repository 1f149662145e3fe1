using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence.Snapshots;

/// <summary>An allocation snapshot as it is served: the canonical bytes and their hash.</summary>
/// <param name="Version">The snapshot's version.</param>
/// <param name="Hash">SHA-256 of the document, lower-case hexadecimal.</param>
/// <param name="Document">Canonical JSON in UTF-8.</param>
public sealed record StoredSnapshot(int Version, string Hash, byte[] Document);

/// <summary>A line in a fleet's history of allocations.</summary>
/// <param name="Version">The snapshot's version.</param>
/// <param name="Hash">SHA-256 of the document.</param>
/// <param name="SolvedAt">When it was solved.</param>
/// <param name="Objective">The objective at the allocation.</param>
/// <param name="MeanAccuracy">Σ share · accuracy.</param>
/// <param name="MeanSystemTimeSeconds">Mean system time in seconds.</param>
/// <param name="Utilization">ρ.</param>
public sealed record SnapshotSummary(
    int Version, string Hash, DateTimeOffset SolvedAt, double Objective, double MeanAccuracy, double MeanSystemTimeSeconds, double Utilization);

/// <summary>The allocation snapshots of a tenant's fleets.</summary>
public sealed class SnapshotHistory(PlatformStore store)
{
    /// <summary>The snapshot in force, or the one that was at an instant; null when there is none.</summary>
    public Task<StoredSnapshot?> FindAsync(string tenant, string fleet, DateTimeOffset? asOf, CancellationToken cancel) => FirstAsync(
        tenant, rows => rows.Where(row => row.FleetId == fleet && (asOf == null || row.SolvedAt <= asOf)).OrderByDescending(row => row.Version), cancel);

    /// <summary>One version; null when there is none.</summary>
    public Task<StoredSnapshot?> FindVersionAsync(string tenant, string fleet, int version, CancellationToken cancel) => FirstAsync(
        tenant, rows => rows.Where(row => row.FleetId == fleet && row.Version == version), cancel);

    /// <summary>The history, latest first, before <paramref name="before"/>; null when there never was such a fleet.</summary>
    public async Task<IReadOnlyList<SnapshotSummary>?> ListAsync(string tenant, string fleet, int before, int limit, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.Rows.Fleets.AnyAsync(row => row.FleetId == fleet, cancel))
            return null;
        return await session.Rows.Snapshots.AsNoTracking().Where(row => row.FleetId == fleet && row.Version < before)
            .OrderByDescending(row => row.Version).Take(limit)
            .Select(row => new SnapshotSummary(
                row.Version, row.Hash, row.SolvedAt, row.Objective, row.MeanAccuracy, row.MeanSystemTimeSeconds, row.Utilization))
            .ToListAsync(cancel);
    }

    private async Task<StoredSnapshot?> FirstAsync(string tenant, Func<IQueryable<SnapshotRow>, IQueryable<SnapshotRow>> choose, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await choose(session.Rows.Snapshots.AsNoTracking())
            .Select(row => new StoredSnapshot(row.Version, row.Hash, row.Document)).FirstOrDefaultAsync(cancel);
    }
}
