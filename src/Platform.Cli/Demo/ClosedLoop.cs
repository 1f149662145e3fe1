using System.Diagnostics;

namespace Platform.Cli.Demo;

/// <summary>How far the loop is.</summary>
/// <param name="Part">Part of the trace that is served.</param>
/// <param name="Published">Different windows published.</param>
internal readonly record struct LoopProgress(double Part, int Published);

/// <summary>
/// The fleets at work on a simulated clock: gateways ask for the allocation in force, servers serve the trace by it,
/// what they saw is published, the platform solves again, and the gateways find a new allocation. Which version governs
/// which query depends on the pace of the machine; everything else on the seed.
/// </summary>
internal sealed class ClosedLoop
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    /// <summary>How often a gateway asks whether its allocation still holds.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan FirstAllocationDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Messages whose confirm is awaited, at most.</summary>
    private const int InFlight = 256;

    private readonly DemoWorkload _workload;
    private readonly DemoPlatform _platform;
    private readonly HeldAllocation[] _held;
    private readonly SendingQueue _queue;
    private readonly int[] _duplicates;
    private int _published;

    private ClosedLoop(DemoWorkload workload, DemoPlatform platform, int seed, HeldAllocation[] first)
    {
        (_workload, _platform, _held) = (workload, platform, first);
        _queue = new SendingQueue(workload.Length, unchecked(seed + 15_485_863));
        _duplicates = new int[first.Length];
        Fleets = [.. workload.Fleets.Select(fleet => new LiveFleet(fleet, workload.Length))];
    }

    public IReadOnlyList<LiveFleet> Fleets { get; }

    /// <summary>Sendings beyond the first, by fleet.</summary>
    public IReadOnlyList<int> DuplicatesOfFleet => _duplicates;

    /// <summary>Waits until every fleet has the allocation that its prior alone gives.</summary>
    public static async Task<ClosedLoop> StartAsync(
        DemoWorkload workload,
        DemoPlatform platform,
        int seed,
        CancellationToken cancel
    )
    {
        var first = await Task.WhenAll(
            workload.Fleets.Select(fleet =>
                FirstAsync(platform.Client(fleet.Plan.Template.Tenant), fleet.Plan.Template.Id, cancel)
            )
        );
        return new ClosedLoop(workload, platform, seed, first);
    }

    /// <summary>Serves the whole trace and publishes all windows.</summary>
    /// <param name="duration">How long the trace takes by our clock.</param>
    /// <param name="report">Is told now and then how far it is.</param>
    /// <param name="cancel">Stops.</param>
    public async Task RunAsync(TimeSpan duration, Action<LoopProgress> report, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var gateways = Enumerable.Range(0, Fleets.Count).Select(fleet => AskAsync(fleet, stop.Token)).ToArray();
        try
        {
            await ServeAsync(duration, report, gateways, stop.Token);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(gateways).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(
        TimeSpan duration,
        Action<LoopProgress> report,
        Task[] gateways,
        CancellationToken cancel
    )
    {
        var (watch, end, clock) = (
            Stopwatch.StartNew(),
            DemoWorkload.WindowLength * Fleets[0].Workload.WindowsOfServer,
            TimeSpan.Zero
        );
        List<Task> sendings = [];
        using var free = new SemaphoreSlim(InFlight);
        while (clock < end || !_queue.IsEmpty)
        {
            await Task.Delay(Tick, cancel);
            if (sendings.Concat(gateways).FirstOrDefault(task => task.IsFaulted) is { } failed)
                await failed;
            sendings.RemoveAll(task => task.IsCompletedSuccessfully);
            clock = _workload.Length * (watch.Elapsed / duration);
            foreach (var (i, fleet) in Fleets.Index())
            {
                var snapshot = Volatile.Read(ref _held[i]).Snapshot;
                foreach (
                    var window in fleet.AdvanceTo(
                        clock,
                        snapshot.Version,
                        fleet.Workload.Plan.TokensOf(snapshot.Solution.Allocation!)
                    )
                )
                    _queue.Add(i, window, window.WindowEnd - fleet.Workload.StartsAt);
            }

            foreach (var sending in _queue.TakeUntil(clock))
            {
                await free.WaitAsync(cancel);
                sendings.Add(SendAsync(sending, free, cancel));
            }

            report(new LoopProgress(Math.Min(clock / end, 1), _published));
        }

        await Task.WhenAll(sendings);
        report(new LoopProgress(1, _published));
    }

    private async Task SendAsync(Sending sending, SemaphoreSlim free, CancellationToken cancel)
    {
        try
        {
            await _platform
                .Publisher(Fleets[sending.Fleet].Workload.Plan.Template.Tenant)
                .PublishAsync(sending.Message, cancel);
            if (sending.IsRepeat)
                Interlocked.Increment(ref _duplicates[sending.Fleet]);
            else
                Interlocked.Increment(ref _published);
        }
        finally
        {
            free.Release();
        }
    }

    private async Task AskAsync(int fleet, CancellationToken cancel)
    {
        var template = Fleets[fleet].Workload.Plan.Template;
        while (true)
        {
            await Task.Delay(AskEvery, cancel);
            if (await _platform.Client(template.Tenant).AllocationAsync(template.Id, _held[fleet], cancel) is { } held)
                Volatile.Write(ref _held[fleet], held);
        }
    }

    private static async Task<HeldAllocation> FirstAsync(PlatformClient client, string fleet, CancellationToken cancel)
    {
        for (
            var watch = Stopwatch.StartNew();
            watch.Elapsed < FirstAllocationDeadline;
            await Task.Delay(AskEvery, cancel)
        )
            if (await client.AllocationAsync(fleet, null, cancel) is { } held)
                return held;
        var health = (await client.FleetAsync(fleet, cancel)).Health;
        throw new CommandFailure(
            $"{fleet} has no allocation {FirstAllocationDeadline.TotalSeconds:0} s after it was registered ({health.Detail ?? health.Status})",
            CommandFailure.JobSaysNo
        );
    }
}
