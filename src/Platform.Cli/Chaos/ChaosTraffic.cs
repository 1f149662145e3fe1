using Platform.Cli.Benchmarks;
using Platform.Cli.Demo;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Persistence;

namespace Platform.Cli.Chaos;

/// <summary>
/// Publishers that never give up: over the broker, and one message in ten over HTTP. Some messages are sent again
/// although they were acknowledged, as publishers do that did not see it.
/// </summary>
internal sealed class ChaosTraffic(
    DemoPlatform platform,
    IReadOnlyList<string> fleets,
    WorkloadWindow[] windows,
    ChaosJournal intents,
    ChaosJournal acks,
    int seed
)
{
    private const int Fleets = 10;
    private const int OverHttp = 10;
    private const double Repeated = 0.02;

    private readonly Random _random = new(seed);
    private int _sent;

    /// <summary>Registers the fleets that messages are sent for.</summary>
    public static async Task<ChaosTraffic> PrepareAsync(
        DemoPlatform platform,
        ChaosJournal intents,
        ChaosJournal acks,
        int seed,
        CancellationToken cancel
    )
    {
        var workload = DemoWorkload.Create(
            [.. TraceGenerator.Generate(TimeSpan.FromHours(1), seed)],
            "generated trace",
            seed,
            TimeProvider.System.GetUtcNow()
        );
        string[] fleets = [.. Enumerable.Range(0, Fleets).Select(i => $"fleet-{i}")];
        for (var tenant = 0; tenant < platform.Tenants.Count; tenant++)
            foreach (var fleet in fleets)
                await platform.Client(tenant).PutFleetAsync(fleet, workload.Fleets[0].Plan.Definition, cancel);
        return new ChaosTraffic(
            platform,
            fleets,
            [.. LiveFleet.WindowsOf(workload.Fleets[0], workload.Length)],
            intents,
            acks,
            seed
        );
    }

    /// <summary>The fleets that each tenant has.</summary>
    public IReadOnlyList<string> FleetIds => fleets;

    /// <summary>Sends messages; ends when all are acknowledged.</summary>
    /// <param name="segment">The part of the run that they belong to.</param>
    /// <param name="count">How many.</param>
    /// <param name="duration">How long that should take; zero is as fast as it goes.</param>
    /// <param name="acknowledged">Told after each acknowledgement how many there are.</param>
    /// <param name="cancel">Gives up.</param>
    public Task SendAsync(int segment, int count, TimeSpan duration, Action<int> acknowledged, CancellationToken cancel)
    {
        var done = 0;
        return PacedSending.RunAsync(
            count,
            duration,
            async (_, stop) =>
            {
                // In the order of the loop: nothing here is waited for before the first send.
                var (tenant, fleet, window) = (
                    _sent % platform.Tenants.Count,
                    fleets[_sent / platform.Tenants.Count % fleets.Count],
                    windows[_sent % windows.Length]
                );
                var (overHttp, repeats, key) = (
                    _sent++ % OverHttp == 0,
                    _random.NextDouble() < Repeated,
                    SendingQueue.MessageId(_random)
                );
                var message = WindowMessage.Of(window with { Fleet = fleet }, key);
                var id = platform.Tenants[tenant].Id;
                var entry = new JournalEntry(
                    segment,
                    id,
                    overHttp ? EventStore.MessageIdFor(id, fleet, key.ToString()) : key
                );
                intents.Write(entry);
                await SendOneAsync(tenant, message, overHttp, stop);
                acks.Write(entry);
                acknowledged(Interlocked.Increment(ref done));
                if (repeats)
                    await SendOneAsync(tenant, message, overHttp, stop);
            },
            cancel
        );
    }

    private Task SendOneAsync(int tenant, WindowMessage message, bool overHttp, CancellationToken cancel) =>
        overHttp
            ? platform.Client(tenant).SendAsync(message, cancel)
            : platform.Publisher(tenant).PublishAsync(message, cancel);
}
