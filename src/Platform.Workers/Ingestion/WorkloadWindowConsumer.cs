using MassTransit;
using Platform.Domain.Contracts;
using Platform.Persistence;
using Platform.Persistence.Ingestion;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Takes workload windows from the broker in batches. A message is acknowledged after the commit that stores it, or after the broker has
/// confirmed its copy in the queue of rejected messages.
/// </summary>
internal sealed class WorkloadWindowConsumer(
    WindowReception reception, WorkloadIntake intake, TimeProvider time, ILogger<WorkloadWindowConsumer> log) : IConsumer<Batch<DeliveredWindow>>
{
    /// <summary>Tries of a batch that fails for no known passing reason, before its bad message is looked for.</summary>
    private const int Attempts = 3;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    public async Task Consume(ConsumeContext<Batch<DeliveredWindow>> context)
    {
        var now = time.GetUtcNow();
        var good = new List<(DeliveredWindow Delivered, IncomingWindow Incoming)>();
        foreach (var message in context.Message)
        {
            if (reception.TryRead(message.Message, now, out var incoming, out var reason))
                good.Add((message.Message, incoming));
            else
                await RejectAsync(context, message.Message, reason);
        }

        await StoreAsync(context, good);
    }

    private async Task StoreAsync(ConsumeContext context, List<(DeliveredWindow Delivered, IncomingWindow Incoming)> batch)
    {
        if (batch.Count == 0)
            return;
        var (outcomes, fault) = await TryStoreAsync([.. batch.Select(window => window.Incoming)], context.CancellationToken);
        if (outcomes is null && batch.Count > 1)
        {
            // One message among them is the cause: halve until it is alone.
            var half = batch.Count / 2;
            await StoreAsync(context, batch[..half]);
            await StoreAsync(context, batch[half..]);
            return;
        }

        for (var i = 0; i < batch.Count; i++)
        {
            if (outcomes is null)
                await RejectAsync(context, batch[i].Delivered, WindowReception.Shortened($"storage: {fault!.Message}"));
            else if (outcomes[i] == IntakeOutcome.UnknownFleet)
                await RejectAsync(context, batch[i].Delivered, $"fleet: the tenant has no fleet \"{batch[i].Incoming.Window.Fleet}\"");
        }
    }

    /// <summary>Stores, however long the database is away; gives up only on what repeats without one of the known passing reasons.</summary>
    private async Task<(IReadOnlyList<IntakeOutcome>? Outcomes, Exception? Fault)> TryStoreAsync(
        IReadOnlyList<IncomingWindow> batch, CancellationToken cancel)
    {
        var pause = TimeSpan.FromMilliseconds(50);
        for (var attempt = 1; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return (await intake.StoreAsync(batch, cancel), null);
            }
            catch (Exception fault) when (!cancel.IsCancellationRequested)
            {
                var passing = PlatformStore.IsTransient(fault);
                log.LogWarning(fault, "Storing {Count} windows failed; waiting {Pause} before the next try", batch.Count, pause);
                if (!passing && attempt++ == Attempts)
                    return (null, fault);
            }

            await Task.Delay(pause, time, cancel);
        }
    }

    private async Task RejectAsync(ConsumeContext context, DeliveredWindow delivered, string reason)
    {
        log.LogInformation("Rejected a message of {User}: {Reason}", delivered.UserId, reason);
        var rejected = await context.GetSendEndpoint(new Uri($"exchange:{IngressNames.Rejected}"));
        await rejected.Send(delivered, send =>
        {
            send.Serializer = new UnchangedBody(delivered.Body);
            if (Guid.TryParse(delivered.MessageId, out var messageId))
                send.MessageId = messageId;
            send.Headers.Set(RejectedHeaders.Reason, reason);
            send.Headers.Set(RejectedHeaders.RejectedAt, time.GetUtcNow().ToString("O"));
            send.Headers.Set(RejectedHeaders.Tenant, reception.Tenant(delivered) ?? "");
            send.Headers.Set(RejectedHeaders.UserId, delivered.UserId ?? "");
            send.Headers.Set(RejectedHeaders.MessageId, delivered.MessageId ?? "");
            send.Headers.Set(RejectedHeaders.ContentType, delivered.ContentType ?? "");
            send.Headers.Set(RejectedHeaders.RoutingKey, delivered.RoutingKey);
        }, context.CancellationToken);
    }
}
