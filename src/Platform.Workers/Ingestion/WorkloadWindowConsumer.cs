using System.Diagnostics;
using System.Diagnostics.Metrics;
using MassTransit;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Takes workload windows from the broker in batches. A message is acknowledged after the commit that stores it, or after the broker has
/// confirmed its copy in the queue of rejected messages.
/// </summary>
internal sealed class WorkloadWindowConsumer(
    WindowReception reception, WorkloadIntake intake, EarlySolves early, IntakeCheck check, TimeProvider time, ILogger<WorkloadWindowConsumer> log)
    : IConsumer<Batch<DeliveredWindow>>
{
    /// <summary>Name of the meter and of the source of spans.</summary>
    public const string SourceName = "Platform.Workers.Ingestion";

    /// <summary>Name of the counter of messages that were set aside.</summary>
    public const string RejectionsName = "platform.ingestion.rejected";

    /// <summary>Name of the counter of windows that were stored and do not count, or not wholly.</summary>
    public const string UncountedName = "platform.ingestion.uncounted";

    /// <summary>Tries of a message whose storing fails for no known passing reason: the first with its batch, the others alone.</summary>
    private const int Attempts = 4;

    private const string ReusedMessageId =
        "conflict: the message-id was used before for another window, and nothing of this one was stored; give each window a message-id of its own";

    private static readonly ActivitySource Source = new(SourceName);

    private static readonly Meter Meter = new(SourceName);

    private static readonly Counter<long> Windows = Meter.CreateCounter<long>(
        "platform.ingestion.windows", "{window}", "Windows whose message was taken, by outcome: stored, or a duplicate of one that was.");

    private static readonly Histogram<double> StoreDuration = Meter.CreateHistogram(
        "platform.ingestion.store.duration", "s", "Time to store a batch of windows, waiting for an absent database included.", advice: Telemetry.Seconds);

    private static readonly Counter<long> Rejections = Meter.CreateCounter<long>(
        RejectionsName, "{message}", "Messages set aside, by reason: what stands before the colon in the header of the same name.");

    private static readonly Counter<long> UncountedWindows = Meter.CreateCounter<long>(
        UncountedName, "{window}", "Windows that were stored and do not count for their fleet, or not wholly, by cause.");

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Counts a window that was stored and does not count for its fleet.</summary>
    public static void CountUncounted(UncountedCause cause) => UncountedWindows.Add(1, new KeyValuePair<string, object?>("cause", NameOf(cause)));

    public async Task Consume(ConsumeContext<Batch<DeliveredWindow>> context)
    {
        // The messages of a batch are of many traces: links, as OpenTelemetry's conventions for messaging want it.
        using var span = Source.StartActivity(
            $"process {IngressNames.Intake}", ActivityKind.Consumer, default(ActivityContext), Tags(context), Links(context.Message));
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
        var began = time.GetTimestamp();
        if ((await TryStoreAsync([.. batch.Select(window => window.Incoming)], 1, context.CancellationToken)).Outcomes is { } outcomes)
        {
            StoreDuration.Record(time.GetElapsedTime(began).TotalSeconds);
            for (var i = 0; i < batch.Count; i++)
                await SettleAsync(context, batch[i].Delivered, batch[i].Incoming, outcomes[i]);
            return;
        }

        // One message among them may be the cause, and must not keep the others out.
        foreach (var (delivered, incoming) in batch)
        {
            var (alone, fault) = await TryStoreAsync([incoming], Attempts - 1, context.CancellationToken);
            if (alone is null)
                await RejectAsync(context, delivered, WindowReception.Shortened($"storage: {fault!.Message}"));
            else
                await SettleAsync(context, delivered, incoming, alone[0]);
        }
    }

    private Task SettleAsync(ConsumeContext context, DeliveredWindow delivered, IncomingWindow incoming, IntakeOutcome outcome)
    {
        if (outcome == IntakeOutcome.UnknownFleet)
            return RejectAsync(context, delivered, $"fleet: the tenant has no fleet \"{incoming.Window.Fleet}\"");
        if (outcome == IntakeOutcome.Conflict)
            return RejectAsync(context, delivered, ReusedMessageId);
        Windows.Add(1, new KeyValuePair<string, object?>("outcome", outcome == IntakeOutcome.Stored ? "stored" : "duplicate"));
        return Task.CompletedTask;
    }

    private static string NameOf(UncountedCause cause) => cause switch
    {
        UncountedCause.OlderThanHorizon => "older-than-horizon",
        UncountedCause.LongerThanHorizon => "longer-than-horizon",
        _ => "unknown-task-type",
    };

    private static TagList Tags(ConsumeContext<Batch<DeliveredWindow>> context) => new()
    {
        { "messaging.system", "rabbitmq" },
        { "messaging.operation.type", "process" },
        { "messaging.destination.name", IngressNames.Intake },
        { "messaging.batch.message_count", context.Message.Length },
    };

    private static IEnumerable<ActivityLink> Links(Batch<DeliveredWindow> batch)
    {
        foreach (var message in batch)
        {
            if (ActivityContext.TryParse(message.Message.TraceParent, null, isRemote: true, out var trace))
                yield return new ActivityLink(trace);
        }
    }

    /// <summary>Stores, however long the database is away; gives up only on what repeats without one of the known passing reasons.</summary>
    private async Task<(IReadOnlyList<IntakeOutcome>? Outcomes, Exception? Fault)> TryStoreAsync(
        IReadOnlyList<IncomingWindow> batch, int attempts, CancellationToken cancel)
    {
        var pause = TimeSpan.FromMilliseconds(50);
        for (var attempt = 1; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                var outcomes = await intake.StoreAsync(batch, early, time.GetUtcNow(), cancel);
                check.Succeeded();
                return (outcomes, null);
            }
            catch (Exception fault) when (!cancel.IsCancellationRequested)
            {
                var passing = PlatformStore.IsTransient(fault);
                if (passing)
                    check.Failed(fault.GetBaseException().Message);
                log.LogWarning(fault, "Storing {Count} windows failed; waiting {Pause} before the next try", batch.Count, pause);
                if (!passing && attempt++ == attempts)
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
        Rejections.Add(1, new KeyValuePair<string, object?>("reason", reason.Split(':', 2)[0]));
    }
}
