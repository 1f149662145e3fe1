using System.Text;
using Npgsql;
using NpgsqlTypes;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence.Snapshots;

namespace Platform.Persistence.Solving;

/// <summary>Writes what the solves of a tenant's fleets came to, in the transaction of its session.</summary>
internal sealed class SolveWriting(TenantSession session)
{
    private const string Standing = """
        select fleet_id, revision, latest_version, due_at, solved_workload_version, due_reason, released_version, pin::text, proposal::text
        from platform.fleets where tenant_id = $1 and fleet_id = any($2) and retired_at is null
        """;

    private const string InsertSnapshots = """
        insert into platform.allocation_snapshots
            (tenant_id, fleet_id, version, solved_at, hash, document, summary, objective, mean_accuracy, mean_system_time_seconds, utilization)
        select $1, u.* from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as u
        """;

    // A row is written once, whatever changes of it. Without a new version the labels stay as they are: then they are
    // not given. A change that is written already conflicts, and is not written again: a version that waits or is not
    // in force changes nothing.
    private const string UpdateFleets = """
        with solved as (
            update platform.fleets f
            set solved_at = u.solved_at, solved_workload_version = u.workload_version, due_at = u.due_at, solve_fault = u.fault,
                latest_version = u.version, latest_hash = coalesce(u.hash, f.latest_hash),
                solve_reason = u.solve_reason, due_reason = u.due_reason, expectation = u.expectation,
                concerns = u.concerns::jsonb,
                -- One that was raised after this solve had read is another: it stays.
                alarm = case when f.alarm is not distinct from u.alarm_before::jsonb then u.alarm::jsonb else f.alarm end,
                released_version = coalesce(u.released, f.released_version),
                proposal = case when u.in_force is null then f.proposal else u.proposal::jsonb end,
                in_force_version = coalesce(u.in_force, f.in_force_version),
                in_force_change = f.in_force_change
                    + (f.in_force_version <> coalesce(u.in_force, f.in_force_version) or coalesce(u.cause, '') = $19)::int,
                in_force_at = case when f.in_force_version <> u.in_force then greatest(f.in_force_at, u.solved_at) else f.in_force_at end
            from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $20)
                as u(fleet_id, solved_at, workload_version, due_at, fault, version, hash, solve_reason, due_reason, expectation, released,
                    proposal, in_force, cause, concerns, alarm_before, alarm, reason)
            where f.tenant_id = $1 and f.fleet_id = u.fleet_id
            returning f.fleet_id, f.in_force_change, f.in_force_version, u.cause, u.reason,
                -- What stays in force is told of later than it came into force.
                case when u.cause = $19 then greatest(f.in_force_at, u.solved_at) else f.in_force_at end as at
        )
        insert into platform.in_force_changes (tenant_id, fleet_id, change, at, version, cause, reason)
        select $1, s.fleet_id, s.in_force_change, s.at, s.in_force_version, s.cause, s.reason from solved s
        where s.cause is not null and s.in_force_version > 0 on conflict do nothing
        """;

    private const string SaveSums = """
        insert into platform.workload_sums (tenant_id, fleet_id, workload_version, whole_version, sums)
        select $1, u.fleet_id, u.workload_version, u.workload_version, u.sums from unnest($2, $3, $4) as u(fleet_id, workload_version, sums)
        on conflict (tenant_id, fleet_id) do update
        set workload_version = excluded.workload_version, whole_version = excluded.whole_version, sums = excluded.sums, recent = null
        """;

    // Another solve may have written the whole meanwhile: these belong to the one that was read, and to no other.
    private const string SaveRecentSums = """
        update platform.workload_sums s set workload_version = u.workload_version, recent = u.recent
        from unnest($2, $3, $4, $5) as u(fleet_id, workload_version, recent, whole_version)
        where s.tenant_id = $1 and s.fleet_id = u.fleet_id and s.whole_version = u.whole_version
        """;

    private readonly List<FleetUpdate> _updates = [];
    private readonly List<SnapshotRow> _snapshots = [];
    private readonly List<(string Fleet, FleetEvent Happened)> _published = [];

    /// <summary>Writes all that were not overtaken.</summary>
    /// <returns>The results that were written.</returns>
    public async Task<IReadOnlyList<SolveResult>> RunAsync(IReadOnlyList<SolveResult> results, CancellationToken cancel)
    {
        var standing = await LockAndReadAsync([.. results.Select(result => result.Basis.Key.Fleet)], cancel);
        SolveResult[] valid =
        [
            .. results.Where(result => standing.TryGetValue(result.Basis.Key.Fleet, out var now) && now.Allows(result)),
        ];
        if (valid.Length == 0)
            return valid;
        foreach (var result in valid)
            Add(result, standing[result.Basis.Key.Fleet]);
        await WriteAsync(valid, cancel);
        return valid;
    }

    private async Task<Dictionary<string, FleetStanding>> LockAndReadAsync(string[] fleets, CancellationToken cancel)
    {
        // Locked and then read, each by a statement of its own: the second sees what was committed before the locks
        // were given.
        await using var batch = session.CreateBatch();
        long[] keys =
        [
            .. fleets.Select(fleet => TenantSession.LockKey(EventStore.FleetStream(session.Tenant, fleet))).Distinct(),
        ];
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(TenantSession.LockStatement)
            {
                Parameters = { TenantSession.ArrayOf(keys, NpgsqlDbType.Bigint) },
            }
        );
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Standing)
            {
                Parameters = { Tenant(), TenantSession.ArrayOf(fleets, NpgsqlDbType.Text) },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        var standing = new Dictionary<string, FleetStanding>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancel))
            standing.Add(
                reader.GetString(0),
                new FleetStanding(
                    reader.GetInt32(1),
                    reader.GetInt32(2),
                    reader.GetFieldValue<DateTimeOffset>(3),
                    reader.GetInt64(4),
                    reader.GetString(5),
                    SolveReading.Labels(reader, 6)
                )
            );
        return standing;
    }

    private void Add(SolveResult result, FleetStanding standing)
    {
        var basis = result.Basis;
        var (dueAt, dueReason) =
            standing.DueAt == basis.DueAt
                ? (
                    result.At.AddSeconds(basis.Fleet.Definition.Solving.EverySeconds),
                    SolveReasonNames.NameOf(SolveReason.Periodic)
                )
                : (standing.DueAt, standing.DueReason);
        // Somebody may have put another version in force meanwhile: what was found of the one before is no news then.
        var isSameInForce = standing.Labels.InForce == basis.Fleet.Labels.InForce;
        var (after, hash) = result.Outcome is SolveOutcome.Published published
            ? Publish(basis.Fleet, standing.Labels, published, isSameInForce)
            : (basis.Fleet, null);
        _updates.Add(
            new FleetUpdate(
                basis.Key.Fleet,
                result.At,
                basis.WorkloadVersion,
                dueAt,
                result.Outcome.Fault,
                after.LatestVersion,
                hash,
                SolveReasonNames.NameOf(basis.DueReason),
                dueReason,
                Json(result.Outcome.Expectation),
                Json(result.Outcome.Concerns),
                Json(basis.Alarm),
                Json(result.Outcome.Alarm),
                hash is null ? null : after.Labels,
                Told.Of(result.Outcome, isSameInForce)
            )
        );
    }

    private (Fleet After, string Hash) Publish(
        Fleet fleet,
        AllocationLabels labels,
        SolveOutcome.Published outcome,
        bool isSameInForce
    )
    {
        var snapshot = outcome.Snapshot;
        var document = snapshot.ToCanonicalBytes();
        var hash = AllocationSnapshot.HashOf(document);
        _snapshots.Add(
            new SnapshotRow
            {
                TenantId = session.Tenant,
                FleetId = snapshot.Fleet,
                Version = snapshot.Version,
                SolvedAt = snapshot.SolvedAt,
                Hash = hash,
                Document = document,
                Summary = AllocationSummary.Of(snapshot).ToBytes(),
                Objective = snapshot.Solution.Objective!.Value,
                MeanAccuracy = snapshot.Solution.MeanAccuracy!.Value,
                MeanSystemTimeSeconds = snapshot.Solution.MeanSystemTimeSeconds!.Value,
                Utilization = snapshot.Solution.Utilization!.Value,
            }
        );
        var isEmergency = outcome.Emergency is not null && isSameInForce;
        DateTimeOffset? proposedUntil = fleet.Definition.Solving.ApprovalSeconds is { } patience
            ? snapshot.SolvedAt.AddSeconds(patience)
            : null;
        var published = new AllocationPublished
        {
            At = snapshot.SolvedAt,
            Version = snapshot.Version,
            Hash = hash,
            Revision = snapshot.Provenance.DefinitionRevision,
            WorkloadVersion = snapshot.Provenance.WorkloadVersion,
            ProposedUntil = isEmergency ? null : proposedUntil,
            Emergency = isEmergency ? outcome.Emergency : null,
            Shortfall = snapshot.Shortfall?.Describe(),
        };
        _published.Add((snapshot.Fleet, published));
        // The labels as they are now: somebody may have pinned a version while this one was solved.
        return (Fleet.Evolve(fleet with { Labels = labels }, published), hash);
    }

    private async Task WriteAsync(SolveResult[] results, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        var appending = _published.Count > 0 ? session.Appending(_published) : [];
        foreach (var command in appending)
            batch.BatchCommands.Add(command);
        if (_published.Count > 0)
        {
            batch.BatchCommands.Add(Snapshots());
        }

        string[] changed = [.. _updates.Where(it => it.Told is not null).Select(it => it.Fleet)];
        if (changed.Length > 0)
            batch.BatchCommands.Add(session.Notifying(ChangeChannel.Fleets, changed));

        batch.BatchCommands.Add(Fleets());
        AddSums(batch, results);
        await batch.ExecuteNonQueryAsync(cancel);
        if (appending.Length > 0)
            EventAppending.Check(appending[0], _published.Count);
    }

    private NpgsqlBatchCommand Snapshots() =>
        new(InsertSnapshots)
        {
            Parameters =
            {
                Tenant(),
                Column(_snapshots, it => it.FleetId, NpgsqlDbType.Text),
                Column(_snapshots, it => it.Version, NpgsqlDbType.Integer),
                Column(_snapshots, it => it.SolvedAt, NpgsqlDbType.TimestampTz),
                Column(_snapshots, it => it.Hash, NpgsqlDbType.Text),
                Column(_snapshots, it => it.Document, NpgsqlDbType.Bytea),
                Column(_snapshots, it => it.Summary, NpgsqlDbType.Bytea),
                Column(_snapshots, it => it.Objective, NpgsqlDbType.Double),
                Column(_snapshots, it => it.MeanAccuracy, NpgsqlDbType.Double),
                Column(_snapshots, it => it.MeanSystemTimeSeconds, NpgsqlDbType.Double),
                Column(_snapshots, it => it.Utilization, NpgsqlDbType.Double),
            },
        };

    private NpgsqlBatchCommand Fleets() =>
        new(UpdateFleets)
        {
            Parameters =
            {
                Tenant(),
                Column(_updates, it => it.Fleet, NpgsqlDbType.Text),
                Column(_updates, it => it.SolvedAt, NpgsqlDbType.TimestampTz),
                Column(_updates, it => it.WorkloadVersion, NpgsqlDbType.Bigint),
                Column(_updates, it => it.DueAt, NpgsqlDbType.TimestampTz),
                Column(_updates, it => it.Fault, NpgsqlDbType.Text),
                Column(_updates, it => it.Version, NpgsqlDbType.Integer),
                Column(_updates, it => it.Hash, NpgsqlDbType.Text),
                Column(_updates, it => it.SolveReason, NpgsqlDbType.Text),
                Column(_updates, it => it.DueReason, NpgsqlDbType.Text),
                Column(_updates, it => it.Expectation, NpgsqlDbType.Text),
                Column(_updates, it => it.Labels?.Released, NpgsqlDbType.Integer),
                Column(_updates, it => Json(it.Labels?.Proposal), NpgsqlDbType.Text),
                Column(_updates, it => it.Labels?.InForce, NpgsqlDbType.Integer),
                Column(_updates, it => it.Told?.Cause, NpgsqlDbType.Text),
                Column(_updates, it => it.Concerns, NpgsqlDbType.Text),
                Column(_updates, it => it.AlarmBefore, NpgsqlDbType.Text),
                Column(_updates, it => it.Alarm, NpgsqlDbType.Text),
                new NpgsqlParameter<string> { TypedValue = InForceCauses.Unstable },
                Column(_updates, it => it.Told?.Reason, NpgsqlDbType.Text),
            },
        };

    private void AddSums(NpgsqlBatch batch, SolveResult[] results)
    {
        SolveResult[] whole = [.. results.Where(result => result.Sums?.Whole is not null)];
        if (whole.Length > 0)
            batch.BatchCommands.Add(SumsOf(whole, SaveSums, it => it.Sums!.Whole!));
        SolveResult[] recent = [.. results.Where(result => result.Sums?.Recent is not null)];
        if (recent.Length > 0)
        {
            var command = SumsOf(recent, SaveRecentSums, it => it.Sums!.Recent!);
            command.Parameters.Add(Column(recent, it => it.Basis.Stored!.WholeVersion, NpgsqlDbType.Bigint));
            batch.BatchCommands.Add(command);
        }
    }

    private NpgsqlBatchCommand SumsOf(SolveResult[] results, string sql, Func<SolveResult, byte[]> part) =>
        new(sql)
        {
            Parameters =
            {
                Tenant(),
                Column(results, it => it.Basis.Key.Fleet, NpgsqlDbType.Text),
                Column(results, it => it.Basis.WorkloadVersion, NpgsqlDbType.Bigint),
                Column(results, part, NpgsqlDbType.Bytea),
            },
        };

    private NpgsqlParameter<string> Tenant() => new() { TypedValue = session.Tenant };

    /// <summary>One value of each row.</summary>
    private static NpgsqlParameter<T[]> Column<TRow, T>(
        IEnumerable<TRow> rows,
        Func<TRow, T> value,
        NpgsqlDbType type
    ) => TenantSession.ArrayOf([.. rows.Select(value)], type);

    private static string? Json<T>(T? value) => value is null ? null : Encoding.UTF8.GetString(StrictJson.Write(value));

    /// <summary>What those who listen for changes in force are told.</summary>
    /// <param name="Cause">One of <see cref="InForceCauses"/>.</param>
    /// <param name="Reason">Why, in words, or null.</param>
    private sealed record Told(string Cause, string? Reason)
    {
        /// <summary>What is told of a solve; null for nothing.</summary>
        public static Told? Of(SolveOutcome outcome, bool isSameInForce)
        {
            if (outcome.Warning is { } warning && isSameInForce)
                return new Told(InForceCauses.Unstable, warning);
            if (outcome is not SolveOutcome.Published published)
                return null;
            return published.Emergency is not null && isSameInForce
                ? new Told(InForceCauses.Emergency, published.Reason)
                : new Told(InForceCauses.Published, (published with { Emergency = null }).Reason);
        }
    }

    /// <summary>A line of the update; the labels where a new version has set them.</summary>
    private sealed record FleetUpdate(
        string Fleet,
        DateTimeOffset SolvedAt,
        long WorkloadVersion,
        DateTimeOffset DueAt,
        string? Fault,
        int Version,
        string? Hash,
        string SolveReason,
        string DueReason,
        string? Expectation,
        string? Concerns,
        string? AlarmBefore,
        string? Alarm,
        AllocationLabels? Labels,
        Told? Told
    );

    /// <summary>Where a fleet stands when its solve is to be written.</summary>
    private sealed record FleetStanding(
        int Revision,
        int LatestVersion,
        DateTimeOffset DueAt,
        long SolvedWorkloadVersion,
        string DueReason,
        AllocationLabels Labels
    )
    {
        public bool Allows(SolveResult result) =>
            LatestVersion == result.Basis.Fleet.LatestVersion
            && Revision == result.Basis.Fleet.Revision
            && SolvedWorkloadVersion <= result.Basis.WorkloadVersion;
    }
}
