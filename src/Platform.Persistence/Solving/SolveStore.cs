using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>What a solve starts from.</summary>
public sealed record SolveBasis
{
    /// <summary>The fleet.</summary>
    public required FleetKey Key { get; init; }

    /// <summary>The fleet's state.</summary>
    public required Fleet Fleet { get; init; }

    /// <summary>The latest snapshot, or null before the first.</summary>
    public required StoredSnapshot? Latest { get; init; }

    /// <summary>The sums as they were stored last, or null.</summary>
    public required byte[]? Sums { get; init; }

    /// <summary>Version of the workload stream up to which windows are in the sums.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>When the fleet was solved last, or null.</summary>
    public required DateTimeOffset? SolvedAt { get; init; }

    /// <summary>When the fleet was to be solved: if that has changed meanwhile, somebody has asked for another solve.</summary>
    public required DateTimeOffset DueAt { get; init; }
}

/// <summary>What a solve came to, ready to be written.</summary>
public sealed record SolveResult
{
    /// <summary>The basis it was solved on: if that has changed meanwhile, nothing is written.</summary>
    public required SolveBasis Basis { get; init; }

    /// <summary>When it was solved.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The sums with the new windows.</summary>
    public required byte[] Sums { get; init; }

    /// <summary>Version of the workload stream up to which windows are in the sums.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>What was decided.</summary>
    public required SolveOutcome Outcome { get; init; }
}

/// <summary>Reads what a solve needs and writes what it came to.</summary>
public sealed class SolveStore(PlatformStore store)
{
    /// <summary>Windows read at a time, so that memory does not grow with the backlog.</summary>
    private const int PageLength = 2_000;

    /// <summary>What to solve on, or null when the fleet is gone.</summary>
    public async Task<SolveBasis?> LoadAsync(FleetKey key, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        var row = await session.Rows.Fleets.AsNoTracking().SingleOrDefaultAsync(row => row.FleetId == key.Fleet && row.RetiredAt == null, cancel);
        if (row is null)
            return null;
        var sums = await session.Rows.WorkloadSums.AsNoTracking().SingleOrDefaultAsync(sums => sums.FleetId == key.Fleet, cancel);
        var latest = await session.Rows.Snapshots.AsNoTracking().Where(it => it.FleetId == key.Fleet && it.Version == row.LatestVersion)
            .Select(it => new StoredSnapshot(it.Version, it.Hash, it.Document)).SingleOrDefaultAsync(cancel);
        return new SolveBasis
        {
            Key = key,
            Fleet = row.ToFleet(),
            Latest = latest,
            Sums = sums?.Sums,
            WorkloadVersion = sums?.WorkloadVersion ?? 0,
            SolvedAt = row.SolvedAt,
            DueAt = row.DueAt,
        };
    }

    /// <summary>Hands the windows after a version of the workload stream to <paramref name="fold"/>, in order.</summary>
    /// <returns>The version of the last one read, or <paramref name="after"/> when there is none.</returns>
    public async Task<long> ReadWindowsAsync(FleetKey key, long after, Action<WorkloadWindow> fold, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        var stream = EventStore.WorkloadStream(key.Tenant, key.Fleet);
        for (var full = true; full;)
        {
            var page = await session.ReadAsync(stream, after, PageLength, cancel);
            foreach (var recorded in page)
                fold(((WorkloadWindowRecorded)recorded.Data).Window);
            after += page.Count;
            full = page.Count == PageLength;
        }

        return after;
    }

    /// <summary>Writes snapshot row, event and sums in one transaction.</summary>
    /// <returns>False when another solve or a revision came first: then nothing is written, and nothing is lost.</returns>
    public async Task<bool> CommitAsync(SolveResult result, CancellationToken cancel)
    {
        var (basis, key) = (result.Basis, result.Basis.Key);
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        await session.LockAsync(EventStore.FleetStream(key.Tenant, key.Fleet), cancel);
        var row = await session.Rows.Fleets.SingleOrDefaultAsync(row => row.FleetId == key.Fleet && row.RetiredAt == null, cancel);
        if (row is null || row.LatestVersion != basis.Fleet.LatestVersion || row.Revision != basis.Fleet.Revision
            || row.SolvedWorkloadVersion > result.WorkloadVersion)
            return false;
        row.SolvedAt = result.At;
        row.SolvedWorkloadVersion = result.WorkloadVersion;
        if (row.DueAt == basis.DueAt)
            row.DueAt = result.At.AddSeconds(row.Definition.Solving.EverySeconds);
        row.SolveFault = (result.Outcome as SolveOutcome.Infeasible)?.Reason;
        if (result.Outcome is SolveOutcome.Published { Snapshot: var snapshot })
            Publish(session, row, snapshot);
        await SaveSumsAsync(session, result, cancel);
        return await TryCommitAsync(session, cancel);
    }

    /// <summary>
    /// Puts a fleet that cannot be solved off until its next period, and says why; not one that was revised, or asked to be solved, since
    /// it was found due.
    /// </summary>
    public async Task PostponeAsync(FleetKey key, string fault, DateTimeOffset foundDueAt, DateTimeOffset at, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        await session.LockAsync(EventStore.FleetStream(key.Tenant, key.Fleet), cancel);
        var row = await session.Rows.Fleets.SingleOrDefaultAsync(row => row.FleetId == key.Fleet && row.RetiredAt == null, cancel);
        if (row is null || row.DueAt > foundDueAt)
            return;
        row.SolveFault = fault;
        row.DueAt = at.AddSeconds(row.Definition.Solving.EverySeconds);
        await session.CommitAsync(cancel);
    }

    private static void Publish(TenantSession session, FleetRow row, AllocationSnapshot snapshot)
    {
        var document = snapshot.ToCanonicalBytes();
        var hash = AllocationSnapshot.HashOf(document);
        session.Rows.Snapshots.Add(new SnapshotRow
        {
            TenantId = session.Tenant,
            FleetId = snapshot.Fleet,
            Version = snapshot.Version,
            SolvedAt = snapshot.SolvedAt,
            Hash = hash,
            Document = document,
            Objective = snapshot.Solution.Objective!.Value,
            MeanAccuracy = snapshot.Solution.MeanAccuracy!.Value,
            MeanSystemTimeSeconds = snapshot.Solution.MeanSystemTimeSeconds!.Value,
            Utilization = snapshot.Solution.Utilization!.Value,
        });
        var published = new AllocationPublished
        {
            At = snapshot.SolvedAt,
            Version = snapshot.Version,
            Hash = hash,
            Revision = snapshot.Provenance.DefinitionRevision,
            WorkloadVersion = snapshot.Provenance.WorkloadVersion,
        };
        row.LatestVersion = Fleet.Evolve(row.ToFleet(), published).LatestVersion;
        row.LatestHash = hash;
        session.Append(EventStore.FleetStream(session.Tenant, snapshot.Fleet), published);
    }

    private static async Task SaveSumsAsync(TenantSession session, SolveResult result, CancellationToken cancel)
    {
        var fleet = result.Basis.Key.Fleet;
        if (await session.Rows.WorkloadSums.SingleOrDefaultAsync(row => row.FleetId == fleet, cancel) is { } row)
            (row.WorkloadVersion, row.Sums) = (result.WorkloadVersion, result.Sums);
        else
            session.Rows.WorkloadSums.Add(new WorkloadSumsRow
            {
                TenantId = session.Tenant,
                FleetId = fleet,
                WorkloadVersion = result.WorkloadVersion,
                Sums = result.Sums,
            });
    }

    private static async Task<bool> TryCommitAsync(TenantSession session, CancellationToken cancel)
    {
        try
        {
            await session.CommitAsync(cancel);
            return true;
        }
        catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // The unique key on (tenant, fleet, version) decides a race that the lock has not prevented.
            return false;
        }
    }
}
