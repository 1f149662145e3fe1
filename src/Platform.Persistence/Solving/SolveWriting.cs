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

    private const string UpdateFleets = """
        update platform.fleets f
        set solved_at = u.solved_at, solved_workload_version = u.workload_version, due_at = u.due_at, solve_fault = u.fault,
            latest_version = u.version, latest_hash = coalesce(u.hash, f.latest_hash),
            solve_reason = u.solve_reason, due_reason = u.due_reason, expectation = u.expectation
        from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            as u(fleet_id, solved_at, workload_version, due_at, fault, version, hash, solve_reason, due_reason, expectation)
        where f.tenant_id = $1 and f.fleet_id = u.fleet_id
        """;

    private const string Release = """
        with moved as (
            update platform.fleets f
            set released_version = u.released, proposal = u.proposal::jsonb, in_force_version = u.in_force,
                in_force_change = f.in_force_change + (f.in_force_version <> u.in_force)::int,
                in_force_at = case when f.in_force_version = u.in_force then f.in_force_at else greatest(f.in_force_at, u.at) end
            from unnest($2, $3, $4, $5, $6) as u(fleet_id, at, released, proposal, in_force)
            where f.tenant_id = $1 and f.fleet_id = u.fleet_id
            returning f.fleet_id, f.in_force_change, f.in_force_at, f.in_force_version
        )
        insert into platform.in_force_changes (tenant_id, fleet_id, change, at, version, cause)
        select $1, m.fleet_id, m.in_force_change, m.in_force_at, m.in_force_version, $7 from moved m
        where m.in_force_version > 0 on conflict do nothing
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
    private readonly List<FleetRelease> _releases = [];

    /// <summary>Writes all that were not overtaken.</summary>
    /// <returns>The results that were written.</returns>
    public async Task<IReadOnlyList<SolveResult>> RunAsync(IReadOnlyList<SolveResult> results, CancellationToken cancel)
    {
        var standing = await LockAndReadAsync([.. results.Select(result => result.Basis.Key.Fleet)], cancel);
        SolveResult[] valid = [.. results.Where(result => standing.TryGetValue(result.Basis.Key.Fleet, out var now) && now.Allows(result))];
        if (valid.Length == 0)
            return valid;
        foreach (var result in valid)
            Add(result, standing[result.Basis.Key.Fleet]);
        await session.SaveAsync(cancel);
        await UpdateAsync(valid, cancel);
        return valid;
    }

    private async Task<Dictionary<string, FleetStanding>> LockAndReadAsync(string[] fleets, CancellationToken cancel)
    {
        // Locked and then read, each by a statement of its own: the second sees what was committed before the locks were given.
        await using var batch = session.CreateBatch();
        long[] keys = [.. fleets.Select(fleet => TenantSession.LockKey(EventStore.FleetStream(session.Tenant, fleet))).Distinct()];
        batch.BatchCommands.Add(new NpgsqlBatchCommand(TenantSession.LockStatement) { Parameters = { TenantSession.ArrayOf(keys, NpgsqlDbType.Bigint) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Standing) { Parameters = { Tenant(), TenantSession.ArrayOf(fleets, NpgsqlDbType.Text) } });
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        var standing = new Dictionary<string, FleetStanding>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancel))
            standing.Add(
                reader.GetString(0),
                new FleetStanding(
                    reader.GetInt32(1), reader.GetInt32(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetInt64(4), reader.GetString(5),
                    SolveReading.Labels(reader, 6)));
        return standing;
    }

    private void Add(SolveResult result, FleetStanding standing)
    {
        var basis = result.Basis;
        var (dueAt, dueReason) = standing.DueAt == basis.DueAt
            ? (result.At.AddSeconds(basis.Fleet.Definition.Solving.EverySeconds), SolveReasonNames.NameOf(SolveReason.Periodic))
            : (standing.DueAt, standing.DueReason);
        var (version, hash) = result.Outcome is SolveOutcome.Published { Snapshot: var snapshot }
            ? Publish(basis.Fleet, standing.Labels, snapshot)
            : (basis.Fleet.LatestVersion, null);
        _updates.Add(new FleetUpdate(
            basis.Key.Fleet, result.At, basis.WorkloadVersion, dueAt, (result.Outcome as SolveOutcome.Infeasible)?.Reason, version, hash,
            SolveReasonNames.NameOf(basis.DueReason), dueReason,
            result.Outcome.Expectation is { } expectation ? Encoding.UTF8.GetString(StrictJson.Write(expectation)) : null));
    }

    private (int Version, string? Hash) Publish(Fleet fleet, AllocationLabels labels, AllocationSnapshot snapshot)
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
            ProposedUntil = fleet.Definition.Solving.ApprovalSeconds is { } patience ? snapshot.SolvedAt.AddSeconds(patience) : null,
        };
        session.Append(snapshot.Fleet, published);
        // The labels as they are now: somebody may have pinned a version while this one was solved.
        var after = Fleet.Evolve(fleet with { Labels = labels }, published);
        _releases.Add(new FleetRelease(snapshot.Fleet, snapshot.SolvedAt, after.Labels));
        return (after.LatestVersion, hash);
    }

    private async Task UpdateAsync(SolveResult[] results, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(UpdateFleets)
        {
            Parameters =
            {
                Tenant(),
                TenantSession.ArrayOf([.. _updates.Select(it => it.Fleet)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _updates.Select(it => it.SolvedAt)], NpgsqlDbType.TimestampTz),
                TenantSession.ArrayOf([.. _updates.Select(it => it.WorkloadVersion)], NpgsqlDbType.Bigint),
                TenantSession.ArrayOf([.. _updates.Select(it => it.DueAt)], NpgsqlDbType.TimestampTz),
                TenantSession.ArrayOf([.. _updates.Select(it => it.Fault)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _updates.Select(it => it.Version)], NpgsqlDbType.Integer),
                TenantSession.ArrayOf([.. _updates.Select(it => it.Hash)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _updates.Select(it => it.SolveReason)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _updates.Select(it => it.DueReason)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _updates.Select(it => it.Expectation)], NpgsqlDbType.Text),
            },
        });
        if (_releases.Count > 0)
            AddReleases(batch);
        SolveResult[] whole = [.. results.Where(result => result.Sums?.Whole is not null)];
        if (whole.Length > 0)
            batch.BatchCommands.Add(SumsOf(whole, SaveSums, it => it.Sums!.Whole!));
        SolveResult[] recent = [.. results.Where(result => result.Sums?.Recent is not null)];
        if (recent.Length > 0)
        {
            var command = SumsOf(recent, SaveRecentSums, it => it.Sums!.Recent!);
            command.Parameters.Add(TenantSession.ArrayOf([.. recent.Select(it => it.Basis.Stored!.WholeVersion)], NpgsqlDbType.Bigint));
            batch.BatchCommands.Add(command);
        }

        await batch.ExecuteNonQueryAsync(cancel);
    }

    private void AddReleases(NpgsqlBatch batch)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Release)
        {
            Parameters =
            {
                Tenant(),
                TenantSession.ArrayOf([.. _releases.Select(it => it.Fleet)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _releases.Select(it => it.At)], NpgsqlDbType.TimestampTz),
                TenantSession.ArrayOf([.. _releases.Select(it => it.Labels.Released)], NpgsqlDbType.Integer),
                TenantSession.ArrayOf([.. _releases.Select(it => it.Labels.Proposal is { } proposal ? Encoding.UTF8.GetString(StrictJson.Write(proposal)) : null)], NpgsqlDbType.Text),
                TenantSession.ArrayOf([.. _releases.Select(it => it.Labels.InForce)], NpgsqlDbType.Integer),
                new NpgsqlParameter<string> { TypedValue = EventStore.EventNames[typeof(AllocationPublished)] },
            },
        });
        batch.BatchCommands.Add(session.Notifying(ChangeChannel.Fleets, [.. _releases.Select(it => it.Fleet)]));
    }

    private NpgsqlBatchCommand SumsOf(SolveResult[] results, string sql, Func<SolveResult, byte[]> part) => new(sql)
    {
        Parameters =
        {
            Tenant(),
            TenantSession.ArrayOf([.. results.Select(it => it.Basis.Key.Fleet)], NpgsqlDbType.Text),
            TenantSession.ArrayOf([.. results.Select(it => it.Basis.WorkloadVersion)], NpgsqlDbType.Bigint),
            TenantSession.ArrayOf([.. results.Select(part)], NpgsqlDbType.Bytea),
        },
    };

    private NpgsqlParameter<string> Tenant() => new() { TypedValue = session.Tenant };

    /// <summary>A line of the update.</summary>
    private sealed record FleetUpdate(
        string Fleet, DateTimeOffset SolvedAt, long WorkloadVersion, DateTimeOffset DueAt, string? Fault, int Version, string? Hash,
        string SolveReason, string DueReason, string? Expectation);

    /// <summary>What a new version does to the labels.</summary>
    private sealed record FleetRelease(string Fleet, DateTimeOffset At, AllocationLabels Labels);

    /// <summary>Where a fleet stands when its solve is to be written.</summary>
    private sealed record FleetStanding(
        int Revision, int LatestVersion, DateTimeOffset DueAt, long SolvedWorkloadVersion, string DueReason, AllocationLabels Labels)
    {
        public bool Allows(SolveResult result) =>
            LatestVersion == result.Basis.Fleet.LatestVersion && Revision == result.Basis.Fleet.Revision
            && SolvedWorkloadVersion <= result.Basis.WorkloadVersion;
    }
}
