using Npgsql;
using NpgsqlTypes;
using Platform.Cli.Demo;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// Fleets of six task types with a full horizon of evidence behind them, and what their publishers go on to say.
/// Seeded. The history is there as sums only: its events are spared the database, since a re-solve does not look at
/// them.
/// </summary>
internal sealed class SweepFleets(PlatformStore store, NpgsqlDataSource database, int tenants, int fleets)
{
    public const int TaskTypes = 6;
    private const int Kinds = 20;
    private const int HorizonSeconds = 21_600;
    private const int HistoryWindows = 256;
    private const int WritersAtOnce = 4;
    private const int Batch = 200;

    private static readonly int[] Budgets = [512, 1_024, 2_048, 4_096];

    private readonly WorkloadIntake _intake = new(store);
    private readonly FleetStore _fleets = new(store);
    private readonly string _run = Guid.NewGuid().ToString("N")[^6..];

    /// <summary>
    /// Condition of a row of fleets to be one of these: what earlier runs have left in the database is not counted.
    /// </summary>
    public string Own => $"tenant_id like 'sweep-{_run}-%'";

    /// <summary>Registers all fleets, not due for long, and lays the history's sums beside them.</summary>
    public async Task RegisterAsync(IProgress<int> done, CancellationToken cancel)
    {
        var notDue = TimeProvider.System.GetUtcNow().AddDays(1);
        var count = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, fleets),
            AtOnce(cancel),
            async (i, stop) =>
            {
                await _fleets.PutAsync(TenantOf(i), NameOf(i), Definition(i % Kinds), null, "benchmark", notDue, stop);
                done.Report(Interlocked.Increment(ref count));
            }
        );
        var sums = Enumerable.Range(0, Kinds).Select(History).ToArray();
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var rows = await connection.BeginBinaryImportAsync(
            "copy platform.workload_sums (tenant_id, fleet_id, workload_version, whole_version, sums) from stdin (format binary)",
            cancel
        );
        for (var i = 0; i < fleets; i++)
        {
            await rows.StartRowAsync(cancel);
            await rows.WriteAsync(TenantOf(i), NpgsqlDbType.Text, cancel);
            await rows.WriteAsync(NameOf(i), NpgsqlDbType.Text, cancel);
            await rows.WriteAsync(0L, NpgsqlDbType.Bigint, cancel);
            await rows.WriteAsync(0L, NpgsqlDbType.Bigint, cancel);
            await rows.WriteAsync(sums[i % Kinds], NpgsqlDbType.Bytea, cancel);
        }

        await rows.CompleteAsync(cancel);
    }

    /// <summary>Stores new windows of every fleet, as the workers' intake does.</summary>
    public Task StoreWindowsAsync(int perFleet, int round, CancellationToken cancel)
    {
        var now = TimeProvider.System.GetUtcNow();
        var random = new Random(round);
        var batches = Enumerable
            .Range(0, fleets)
            .SelectMany(i =>
                Enumerable
                    .Range(0, perFleet)
                    .Select(w => new IncomingWindow(
                        TenantOf(i),
                        SendingQueue.MessageId(random),
                        Window(NameOf(i), i % Kinds, now.AddSeconds((w - perFleet) * 10), random)
                    ))
            )
            .Chunk(Batch);
        return Parallel.ForEachAsync(
            batches,
            AtOnce(cancel),
            async (batch, stop) => await _intake.StoreAsync(batch, stop)
        );
    }

    /// <summary>Solves fleets of a tenant once, as a worker does.</summary>
    public static async Task SolveAsync(
        SolveStore solves,
        string tenant,
        IReadOnlyList<string> fleets,
        CancellationToken cancel
    )
    {
        var loaded = solves.LoadAsync(tenant, fleets, TimeProvider.System.GetUtcNow(), new SolveClock(), cancel);
        await solves.CommitAsync(await loaded.Select(it => Solved(it.Basis!)).ToListAsync(cancel), cancel);

        static SolveResult Solved(SolveBasis basis)
        {
            var at = SnapshotDerivation.Instant(TimeProvider.System.GetUtcNow(), basis.SolvedAt);
            return new SolveResult
            {
                Basis = basis,
                At = at,
                Sums = basis.SumsToStore(),
                Outcome = SolvePolicy.Solve(basis.Inputs(at), basis.Previous(at)),
            };
        }
    }

    /// <summary>A window of ten seconds of a kind of fleet.</summary>
    public static WorkloadWindow Window(string fleet, int kind, DateTimeOffset start, Random random) =>
        new()
        {
            Fleet = fleet,
            WindowStart = start,
            WindowEnd = start.AddSeconds(10),
            Tasks =
            [
                .. Definition(kind)
                    .TaskTypes.Select((type, k) => Task(type, Budgets[(k + random.Next(2)) % Budgets.Length], random)),
            ],
        };

    /// <summary>The definition of a kind of fleet: moderate load, by its priors.</summary>
    public static FleetDefinition Definition(int kind)
    {
        var random = new Random(kind);
        var shares = Enumerable.Range(0, TaskTypes).Select(_ => 0.2 + random.NextDouble()).ToArray();
        return new FleetDefinition
        {
            DisplayName = $"Benchmark {kind}",
            Objective = new FleetObjective { AccuracyWeight = 60, MaxUtilization = 0.95 },
            ArrivalRate = 0.3,
            Solving = new SolvingPolicy
            {
                EverySeconds = 86_400,
                HorizonSeconds = HorizonSeconds,
                MinimumGain = 1,
            },
            TaskTypes =
            [
                .. shares.Select(
                    (share, k) =>
                        new TaskType
                        {
                            Id = $"type-{k}",
                            Share = share / shares.Sum(),
                            MaxTokens = 32_768,
                            Service = new ServiceLine(
                                0.2 + (random.NextDouble() * 0.5),
                                0.0005 + (random.NextDouble() * 0.001)
                            ),
                            Accuracy = new AccuracyCurve(
                                0.1 + (random.NextDouble() * 0.3),
                                0.4,
                                0.0005 + (random.NextDouble() * 0.002)
                            ),
                        }
                ),
            ],
        };
    }

    /// <summary>The sums of a horizon's worth of windows of a kind of fleet, up to now.</summary>
    public static byte[] History(int kind)
    {
        var sums = new WorkloadSums(Definition(kind).Solving.Reach);
        var (now, random) = (TimeProvider.System.GetUtcNow(), new Random(kind));
        for (var i = HistoryWindows; i > 0; i--)
            sums.Fold(Window("fleet", kind, now.AddSeconds(-(double)HorizonSeconds / HistoryWindows * i), random));
        return sums.ToBytes();
    }

    private static TaskWindow Task(TaskType type, int budget, Random random)
    {
        var queries = 1 + random.Next(3);
        var (tokens, millis, system) = (new long[queries], new long[queries], new long[queries]);
        for (var q = 0; q < queries; q++)
        {
            tokens[q] = (long)(budget * (0.5 + (random.NextDouble() / 2)));
            millis[q] = (long)(1e3 * type.Service.SecondsAt(tokens[q]) * (0.95 + (random.NextDouble() / 10)));
            system[q] = millis[q] + random.Next(500);
        }

        var correct = Enumerable
            .Range(0, queries)
            .Count(_ => random.NextDouble() < type.Accuracy.Floor + type.Accuracy.Gain);
        return new TaskWindow
        {
            TaskType = type.Id,
            Arrivals = queries,
            Service = new ServiceSums
            {
                Completions = queries,
                Tokens = tokens.Sum(),
                TokensSquared = tokens.Sum(t => t * t),
                TokensGranted = (long)queries * budget,
                Millis = millis.Sum(),
                MillisSquared = millis.Sum(m => m * m),
                TokenMillis = tokens.Zip(millis, (t, m) => t * m).Sum(),
            },
            System = new SystemSums
            {
                Completions = queries,
                Millis = system.Sum(),
                MillisSquared = system.Sum(m => m * m),
            },
            Accuracy =
            [
                new AccuracyCount
                {
                    Tokens = budget,
                    Trials = queries,
                    Correct = correct,
                },
            ],
        };
    }

    private static ParallelOptions AtOnce(CancellationToken cancel) =>
        new() { MaxDegreeOfParallelism = WritersAtOnce, CancellationToken = cancel };

    private string TenantOf(int fleet) => $"sweep-{_run}-{fleet % tenants}";

    private static string NameOf(int fleet) => $"fleet-{fleet}";
}
