using System.Diagnostics;
using System.Globalization;
using Platform.Cli.Hosting;

namespace Platform.Cli.Chaos;

/// <summary>The platform whose parts are killed: services that this run may end, an API and two workers.</summary>
internal sealed class ChaosPlatform : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);

    private readonly PlatformSettings _settings;
    private readonly List<PlatformProcess> _workers = [];
    private PlatformProcess _api;
    private int _workersStarted;

    private ChaosPlatform(PlatformSettings settings, PlatformProcess api) => (_settings, _api) = (settings, api);

    /// <summary>Address of the API; it stays the same.</summary>
    public Uri Address => _api.Address;

    private static int FreePort => LoopbackPort.FirstFree(LoopbackPort.First);

    /// <summary>Migrates the database and starts the hosts.</summary>
    /// <exception cref="CommandFailure">The services are somebody's: they are not for us to kill.</exception>
    public static async Task<ChaosPlatform> StartAsync(PlatformSettings settings, CancellationToken cancel)
    {
        if (
            PlatformProcess.Find(settings.Home, "postgres") is null
            || PlatformProcess.Find(settings.Home, "rabbitmq") is null
        )
            throw new CommandFailure(
                "chaos kills PostgreSQL and RabbitMQ: run it without PLATFORM_POSTGRES and PLATFORM_RABBITMQ",
                CommandFailure.BadUsage
            );
        await PlatformHosts.MigrateAsync(settings, cancel);
        var platform = new ChaosPlatform(settings, PlatformHosts.StartApi(settings, FreePort));
        try
        {
            await platform._api.WaitReadyAsync(ReadyDeadline, cancel);
            while (platform._workers.Count < PlatformHosts.Workers)
                await platform.StartWorkerAsync(cancel);
            return platform;
        }
        catch
        {
            await platform.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills a component without warning, lets it be gone for a while, and starts it again.</summary>
    /// <returns>When the one in its place, and every host, is ready.</returns>
    public async Task KillAsync(Victim victim, TimeSpan absence, CancellationToken cancel)
    {
        var process = victim switch
        {
            Victim.Postgres => Service("postgres"),
            Victim.RabbitMq => Service("rabbitmq"),
            Victim.Api => _api,
            _ => _workers[0],
        };
        process.Kill();
        await Task.Delay(absence, cancel);
        switch (victim)
        {
            case Victim.Api:
                _api = PlatformHosts.StartApi(_settings, _api.Address.Port);
                break;
            case Victim.Worker:
                _workers.RemoveAt(0);
                await process.StopAsync(); // Only its record is left to be put away.
                await StartWorkerAsync(cancel);
                break;
            default:
                await StartServicesAsync(cancel);
                break;
        }

        foreach (var host in (PlatformProcess[])[_api, .. _workers])
            await host.WaitReadyAsync(ReadyDeadline, cancel);
    }

    /// <summary>Resident memory of the API and of the larger worker, MiB.</summary>
    public (double Api, double Worker) ReadMemory() => (MemoryOf(_api), _workers.Max(MemoryOf));

    public async ValueTask DisposeAsync() => await Task.WhenAll(_workers.Append(_api).Select(host => host.StopAsync()));

    private async Task StartWorkerAsync(CancellationToken cancel)
    {
        _workers.Add(PlatformHosts.StartWorker(_settings, ++_workersStarted, FreePort));
        await _workers[^1].WaitReadyAsync(ReadyDeadline, cancel);
    }

    private PlatformProcess Service(string name) =>
        PlatformProcess.Find(_settings.Home, name)
        ?? throw new CommandFailure(
            $"{name} has ended by itself; its log is in {_settings.Home}/logs",
            CommandFailure.JobSaysNo
        );

    /// <summary>
    /// Starts what is missing of the services, by the script that started them first, on the ports that they had.
    /// </summary>
    private async Task StartServicesAsync(CancellationToken cancel)
    {
        var start = new ProcessStartInfo(
            Path.Combine(_settings.Root, "platform"),
            ["services", "start", "--home", _settings.Home]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var given in (string[])["PLATFORM_POSTGRES", "PLATFORM_RABBITMQ", "PLATFORM_RABBITMQ_MANAGEMENT"])
            start.Environment.Remove(given);
        using var script = Process.Start(start)!;
        var (output, error) = (
            script.StandardOutput.ReadToEndAsync(cancel),
            script.StandardError.ReadToEndAsync(cancel)
        );
        await script.WaitForExitAsync(cancel);
        await output;
        if (script.ExitCode != 0)
            throw new CommandFailure($"the services do not start again: {await error}", CommandFailure.JobSaysNo);
    }

    private static double MemoryOf(PlatformProcess process)
    {
        const double KibInMib = 1_024;
        try
        {
            var line = File.ReadLines($"/proc/{process.Id}/status")
                .First(it => it.StartsWith("VmRSS:", StringComparison.Ordinal));
            return int.Parse(
                    line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1],
                    CultureInfo.InvariantCulture
                ) / KibInMib;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
