using System.Diagnostics;
using Npgsql;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// How fast windows become events and allocations, beside what the broker and the event store can do by themselves. All
/// in one run and by turns, because on a shared machine only the ratios mean something.
/// </summary>
internal sealed class IngestBenchmark : IAsyncDisposable
{
    /// <summary>Rounds for each number of workers.</summary>
    private const int Rounds = 3;

    /// <summary>Windows of a round that is not counted: the first run of a program is slow.</summary>
    private const int WarmUp = 5_000;

    /// <summary>Fleets made of each fleet of the demo.</summary>
    private const int Copies = 4;

    private const int Probes = 24;
    private const string ProbeFleet = "probe";
    private const int ADay = 86_400;

    private readonly DemoHosts _hosts;
    private readonly DemoPlatform _platform;
    private readonly PlatformStore _store;
    private readonly NpgsqlDataSource _owner;
    private readonly WorkloadIntake _intake;
    private readonly IngestLimits _limits;
    private readonly DemoWorkload _workload;
    private readonly int _broker;
    private readonly Random _random = new(1);

    private IngestBenchmark(
        PlatformSettings settings,
        DemoHosts hosts,
        DemoPlatform platform,
        DemoWorkload workload,
        int broker
    )
    {
        (_hosts, _platform, _workload, _broker) = (hosts, platform, workload, broker);
        _store = settings.OpenStore();
        _owner = NpgsqlDataSource.Create(settings.Postgres);
        _intake = new WorkloadIntake(_store);
        _limits = new IngestLimits(settings, _intake, _owner, _random);
    }

    /// <summary>Runs it on a platform of its own.</summary>
    public static async Task<IngestFigures> RunAsync(
        PlatformSettings settings,
        int windows,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        var perRound = windows / (Rounds * PlatformHosts.Workers);
        await using var hosts = await console
            .Status()
            .StartAsync("starting an API and two workers", _ => DemoHosts.StartAsync(settings, cancel));
        await using var platform = await DemoPlatform.RegisterAsync(
            settings,
            hosts.Address,
            DemoCatalog.Tenants,
            cancel
        );
        await using var benchmark = new IngestBenchmark(
            settings,
            hosts,
            platform,
            WorkloadOf(Math.Max(perRound, WarmUp)),
            await ProcessorTime.BrokerAsync(settings, cancel)
        );
        await benchmark.RegisterAsync(cancel);

        console.WriteLine($"{Probes} probes of an idle platform");
        var freshness = await benchmark.ProbeAsync(cancel);
        var rounds = new List<IngestRound>();
        await hosts.StopWorkerAsync();
        for (var workers = 1; workers <= PlatformHosts.Workers; workers++)
        {
            if (hosts.Workers.Count < workers)
                await hosts.StartWorkerAsync(cancel);
            await benchmark.RunRoundAsync(WarmUp, cancel);
            for (var round = 1; round <= Rounds; round++)
            {
                console.WriteLine(
                    $"{hosts.Workers.Count} worker(s), round {round} of {Rounds}: {perRound} windows by each road"
                );
                rounds.Add(await benchmark.RunRoundAsync(perRound, cancel));
            }
        }

        return new IngestFigures
        {
            WindowsPerRound = perRound,
            Fleets = DemoCatalog.Fleets.Length * Copies,
            Freshness = freshness,
            Rounds = rounds,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _owner.DisposeAsync();
    }

    private static DemoWorkload WorkloadOf(int windows)
    {
        var servers = DemoCatalog.Fleets.Sum(fleet => fleet.Servers);
        var length = DemoWorkload.WindowLength * ((windows / servers) + 60);
        return DemoWorkload.Create(
            [.. TraceGenerator.Generate(length, seed: 1)],
            "generated trace",
            seed: 1,
            TimeProvider.System.GetUtcNow()
        );
    }

    /// <summary>
    /// The fleets of each road, which are solved once and then left alone, and the one that is solved every second.
    /// </summary>
    private async Task RegisterAsync(CancellationToken cancel)
    {
        var fleets = new List<(int Tenant, string Fleet)>();
        foreach (var plan in _workload.Fleets.Select(fleet => fleet.Plan))
        foreach (var road in (Road[])[Road.Whole, Road.Direct])
            for (var copy = 0; copy < Copies; copy++)
            {
                fleets.Add((plan.Template.Tenant, NameOf(plan.Template.Id, road, copy)));
                await _platform
                    .Client(plan.Template.Tenant)
                    .PutFleetAsync(fleets[^1].Fleet, Every(plan.Definition, ADay), cancel);
            }

        await _platform.Client(0).PutFleetAsync(ProbeFleet, Every(_workload.Fleets[0].Plan.Definition, 1), cancel);
        foreach (var (tenant, fleet) in fleets)
            await Waiting.UntilAsync(
                async () => (await _platform.Client(tenant).FleetAsync(fleet, cancel)).LatestVersion > 0,
                $"the first solve of {fleet}",
                cancel
            );
    }

    private async Task<FreshnessFigures> ProbeAsync(CancellationToken cancel)
    {
        var seconds = new List<double>();
        foreach (var window in LiveFleet.WindowsOf(_workload.Fleets[0], _workload.Length).Take(Probes))
        {
            // At any moment of the solving period: otherwise each probe would come right after a solve.
            await Task.Delay(TimeSpan.FromSeconds(_random.NextDouble()), cancel);
            var watch = Stopwatch.StartNew();
            await _platform.Publisher(0).PublishAsync(MessageOf(window with { Fleet = ProbeFleet }), cancel);
            await Waiting.UntilAsync(
                async () =>
                    (await _platform.Client(0).FleetAsync(ProbeFleet, cancel)).Freshness.SolvedWorkloadVersion
                    > seconds.Count,
                "a probe's solve",
                cancel
            );
            seconds.Add(watch.Elapsed.TotalSeconds);
        }

        return FreshnessFigures.Of(seconds);
    }

    private async Task<IngestRound> RunRoundAsync(int windows, CancellationToken cancel)
    {
        var (whole, cost) = await WholeAsync(Deal(Road.Whole, windows), cancel);
        var rabbitMq = await _limits.RabbitMqAsync(
            Deal(Road.Whole, windows),
            _platform.Tenants[0].Broker.VirtualHost,
            cancel
        );
        var intake = await _limits.IntakeAsync(Deal(Road.Direct, windows), _hosts.Workers.Count, cancel);
        var copy = await _limits.CopyAsync(Deal(Road.Direct, windows), _hosts.Workers.Count, cancel);
        return new IngestRound(
            _hosts.Workers.Count,
            windows / whole.TotalSeconds,
            windows / rabbitMq.TotalSeconds,
            windows / intake.TotalSeconds,
            windows / copy.TotalSeconds,
            cost
        );
    }

    private async Task<(TimeSpan Took, IngestCost Cost)> WholeAsync(List<DealtWindow> windows, CancellationToken cancel)
    {
        var messages = windows.Select(it => MessageOf(it.Window)).ToArray();
        Guid[] streams = [.. windows.Select(it => EventStore.WorkloadStream(it.Tenant, it.Window.Fleet)).Distinct()];
        var due = await CountAsync(streams, cancel) + windows.Count;

        var before = await ReadClocksAsync(cancel);
        var watch = Stopwatch.StartNew();
        await PacedSending.RunAsync(
            messages.Length,
            TimeSpan.Zero,
            (i, stop) => _platform.PublisherOf(windows[i].Tenant).PublishAsync(messages[i], stop),
            cancel
        );
        await Waiting.UntilAsync(
            async () => await CountAsync(streams, cancel) >= due,
            "all windows to be stored",
            cancel
        );
        var took = watch.Elapsed;
        var after = await ReadClocksAsync(cancel);
        return (took, CostOf(before, after, windows.Count));
    }

    // The streams' versions: counting events would take the time that the database should have for the windows.
    private async Task<long> CountAsync(Guid[] streams, CancellationToken cancel)
    {
        await using var command = _owner.CreateCommand(
            "select coalesce(sum(version), 0)::bigint from events.mt_streams where id = any($1)"
        );
        command.Parameters.AddWithValue(streams);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    private async Task<(double Publisher, double Broker, ProcessorTime Platform)> ReadClocksAsync(
        CancellationToken cancel
    ) =>
        (
            Environment.CpuUsage.TotalTime.TotalSeconds,
            ProcessorTime.OfProcess(_broker),
            await ProcessorTime.ReadAsync(_hosts.Workers.Select(it => it.Id), _owner, cancel)
        );

    private static IngestCost CostOf(
        (double Publisher, double Broker, ProcessorTime Platform) before,
        (double Publisher, double Broker, ProcessorTime Platform) after,
        int windows
    )
    {
        var platform = after.Platform - before.Platform;
        return new IngestCost(
            Micros(after.Publisher - before.Publisher),
            Micros(after.Broker - before.Broker),
            Micros(platform.Workers),
            Micros(platform.Postgres)
        );

        double Micros(double seconds) => seconds / windows * 1e6;
    }

    /// <summary>The first windows of the workload, in order of time, dealt to the fleets of a road.</summary>
    private List<DealtWindow> Deal(Road road, int windows) =>
        [
            .. _workload
                .Fleets.SelectMany(fleet =>
                    LiveFleet
                        .WindowsOf(fleet, _workload.Length)
                        .Select(
                            (window, i) =>
                                new DealtWindow(
                                    _platform.Tenants[fleet.Plan.Template.Tenant].Id,
                                    window with
                                    {
                                        Fleet = NameOf(window.Fleet, road, i % Copies),
                                    }
                                )
                        )
                )
                .OrderBy(it => it.Window.WindowStart)
                .Take(windows),
        ];

    private WindowMessage MessageOf(WorkloadWindow window) => WindowMessage.Of(window, SendingQueue.MessageId(_random));

    private static FleetDefinition Every(FleetDefinition definition, int seconds) =>
        definition with
        {
            Solving = definition.Solving with { EverySeconds = seconds },
        };

    private static string NameOf(string fleet, Road road, int copy) =>
        $"{fleet}-{(road == Road.Whole ? "road" : "direct")}-{copy}";

    private enum Road
    {
        Whole,
        Direct,
    }
}
