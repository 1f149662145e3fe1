using System.Data;
using Microsoft.EntityFrameworkCore;
using Platform.Domain.Fleets;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Snapshots;

/// <summary>What was found of one version.</summary>
/// <param name="Version">The version.</param>
/// <param name="Matches">Whether the stored bytes are those that the events give; null when this program has not the
/// arithmetic to tell.</param>
/// <param name="Hash">Hash of the stored bytes, or null when the version is missing.</param>
/// <param name="RecomputedHash">Hash of the bytes derived again, or null when they could not be.</param>
/// <param name="ChainIntact">Whether row, bytes, announcement and the hash of the version before agree.</param>
/// <param name="Faults">What differs, a line each; empty when all is well.</param>
public sealed record VersionVerification(
    int Version,
    bool? Matches,
    string? Hash,
    string? RecomputedHash,
    bool ChainIntact,
    IReadOnlyList<string> Faults
);

/// <summary>
/// Derives snapshots again from nothing but the events, and holds them against what is stored: bytes, hashes, the
/// chain, the figures in the rows, and the announcements.
/// </summary>
public sealed class SnapshotVerification(PlatformStore store)
{
    /// <summary>Snapshots read at a time, so that memory does not grow with the history.</summary>
    private const int PageLength = 500;

    /// <summary>Every fleet of a tenant, the retired too, by id.</summary>
    public async Task<IReadOnlyList<FleetKey>> FleetsAsync(string tenant, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await session
            .Rows.Fleets.AsNoTracking()
            .OrderBy(row => row.FleetId)
            .Select(row => new FleetKey(tenant, row.FleetId))
            .ToListAsync(cancel);
    }

    /// <summary>
    /// Verifies every version of a fleet, from the first, over one look at the database. One version alone costs no
    /// more windows than count for it, however long the history.
    /// </summary>
    /// <param name="key">The fleet.</param>
    /// <param name="only">The one version to derive again, or null for all; the chain is checked up to it either
    /// way.</param>
    /// <param name="found">Receives each version's findings, in order.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Versions looked at.</returns>
    public async Task<int> VerifyAsync(
        FleetKey key,
        int? only,
        Action<VersionVerification> found,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(key.Tenant, IsolationLevel.RepeatableRead, cancel);
        await using var windows = session
            .ReadAllAsync(EventStore.WorkloadStream(key.Tenant, key.Fleet), cancel)
            .GetAsyncEnumerator(cancel);
        FleetReplay replay;
        try
        {
            var decisions = await DecisionsAsync(session, key, cancel);
            IReplayedWindows replayed = only is null
                ? new WindowsForward(decisions, windows, new WindowHistory(session, key.Fleet), cancel)
                : new WindowsBackward(session, key.Fleet, cancel);
            replay = new FleetReplay(key, decisions, replayed);
        }
        catch (InvalidOperationException fault)
        {
            found(
                new VersionVerification(
                    0,
                    false,
                    null,
                    null,
                    false,
                    [$"the stream of decisions is not as it was written: {fault.Message}"]
                )
            );
            return 0;
        }

        for (var (last, full) = (0, true); full && !(last >= only); )
        {
            var rows = await session
                .Rows.Snapshots.AsNoTracking()
                .Where(row => row.FleetId == key.Fleet && row.Version > last && !(row.Version > only))
                .OrderBy(row => row.Version)
                .Take(PageLength)
                .ToListAsync(cancel);
            foreach (var row in rows)
                await replay.CheckAsync(row, only is null || row.Version == only, found);
            last = rows.Count > 0 ? rows[^1].Version : last;
            full = rows.Count == PageLength;
        }

        if (only is null)
            replay.CheckEnd(found);
        return replay.Versions;
    }

    private static async Task<FleetDecisions> DecisionsAsync(
        TenantSession session,
        FleetKey key,
        CancellationToken cancel
    )
    {
        var events = new List<FleetEvent>();
        await foreach (var recorded in session.ReadAllAsync(EventStore.FleetStream(key.Tenant, key.Fleet), cancel))
            events.Add((FleetEvent)recorded.Data);
        return new FleetDecisions(events);
    }
}
