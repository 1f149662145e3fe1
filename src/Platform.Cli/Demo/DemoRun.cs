using System.Diagnostics;
using Platform.Cli.Hosting;
using Platform.Cli.Traces;
using Platform.Persistence.Ingestion;
using Spectre.Console;

namespace Platform.Cli.Demo;

/// <summary>What the demo is asked for.</summary>
/// <param name="TraceFile">File of the request trace, or null for a generated one.</param>
/// <param name="Trace">What was read from it, or null for a generated one.</param>
/// <param name="Publishing">About how long to publish.</param>
/// <param name="Seed">Seed of everything random but ids.</param>
/// <param name="Keep">Leave the platform running.</param>
/// <param name="KillWorker">Kill a worker in the middle of publishing.</param>
internal sealed record DemoRequest(
    string? TraceFile,
    RequestTrace? Trace,
    TimeSpan Publishing,
    int Seed,
    bool Keep,
    bool KillWorker
);

/// <summary>The main job from a trace to allocations, on a platform of its own.</summary>
internal sealed class DemoRun(DemoRequest request, PlatformSettings settings, IAnsiConsole console)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);

    /// <summary>Without a window stored or solved for so long, the platform is stuck.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Stopwatch _watch = new();
    private TimeSpan _publishing;

    /// <summary>Runs the demo and judges it.</summary>
    public async Task<DemoReport> RunAsync(CancellationToken cancel)
    {
        var trace =
            request.Trace?.Requests ?? [.. TraceGenerator.Generate(GeneratedLength(request.Publishing), request.Seed)];
        if (request.KillWorker && settings.GivenApi is not null)
            throw new CommandFailure(
                "--kill-worker is for workers of this run's own: run it without PLATFORM_API",
                CommandFailure.BadUsage
            );
        await using var hosts = await console
            .Status()
            .StartAsync(
                settings.GivenApi is { } api ? $"on the platform at {api}" : "starting an API and two workers",
                _ => DemoHosts.StartOrJoinAsync(settings, cancel)
            );
        // The trace is taken to have ended now. Its hour is served in seconds: windows come late, but none from the
        // future, which is refused.
        var workload = DemoWorkload.Create(
            trace,
            TraceName,
            request.Seed,
            WholeSecond(TimeProvider.System.GetUtcNow())
        );
        await using var platform = await DemoPlatform.RegisterAsync(
            settings,
            hosts.Address,
            DemoCatalog.Tenants,
            cancel
        );
        foreach (var fleet in workload.Fleets)
            await platform
                .Client(fleet.Plan.Template.Tenant)
                .PutFleetAsync(fleet.Plan.Template.Id, fleet.Plan.Definition, cancel);
        console.Say(
            $"{TraceName}: {workload.Requests} requests over {workload.Length.TotalSeconds:0} s, "
                + $"for {workload.Fleets.Count} simulated fleets of {platform.Tenants.Count} tenants, to be seen through {workload.Windows} windows"
        );

        if (request.Trace?.Note is { } note)
            console.Say($"{TraceName} ({request.Trace.Format}): {note}");

        await using var store = settings.OpenStore();
        var watcher = new FleetWatcher(workload, platform, new WorkloadIntake(store));
        var loop = await ClosedLoop.StartAsync(workload, platform, request.Seed, cancel);
        console.Say(
            $"every fleet serves by the allocation solved from its prior; the clock runs {workload.Length / request.Publishing:0} times as fast as ours, "
                + $"and {Exploration.Part:0%} of the queries get half or twice the tokens, so that there is something to learn from"
        );
        await PublishAsync(hosts, loop, watcher, cancel);
        console.Say(
            watcher.IsSettled
                ? $"served and published in {_publishing.TotalSeconds:0.0} s; all stored and solved {_watch.Elapsed.TotalSeconds:0.0} s after the start"
                : $"nothing has moved for {Patience.TotalSeconds:0} s; {watcher.Stored} of {watcher.Windows} windows are stored, {watcher.Solved} solved"
        );
        var report = await ReportAsync(hosts, platform, loop, watcher, cancel);
        if (request.Keep && report.Succeeded)
            hosts.Keep();
        return report;
    }

    private string TraceName => request.TraceFile ?? "generated trace";

    /// <summary>An hour at the default pace; less where less time is given to publish it.</summary>
    private static TimeSpan GeneratedLength(TimeSpan publishing) =>
        TimeSpan.FromSeconds(Math.Clamp(180 * publishing.TotalSeconds, 600, 3_600));

    private Task PublishAsync(DemoHosts hosts, ClosedLoop loop, FleetWatcher watcher, CancellationToken cancel) =>
        console
            .Progress()
            .Columns(Columns())
            .StartAsync(async context =>
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                var published = context.AddTask("windows published", maxValue: watcher.Windows);
                var stored = context.AddTask("windows stored", maxValue: watcher.Windows);
                var solved = context.AddTask("windows in allocations", maxValue: watcher.Windows);
                _watch.Start();
                var publishing = ServeAsync(hosts, loop, published, stop.Token);
                var watching = WatchAsync(watcher, publishing, stored, solved, stop.Token);
                if (await Task.WhenAny(publishing, watching) is { IsCompletedSuccessfully: false })
                    await stop.CancelAsync();
                await Task.WhenAll(publishing, watching);
            });

    private static ProgressColumn[] Columns() =>
        [
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn(),
            new PercentageColumn(),
            new ElapsedTimeColumn(),
        ];

    private async Task ServeAsync(DemoHosts hosts, ClosedLoop loop, ProgressTask published, CancellationToken cancel)
    {
        var killing = Task.CompletedTask;
        await loop.RunAsync(
            request.Publishing,
            progress =>
            {
                published.Value = progress.Published;
                if (request.KillWorker && killing == Task.CompletedTask && progress.Part >= 0.5)
                    killing = hosts.KillWorkerAsync(cancel);
            },
            cancel
        );
        _publishing = _watch.Elapsed;
        await killing;
    }

    private async Task WatchAsync(
        FleetWatcher watcher,
        Task publishing,
        ProgressTask stored,
        ProgressTask solved,
        CancellationToken cancel
    )
    {
        var quiet = Stopwatch.StartNew();
        while (!watcher.IsSettled && quiet.Elapsed < Patience)
        {
            await Task.Delay(LookEvery, cancel);
            if (await watcher.LookAsync(cancel) || !publishing.IsCompleted)
                quiet.Restart();
            (stored.Value, solved.Value) = (watcher.Stored, watcher.Solved);
        }

        _watch.Stop();
    }

    private async Task<DemoReport> ReportAsync(
        DemoHosts hosts,
        DemoPlatform platform,
        ClosedLoop loop,
        FleetWatcher watcher,
        CancellationToken cancel
    )
    {
        var fleets = await watcher.ReportAsync(
            loop.Fleets,
            loop.DuplicatesOfFleet,
            request.TraceFile is null ? TraceGenerator.MeanRate : null,
            cancel
        );
        string[] faults =
        [
            .. fleets
                .Where(fleet => fleet.Fault is not null)
                .Select(fleet => $"{fleet.Tenant}/{fleet.Fleet}: {fleet.Fault}"),
        ];
        return new DemoReport
        {
            Succeeded = faults.Length == 0,
            Faults = faults,
            Trace = TraceName,
            Requests = watcher.Workload.Requests,
            TraceSeconds = watcher.Workload.Length.TotalSeconds,
            Seed = request.Seed,
            PublishingSeconds = _publishing.TotalSeconds,
            SettledSeconds = _watch.Elapsed.TotalSeconds,
            Windows = new WindowCounts(
                watcher.Windows,
                loop.DuplicatesOfFleet.Sum(),
                fleets.Sum(fleet => fleet.Windows.Stored)
            ),
            Fleets = fleets,
            Address = hosts.Address,
            Kept =
                request.Keep && faults.Length == 0
                    ? new TenantKey(platform.Tenants[0].Id, platform.Tenants[0].ApiKey)
                    : null,
        };
    }

    private static DateTimeOffset WholeSecond(DateTimeOffset instant) =>
        instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerSecond));
}
