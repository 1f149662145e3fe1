using System.Diagnostics;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using RabbitMQ.Client;
using Spectre.Console;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// How fast windows become events and allocations, beside what the broker and the event store can do by themselves. All in one run and
/// by turns, because on a shared machine only the ratios mean something.
/// </summary>
internal sealed class PipelineBenchmark : IAsyncDisposable
{
    private const int Rounds = 3;

    /// <summary>Windows of a round that is not counted: the first run of a program is slow.</summary>
    private const int WarmUp = 500;

    /// <summary>Fleets made of each fleet of the demo.</summary>
    private const int Copies = 4;

    /// <summary>Windows in a transaction: as many as a worker takes.</summary>
    private const int BatchLimit = 200;

    private const int Probes = 24;
    private const string ProbeFleet = "probe";
    private const int ADay = 86_400;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly PlatformSettings _settings;
    private readonly DemoPlatform _platform;
    private readonly PlatformStore _store;
    private readonly WorkloadIntake _intake;
    private readonly DemoWorkload _workload;
    private readonly Random _random = new(1);

    private PipelineBenchmark(PlatformSettings settings, DemoPlatform platform, DemoWorkload workload)
    {
        (_settings, _platform, _workload) = (settings, platform, workload);
        _store = new PlatformStore(settings.PostgresApplication);
        _intake = new WorkloadIntake(_store);
    }

    /// <summary>Runs it on a platform of its own.</summary>
    public static async Task<PipelineFigures> RunAsync(PlatformSettings settings, int windows, IAnsiConsole console, CancellationToken cancel)
    {
        var perRound = windows / Rounds;
        await using var hosts = await console.Status().StartAsync(
            "starting an API and two workers", _ => DemoHosts.StartAsync(settings, cancel));
        await using var platform = await DemoPlatform.RegisterAsync(settings, hosts.Address, DemoCatalog.Tenants, cancel);
        await using var benchmark = new PipelineBenchmark(settings, platform, WorkloadOf(Math.Max(perRound, WarmUp)));
        await benchmark.RegisterAsync(cancel);

        console.WriteLine($"{Probes} probes of an idle platform");
        var freshness = await benchmark.ProbeAsync(cancel);
        await benchmark.RunRoundAsync(WarmUp, cancel);
        var rounds = new List<RoundFigures>();
        for (var round = 1; round <= Rounds; round++)
        {
            console.WriteLine($"round {round} of {Rounds}: {perRound} windows by each road");
            rounds.Add(await benchmark.RunRoundAsync(perRound, cancel));
        }

        return PipelineFigures.Of(perRound, DemoCatalog.Fleets.Length * Copies, PlatformHosts.Workers, rounds, freshness);
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    private static DemoWorkload WorkloadOf(int windows)
    {
        var servers = DemoCatalog.Fleets.Sum(fleet => fleet.Servers);
        var length = DemoWorkload.WindowLength * ((windows / servers) + 60);
        return DemoWorkload.Create([.. TraceGenerator.Generate(length, seed: 1)], "generated trace", seed: 1, TimeProvider.System.GetUtcNow());
    }

    /// <summary>The fleets of each road, which are solved once and then left alone, and the one that is solved every second.</summary>
    private async Task RegisterAsync(CancellationToken cancel)
    {
        var fleets = new List<(int Tenant, string Fleet)>();
        foreach (var plan in _workload.Fleets.Select(fleet => fleet.Plan))
            foreach (var road in Enum.GetValues<Road>())
                for (var copy = 0; copy < Copies; copy++)
                {
                    fleets.Add((plan.Template.Tenant, NameOf(plan.Template.Id, road, copy)));
                    await _platform.Client(plan.Template.Tenant).PutFleetAsync(fleets[^1].Fleet, Every(plan.Definition, ADay), cancel);
                }

        await _platform.Client(0).PutFleetAsync(ProbeFleet, Every(_workload.Fleets[0].Plan.Definition, 1), cancel);
        foreach (var (tenant, fleet) in fleets)
            await UntilAsync(async () => (await _platform.Client(tenant).FleetAsync(fleet, cancel)).LatestVersion > 0, $"the first solve of {fleet}", cancel);
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
            await UntilAsync(
                async () => (await _platform.Client(0).FleetAsync(ProbeFleet, cancel)).Freshness.SolvedWorkloadVersion > seconds.Count, "a probe's solve", cancel);
            seconds.Add(watch.Elapsed.TotalSeconds);
        }

        return FreshnessFigures.Of(seconds);
    }

    private async Task<RoundFigures> RunRoundAsync(int windows, CancellationToken cancel) => new(
        windows / (await PipelineAsync(Deal(Road.Pipeline, windows), cancel)).TotalSeconds,
        windows / (await RabbitMqAsync(Deal(Road.Pipeline, windows), cancel)).TotalSeconds,
        windows / (await MartenAsync(Deal(Road.Direct, windows), cancel)).TotalSeconds);

    private async Task<TimeSpan> PipelineAsync(IReadOnlyList<DealtWindow> windows, CancellationToken cancel)
    {
        var messages = windows.Select(it => MessageOf(it.Window)).ToArray();
        var due = new List<(string Tenant, string Fleet, long Count)>();
        foreach (var (key, count) in windows.CountBy(it => (Tenant: _platform.Tenants[it.Tenant].Id, it.Window.Fleet)))
            due.Add((key.Tenant, key.Fleet, count + (await _intake.StoredWindowsAsync(key.Tenant, key.Fleet, cancel)).Events));

        var watch = Stopwatch.StartNew();
        await PacedSending.RunAsync(
            messages.Length, TimeSpan.Zero, (i, stop) => _platform.Publisher(windows[i].Tenant).PublishAsync(messages[i], stop), cancel);
        // One after the other: counting costs the database time that it should have for the windows.
        foreach (var (tenant, fleet, count) in due)
            await UntilAsync(
                async () => (await _intake.StoredWindowsAsync(tenant, fleet, cancel)).Events >= count, $"all windows of {fleet} to be stored", cancel);
        return watch.Elapsed;
    }

    private async Task<TimeSpan> RabbitMqAsync(IReadOnlyList<DealtWindow> windows, CancellationToken cancel)
    {
        var bodies = windows.Select(it => DemoWorkload.Write(it.Window)).ToArray();
        var factory = new ConnectionFactory { Uri = new Uri(_settings.RabbitMq), VirtualHost = _platform.Tenants[0].Broker.VirtualHost };
        await using var connection = await factory.CreateConnectionAsync(cancel);
        await using var channel = await connection.CreateChannelAsync(WindowPublisher.Confirmed, cancel);
        var queue = $"benchmark-{Guid.NewGuid():n}";
        await channel.QueueDeclareAsync(
            queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: cancel);
        try
        {
            var properties = new BasicProperties { ContentType = "application/json", DeliveryMode = DeliveryModes.Persistent };
            var watch = Stopwatch.StartNew();
            await PacedSending.RunAsync(
                bodies.Length, TimeSpan.Zero, (i, stop) => channel.BasicPublishAsync("", queue, mandatory: true, properties, bodies[i], stop).AsTask(), cancel);
            return watch.Elapsed;
        }
        finally
        {
            await channel.QueueDeleteAsync(queue, cancellationToken: CancellationToken.None);
        }
    }

    private async Task<TimeSpan> MartenAsync(IReadOnlyList<DealtWindow> windows, CancellationToken cancel)
    {
        var incoming = windows.Select(it => new IncomingWindow(_platform.Tenants[it.Tenant].Id, SendingQueue.MessageId(_random), it.Window));
        var batches = incoming.Chunk(BatchLimit).ToArray();
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(
            batches,
            new ParallelOptions { MaxDegreeOfParallelism = PlatformHosts.Workers, CancellationToken = cancel },
            async (batch, stop) =>
            {
                if ((await _intake.StoreAsync(batch, stop)).Any(outcome => outcome != IntakeOutcome.Stored))
                    throw new CommandFailure("a window of the benchmark was not stored", CommandFailure.JobSaysNo);
            });
        return watch.Elapsed;
    }

    /// <summary>The first windows of the workload, in order of time, dealt to the fleets of a road.</summary>
    private List<DealtWindow> Deal(Road road, int windows) =>
    [
        .. _workload.Fleets
            .SelectMany(fleet => LiveFleet.WindowsOf(fleet, _workload.Length).Select((window, i) =>
                new DealtWindow(fleet.Plan.Template.Tenant, window with { Fleet = NameOf(window.Fleet, road, i % Copies) })))
            .OrderBy(it => it.Window.WindowStart).Take(windows),
    ];

    private WindowMessage MessageOf(WorkloadWindow window) => new(window.Fleet, SendingQueue.MessageId(_random), DemoWorkload.Write(window));

    private static FleetDefinition Every(FleetDefinition definition, int seconds) =>
        definition with { Solving = definition.Solving with { EverySeconds = seconds } };

    private static string NameOf(string fleet, Road road, int copy) => $"{fleet}-{(road == Road.Pipeline ? "road" : "direct")}-{copy}";

    private static async Task UntilAsync(Func<Task<bool>> isSo, string what, CancellationToken cancel)
    {
        for (var watch = Stopwatch.StartNew(); !await isSo(); await Task.Delay(LookEvery, cancel))
            if (watch.Elapsed > Deadline)
                throw new CommandFailure($"waited {Deadline.TotalSeconds:0} s in vain for {what}", CommandFailure.JobSaysNo);
    }

    /// <summary>A window for one of the benchmark's fleets.</summary>
    private sealed record DealtWindow(int Tenant, WorkloadWindow Window);

    private enum Road
    {
        Pipeline,
        Direct,
    }
}
