using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using Platform.Cli.Hosting;
using Platform.Persistence;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// How many due fleets a second real worker processes re-solve, and where the time goes: from the moment at which all
/// fleets become due until all are solved, with what Hangfire keeps of each sweep's own figures.
/// </summary>
internal sealed class SweepBenchmark : IAsyncDisposable
{
    private const int Rounds = 3;

    /// <summary>
    /// Rounds that do not count after a worker has started, for each that there is then: for so long the program of the
    /// new one is still being compiled, with ever more care.
    /// </summary>
    private const int RoundsBefore = 2;
    private const int WindowsPerFleet = 3;

    private readonly PlatformStore _store;
    private readonly NpgsqlDataSource _database;
    private readonly SweepFleets _fleets;
    private readonly int _count;
    private readonly IAnsiConsole _console;
    private int _round;

    private SweepBenchmark(PlatformSettings settings, int fleets, int tenants, IAnsiConsole console)
    {
        _store = settings.OpenStore();
        _database = NpgsqlDataSource.Create(settings.Postgres);
        _fleets = new SweepFleets(_store, _database, tenants, fleets);
        (_count, _console) = (fleets, console);
    }

    /// <summary>Runs it on services of its own.</summary>
    public static async Task<SweepReport> RunAsync(
        PlatformSettings settings,
        int fleets,
        int tenants,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        await PlatformHosts.MigrateAsync(settings, cancel);
        await using var benchmark = new SweepBenchmark(settings, fleets, tenants, console);
        await benchmark.RegisterAsync(cancel);
        await using var workers = new SweepWorkers(settings);
        List<SweepRound> rounds = [];
        while (workers.Ids.Count < PlatformHosts.Workers)
        {
            await workers.StartAnotherAsync(cancel);
            for (var round = 0; round < RoundsBefore * workers.Ids.Count; round++)
                await benchmark.RunRoundAsync(workers.Ids, revised: true, cancel);

            for (var round = 0; round < Rounds; round++)
            {
                rounds.Add(await benchmark.RunRoundAsync(workers.Ids, revised: false, cancel));
                rounds.Add(await benchmark.RunRoundAsync(workers.Ids, revised: true, cancel));
            }
        }

        return new SweepReport
        {
            Fleets = fleets,
            Tenants = tenants,
            WindowsPerFleet = WindowsPerFleet,
            Deriving = [DerivingShares.Measure(revised: false), DerivingShares.Measure(revised: true)],
            Rounds = rounds,
            Floor = await SweepFloor.MeasureAsync(benchmark._database, cancel),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task RegisterAsync(CancellationToken cancel)
    {
        _console.Say($"registering {_count} fleets of {SweepFleets.TaskTypes} task types");
        var progress = new Progress<int>(done =>
        {
            if (done % Math.Max(1, _count / 5) == 0)
                _console.Say($"  {done} of {_count}");
        });
        await _fleets.RegisterAsync(progress, cancel);
    }

    /// <summary>
    /// One round: new windows, then all fleets become due at once. Revised fleets get a new version, whatever the gain.
    /// </summary>
    private async Task<SweepRound> RunRoundAsync(IReadOnlyList<int> workers, bool revised, CancellationToken cancel)
    {
        await _fleets.StoreWindowsAsync(WindowsPerFleet, _round++, cancel);
        // What the writing has left to do would otherwise be counted.
        await ExecuteAsync(
            "vacuum analyze platform.fleets, platform.workload_sums, platform.allocation_snapshots, events.mt_streams",
            cancel
        );
        await ExecuteAsync("checkpoint", cancel);
        var ended = await EndedSweepsAsync(cancel);
        var (watch, before) = await MakeDueAsync(workers, revised, cancel);
        await Waiting.UntilAsync(
            () =>
                ScalarAsync<bool>(
                    $"select not exists (select from platform.fleets where {_fleets.Own} and due_at <= now())",
                    cancel
                ),
            "the sweep to end",
            cancel
        );
        var (seconds, used) = (
            watch.Elapsed.TotalSeconds,
            await ProcessorTime.ReadAsync(workers, _database, cancel) - before
        );
        var round = new SweepRound(workers.Count, revised, seconds, used, await FiguresAsync(ended, cancel));
        _console.Say(round.ToLine(_count));
        return round;
    }

    /// <summary>
    /// Fleets become due by the clock, which costs nothing: what it costs to make them due here is over when the time
    /// begins to count.
    /// </summary>
    private async Task<(Stopwatch Watch, ProcessorTime Before)> MakeDueAsync(
        IReadOnlyList<int> workers,
        bool revised,
        CancellationToken cancel
    )
    {
        await using var connection = await _database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var update = new NpgsqlCommand(
            $"update platform.fleets set due_at = now(){(revised ? ", revision = revision + 1" : "")} where {_fleets.Own}",
            connection,
            transaction
        )
        {
            CommandTimeout = 0,
        };
        await update.ExecuteNonQueryAsync(cancel);
        var before = await ProcessorTime.ReadAsync(workers, _database, cancel);
        var watch = Stopwatch.StartNew();
        await transaction.CommitAsync(cancel);
        return (watch, before);
    }

    /// <summary>
    /// Sums up what the sweeps of the round have said of themselves; the last of them ends a little after its last
    /// fleet.
    /// </summary>
    private Task<SweepWork> FiguresAsync(long after, CancellationToken cancel) =>
        Waiting.ForAsync(
            async () =>
            {
                var work = new SweepWork();
                await using var command = _database.CreateCommand(
                    $"select data ->> 'Result' from hangfire.state where name = 'Succeeded' and id > {after}"
                );
                await using var reader = await command.ExecuteReaderAsync(cancel);
                while (await reader.ReadAsync(cancel))
                    work += JsonSerializer.Deserialize<SweepWork>(reader.GetString(0))!;
                return work.Fleets >= _count ? work : null;
            },
            "the sweeps to say what they did",
            cancel
        );

    private Task<long> EndedSweepsAsync(CancellationToken cancel) =>
        ScalarAsync<long>("select coalesce(max(id), 0) from hangfire.state", cancel);

    private async Task ExecuteAsync(string sql, CancellationToken cancel)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private async Task<T> ScalarAsync<T>(string sql, CancellationToken cancel)
    {
        await using var command = _database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>
    /// The worker processes, which end with the benchmark. The API is there because it prepares the broker for them.
    /// </summary>
    private sealed class SweepWorkers(PlatformSettings settings) : IAsyncDisposable
    {
        private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);
        private readonly List<PlatformProcess> _running = [];

        public IReadOnlyList<int> Ids => [.. _running.Where(it => it.Name != PlatformHosts.Api).Select(it => it.Id)];

        public async Task StartAnotherAsync(CancellationToken cancel)
        {
            var first = LoopbackPort.First;
            if (_running.Count == 0)
                await AddAsync(PlatformHosts.StartApi(settings, LoopbackPort.FirstFree(first)), cancel);
            await AddAsync(PlatformHosts.StartWorker(settings, _running.Count, LoopbackPort.FirstFree(first)), cancel);
        }

        public async ValueTask DisposeAsync() => await Task.WhenAll(_running.Select(it => it.StopAsync()));

        private Task AddAsync(PlatformProcess process, CancellationToken cancel)
        {
            _running.Add(process);
            return process.WaitReadyAsync(ReadyDeadline, cancel);
        }
    }
}
