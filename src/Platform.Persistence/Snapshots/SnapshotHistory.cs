using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Platform.Domain.Allocation;
using Platform.Domain.Snapshots;

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
    int Version,
    string Hash,
    DateTimeOffset SolvedAt,
    double Objective,
    double MeanAccuracy,
    double MeanSystemTimeSeconds,
    double Utilization
)
{
    /// <summary>
    /// The limit that even the fewest tokens allowed break, which the version grants; null where it keeps every limit.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public InfeasibilityReason? ShortfallReason { get; init; }

    /// <summary>The line of a stored snapshot.</summary>
    internal static SnapshotSummary Read(SnapshotLine line) =>
        new(
            line.Version,
            line.Hash,
            line.SolvedAt,
            line.Objective,
            line.MeanAccuracy,
            line.MeanSystemTimeSeconds,
            line.Utilization
        )
        {
            ShortfallReason = line.Summary is { } summary ? AllocationSummary.FromBytes(summary).Shortfall : null,
        };
}

/// <summary>What is read of a stored snapshot for its line; each member as in <see cref="SnapshotRow"/>.</summary>
internal sealed record SnapshotLine(
    int Version,
    string Hash,
    DateTimeOffset SolvedAt,
    double Objective,
    double MeanAccuracy,
    double MeanSystemTimeSeconds,
    double Utilization,
    byte[]? Summary
);

/// <summary>A change of the version that is in force.</summary>
/// <param name="Change">Counts the fleet's changes, from 1, without gaps.</param>
/// <param name="At">Since when.</param>
/// <param name="Version">The version.</param>
/// <param name="Hash">SHA-256 of its document.</param>
/// <param name="Cause">Name of the event that caused it.</param>
/// <param name="By">Name of the key, or null where a solve did it.</param>
/// <param name="Reason">The reason that was given, or null.</param>
public sealed record InForceChange(
    long Change,
    DateTimeOffset At,
    int Version,
    string Hash,
    string Cause,
    string? By,
    string? Reason
);

/// <summary>What is in force for a fleet.</summary>
/// <param name="Fleet">Id of the fleet.</param>
/// <param name="Since">Since when, or null when nothing is.</param>
/// <param name="Snapshot">The snapshot in force, or null.</param>
public sealed record FleetInForce(string Fleet, DateTimeOffset? Since, SnapshotSummary? Snapshot);

/// <summary>The allocation snapshots of a tenant's fleets.</summary>
public sealed class SnapshotHistory(PlatformStore store)
{
    /// <summary>The snapshot in force; null when there is none, or no such fleet.</summary>
    public Task<StoredSnapshot?> FindInForceAsync(string tenant, string fleet, CancellationToken cancel) =>
        FirstAsync(
            tenant,
            rows =>
                rows.Fleets.Where(row => row.FleetId == fleet && row.RetiredAt == null)
                    .Join(
                        rows.Snapshots,
                        row => new { row.FleetId, Version = row.InForceVersion },
                        it => new { it.FleetId, it.Version },
                        (_, it) => it
                    ),
            cancel
        );

    /// <summary>The snapshot that was in force at an instant; null when there was none.</summary>
    public Task<StoredSnapshot?> FindAsOfAsync(
        string tenant,
        string fleet,
        DateTimeOffset asOf,
        CancellationToken cancel
    ) =>
        FirstAsync(
            tenant,
            rows =>
                rows.InForceChanges.Where(row => row.FleetId == fleet && row.At <= asOf)
                    .OrderByDescending(row => row.At)
                    .ThenByDescending(row => row.Change)
                    .Take(1)
                    .Join(
                        rows.Snapshots,
                        row => new { row.FleetId, row.Version },
                        it => new { it.FleetId, it.Version },
                        (_, it) => it
                    ),
            cancel
        );

    /// <summary>One version; null when there is none.</summary>
    public Task<StoredSnapshot?> FindVersionAsync(string tenant, string fleet, int version, CancellationToken cancel) =>
        FirstAsync(tenant, rows => rows.Snapshots.Where(row => row.FleetId == fleet && row.Version == version), cancel);

    /// <summary>
    /// The changes of the version in force after one of them, oldest first; null when there is no such fleet.
    /// </summary>
    public async Task<IReadOnlyList<InForceChange>?> ChangesAsync(
        string tenant,
        string fleet,
        long after,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.Rows.Fleets.AnyAsync(row => row.FleetId == fleet && row.RetiredAt == null, cancel))
            return null;
        return await session
            .Rows.InForceChanges.AsNoTracking()
            .Where(row => row.FleetId == fleet && row.Change > after)
            .OrderBy(row => row.Change)
            .Take(limit)
            .Join(
                session.Rows.Snapshots,
                row => new { row.FleetId, row.Version },
                it => new { it.FleetId, it.Version },
                (row, it) => new { row, it.Hash }
            )
            .OrderBy(it => it.row.Change)
            .Select(it => new InForceChange(
                it.row.Change,
                it.row.At,
                it.row.Version,
                it.Hash,
                it.row.Cause,
                it.row.By,
                it.row.Reason
            ))
            .ToListAsync(cancel);
    }

    /// <summary>The number of the last change of the version in force; 0 before the first.</summary>
    public async Task<long> LastChangeAsync(string tenant, string fleet, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await session
            .Rows.Fleets.Where(row => row.FleetId == fleet)
            .Select(row => row.InForceChange)
            .SingleOrDefaultAsync(cancel);
    }

    /// <summary>
    /// The history, latest first, before <paramref name="before"/>; null when there never was such a fleet.
    /// </summary>
    public async Task<IReadOnlyList<SnapshotSummary>?> ListAsync(
        string tenant,
        string fleet,
        int before,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.Rows.Fleets.AnyAsync(row => row.FleetId == fleet, cancel))
            return null;
        var lines = await session
            .Rows.Snapshots.AsNoTracking()
            .Where(row => row.FleetId == fleet && row.Version < before)
            .OrderByDescending(row => row.Version)
            .Take(limit)
            .Select(row => new SnapshotLine(
                row.Version,
                row.Hash,
                row.SolvedAt,
                row.Objective,
                row.MeanAccuracy,
                row.MeanSystemTimeSeconds,
                row.Utilization,
                row.Summary
            ))
            .ToListAsync(cancel);
        return [.. lines.Select(SnapshotSummary.Read)];
    }

    /// <summary>What is in force for each fleet that is not retired, by id, after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<FleetInForce>> ListInForceAsync(
        string tenant,
        string after,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var lines = await session
            .Rows.Fleets.AsNoTracking()
            .Where(row => row.RetiredAt == null && string.Compare(row.FleetId, after) > 0)
            .OrderBy(row => row.FleetId)
            .Take(limit)
            .LeftJoin(
                session.Rows.Snapshots,
                row => new { row.FleetId, Version = row.InForceVersion },
                it => new { it.FleetId, it.Version },
                (row, it) =>
                    new
                    {
                        row.FleetId,
                        row.InForceAt,
                        it,
                    }
            )
            .OrderBy(both => both.FleetId)
            .Select(both => new
            {
                both.FleetId,
                both.InForceAt,
                Line = both.it == null
                    ? null
                    : new SnapshotLine(
                        both.it.Version,
                        both.it.Hash,
                        both.it.SolvedAt,
                        both.it.Objective,
                        both.it.MeanAccuracy,
                        both.it.MeanSystemTimeSeconds,
                        both.it.Utilization,
                        both.it.Summary
                    ),
            })
            .ToListAsync(cancel);
        return
        [
            .. lines.Select(it => new FleetInForce(
                it.FleetId,
                it.InForceAt,
                it.Line is { } line ? SnapshotSummary.Read(line) : null
            )),
        ];
    }

    /// <summary>The documents of the snapshots in force that were listed, by fleet, in one query.</summary>
    public async Task<IReadOnlyDictionary<string, StoredSnapshot>> FindVersionsAsync(
        string tenant,
        IReadOnlyList<FleetInForce> listed,
        CancellationToken cancel
    )
    {
        var fleets = listed.Select(it => it.Fleet).ToArray();
        var versions = listed.Select(it => it.Snapshot?.Version ?? 0).ToArray();
        await using var session = await store.OpenAsync(tenant, cancel);
        return await session
            .Rows.Snapshots.FromSql(
                $"select * from platform.allocation_snapshots where (fleet_id, version) in (select * from unnest({fleets}, {versions}))"
            )
            .AsNoTracking()
            .ToDictionaryAsync(
                row => row.FleetId,
                row => new StoredSnapshot(row.Version, row.Hash, row.Document),
                cancel
            );
    }

    private async Task<StoredSnapshot?> FirstAsync(
        string tenant,
        Func<PlatformDbContext, IQueryable<SnapshotRow>> choose,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await choose(session.Rows)
            .AsNoTracking()
            .Select(row => new StoredSnapshot(row.Version, row.Hash, row.Document))
            .FirstOrDefaultAsync(cancel);
    }
}
