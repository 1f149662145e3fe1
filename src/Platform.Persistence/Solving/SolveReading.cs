using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>
/// Reads what the solves of a tenant's fleets start from in one exchange with the database. Windows are folded as they
/// come, so that memory grows neither with the backlog nor with the history; the sums that they are added to take shape
/// for one fleet at a time, so that those of the one before are gone by then, while they are cheap to clear away.
/// </summary>
internal sealed class SolveReading(TenantSession session, DateTimeOffset now, SolveClock clock)
{
    private const string Standing = """
        select f.fleet_id, f.definition::text, f.revision, f.latest_version, f.due_at, s.workload_version, s.whole_version, s.sums, s.recent,
            a.hash, a.summary, case when a.summary is null then a.document end, w.version, f.solved_at, f.due_reason,
            f.released_version, f.pin::text, f.proposal::text, o.summary, case when o.summary is null then o.document end,
            f.alarm::text, f.concerns::text as concerns, f.in_force_at as in_force_at,
            f.solved_workload_version as solved_workload_version
        from unnest($2, $3) as asked(fleet_id, stream_id)
        join platform.fleets f on f.tenant_id = $1 and f.fleet_id = asked.fleet_id and f.retired_at is null
        left join platform.workload_sums s on s.tenant_id = $1 and s.fleet_id = asked.fleet_id
        left join platform.allocation_snapshots a on a.tenant_id = $1 and a.fleet_id = asked.fleet_id and a.version = f.latest_version
        left join platform.allocation_snapshots o
            on o.tenant_id = $1 and o.fleet_id = asked.fleet_id and o.version = f.in_force_version and f.in_force_version <> f.latest_version
        left join events.mt_streams w on w.tenant_id = $1 and w.id = asked.stream_id
        """;

    private const string NewWindows = $"""
        select asked.fleet_id, e.version, e.data::text, e.type = '{EventStore.VoidedName}' as is_void
        from unnest($2, $3) as asked(fleet_id, stream_id)
        join platform.workload_sums s on s.tenant_id = $1 and s.fleet_id = asked.fleet_id
        cross join lateral (
            select version, data, type from events.mt_events
            where tenant_id = $1 and stream_id = asked.stream_id and version > s.workload_version order by version) e
        """;

    /// <summary>Traces kept of a fleet's new windows: as many links as OpenTelemetry's SDKs keep of a span.</summary>
    private const int MostTraces = 128;

    private readonly Dictionary<string, Loading> _fleets = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _utf8 = new();

    public async IAsyncEnumerable<LoadedFleet> RunAsync(
        IReadOnlyList<string> fleets,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        clock.Enter(SolveStage.Read);
        await ReadAsync(fleets, cancel);
        foreach (var fleet in fleets)
        {
            if (!_fleets.Remove(fleet, out var loading))
                continue;
            await CompleteAsync(loading, cancel);
            yield return loading.ToLoaded(session.Tenant);
        }
    }

    private async Task ReadAsync(IReadOnlyList<string> fleets, CancellationToken cancel)
    {
        await using (var batch = session.CreateBatch())
        {
            Guid[] streams = [.. fleets.Select(fleet => EventStore.WorkloadStream(session.Tenant, fleet))];
            foreach (var sql in (string[])[Standing, NewWindows])
                batch.BatchCommands.Add(
                    new NpgsqlBatchCommand(sql) { Parameters = { Text(session.Tenant), Array(fleets), Array(streams) } }
                );
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel))
                Start(reader);
            await reader.NextResultAsync(cancel);
            var isVoid = reader.GetOrdinal("is_void");
            while (await reader.ReadAsync(cancel))
                Take(_fleets.GetValueOrDefault(reader.GetString(0)), reader, reader.GetBoolean(isVoid));
        }
    }

    private async Task CompleteAsync(Loading loading, CancellationToken cancel)
    {
        if (loading.Fault is not null)
            return;
        clock.Enter(SolveStage.Fold);
        loading.Guard(() => AddUp(loading));
        if (loading is not { Fault: null, Stored: null, StreamVersion: > 0 })
            return;
        clock.Enter(SolveStage.Read);
        await loading.GuardAsync(async () =>
            loading.Version = (
                await new WindowHistory(session, loading.Fleet).FoldLatestAsync(
                    loading.Sums!,
                    long.MaxValue,
                    now,
                    cancel
                )
            ).Newest
        );
    }

    /// <summary>
    /// The sums are derived: those of another reach, of another form, or with windows that are void by now are folded
    /// again from the events.
    /// </summary>
    private static void AddUp(Loading loading)
    {
        var reach = loading.State!.Definition.Solving.Reach;
        if (loading.Stored is { } stored && TryRead(loading.Whole!) is { } sums && sums.Reach == reach)
        {
            sums.Add(stored.Recent);
            loading.Sums = sums;
        }
        else
        {
            (loading.Sums, loading.Stored, loading.Version) = (new WorkloadSums(reach), null, 0);
        }

        loading.Whole = null;
    }

    /// <summary>Null when another version of the estimator has written them.</summary>
    private static WorkloadSums? TryRead(byte[] sums)
    {
        try
        {
            return WorkloadSums.FromBytes(sums);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private void Start(NpgsqlDataReader row)
    {
        var loading = new Loading
        {
            Fleet = row.GetString(0),
            DueAt = row.GetFieldValue<DateTimeOffset>(4),
            StreamVersion = Number(row, 12) ?? 0,
            SolvedAt = row.IsDBNull(13) ? null : row.GetFieldValue<DateTimeOffset>(13),
            DueReason = SolveReasonNames.ReasonOf(row.GetString(14)),
            SolvedWorkloadVersion = row.GetFieldValue<long>(row.GetOrdinal("solved_workload_version")),
        };
        _fleets.Add(loading.Fleet, loading);
        loading.Guard(() =>
        {
            var definition = JsonSerializer.Deserialize<FleetDefinition>(Utf8(row, 1), StrictJson.Options)!;
            loading.State = new Fleet
            {
                Definition = definition,
                Revision = row.GetInt32(2),
                LatestVersion = row.GetInt32(3),
                Labels = Labels(row, 15),
            };
            if (!row.IsDBNull(9))
                loading.Latest = new LatestSnapshot(loading.State.LatestVersion, row.GetString(9), Summary(row, 10)!);
            loading.InForce = Summary(row, 18);
            if (!row.IsDBNull(20))
                loading.Alarm = JsonSerializer.Deserialize<LoadAlarm>(row.GetString(20), StrictJson.Options);
            loading.UnstableSince = UnstableSince(row);
            clock.Enter(SolveStage.Fold);
            StartSums(loading, definition.Solving.Reach, row);
            clock.Enter(SolveStage.Read);
        });
    }

    /// <summary>
    /// The summary from two columns: as it is stored, or the document where it is not; null where there is no snapshot.
    /// </summary>
    internal static AllocationSummary? Summary(NpgsqlDataReader row, int column) =>
        !row.IsDBNull(column) ? AllocationSummary.FromBytes(row.GetFieldValue<byte[]>(column))
        : row.IsDBNull(column + 1) ? null
        : AllocationSummary.OfDocument(row.GetFieldValue<byte[]>(column + 1));

    /// <summary>
    /// What the last solve found of the version in force; of no use where another one is in force since.
    /// </summary>
    private static DateTimeOffset? UnstableSince(NpgsqlDataReader row)
    {
        var concerns = row.GetOrdinal("concerns");
        var inForceAt = row.GetOrdinal("in_force_at");
        if (row.IsDBNull(concerns) || row.IsDBNull(inForceAt))
            return null;
        var found = JsonSerializer.Deserialize<FleetConcern[]>(row.GetString(concerns), StrictJson.Options)!;
        var since = found.FirstOrDefault(concern => concern.Code == UnstableConcern.Code)?.Since;
        return since > row.GetFieldValue<DateTimeOffset>(inForceAt) ? since : null;
    }

    /// <summary>The labels from three columns: the version that is released, the pin and the proposal.</summary>
    internal static AllocationLabels Labels(NpgsqlDataReader row, int column) =>
        new()
        {
            Released = row.GetInt32(column),
            Pin = row.IsDBNull(column + 1)
                ? null
                : JsonSerializer.Deserialize<AllocationPin>(row.GetString(column + 1), StrictJson.Options),
            Proposal = row.IsDBNull(column + 2)
                ? null
                : JsonSerializer.Deserialize<AllocationProposal>(row.GetString(column + 2), StrictJson.Options),
        };

    private static void StartSums(Loading loading, WorkloadReach reach, NpgsqlDataReader row)
    {
        if (Number(row, 5) is not { } version)
            return;
        var recent = row.IsDBNull(8) ? new WorkloadSums(reach) : TryRead(row.GetFieldValue<byte[]>(8));
        if (recent is null)
            return;
        (loading.Whole, loading.Version) = (row.GetFieldValue<byte[]>(7), version);
        loading.Stored = new StoredSums(version, row.GetInt64(6), loading.Whole.Length, recent);
    }

    private void Take(Loading? loading, NpgsqlDataReader row, bool isVoid)
    {
        if (loading is not { Fault: null, Stored: not null })
            return;
        if (isVoid)
            loading.DropStored();
        else
            loading.Guard(() => Fold(loading, row.GetInt64(1), Utf8(row, 2)));
    }

    private void Fold(Loading loading, long version, ReadOnlySpan<byte> utf8)
    {
        var recorded = StoredWindow.Read(utf8);
        clock.Enter(SolveStage.Fold);
        loading.Stored!.Recent.Fold(recorded.Window);
        loading.Remember(recorded.TraceParent);
        loading.Version = Math.Max(loading.Version, version);
        clock.Enter(SolveStage.Read);
    }

    /// <summary>
    /// The bytes of a text, in a buffer that the next call uses again. (Those of jsonb would begin with its version.)
    /// </summary>
    private ReadOnlySpan<byte> Utf8(NpgsqlDataReader row, int column)
    {
        using var stream = row.GetStream(column);
        _utf8.ResetWrittenCount();
        for (var read = 1; read > 0; _utf8.Advance(read))
            read = stream.Read(_utf8.GetSpan((int)Math.Max(1, stream.Length - stream.Position)));
        return _utf8.WrittenSpan;
    }

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private static NpgsqlParameter<string[]> Array(IReadOnlyList<string> values) =>
        new() { TypedValue = [.. values], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    private static NpgsqlParameter<Guid[]> Array(Guid[] values) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    /// <summary>A fleet on its way in.</summary>
    private sealed class Loading
    {
        public required string Fleet { get; init; }

        public required DateTimeOffset DueAt { get; init; }

        public required SolveReason DueReason { get; init; }

        public long SolvedWorkloadVersion { get; init; }

        public required long StreamVersion { get; init; }

        public required DateTimeOffset? SolvedAt { get; init; }

        public Fleet? State { get; set; }

        public LatestSnapshot? Latest { get; set; }

        public AllocationSummary? InForce { get; set; }

        public LoadAlarm? Alarm { get; set; }

        public DateTimeOffset? UnstableSince { get; set; }

        /// <summary>The whole sums in their stored form, until they are read from it.</summary>
        public byte[]? Whole { get; set; }

        public WorkloadSums? Sums { get; set; }

        public long Version { get; set; }

        public StoredSums? Stored { get; set; }

        public Exception? Fault { get; private set; }

        private Queue<string> TraceParents { get; } = [];

        /// <summary>Sums cannot be subtracted: where windows in them have become void, they are of no use.</summary>
        public void DropStored()
        {
            Stored = null;
            Whole = null;
        }

        public void Remember(string? traceParent)
        {
            if (traceParent is null)
                return;
            if (TraceParents.Count == MostTraces)
                TraceParents.Dequeue();
            TraceParents.Enqueue(traceParent);
        }

        /// <summary>What is wrong with one fleet must not keep the others from being solved.</summary>
        public void Guard(Action step)
        {
            try
            {
                step();
            }
            catch (Exception fault) when (IsOfOneFleet(fault))
            {
                Fault = fault;
            }
        }

        /// <inheritdoc cref="Guard"/>
        public async Task GuardAsync(Func<Task> step)
        {
            try
            {
                await step();
            }
            catch (Exception fault) when (IsOfOneFleet(fault))
            {
                Fault = fault;
            }
        }

        private static bool IsOfOneFleet(Exception fault) =>
            fault is JsonException or FormatException or ArithmeticException or ArgumentException;

        public LoadedFleet ToLoaded(string tenant)
        {
            var key = new FleetKey(tenant, Fleet);
            return Fault is not null ? new LoadedFleet(key, null, Fault) : new LoadedFleet(key, Basis(key), null);
        }

        private SolveBasis Basis(FleetKey key) =>
            new()
            {
                Key = key,
                Fleet = State!,
                Latest = Latest,
                InForce = InForce,
                Alarm = Alarm,
                UnstableSince = UnstableSince,
                Sums = Sums!,
                WorkloadVersion = Version,
                SolvedWorkloadVersion = SolvedWorkloadVersion,
                Stored = Stored,
                SolvedAt = SolvedAt,
                DueAt = DueAt,
                DueReason = DueReason,
                TraceParents = TraceParents,
            };
    }
}
