using Npgsql;
using Platform.Domain;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;
using Platform.Persistence.Tenants;
using Platform.Testing;

[assembly: AssemblyFixture(typeof(Platform.Persistence.Tests.TestStore))]

namespace Platform.Persistence.Tests;

/// <summary>A migrated database with every store on it. Tests share it, each with tenants of its own.</summary>
public sealed class TestStore : IAsyncLifetime
{
    /// <summary>The moment at which everything in these tests happens, unless they say otherwise.</summary>
    public static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static int _tenants;

    public TestDatabase Database { get; private set; } = null!;

    public PlatformStore Store { get; private set; } = null!;

    public FleetStore Fleets => new(Store);

    public WorkloadIntake Intake => new(Store);

    public SolveStore Solves => new(Store);

    public DueFleets Due => new(Store);

    public TenantRegistry Tenants => new(Store);

    public SnapshotHistory Snapshots => new(Store);

    public static FleetDefinition Definition { get; } =
        new()
        {
            DisplayName = "Chat",
            Objective = new FleetObjective { AccuracyWeight = 30 },
            ArrivalRate = 0.05,
            TaskTypes =
            [
                new TaskType
                {
                    Id = "math",
                    Share = 1,
                    MaxTokens = 32_768,
                    Service = new ServiceLine(0.4, 0.02),
                    Accuracy = new AccuracyCurve(0.2, 0.6, 0.001),
                },
            ],
        };

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(TestContext.Current.CancellationToken);
        Store = new PlatformStore(Database.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (Store is not null)
            await Store.DisposeAsync();
        if (Database is not null)
            await Database.DisposeAsync();
    }

    /// <summary>An id that no other test has.</summary>
    public static string NewTenant() => $"tenant-{Interlocked.Increment(ref _tenants)}";

    /// <summary>Sums of so many windows.</summary>
    public static WorkloadSums SumsOf(long windows, int? horizonSeconds = null)
    {
        var sums = new WorkloadSums(
            Definition.Solving.Reach with
            {
                HorizonSeconds = horizonSeconds ?? Definition.Solving.HorizonSeconds,
            }
        );
        for (var i = 0; i < windows; i++)
            sums.Fold(Window("chat"));
        return sums;
    }

    public static WorkloadWindow Window(string fleet, long arrivals = 1) =>
        new()
        {
            Fleet = fleet,
            WindowStart = At.AddSeconds(-10),
            WindowEnd = At,
            Tasks = [new TaskWindow { TaskType = "math", Arrivals = arrivals }],
        };

    public async Task PutFleetAsync(string tenant, string fleet, CancellationToken cancel, DateTimeOffset? at = null)
    {
        var outcome = await Fleets.PutAsync(tenant, fleet, Definition, null, "ci", at ?? At, cancel);
        Assert.True(outcome.IsNew);
    }

    /// <summary>Takes a tenant on with one key.</summary>
    public async Task<ApiKeyIssued> RegisterTenantAsync(string tenant, CancellationToken cancel)
    {
        var key = Key(tenant, "first");
        var decision = await Tenants.RegisterAsync(
            tenant,
            "A team",
            key,
            [1, 2, 3],
            _ => Task.CompletedTask,
            At,
            cancel
        );
        Assert.False(decision.IsRefused);
        return key;
    }

    public static ApiKeyIssued Key(string tenant, string name) =>
        new()
        {
            At = At,
            KeyId = $"{tenant}-{name}",
            Name = name,
            Scopes = [Scopes.Read, Scopes.Ingest],
        };

    /// <summary>Solves on a basis by the definition's priors, as the next version.</summary>
    public static SolveResult Solve(SolveBasis basis, long workloadVersion = 0) =>
        new()
        {
            Basis = basis with { WorkloadVersion = workloadVersion },
            At = At,
            Sums = new SumsToStore(SumsOf(workloadVersion).ToBytes(), null),
            Outcome = SolvePolicy.Solve(
                new SnapshotInputs
                {
                    Tenant = basis.Key.Tenant,
                    Fleet = basis.Key.Fleet,
                    Definition = basis.Fleet.Definition,
                    DefinitionRevision = basis.Fleet.Revision,
                    Sums = new WorkloadSums(basis.Fleet.Definition.Solving.HorizonSeconds),
                    WorkloadVersion = workloadVersion,
                    SolvedAt = At,
                    Alarm = basis.Inputs(At).Alarm,
                },
                // A revision that was not: so that every solve is worth a version.
                basis.Previous(At)
                    is { } previous
                    ? previous with
                    {
                        Summary = previous.Summary with { DefinitionRevision = 0 },
                    }
                    : null
            ),
        };

    /// <summary>Waits until other sessions wait for a lock of this one, or for one another's because of it.</summary>
    public async Task UntilWaitForAsync(TenantSession session, int others, CancellationToken cancel)
    {
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select pg_backend_pid()"));
        var waiting = $"""
            with recursive waiting(pid) as (
                select {await batch.ExecuteScalarAsync(cancel)}
                union
                select a.pid from pg_stat_activity a join waiting w on w.pid = any (pg_blocking_pids(a.pid)))
            select count(*) - 1 from waiting
            """;
        await Eventually.TrueAsync(
            async () => await Database.QueryAsync<long>(waiting, cancel) == others,
            $"{others} to wait for the lock",
            cancel
        );
    }

    public async Task<Decision<FleetEvent>> RetireAsync(string tenant, string fleet, CancellationToken cancel) =>
        (await Fleets.DecideAsync(tenant, fleet, state => Fleet.Retire(state, "ci", At), cancel)).Decision;

    public async Task<bool> PublishAsync(string tenant, string fleet, CancellationToken cancel) =>
        await CommitAsync(Solve((await LoadAsync(new FleetKey(tenant, fleet), cancel))!), cancel);

    /// <summary>Loads one fleet; null when it is gone.</summary>
    public async Task<SolveBasis?> LoadAsync(FleetKey key, CancellationToken cancel)
    {
        var loaded = await Solves.LoadAsync(key.Tenant, [key.Fleet], At, new SolveClock(), cancel).ToListAsync(cancel);
        Assert.All(loaded, it => Assert.Null(it.Fault));
        return loaded.SingleOrDefault()?.Basis;
    }

    /// <summary>Writes one result; false when it was overtaken.</summary>
    public async Task<bool> CommitAsync(SolveResult result, CancellationToken cancel) =>
        (await Solves.CommitAsync([result], cancel)).Count == 1;

    public Task<long> CountAsync(string table, string tenant, CancellationToken cancel, string and = "") =>
        Database.QueryAsync<long>($"select count(*) from {table} where tenant_id = '{tenant}' {and}", cancel);

    public async Task ExecuteAsync(string sql, CancellationToken cancel, params object[] values)
    {
        await using var connection = new NpgsqlConnection(Database.OwnerConnectionString);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancel);
    }
}
