using MassTransit;
using Platform.Domain.Contracts;
using Platform.Domain.Notices;
using Platform.Persistence;
using Platform.Persistence.Notices;
using Platform.Workers.Ingestion;

namespace Platform.Workers.Notices;

/// <summary>
/// Tells each change of what is in force at the broker, within moments, by whichever worker comes first. It is
/// remembered as told after the broker has confirmed it: a message may come twice, and none is lost.
/// </summary>
internal sealed class Announcing(NoticeOutbox outbox, IBus bus, TimeProvider time, ILogger<Announcing> log)
    : BackgroundService
{
    private const int FleetsAtATime = 500;

    private static readonly Uri Exchange = new($"exchange:{IngressNames.Allocations}?type=topic");
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the broker may take over one batch; a bus that has lost it waits without an end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            if (await TryAnnounceAsync(stoppingToken) == 0)
                await Task.Delay(Pause, time, stoppingToken);
        }
    }

    private async Task<int> TryAnnounceAsync(CancellationToken cancel)
    {
        try
        {
            var told = 0;
            foreach (
                var tenant in (await outbox.WaitingAsync(FleetsAtATime, cancel)).GroupBy(
                    it => it.Tenant,
                    it => it.Fleet
                )
            )
                told += await AnnounceAsync(tenant.Key, [.. tenant], cancel);
            return told;
        }
        catch (Exception fault) when (!cancel.IsCancellationRequested)
        {
            // Whatever it is: intake and solving go on, and this is tried again.
            log.LogWarning("Changes of what is in force wait to be told: {Reason}", fault.GetBaseException().Message);
            return 0;
        }
    }

    private async Task<int> AnnounceAsync(string tenant, IReadOnlyList<string> fleets, CancellationToken cancel)
    {
        using var waiting = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(waiting.Token, cancel);
        var endpoint = await bus.GetSendEndpoint(Exchange);
        try
        {
            return await outbox.AnnounceAsync(
                tenant,
                fleets,
                (notice, stop) => SendAsync(endpoint, notice, stop),
                either.Token
            );
        }
        catch (Exception fault) when (PlatformStore.IsNotTheDatabasesState(fault))
        {
            // The other tenants' notices do not wait for this one's.
            log.LogError(fault, "What is in force for {Tenant} cannot be told", tenant);
            return 0;
        }
    }

    private static Task SendAsync(ISendEndpoint endpoint, AllocationNotice notice, CancellationToken cancel) =>
        endpoint
            .Send(
                notice,
                send =>
                {
                    send.Serializer = new UnchangedBody(notice.ToBytes(), AllocationNotice.ContentType);
                    send.SetRoutingKey($"{notice.Data.Tenant}.{notice.Data.Fleet}");
                },
                // Given up from outside: while the broker is away, a send waits for it.
                cancel
            )
            .WaitAsync(cancel);
}

/// <summary>Connects a worker to those who listen.</summary>
internal static class NoticeSetup
{
    public static void AddNotices(this IServiceCollection services)
    {
        services.AddSingleton(provider => new NoticeOutbox(provider.GetRequiredService<PlatformStore>()));
        services.AddHostedService<Announcing>();
    }
}
