using Platform.Cli.Hosting;

namespace Platform.Cli.Demo;

/// <summary>
/// The processes of one run: an API and two workers, ended with it unless they are kept; none where the platform runs
/// already.
/// </summary>
internal sealed class DemoHosts : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);

    private readonly PlatformSettings _settings;
    private readonly List<PlatformProcess> _running;
    private int _started = PlatformHosts.Workers;
    private bool _kept;

    private DemoHosts(PlatformSettings settings, IEnumerable<PlatformProcess> running) =>
        (_settings, _running) = (settings, [.. running]);

    /// <summary>Address of the API.</summary>
    public Uri Address => _settings.GivenApi ?? _running.Single(host => host.Name == PlatformHosts.Api).Address;

    /// <summary>The worker processes that run.</summary>
    public IReadOnlyList<PlatformProcess> Workers => [.. _running.Where(host => host.Name != PlatformHosts.Api)];

    /// <summary>Migrates the database, starts the hosts and waits until they are ready.</summary>
    public static async Task<DemoHosts> StartAsync(PlatformSettings settings, CancellationToken cancel)
    {
        await PlatformHosts.MigrateAsync(settings, cancel);
        return new DemoHosts(settings, await PlatformHosts.StartMissingAsync(settings, LoopbackPort.First, cancel));
    }

    /// <summary>The same, or nothing where the settings name a platform that runs already.</summary>
    public static Task<DemoHosts> StartOrJoinAsync(PlatformSettings settings, CancellationToken cancel) =>
        settings.GivenApi is null ? StartAsync(settings, cancel) : Task.FromResult(new DemoHosts(settings, []));

    /// <summary>Kills a worker without warning, and starts another in its place.</summary>
    public async Task KillWorkerAsync(CancellationToken cancel)
    {
        var victim = _running.First(host => host.Name == PlatformHosts.Worker(1));
        victim.Kill();
        // Only its record is left to be put away: status would call the platform unwell.
        await victim.StopAsync();
        _running.Remove(victim);
        await StartWorkerAsync(cancel);
    }

    /// <summary>Starts one more worker.</summary>
    public async Task StartWorkerAsync(CancellationToken cancel)
    {
        var worker = PlatformHosts.StartWorker(_settings, ++_started, LoopbackPort.FirstFree(LoopbackPort.First));
        _running.Add(worker);
        await worker.WaitReadyAsync(ReadyDeadline, cancel);
    }

    /// <summary>Ends one of the workers in good order.</summary>
    public async Task StopWorkerAsync()
    {
        var worker = Workers[^1];
        await worker.StopAsync();
        _running.Remove(worker);
    }

    /// <summary>Leaves the processes running, with the records by which they are found.</summary>
    public void Keep() => _kept = true;

    public async ValueTask DisposeAsync()
    {
        if (!_kept)
            await Task.WhenAll(_running.Select(host => host.StopAsync()));
    }
}
