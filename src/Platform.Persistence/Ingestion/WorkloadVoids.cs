using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Domain;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Ingestion;

/// <summary>What has become of a request to void windows.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Void">What makes the windows void, maybe an earlier decision; null when the request is refused.</param>
public sealed record VoidOutcome(Decision<FleetEvent> Decision, WorkloadVoided? Void);

/// <summary>What was voided, with its place in the fleet's stream of decisions.</summary>
/// <param name="Version">Version of the stream of decisions after it.</param>
/// <param name="Void">What was voided.</param>
public sealed record RecordedVoid(long Version, WorkloadVoided Void);

/// <summary>Voids windows of fleets, and lists what was voided.</summary>
public sealed class WorkloadVoids(PlatformStore store)
{
    private const string Head = "select version from events.mt_streams where tenant_id = $1 and id = $2";

    // VoidScope.Covers says the same of a window that is read: these only save reading the others.
    private const string OfMessage = $"""
        select version, data::text from events.mt_events
        where tenant_id = $1 and stream_id = $2 and version >= $3 and version < $4
            and type = '{EventStore.RecordedName}' and id = $5
        """;

    private const string OfStretch = $"""
        select version, data::text from events.mt_events
        where tenant_id = $1 and stream_id = $2 and version >= $3 and version < $4
            and type = '{EventStore.RecordedName}'
            and (data #>> '{"{window,windowStart}"}')::timestamptz < $6
            and (data #>> '{"{window,windowEnd}"}')::timestamptz > $5
        """;

    private const string Voids = $"""
        select version, data::text from events.mt_events
        where tenant_id = $1 and stream_id = $2 and version > $3 and type = '{EventStore.VoidedName}'
        order by version limit $4
        """;

    private const string LatestVoids = $"""
        select version, data::text from events.mt_events
        where tenant_id = $1 and stream_id = $2 and type = '{EventStore.VoidedName}' order by version desc limit $3
        """;

    /// <summary>
    /// Makes windows void that are stored by now; see <see cref="WorkloadVoiding.Decide"/>. The fleet is solved at
    /// once. The many stored windows are looked through before the intake is kept from the fleet's stream; only the few
    /// that came meanwhile are looked through while it waits.
    /// </summary>
    public async Task<VoidOutcome> VoidAsync(string tenant, string fleet, VoidRequest request, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var knownBefore = await VoidsAsync(session, fleet, 0, int.MaxValue, cancel);
        var before = new Search(session, fleet, request.Scope, knownBefore);
        await before.RunAsync(await HeadAsync(session, fleet, cancel), cancel);

        Guid[] streams = [EventStore.WorkloadStream(tenant, fleet), EventStore.FleetStream(tenant, fleet)];
        await session.LockAsync(streams, cancel);
        var known = await VoidsAsync(session, fleet, 0, int.MaxValue, cancel);
        // Somebody may have voided some of them meanwhile.
        var search = known.Count == knownBefore.Count ? before : new Search(session, fleet, request.Scope, known);
        var head = await HeadAsync(session, fleet, cancel);
        await search.RunAsync(head, cancel);
        return await DecideAsync(session, fleet, request, search, head + 1, cancel);
    }

    /// <summary>What was voided of a fleet, in the order of its decisions; null when there is no such fleet.</summary>
    public async Task<IReadOnlyList<RecordedVoid>?> ListAsync(
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
        return await VoidsAsync(session, fleet, after, limit, cancel);
    }

    /// <summary>What was voided of a fleet last, the latest first.</summary>
    public async Task<IReadOnlyList<RecordedVoid>> ListLatestAsync(
        string tenant,
        string fleet,
        int limit,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        return await ReadAsync(session, fleet, LatestVoids, [new NpgsqlParameter<int> { TypedValue = limit }], cancel);
    }

    private static async Task<VoidOutcome> DecideAsync(
        TenantSession session,
        string fleet,
        VoidRequest request,
        Search search,
        long version,
        CancellationToken cancel
    )
    {
        var row = await session.Rows.Fleets.SingleOrDefaultAsync(row => row.FleetId == fleet, cancel);
        var decision = WorkloadVoiding.Decide(row?.ToFleet(), request, search.Found, version);
        if (decision.IsRefused)
            return new VoidOutcome(decision, null);
        if (row is null || decision.Event is not WorkloadVoided happened)
            return new VoidOutcome(decision, search.Earlier);
        session.Append(fleet, happened);
        // At once: what is in force may rest on what is void.
        row.DueAt = request.At;
        row.DueReason = SolveReason.Requested;
        // So may an alarm; windows that still bring too much raise it again.
        row.Alarm = null;
        await AppendToWorkloadAsync(session, fleet, happened, cancel);
        await session.NotifyAsync(ChangeChannel.Fleets, [fleet], cancel);
        await session.CommitAsync(cancel);
        return new VoidOutcome(decision, happened);
    }

    private static async Task AppendToWorkloadAsync(
        TenantSession session,
        string fleet,
        WorkloadVoided happened,
        CancellationToken cancel
    )
    {
        var statement = session.AppendingToWorkload(fleet, happened);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(statement);
        await batch.ExecuteNonQueryAsync(cancel);
        EventAppending.Check(statement, 1);
    }

    /// <summary>The version of the fleet's workload stream; 0 before the first window.</summary>
    private static async Task<long> HeadAsync(TenantSession session, string fleet, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Head)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = session.Tenant },
                    new NpgsqlParameter<Guid> { TypedValue = EventStore.WorkloadStream(session.Tenant, fleet) },
                },
            }
        );
        return await batch.ExecuteScalarAsync(cancel) as long? ?? 0;
    }

    private static Task<List<RecordedVoid>> VoidsAsync(
        TenantSession session,
        string fleet,
        long after,
        int limit,
        CancellationToken cancel
    )
    {
        NpgsqlParameter[] bounds =
        [
            new NpgsqlParameter<long> { TypedValue = after },
            new NpgsqlParameter<int> { TypedValue = limit },
        ];
        return ReadAsync(session, fleet, Voids, bounds, cancel);
    }

    private static async Task<List<RecordedVoid>> ReadAsync(
        TenantSession session,
        string fleet,
        string sql,
        NpgsqlParameter[] more,
        CancellationToken cancel
    )
    {
        var command = new NpgsqlBatchCommand(sql)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = session.Tenant },
                new NpgsqlParameter<Guid> { TypedValue = EventStore.FleetStream(session.Tenant, fleet) },
            },
        };
        foreach (var parameter in more)
            command.Parameters.Add(parameter);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(command);
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var voids = new List<RecordedVoid>();
        while (await reader.ReadAsync(cancel))
        {
            var version = reader.GetInt64(reader.GetOrdinal("version"));
            var data = reader.GetFieldValue<byte[]>(reader.GetOrdinal("data"));
            voids.Add(new RecordedVoid(version, StoredVoid.Read(data, version)));
        }

        return voids;
    }

    /// <summary>Counts the stored windows that are meant, from where it stopped the last time.</summary>
    private sealed class Search(TenantSession session, string fleet, VoidScope scope, List<RecordedVoid> known)
    {
        private long _next = 1;

        /// <summary>What was found so far.</summary>
        public WindowsToVoid Found { get; private set; } = WindowsToVoid.None;

        /// <summary>The latest of what was voided before that covers a window which is meant.</summary>
        public WorkloadVoided? Earlier { get; private set; }

        /// <summary>Goes on up to a version of the workload stream.</summary>
        public async Task RunAsync(long head, CancellationToken cancel)
        {
            if (_next == 1 && scope.From is { } from)
                _next = await new WindowHistory(session, fleet).FirstThatMayEndAfterAsync(from, cancel);
            await using var batch = session.CreateBatch();
            batch.BatchCommands.Add(Matching(head + 1));
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            var (version, data) = (reader.GetOrdinal("version"), reader.GetOrdinal("data"));
            while (await reader.ReadAsync(cancel))
                Count(reader.GetInt64(version), StoredWindow.Read(reader.GetFieldValue<byte[]>(data)));
            _next = Math.Max(_next, head + 1);
        }

        private void Count(long version, WorkloadWindowRecorded recorded)
        {
            if (!scope.Covers(recorded))
                return;
            var later = known.Select(it => it.Void).Where(it => it.WorkloadVersion > version);
            var earlier = later.LastOrDefault(it => it.Scope.Covers(recorded));
            Found = Found.With(recorded.Window, counts: earlier is null);
            if (earlier is not null && !(Earlier?.WorkloadVersion > earlier.WorkloadVersion))
                Earlier = earlier;
        }

        private NpgsqlBatchCommand Matching(long before)
        {
            var command = new NpgsqlBatchCommand(scope.MessageId is null ? OfStretch : OfMessage)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = session.Tenant },
                    new NpgsqlParameter<Guid> { TypedValue = EventStore.WorkloadStream(session.Tenant, fleet) },
                    new NpgsqlParameter<long> { TypedValue = _next },
                    new NpgsqlParameter<long> { TypedValue = before },
                },
            };
            if (scope.MessageId is { } message)
            {
                var id = EventStore.MessageEvent(session.Tenant, message);
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
                return command;
            }

            foreach (var instant in (DateTimeOffset[])[scope.From!.Value, scope.To!.Value])
                command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = instant.ToUniversalTime() });
            return command;
        }
    }
}
