using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Client;
using Platform.Domain.Contracts;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>What is sent in each measurement.</summary>
/// <param name="Rate">Windows a second of the quiet tenant.</param>
/// <param name="Times">The loud tenant's windows for each of the quiet one's.</param>
/// <param name="Duration">How long.</param>
internal sealed record FairnessLoad(int Rate, int Times, TimeSpan Duration);

/// <summary>
/// How long one tenant's windows take to an allocation, alone and beside a tenant that sends many times as much.
/// </summary>
internal sealed class FairnessBenchmark : IAsyncDisposable
{
    private const int Rounds = 2;
    private const int Quiet = 0;
    private const int Loud = 1;
    private const int QuietFleets = 8;
    private const string AllSolved = "the solves to contain all windows";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly DemoPlatform _platform;
    private readonly NpgsqlDataSource _database;
    private readonly FairnessLoad _load;
    private readonly FleetWorkload _template;
    private readonly WorkloadWindow[] _windows;

    // Windows sent to each fleet so far, all rounds together: the version of its stream when they are stored.
    private readonly ConcurrentDictionary<(int Tenant, int Fleet), int> _sent = new();

    private FairnessBenchmark(PlatformSettings settings, DemoPlatform platform, FairnessLoad load)
    {
        (_platform, _load) = (platform, load);
        _database = NpgsqlDataSource.Create(settings.Postgres);
        var workload = DemoWorkload.Create(
            [.. TraceGenerator.Generate(TimeSpan.FromHours(1), seed: 1)],
            "generated trace",
            seed: 1,
            TimeProvider.System.GetUtcNow()
        );
        _template = workload.Fleets[0];
        _windows = [.. LiveFleet.WindowsOf(_template, workload.Length)];
    }

    private int LoudFleets => 2 * _load.Times;

    /// <summary>Runs it on a platform of its own.</summary>
    public static async Task<FairnessFigures> RunAsync(
        PlatformSettings settings,
        FairnessLoad load,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        await using var hosts = await console
            .Status()
            .StartAsync("starting an API and two workers", _ => DemoHosts.StartAsync(settings, cancel));
        await using var platform = await DemoPlatform.RegisterAsync(
            settings,
            hosts.Address,
            [("quiet", "Quiet"), ("loud", "Loud")],
            cancel
        );
        await using var benchmark = new FairnessBenchmark(settings, platform, load);
        await benchmark.RegisterAsync(Quiet, QuietFleets, cancel);
        await benchmark.RegisterAsync(Loud, benchmark.LoudFleets, cancel);

        console.Say(
            $"a round to warm up: {load.Duration.TotalSeconds:0} s alone and {load.Duration.TotalSeconds:0} s beside the loud tenant"
        );
        await benchmark.RunRoundAsync(cancel);
        var rounds = new List<FairnessRound>();
        for (var round = 1; round <= Rounds; round++)
        {
            console.Say($"round {round} of {Rounds}");
            rounds.Add(await benchmark.RunRoundAsync(cancel));
        }

        return new FairnessFigures
        {
            Rate = load.Rate,
            Times = load.Times,
            QuietFleets = QuietFleets,
            LoudFleets = benchmark.LoudFleets,
            Rounds = rounds,
        };
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private async Task RegisterAsync(int tenant, int fleets, CancellationToken cancel)
    {
        var definition = _template.Plan.Definition;
        definition = definition with { Solving = definition.Solving with { EverySeconds = 1 } };
        for (var fleet = 0; fleet < fleets; fleet++)
            await _platform.Client(tenant).PutFleetAsync(NameOf(fleet), definition, cancel);
    }

    private async Task<FairnessRound> RunRoundAsync(CancellationToken cancel)
    {
        var alone = await MeasureAsync(cancel);
        var loud = SendAsync(Loud, LoudFleets, _load.Rate * _load.Times, (_, _) => { }, cancel);
        var beside = await MeasureAsync(cancel);
        await loud;
        await UntilAllSolvedAsync(Loud, LoudFleets, cancel);
        return new FairnessRound(alone, beside);
    }

    /// <summary>Sends the quiet tenant's windows, and watches its fleets until their solves contain them all.</summary>
    private async Task<FairnessLatency> MeasureAsync(CancellationToken cancel)
    {
        var (sentAt, seconds) = (new ConcurrentDictionary<(int Fleet, long Version), long>(), new List<double>());
        var sending = SendAsync(
            Quiet,
            QuietFleets,
            _load.Rate,
            (fleet, version) => sentAt[(fleet, version)] = Stopwatch.GetTimestamp(),
            cancel
        );
        for (; !sending.IsCompleted; await Task.Delay(LookEvery, cancel))
            await LookAsync();
        await sending;
        await Waiting.UntilAsync(LookAsync, AllSolved, cancel);
        return FairnessLatency.Of(seconds);

        async Task<bool> LookAsync()
        {
            var solved = await SolvedAsync(Quiet, cancel);
            foreach (var ((fleet, version), at) in sentAt)
                if (version <= solved[fleet] && sentAt.TryRemove((fleet, version), out _))
                    seconds.Add(Stopwatch.GetElapsedTime(at).TotalSeconds);
            return sentAt.IsEmpty;
        }
    }

    private Task SendAsync(int tenant, int fleets, int rate, Action<int, long> sent, CancellationToken cancel) =>
        PacedSending.RunAsync(
            (int)(rate * _load.Duration.TotalSeconds),
            _load.Duration,
            (i, stop) =>
            {
                var fleet = i % fleets;
                var message = WindowMessage.Of(
                    _windows[i % _windows.Length] with
                    {
                        Fleet = NameOf(fleet),
                    },
                    Guid.NewGuid()
                );
                sent(fleet, _sent.AddOrUpdate((tenant, fleet), 1, (_, before) => before + 1));
                return _platform.Publisher(tenant).PublishAsync(message, stop);
            },
            cancel
        );

    private async Task UntilAllSolvedAsync(int tenant, int fleets, CancellationToken cancel)
    {
        await Waiting.UntilAsync(
            async () =>
                await SolvedAsync(tenant, cancel) is var solved
                && Enumerable.Range(0, fleets).All(fleet => solved[fleet] >= _sent.GetValueOrDefault((tenant, fleet))),
            AllSolved,
            cancel
        );
    }

    /// <summary>
    /// For each fleet the version of its workload stream that its last solve has read. One cheap query: asking the API
    /// would be a load.
    /// </summary>
    private async Task<Dictionary<int, long>> SolvedAsync(int tenant, CancellationToken cancel)
    {
        await using var command = _database.CreateCommand(
            "select fleet_id, solved_workload_version from platform.fleets where tenant_id = $1"
        );
        command.Parameters.AddWithValue(_platform.Tenants[tenant].Id);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var solved = new Dictionary<int, long>();
        while (await reader.ReadAsync(cancel))
            solved[NumberOf(reader.GetString(0))] = reader.GetInt64(1);
        return solved;
    }

    private static string NameOf(int fleet) => $"fleet-{fleet:000}";

    private static int NumberOf(string fleet) =>
        int.Parse(fleet.AsSpan(fleet.IndexOf('-', StringComparison.Ordinal) + 1), CultureInfo.InvariantCulture);
}
