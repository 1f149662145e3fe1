using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Domain;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;

namespace Platform.Persistence.Fleets;

/// <summary>A fleet as it is read: its definition, and where its solving stands.</summary>
public sealed record FleetView
{
    /// <summary>The fleet's id.</summary>
    public required string Id { get; init; }

    /// <summary>Revision of the definition.</summary>
    public required int Revision { get; init; }

    /// <summary>The definition in force.</summary>
    public required FleetDefinition Definition { get; init; }

    /// <summary>When the definition was last changed.</summary>
    public required DateTimeOffset RevisedAt { get; init; }

    /// <summary>Version of the latest allocation; 0 before the first.</summary>
    public required int LatestVersion { get; init; }

    /// <summary>Hash of the latest allocation, or null.</summary>
    public required string? LatestHash { get; init; }

    /// <summary>Which version is in force, pinned, proposed.</summary>
    public required AllocationLabels Labels { get; init; }

    /// <summary>Since when the version in force is, or null where none is.</summary>
    public required DateTimeOffset? InForceAt { get; init; }

    /// <summary>When the last solve ended, or null.</summary>
    public required DateTimeOffset? SolvedAt { get; init; }

    /// <summary>Why it was solved then, or null.</summary>
    public required SolveReason? SolveReason { get; init; }

    /// <summary>Version of the workload stream that the last solve has read.</summary>
    public required long SolvedWorkloadVersion { get; init; }

    /// <summary>When the fleet is to be solved next.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Why then.</summary>
    public required SolveReason DueReason { get; init; }

    /// <summary>Why the last solve has no allocation to offer, or null.</summary>
    public required string? SolveFault { get; init; }

    /// <summary>What a person should look at, although the fleet is solved.</summary>
    public required IReadOnlyList<FleetConcern> Concerns { get; init; }
}

/// <summary>One event of a fleet's history.</summary>
/// <param name="Version">Version of the stream after it, from 1.</param>
/// <param name="Type">Name of the event.</param>
/// <param name="RecordedAt">When the database took it.</param>
/// <param name="Data">The event.</param>
public sealed record RecordedEvent(long Version, string Type, DateTimeOffset RecordedAt, object Data);

/// <summary>What has become of a fleet after a command.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Fleet">The fleet afterwards, or null when there is none.</param>
/// <param name="IsNew">There was no such fleet before.</param>
public sealed record FleetOutcome(Decision<FleetEvent> Decision, FleetView? Fleet, bool IsNew);

/// <summary>A tenant's fleets and what is decided about them.</summary>
/// <param name="store">The platform's database.</param>
/// <param name="quota">How much a tenant may have; null for no limit.</param>
public sealed class FleetStore(PlatformStore store, TenantQuota? quota = null)
{
    /// <summary>
    /// Registers or revises a fleet; see <see cref="Fleet.Put"/> and <see cref="TenantQuota.Admit"/>.
    /// </summary>
    public async Task<FleetOutcome> PutAsync(
        string tenant,
        string fleet,
        FleetDefinition definition,
        int? expectedRevision,
        string by,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        // The tenant's lock too: two new fleets that are put at the same time must see one another.
        await using var session = await OpenLockedAsync(
            tenant,
            [EventStore.TenantStream(tenant), EventStore.FleetStream(tenant, fleet)],
            cancel
        );
        var row = await session.Rows.Fleets.SingleOrDefaultAsync(row => row.FleetId == fleet, cancel);
        var before = row?.ToFleet();
        var decision = Fleet.Put(before, definition, expectedRevision, by, at);
        if (quota is not null)
            decision = quota.Admit(decision, before, definition, await OthersAsync(session, fleet, cancel));
        if (decision.Event is not { } happened)
            return new FleetOutcome(decision, row is null ? null : await ViewAsync(session, row, cancel), false);
        var after = Fleet.Evolve(before, happened);
        if (row is null)
        {
            row = new FleetRow
            {
                TenantId = tenant,
                FleetId = fleet,
                Definition = definition,
                Revision = after.Revision,
                RegisteredAt = at,
                RevisedAt = at,
                DueAt = at,
                DueReason = SolveReason.Registered,
            };
            session.Rows.Fleets.Add(row);
        }

        (row.DueAt, row.DueReason) = (at, happened is FleetRegistered ? SolveReason.Registered : SolveReason.Revised);
        await WriteAsync(session, row, after, happened, cancel);
        var view = await ViewAsync(session, row, cancel);
        await session.CommitAsync(cancel);
        return new FleetOutcome(decision, view, happened is FleetRegistered);
    }

    /// <summary>
    /// Decides about a fleet that is there: retires it, or pins, releases or approves one of its versions.
    /// </summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleet">The fleet's id.</param>
    /// <param name="decide">The decision on the fleet's state, which is null when there is no such fleet.</param>
    /// <param name="cancel">Gives up; nothing is decided then.</param>
    public async Task<FleetOutcome> DecideAsync(
        string tenant,
        string fleet,
        Func<Fleet?, Decision<FleetEvent>> decide,
        CancellationToken cancel
    )
    {
        await using var session = await OpenLockedAsync(tenant, [EventStore.FleetStream(tenant, fleet)], cancel);
        var row = await session.Rows.Fleets.SingleOrDefaultAsync(row => row.FleetId == fleet, cancel);
        var before = row?.ToFleet();
        var decision = decide(before);
        if (row is null)
            return new FleetOutcome(decision, null, false);
        if (decision.Event is { } happened)
            await WriteAsync(session, row, Fleet.Evolve(before, happened), happened, cancel);
        var view = await ViewAsync(session, row, cancel);
        await session.CommitAsync(cancel);
        return new FleetOutcome(decision, view, false);
    }

    /// <summary>Asks for a solve at once; false when there is no such fleet.</summary>
    public async Task<bool> RequestSolveAsync(string tenant, string fleet, DateTimeOffset at, CancellationToken cancel)
    {
        // Locked against a solve that is being written, which would put the fleet off to its next period.
        await using var session = await OpenLockedAsync(tenant, [EventStore.FleetStream(tenant, fleet)], cancel);
        var asked = await Active(session)
            .Where(row => row.FleetId == fleet)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.DueAt, at).SetProperty(row => row.DueReason, SolveReason.Requested),
                cancel
            );
        await session.CommitAsync(cancel);
        return asked > 0;
    }

    /// <summary>The fleet, or null when there is none or it is retired.</summary>
    public async Task<FleetView?> FindAsync(string tenant, string fleet, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await Active(session).SingleOrDefaultAsync(row => row.FleetId == fleet, cancel) is { } row
            ? await ViewAsync(session, row, cancel)
            : null;
    }

    /// <summary>Fleets by id, after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<FleetView>> ListAsync(
        string tenant,
        string after,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var rows = await Active(session)
            .Where(row => string.Compare(row.FleetId, after) > 0)
            .OrderBy(row => row.FleetId)
            .Take(limit)
            .ToListAsync(cancel);
        return await ViewsAsync(session, rows, cancel);
    }

    /// <summary>
    /// The decisions about a fleet, by stream version after <paramref name="after"/>; null when there never was such a
    /// fleet.
    /// </summary>
    public async Task<IReadOnlyList<RecordedEvent>?> EventsAsync(
        string tenant,
        string fleet,
        long after,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.Rows.Fleets.AnyAsync(row => row.FleetId == fleet, cancel))
            return null;
        var events = await session.ReadAsync(EventStore.FleetStream(tenant, fleet), after, limit, cancel);
        return [.. events.Select(e => new RecordedEvent(e.Version, e.EventTypeName, e.Timestamp, e.Data))];
    }

    /// <summary>Writes a decision, and tells those who keep what is in force in memory once it is committed.</summary>
    private static async Task WriteAsync(
        TenantSession session,
        FleetRow row,
        Fleet after,
        FleetEvent happened,
        CancellationToken cancel
    )
    {
        row.Take(after, happened.At);
        session.Append(row.FleetId, happened);
        if (after.Labels.InForce != row.InForceVersion)
            session.Rows.InForceChanges.Add(row.Change(happened));
        await session.NotifyAsync(ChangeChannel.Fleets, [row.FleetId], cancel);
        await session.SaveAsync(cancel);
    }

    private static IQueryable<FleetRow> Active(TenantSession session) =>
        session.Rows.Fleets.AsNoTracking().Where(row => row.RetiredAt == null);

    private async Task<TenantSession> OpenLockedAsync(string tenant, Guid[] subjects, CancellationToken cancel)
    {
        var session = await store.OpenAsync(tenant, cancel);
        await session.LockAsync(subjects, cancel);
        return session;
    }

    private static async Task<TenantHoldings> OthersAsync(TenantSession session, string fleet, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(
                """
                select count(*), coalesce(sum(jsonb_array_length(definition -> 'taskTypes')), 0)::bigint from platform.fleets
                where tenant_id = $1 and fleet_id <> $2 and retired_at is null
                """
            )
            {
                Parameters =
                {
                    new() { Value = session.Tenant },
                    new() { Value = fleet },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new TenantHoldings(reader.GetInt64(0), reader.GetInt64(1));
    }

    private static async Task<FleetView> ViewAsync(TenantSession session, FleetRow row, CancellationToken cancel) =>
        (await ViewsAsync(session, [row], cancel))[0];

    private static async Task<IReadOnlyList<FleetView>> ViewsAsync(
        TenantSession session,
        IReadOnlyList<FleetRow> rows,
        CancellationToken cancel
    )
    {
        var pins = await PinConcerns.FindAsync(session, rows, cancel);
        return [.. rows.Select(row => View(row, pins.GetValueOrDefault(row.FleetId)))];
    }

    private static FleetView View(FleetRow row, FleetConcern? ofPin) =>
        new()
        {
            Id = row.FleetId,
            Revision = row.Revision,
            Definition = row.Definition,
            RevisedAt = row.RevisedAt,
            LatestVersion = row.LatestVersion,
            LatestHash = row.LatestHash,
            Labels = row.ToFleet().Labels,
            InForceAt = row.InForceAt,
            SolvedAt = row.SolvedAt,
            SolveReason = row.SolveReason,
            SolvedWorkloadVersion = row.SolvedWorkloadVersion,
            DueAt = row.DueAt,
            DueReason = row.DueReason,
            SolveFault = row.SolveFault,
            Concerns =
            [
                .. OfAlarm(row),
                .. row.Concerns ?? [],
                .. ofPin is null ? Array.Empty<FleetConcern>() : [ofPin],
            ],
        };

    private static IEnumerable<FleetConcern> OfAlarm(FleetRow row) =>
        row.Alarm is null ? [] : [SolveConcerns.Of(row.Alarm)];
}
