using Npgsql;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Ingestion;

/// <summary>A valid workload window with its proven sender.</summary>
/// <param name="Tenant">The tenant, as the broker or a key has proven it.</param>
/// <param name="MessageId">The idempotency key.</param>
/// <param name="Window">The window, valid by the contract.</param>
public sealed record IncomingWindow(string Tenant, Guid MessageId, WorkloadWindow Window)
{
    /// <summary>The publisher's trace as a W3C traceparent, or null.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>What became of an incoming window.</summary>
public enum IntakeOutcome
{
    /// <summary>It is in the fleet's history now.</summary>
    Stored,

    /// <summary>It was there before.</summary>
    Duplicate,

    /// <summary>
    /// Its message id was used before for a window that says something else. Nothing of this one is kept.
    /// </summary>
    Conflict,

    /// <summary>The tenant has no such fleet, or has retired it.</summary>
    UnknownFleet,
}

/// <summary>What is stored of a fleet's windows.</summary>
/// <param name="Events">Events in its workload stream.</param>
/// <param name="Messages">Different messages that brought them: as many, or something was stored twice.</param>
public sealed record StoredWindows(long Events, long Messages);

/// <summary>Appends workload windows to the fleets' workload streams, each once.</summary>
public sealed class WorkloadIntake(PlatformStore store)
{
    /// <summary>
    /// Learns of the windows that were stored and do not count for their fleet; null when nobody asks.
    /// </summary>
    public UncountedWindows? Uncounted { get; init; }

    /// <summary>
    /// Stores a batch, in one transaction for each database. Several processes may store at the same time, in any
    /// order, the same message too.
    /// </summary>
    /// <returns>
    /// The outcome of each window, in the order given. When this throws, the windows of a database are stored or none
    /// of them; stored ones are duplicates on the next try.
    /// </returns>
    public async Task<IReadOnlyList<IntakeOutcome>> StoreAsync(
        IReadOnlyList<IncomingWindow> windows,
        CancellationToken cancel
    ) => (await StoreAllAsync(windows, cancel)).Outcomes;

    /// <summary>
    /// The same, and then brings the solves of fleets forward whose windows are not what their last solve expected.
    /// </summary>
    /// <param name="windows">The batch.</param>
    /// <param name="early">Learns of the windows that were stored.</param>
    /// <param name="now">The moment that solves are brought forward to.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>
    /// The outcome of each window, in the order given. When this throws, the windows may be stored; they are duplicates
    /// then.
    /// </returns>
    public async Task<IReadOnlyList<IntakeOutcome>> StoreAsync(
        IReadOnlyList<IncomingWindow> windows,
        EarlySolves early,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        // After the commit, so that the intake holds none of the solver's locks.
        var (outcomes, known) = await StoreAllAsync(windows, cancel);
        var stored = windows.Where((_, i) => outcomes[i] == IntakeOutcome.Stored);
        foreach (var fleet in stored.GroupBy(it => new FleetKey(it.Tenant, it.Window.Fleet), it => it.Window))
        {
            var (revision, standing) = known[fleet.Key];
            if (Uncounted is not null)
                await Uncounted.ObserveAsync(fleet.Key, revision, fleet, now, cancel);
            if (standing is not null)
                await early.ObserveAsync(fleet.Key, standing, [.. fleet], now, cancel);
        }

        return outcomes;
    }

    private async Task<(IntakeOutcome[] Outcomes, Dictionary<FleetKey, KnownFleet> Known)> StoreAllAsync(
        IReadOnlyList<IncomingWindow> windows,
        CancellationToken cancel
    )
    {
        var outcomes = new IntakeOutcome[windows.Count];
        var known = new Dictionary<FleetKey, KnownFleet>();
        // Tenants in one order for all processes: locks are taken tenant by tenant, and must not be taken crosswise.
        var byDatabase = new Dictionary<NpgsqlDataSource, List<IGrouping<string, int>>>();
        foreach (
            var tenant in Enumerable
                .Range(0, windows.Count)
                .GroupBy(i => windows[i].Tenant)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
        )
        {
            var database = await store.Databases.OfAsync(tenant.Key, cancel);
            (byDatabase.TryGetValue(database, out var tenants) ? tenants : byDatabase[database] = []).Add(tenant);
        }

        foreach (var (database, tenants) in byDatabase)
        {
            await using var connection = await database.OpenConnectionAsync(cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            foreach (var tenant in tenants)
                await StoreTenantAsync(transaction, tenant.Key, [.. tenant], windows, outcomes, known, cancel);
            await transaction.CommitAsync(cancel);
        }

        return (outcomes, known);
    }

    /// <summary>Counts the stored windows of a fleet, from the events themselves.</summary>
    public async Task<StoredWindows> StoredWindowsAsync(string tenant, string fleet, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(
                $"""
                select count(*), count(distinct data ->> 'messageId') from {EventStore.Schema}.mt_events
                where tenant_id = $1 and stream_id = $2 and type = '{EventStore.RecordedName}'
                """
            )
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = tenant },
                    new NpgsqlParameter<Guid> { TypedValue = EventStore.WorkloadStream(tenant, fleet) },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new StoredWindows(reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>The window that a message has brought, or null when none is stored under its id.</summary>
    public async Task<WorkloadWindow?> FindAsync(string tenant, Guid messageId, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        await using var batch = session.CreateBatch();
        var eventId = EventStore.MessageEvent(tenant, messageId);
        batch.BatchCommands.Add(SelectingEvents([eventId]));
        return (await ReadEventsAsync(batch, cancel)).GetValueOrDefault(eventId);
    }

    private async Task StoreTenantAsync(
        NpgsqlTransaction transaction,
        string tenant,
        int[] indices,
        IReadOnlyList<IncomingWindow> windows,
        IntakeOutcome[] outcomes,
        Dictionary<FleetKey, KnownFleet> knownOfAll,
        CancellationToken cancel
    )
    {
        var eventIds = indices.ToDictionary(i => i, i => EventStore.MessageEvent(tenant, windows[i].MessageId));
        var fleets = indices.Select(i => windows[i].Window.Fleet).Distinct(StringComparer.Ordinal).ToArray();
        var (known, stored) = await LockAndLookUpAsync(transaction, tenant, fleets, [.. eventIds.Values], cancel);

        foreach (var (fleet, state) in known)
            knownOfAll.Add(new FleetKey(tenant, fleet), state);

        var appended = new List<EventToAppend>();
        var firstOfBatch = new Dictionary<Guid, WorkloadWindow>();
        var seenBefore = new List<int>();
        foreach (var i in indices)
        {
            var window = windows[i].Window;
            if (!known.ContainsKey(window.Fleet))
            {
                outcomes[i] = IntakeOutcome.UnknownFleet;
            }
            else if (stored.Contains(eventIds[i]))
            {
                seenBefore.Add(i);
            }
            else if (firstOfBatch.TryAdd(eventIds[i], window))
            {
                outcomes[i] = IntakeOutcome.Stored;
                appended.Add(ToAppend(tenant, eventIds[i], windows[i]));
            }
            else
            {
                outcomes[i] = Repeated(window, firstOfBatch[eventIds[i]]);
            }
        }

        if (appended.Count > 0)
            await EventAppending.RunAsync(transaction, store.Events, tenant, appended, cancel);
        if (seenBefore.Count == 0)
            return;
        // Rare: only what comes again is compared with what was stored.
        var before = await ReadStoredAsync(transaction, [.. seenBefore.Select(i => eventIds[i])], cancel);
        foreach (var i in seenBefore)
            outcomes[i] = Repeated(windows[i].Window, before[eventIds[i]]);
    }

    private static IntakeOutcome Repeated(WorkloadWindow window, WorkloadWindow first) =>
        WindowContent.IsSame(window, first) ? IntakeOutcome.Duplicate : IntakeOutcome.Conflict;

    private static EventToAppend ToAppend(string tenant, Guid eventId, IncomingWindow incoming) =>
        new(EventStore.WorkloadStream(tenant, incoming.Window.Fleet), eventId, Recorded(incoming));

    private static async Task<Dictionary<Guid, WorkloadWindow>> ReadStoredAsync(
        NpgsqlTransaction transaction,
        Guid[] eventIds,
        CancellationToken cancel
    )
    {
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.BatchCommands.Add(SelectingEvents(eventIds));
        return await ReadEventsAsync(batch, cancel);
    }

    private static NpgsqlBatchCommand SelectingEvents(Guid[] eventIds) =>
        new($"select id, data::text as data from {EventStore.Schema}.mt_events where id = any($1)")
        {
            Parameters = { new() { Value = eventIds } },
        };

    private static async Task<Dictionary<Guid, WorkloadWindow>> ReadEventsAsync(
        NpgsqlBatch batch,
        CancellationToken cancel
    )
    {
        var windows = new Dictionary<Guid, WorkloadWindow>();
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var (id, data) = (reader.GetOrdinal("id"), reader.GetOrdinal("data"));
        while (await reader.ReadAsync(cancel))
            windows.Add(reader.GetGuid(id), StoredWindow.Read(reader.GetFieldValue<byte[]>(data)).Window);
        return windows;
    }

    private static WorkloadWindowRecorded Recorded(IncomingWindow incoming) =>
        new()
        {
            MessageId = incoming.MessageId,
            Window = incoming.Window,
            TraceParent = incoming.TraceParent,
        };

    // In one round trip, because other workers wait for the locks.
    private static async Task<(Dictionary<string, KnownFleet> Fleets, HashSet<Guid> Events)> LockAndLookUpAsync(
        NpgsqlTransaction transaction,
        string tenant,
        string[] fleets,
        Guid[] eventIds,
        CancellationToken cancel
    )
    {
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction)
        {
            BatchCommands =
            {
                RowSecurity.Binding(tenant),
                // One writer of a stream at a time: what was stored before is looked up once.
                TenantSession.Locking(fleets.Select(fleet => EventStore.WorkloadStream(tenant, fleet))),
                new NpgsqlBatchCommand(
                    """
                    select fleet_id, revision, solved_at, expectation from platform.fleets
                    where tenant_id = $1 and fleet_id = any($2) and retired_at is null
                    """
                )
                {
                    Parameters =
                    {
                        new() { Value = tenant },
                        new() { Value = fleets },
                    },
                },
                new NpgsqlBatchCommand($"select id from {EventStore.Schema}.mt_events where id = any($1)")
                {
                    Parameters = { new() { Value = eventIds } },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        for (var answered = 0; answered < batch.BatchCommands.Count - 2; answered++)
            await reader.NextResultAsync(cancel);
        var known = new Dictionary<string, KnownFleet>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancel))
            known.Add(reader.GetString(reader.GetOrdinal("fleet_id")), ReadFleet(reader));
        var stored = new HashSet<Guid>();
        await reader.NextResultAsync(cancel);
        while (await reader.ReadAsync(cancel))
            stored.Add(reader.GetGuid(0));
        return (known, stored);
    }

    private static KnownFleet ReadFleet(NpgsqlDataReader row)
    {
        var revision = row.GetInt32(row.GetOrdinal("revision"));
        var solvedAt = row.GetOrdinal("solved_at");
        if (row.IsDBNull(solvedAt))
            return new KnownFleet(revision, null);
        var expectation = row.GetOrdinal("expectation");
        var expected = row.IsDBNull(expectation) ? null : row.GetString(expectation);
        return new KnownFleet(revision, new SolveStanding(row.GetFieldValue<DateTimeOffset>(solvedAt), expected));
    }

    /// <summary>What the intake reads of a fleet that windows come for.</summary>
    /// <param name="Revision">Revision of its definition.</param>
    /// <param name="Standing">Its last solve, or null before the first.</param>
    private sealed record KnownFleet(int Revision, SolveStanding? Standing);
}
