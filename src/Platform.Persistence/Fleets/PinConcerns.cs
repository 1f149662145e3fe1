using Microsoft.EntityFrameworkCore;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

namespace Platform.Persistence.Fleets;

/// <summary>
/// Finds the fleets whose pinned version lacks a task type of the definition. Asked at each reading, since a pin and a
/// revision change the answer at once, and the next solve may be far away.
/// </summary>
internal static class PinConcerns
{
    /// <summary>The concerns by fleet, of those that have one. Costs a query only where a fleet has a pin.</summary>
    public static async Task<IReadOnlyDictionary<string, FleetConcern>> FindAsync(
        TenantSession session,
        IReadOnlyList<FleetRow> rows,
        CancellationToken cancel
    )
    {
        var concerns = new Dictionary<string, FleetConcern>(StringComparer.Ordinal);
        FleetRow[] pinned = [.. rows.Where(row => row.Pin is not null)];
        if (pinned.Length == 0)
            return concerns;
        var snapshots = await PinnedAsync(session, pinned, cancel);
        foreach (var row in pinned)
        {
            if (!snapshots.TryGetValue(row.FleetId, out var summary))
                continue;
            var taskTypes = summary.Tokens.Keys;
            if (FleetConcerns.FindInPinnedVersion(row.Definition, row.Pin!.Version, taskTypes) is { } concern)
                concerns.Add(row.FleetId, concern);
        }

        return concerns;
    }

    private static async Task<Dictionary<string, AllocationSummary>> PinnedAsync(
        TenantSession session,
        FleetRow[] pinned,
        CancellationToken cancel
    )
    {
        var fleets = pinned.Select(row => row.FleetId).ToArray();
        var versions = pinned.Select(row => row.Pin!.Version).ToArray();
        return await session
            .Rows.Snapshots.FromSql(
                $"""
                select * from platform.allocation_snapshots
                where (fleet_id, version) in (select * from unnest({fleets}, {versions}))
                """
            )
            .AsNoTracking()
            .Select(row => new
            {
                row.FleetId,
                row.Summary,
                Document = row.Summary == null ? row.Document : null,
            })
            .ToDictionaryAsync(row => row.FleetId, row => ReadSummary(row.Summary, row.Document), cancel);
    }

    private static AllocationSummary ReadSummary(byte[]? summary, byte[]? document) =>
        summary is not null ? AllocationSummary.FromBytes(summary) : AllocationSummary.OfDocument(document);
}
