using System.Diagnostics;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Spectre.Console;

namespace Platform.Cli.Chaos;

/// <summary>
/// A rolling restart, as for a new version: two APIs and two workers are told to stop, one after the other, each
/// started again and ready before the next is stopped, while messages are published and allocations read.
/// </summary>
internal static class RestartRun
{
    private const int Readers = 4;

    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// What is sent without a break while a process is away; the next part begins when this one is through.
    /// </summary>
    private static readonly TimeSpan Part = TimeSpan.FromSeconds(1);

    public static async Task<RestartFigures> RunAsync(
        PlatformSettings settings,
        int rate,
        int rounds,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        using ChaosJournal intents = new(Path.Combine(settings.Home, "intents")),
            acks = new(Path.Combine(settings.Home, "acks"));
        await using var hosts = await console
            .Status()
            .StartAsync("starting two APIs and two workers", _ => HostsUnderRestart.StartAsync(settings, cancel));
        await using var platform = await DemoPlatform.RegisterAsync(
            settings,
            hosts.Apis[0],
            [("first", "First"), ("second", "Second")],
            cancel
        );
        await using var messages = new StoredMessages(settings);
        var traffic = await ChaosTraffic.PrepareAsync(platform, intents, acks, seed: 1, cancel);
        using var readers = new AllocationReaders(hosts.Apis, platform.Tenants[0].ApiKey, traffic.FleetIds);
        while (!await readers.AreReadyAsync(cancel))
            await Task.Delay(LookEvery, cancel);

        var restarts = await UnderLoadAsync(
            stop => Task.WhenAll(SendAsync(traffic, rate, stop), readers.RunAsync(Readers, stop)),
            () => RestartAsync(hosts, rounds, console, cancel),
            cancel
        );
        await messages.UntilAsync(acks.Count, cancel);
        return new RestartFigures
        {
            Restarts = restarts,
            Messages = ChaosOutcome.Sum(
                ChaosFigures.Judge([Victim.Worker], intents.Close(), acks.Close(), await messages.ReadAsync(cancel))
            ),
            SetAside = await messages.SetAsideAsync(platform, cancel),
            Reads = readers.Outcome,
        };
    }

    /// <summary>Does something while a load runs, which ends when that is done, or ends it by failing.</summary>
    private static async Task<T> UnderLoadAsync<T>(
        Func<CancellationToken, Task> load,
        Func<Task<T>> act,
        CancellationToken cancel
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var (running, acting) = (load(stop.Token), act());
        await Task.WhenAny(running, acting);
        await stop.CancelAsync();
        await running;
        return await acting;
    }

    private static async Task SendAsync(ChaosTraffic traffic, int rate, CancellationToken stop)
    {
        // A part is sent to its end: what is under way when the run ends would be neither acknowledged nor lost.
        while (!stop.IsCancellationRequested)
            await traffic.SendAsync(0, (int)(rate * Part.TotalSeconds), Part, _ => { }, CancellationToken.None);
    }

    private static async Task<IReadOnlyList<Restart>> RestartAsync(
        HostsUnderRestart hosts,
        int rounds,
        IAnsiConsole console,
        CancellationToken cancel
    )
    {
        var restarts = new List<Restart>();
        for (var round = 1; round <= rounds; round++)
        {
            for (var host = 0; host < hosts.Count; host++)
            {
                restarts.Add(await hosts.RestartAsync(host, cancel));
                console.Say(
                    $"round {round} of {rounds}: {restarts[^1].Process} stopped in {restarts[^1].StopSeconds:0.0} s, ready again in {restarts[^1].StartSeconds:0.0} s"
                );
            }
        }

        return restarts;
    }

    /// <summary>Two APIs and two workers.</summary>
    private sealed class HostsUnderRestart : IAsyncDisposable
    {
        private readonly List<(PlatformProcess Process, Func<PlatformProcess> Start)> _hosts = [];

        public int Count => _hosts.Count;

        public Uri[] Apis => [.. _hosts.Take(2).Select(it => it.Process.Address)];

        public static async Task<HostsUnderRestart> StartAsync(PlatformSettings settings, CancellationToken cancel)
        {
            await PlatformHosts.MigrateAsync(settings, cancel);
            var hosts = new HostsUnderRestart();
            try
            {
                foreach (var name in (string[])[PlatformHosts.Api, $"{PlatformHosts.Api}-2"])
                    await hosts.AddAsync(port => PlatformHosts.StartApi(settings, port, name), cancel);
                for (var worker = 1; worker <= PlatformHosts.Workers; worker++)
                {
                    var number = worker;
                    await hosts.AddAsync(port => PlatformHosts.StartWorker(settings, number, port), cancel);
                }

                return hosts;
            }
            catch
            {
                await hosts.DisposeAsync();
                throw;
            }
        }

        public async Task<Restart> RestartAsync(int host, CancellationToken cancel)
        {
            var (process, start) = _hosts[host];
            var watch = Stopwatch.StartNew();
            var byItself = await process.StopAsync();
            var stopSeconds = watch.Elapsed.TotalSeconds;
            watch.Restart();
            _hosts[host] = (start(), start);
            await _hosts[host].Process.WaitReadyAsync(ReadyDeadline, cancel);
            return new Restart(process.Name, stopSeconds, byItself, watch.Elapsed.TotalSeconds);
        }

        public async ValueTask DisposeAsync() => await Task.WhenAll(_hosts.Select(it => it.Process.StopAsync()));

        private async Task AddAsync(Func<int, PlatformProcess> start, CancellationToken cancel)
        {
            var port = LoopbackPort.FirstFree(LoopbackPort.First);
            _hosts.Add((start(port), () => start(port)));
            await _hosts[^1].Process.WaitReadyAsync(ReadyDeadline, cancel);
        }
    }
}
