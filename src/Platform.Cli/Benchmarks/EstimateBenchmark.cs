using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Snapshots;
using Platform.Persistence.Solving;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>What <c>bench estimate</c> prints.</summary>
internal sealed record EstimateReport
{
    /// <summary>Windows of six task types folded a second, on one thread.</summary>
    public required double WindowsFoldedPerSecond { get; init; }

    /// <summary>The same windows, read from JSON first.</summary>
    public required double WindowsReadAndFoldedPerSecond { get; init; }

    public required long ShortHistory { get; init; }

    public required long LongHistory { get; init; }

    /// <summary>Medians of a re-solve in milliseconds: load with new windows, derive, write.</summary>
    public required double ShortMilliseconds { get; init; }

    /// <inheritdoc cref="ShortMilliseconds"/>
    public required double LongMilliseconds { get; init; }

    public required double Ratio { get; init; }

    /// <summary>
    /// Medians of deriving one version again from the events, in milliseconds, of fleets with the same evidence within
    /// the horizon; the long history fills the days that are kept for forecasts too.
    /// </summary>
    public required double ShortVerifyMilliseconds { get; init; }

    /// <inheritdoc cref="ShortVerifyMilliseconds"/>
    public required double LongVerifyMilliseconds { get; init; }

    public required double VerifyRatio { get; init; }

    public required int Pairs { get; init; }

    public IEnumerable<string> ToLines() =>
        [
            Text(
                $"windows of {SweepFleets.TaskTypes} task types, one thread: {WindowsFoldedPerSecond:0} folded a second; {WindowsReadAndFoldedPerSecond:0} read from JSON and folded"
            ),
            Text(
                $"re-solve with new windows, medians of {Pairs} by turns: {ShortMilliseconds:0.00} ms with {ShortHistory} events of history, "
            ) + Text($"{LongMilliseconds:0.00} ms with {LongHistory}; ratio {Ratio:0.000}"),
            Text(
                $"one version derived again from the events, a horizon of {EstimateBenchmark.Windows} windows: {ShortVerifyMilliseconds:0.0} ms with {ShortHistory} events of history, "
            )
                + Text(
                    $"{LongVerifyMilliseconds:0.0} ms with {LongHistory}, of which it reads those of {SolvingPolicy.MostForecastDays} days; "
                )
                + Text($"ratio {VerifyRatio:0.000}"),
        ];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How fast windows are folded, and whether a re-solve minds the length of the fleet's history.</summary>
internal sealed class EstimateBenchmark
{
    private const string Tenant = "estimate";
    public const int Windows = 1_000;
    private const int NewWindows = 3;
    private const int Pairs = 150;
    private const int WarmUp = 50;
    private const int Verifications = 40;
    private const int VerifyWarmUp = 20;

    public static async Task<EstimateReport> RunAsync(
        PlatformSettings settings,
        int longHistory,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        await PlatformHosts.MigrateAsync(settings, cancel);
        await using var store = settings.OpenStore();
        await using var database = NpgsqlDataSource.Create(settings.Postgres);
        console.Say("folding");
        var (folded, read) = MeasureFolding();
        console.Say($"laying down histories of {Windows} and {longHistory} events");
        foreach (var (fleet, events) in (IEnumerable<(string, int)>)[("short", Windows), ("long", longHistory)])
            await LayAsync(store, database, fleet, events, cancel);
        console.Say($"{Pairs} re-solves of each by turns");
        var (brief, lengthy) = await MeasureSolvesAsync(store, cancel);
        console.Say($"one version of each derived again, {Verifications} times by turns");
        var (briefly, atLength) = await MeasureVerificationsAsync(store, cancel);
        return new EstimateReport
        {
            WindowsFoldedPerSecond = folded,
            WindowsReadAndFoldedPerSecond = read,
            ShortHistory = Windows,
            LongHistory = longHistory,
            ShortMilliseconds = brief,
            LongMilliseconds = lengthy,
            Ratio = lengthy / brief,
            ShortVerifyMilliseconds = briefly,
            LongVerifyMilliseconds = atLength,
            VerifyRatio = atLength / briefly,
            Pairs = Pairs,
        };
    }

    private static (double Folded, double Read) MeasureFolding()
    {
        const int Times = 30;
        WorkloadWindow[] windows = [.. WindowsUntil("fold", Windows, TimeProvider.System.GetUtcNow(), new Random(1))];
        byte[][] bytes = [.. windows.Select(StrictJson.Write)];
        var best = (Folded: 0.0, Read: 0.0);
        for (var i = 0; i < Times; i++)
        {
            var watch = Stopwatch.StartNew();
            var sums = new WorkloadSums(SweepFleets.Definition(0).Solving.Reach);
            foreach (var window in windows)
                sums.Fold(window);
            best.Folded = Math.Max(best.Folded, Windows / watch.Elapsed.TotalSeconds);
            watch.Restart();
            sums = new WorkloadSums(SweepFleets.Definition(0).Solving.Reach);
            foreach (var text in bytes)
                if (StrictJson.TryRead<WorkloadWindow>(text, out var window, out _))
                    sums.Fold(window);
            best.Read = Math.Max(best.Read, Windows / watch.Elapsed.TotalSeconds);
        }

        return best;
    }

    /// <summary>
    /// A thousand windows through the intake; a longer history is copies of them before, each half a day before the
    /// next, put beneath by the database itself: events are appended nowhere else, and one by one a million would take
    /// minutes.
    /// </summary>
    private static async Task LayAsync(
        PlatformStore store,
        NpgsqlDataSource database,
        string fleet,
        int events,
        CancellationToken cancel
    )
    {
        var now = TimeProvider.System.GetUtcNow();
        await new Persistence.Fleets.FleetStore(store).PutAsync(
            Tenant,
            fleet,
            SweepFleets.Definition(0),
            null,
            "benchmark",
            now,
            cancel
        );
        // The same windows for both fleets, each with a message of its own.
        var (random, messages) = (new Random(1), new Random(events));
        foreach (var batch in WindowsUntil(fleet, Windows, now, random).Chunk(200))
            await StoreAsync(store, batch, messages, cancel);
        var copies = (events / Windows) - 1;
        string[] statements =
        [
            "alter table events.mt_events disable trigger all",
            $"update events.mt_events set version = version + {copies * Windows} where stream_id = $1",
            $$"""
                insert into events.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
                select nextval('events.mt_events_sequence'), gen_random_uuid(), e.stream_id, e.version - {{copies
                    * Windows}} + c.copy * {{Windows}},
                    jsonb_set(e.data, '{window}', e.data -> 'window' || jsonb_build_object(
                        'windowStart', (e.data #>> '{window,windowStart}')::timestamptz - c.before, 'windowEnd', (e.data #>> '{window,windowEnd}')::timestamptz - c.before)),
                    e.type, e.timestamp - c.before, e.tenant_id, e.mt_dotnet_type, e.is_archived
                from (select i as copy, interval '12 hours' * ({{copies}} - i) as before from generate_series(0, {{copies
                    - 1}}) as i) c
                cross join events.mt_events e where e.stream_id = $1
                """,
            $"update events.mt_streams set version = {copies * Windows + Windows} where id = $1",
            "alter table events.mt_events enable trigger all",
            "vacuum analyze events.mt_events",
            "checkpoint",
        ];
        foreach (var sql in copies == 0 ? statements[^2..] : statements)
        {
            await using var command = database.CreateCommand(sql);
            command.CommandTimeout = 0;
            if (sql.Contains("$1", StringComparison.Ordinal))
                command.Parameters.Add(
                    new NpgsqlParameter<Guid> { TypedValue = EventStore.WorkloadStream(Tenant, fleet) }
                );
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    private static async Task<(double Brief, double Lengthy)> MeasureSolvesAsync(
        PlatformStore store,
        CancellationToken cancel
    )
    {
        var random = new Random(2);
        return await ByTurnsAsync(
            WarmUp,
            Pairs,
            async fleet =>
            {
                await StoreAsync(
                    store,
                    WindowsUntil(fleet, NewWindows, TimeProvider.System.GetUtcNow(), random),
                    random,
                    cancel
                );
                var watch = Stopwatch.StartNew();
                await SolveAsync(new SolveStore(store), fleet, cancel);
                return watch.Elapsed;
            }
        );
    }

    /// <summary>The first version, of which there are the same windows in both fleets' horizons.</summary>
    private static async Task<(double Brief, double Lengthy)> MeasureVerificationsAsync(
        PlatformStore store,
        CancellationToken cancel
    )
    {
        var verification = new SnapshotVerification(store);
        return await ByTurnsAsync(
            VerifyWarmUp,
            Verifications,
            async fleet =>
            {
                var watch = Stopwatch.StartNew();
                await verification.VerifyAsync(new FleetKey(Tenant, fleet), 1, Check, cancel);
                return watch.Elapsed;
            }
        );

        static void Check(VersionVerification found)
        {
            if (found is not { Matches: true, ChainIntact: true })
                throw new CommandFailure(
                    $"version {found.Version} is not what the events give: {string.Join("; ", found.Faults)}",
                    CommandFailure.JobSaysNo
                );
        }
    }

    /// <summary>
    /// Medians in milliseconds. By turns, and each as often first: the second finds what they share in the caches.
    /// </summary>
    private static async Task<(double Brief, double Lengthy)> ByTurnsAsync(
        int warmUp,
        int count,
        Func<string, Task<TimeSpan>> measure
    )
    {
        var times = new Dictionary<string, List<double>> { ["short"] = [], ["long"] = [] };
        for (var i = 0; i < warmUp + count; i++)
        {
            foreach (var fleet in i % 2 == 0 ? (string[])["short", "long"] : ["long", "short"])
            {
                var time = await measure(fleet);
                if (i >= warmUp)
                    times[fleet].Add(time.TotalMilliseconds);
            }
        }

        return (Median.Of(times["short"]), Median.Of(times["long"]));
    }

    /// <summary>What a worker does for one fleet.</summary>
    private static async Task SolveAsync(SolveStore solves, string fleet, CancellationToken cancel)
    {
        var loaded = await solves
            .LoadAsync(Tenant, [fleet], TimeProvider.System.GetUtcNow(), new SolveClock(), cancel)
            .ToListAsync(cancel);
        var basis = loaded.Single().Basis!;
        var at = SnapshotDerivation.Instant(TimeProvider.System.GetUtcNow(), basis.SolvedAt);
        basis.Sums.Prune(at);
        var outcome = SolvePolicy.Solve(basis.Inputs(at), basis.Previous(at));
        var written = await solves.CommitAsync(
            [
                new SolveResult
                {
                    Basis = basis,
                    At = at,
                    Sums = basis.SumsToStore(),
                    Outcome = outcome,
                },
            ],
            cancel
        );
        if (written.Count != 1)
            throw new CommandFailure("a re-solve was overtaken, though nobody else solves", CommandFailure.JobSaysNo);
    }

    private static async Task StoreAsync(
        PlatformStore store,
        IEnumerable<WorkloadWindow> windows,
        Random random,
        CancellationToken cancel
    )
    {
        IncomingWindow[] incoming =
        [
            .. windows.Select(window => new IncomingWindow(Tenant, Demo.SendingQueue.MessageId(random), window)),
        ];
        if (
            (await new WorkloadIntake(store).StoreAsync(incoming, cancel)).Any(outcome =>
                outcome != IntakeOutcome.Stored
            )
        )
            throw new CommandFailure("a window of the benchmark was not stored", CommandFailure.JobSaysNo);
    }

    private static IEnumerable<WorkloadWindow> WindowsUntil(
        string fleet,
        int count,
        DateTimeOffset end,
        Random random
    ) => Enumerable.Range(0, count).Select(i => SweepFleets.Window(fleet, 0, end.AddSeconds((i - count) * 10), random));
}
