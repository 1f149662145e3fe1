using System.Diagnostics;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Cli.Verification;
using Spectre.Console;

namespace Platform.Cli.Chaos;

/// <summary>What a run is asked for.</summary>
/// <param name="Messages">Messages to publish.</param>
/// <param name="Kills">Components to kill.</param>
/// <param name="Seed">Seed of what is killed, and when.</param>
internal sealed record ChaosRequest(int Messages, int Kills, int Seed);

/// <summary>
/// Publishes under an intent journal and an ack journal while components are killed, one in each segment of the
/// messages, and holds what is stored in the end against the journals.
/// </summary>
internal sealed class ChaosRun
{
    private static readonly TimeSpan LongestAbsence = TimeSpan.FromSeconds(3);

    private readonly PlatformSettings _settings;
    private readonly ChaosRequest _request;
    private readonly IAnsiConsole _console;
    private readonly Random _random;
    private readonly Victim[] _victims;
    private readonly List<(double Api, double Worker)> _memory = [];

    private ChaosRun(PlatformSettings settings, ChaosRequest request, IAnsiConsole console)
    {
        (_settings, _request, _console, _random) = (settings, request, console, new Random(request.Seed));
        _victims = [.. VictimsOf(request.Kills, _random)];
    }

    /// <summary>Runs it on a platform of its own.</summary>
    public static Task<ChaosFigures> RunAsync(
        PlatformSettings settings,
        ChaosRequest request,
        IAnsiConsole console,
        CancellationToken cancel
    ) => new ChaosRun(settings, request, console).RunAsync(cancel);

    /// <summary>Every component as often as the others, in a random order each time.</summary>
    internal static IEnumerable<Victim> VictimsOf(int kills, Random random)
    {
        for (var left = kills; left > 0; left -= Enum.GetValues<Victim>().Length)
        {
            var victims = Enum.GetValues<Victim>();
            random.Shuffle(victims);
            foreach (var victim in victims.Take(left))
                yield return victim;
        }
    }

    private async Task<ChaosFigures> RunAsync(CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        using ChaosJournal intents = new(Path.Combine(_settings.Home, "intents")),
            acks = new(Path.Combine(_settings.Home, "acks"));
        await using var hosts = await _console
            .Status()
            .StartAsync("starting an API and two workers", _ => ChaosPlatform.StartAsync(_settings, cancel));
        await using var platform = await DemoPlatform.RegisterAsync(
            _settings,
            hosts.Address,
            [("first", "First"), ("second", "Second")],
            cancel
        );
        await using var messages = new StoredMessages(_settings);
        var traffic = await ChaosTraffic.PrepareAsync(platform, intents, acks, _request.Seed, cancel);

        for (var segment = 0; segment < _victims.Length; segment++)
            await RunSegmentAsync(segment, traffic, hosts, cancel);
        _console.Say($"{acks.Count} of {intents.Count} messages acknowledged; waiting until all are stored");
        await messages.UntilAsync(acks.Count, cancel);

        var outcomes = ChaosFigures.Judge(_victims, intents.Close(), acks.Close(), await messages.ReadAsync(cancel));
        await using var store = _settings.OpenStore();
        var verified = await VerifyCommand.VerifyAsync(store, null, null, null, cancel);
        return new ChaosFigures
        {
            Outcomes = outcomes,
            SetAside = await messages.SetAsideAsync(platform, cancel),
            Versions = verified.Versions,
            VersionsWithFaults = verified.Findings.Count,
            Seconds = watch.Elapsed.TotalSeconds,
            Memory = MemoryOf(_memory),
        };
    }

    /// <summary>Sends a part of the messages; in the midst of it a component dies.</summary>
    private async Task RunSegmentAsync(int segment, ChaosTraffic traffic, ChaosPlatform hosts, CancellationToken cancel)
    {
        var count =
            (_request.Messages * (segment + 1L) / _victims.Length)
            - (_request.Messages * (long)segment / _victims.Length);
        var (killAfter, absence) = (
            1 + (int)(count * _random.NextDouble() * 0.9),
            LongestAbsence * _random.NextDouble()
        );
        _console.Say(
            $"{segment + 1} of {_victims.Length}: {count} messages; kill -9 of {_victims[segment]} after {killAfter}, gone for {absence.TotalSeconds:0.0} s"
        );
        var underWay = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var sending = traffic.SendAsync(
            segment,
            (int)count,
            TimeSpan.Zero,
            done => _ = done >= killAfter && underWay.TrySetResult(),
            stop.Token
        );
        var killing = KillAsync();
        if (await Task.WhenAny(sending, killing) is { IsCompletedSuccessfully: false })
            await stop.CancelAsync();
        await Task.WhenAll(sending, killing);
        _memory.Add(hosts.ReadMemory());

        async Task KillAsync()
        {
            await underWay.Task.WaitAsync(stop.Token);
            await hosts.KillAsync(_victims[segment], absence, stop.Token);
        }
    }

    private static ChaosMemory MemoryOf(List<(double Api, double Worker)> seen)
    {
        var half = (seen.Count + 1) / 2;
        var (first, last) = (seen[..half], seen.Count > half ? seen[half..] : seen);
        return new ChaosMemory(
            first.Max(it => it.Api),
            last.Max(it => it.Api),
            first.Max(it => it.Worker),
            last.Max(it => it.Worker)
        );
    }
}
