using System.Diagnostics;
using System.Diagnostics.Metrics;
using MassTransit;
using Npgsql;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Takes workload windows from the broker in batches. A message is acknowledged after the commit that stores it, or
/// after the broker has confirmed its copy in the queue of rejected messages.
/// </summary>
internal sealed class WorkloadWindowConsumer(
    WindowReception reception,
    WorkloadIntake intake,
    EarlySolves early,
    PatientPersistence persistence,
    SettingAside setAside,
    TimeProvider time
) : IConsumer<Batch<DeliveredWindow>>
{
    /// <summary>Name of the meter and of the source of spans.</summary>
    public const string SourceName = "Platform.Workers.Ingestion";

    /// <summary>Name of the counter of windows that were stored and do not count, or not wholly.</summary>
    public const string UncountedName = "platform.ingestion.uncounted";

    /// <summary>
    /// Tries of a message whose storing fails for no known passing reason: the first with its batch, the others alone.
    /// </summary>
    private const int Attempts = 4;

    private const string ReusedMessageId =
        "conflict: the message-id was used before for another window, and nothing of this one was stored; "
        + "give each window a message-id of its own";

    private static readonly ActivitySource Source = new(SourceName);

    private static readonly Meter Meter = new(SourceName);

    private static readonly Counter<long> Windows = Meter.CreateCounter<long>(
        "platform.ingestion.windows",
        "{window}",
        "Windows whose message was taken, by outcome: stored, or a duplicate of one that was."
    );

    private static readonly Histogram<double> StoreDuration = Meter.CreateHistogram(
        "platform.ingestion.store.duration",
        "s",
        "Time to store a batch of windows, waiting for an absent database included.",
        advice: Telemetry.Seconds
    );

    private static readonly Counter<long> UncountedWindows = Meter.CreateCounter<long>(
        UncountedName,
        "{window}",
        "Windows that were stored and do not count for their fleet, or not wholly, by cause."
    );

    /// <summary>Counts a window that was stored and does not count for its fleet.</summary>
    public static void CountUncounted(UncountedCause cause) =>
        UncountedWindows.Add(1, new KeyValuePair<string, object?>("cause", NameOf(cause)));

    public async Task Consume(ConsumeContext<Batch<DeliveredWindow>> context)
    {
        // The messages of a batch are of many traces: links, as OpenTelemetry's conventions for messaging want it.
        using var span = Source.StartActivity(
            $"process {IngressNames.Intake}",
            ActivityKind.Consumer,
            default(ActivityContext),
            Tags(context),
            Links(context.Message)
        );
        var now = time.GetUtcNow();
        var good = new List<(DeliveredWindow Delivered, IncomingWindow Incoming)>();
        var bad = new List<RejectedDelivery>();
        foreach (var message in context.Message)
        {
            if (reception.TryRead(message.Message, now, out var incoming, out var reason))
                good.Add((message.Message, incoming));
            else
                bad.Add(new RejectedDelivery(message.Message, reason));
        }

        await setAside.RejectAsync(context, bad);
        await StoreAsync(context, good);
    }

    private async Task StoreAsync(
        ConsumeContext context,
        List<(DeliveredWindow Delivered, IncomingWindow Incoming)> batch
    )
    {
        if (batch.Count == 0)
            return;
        var bad = new List<RejectedDelivery>();
        var began = time.GetTimestamp();
        var stored = await persistence.TryAsync(
            cancel => intake.StoreAsync([.. batch.Select(window => window.Incoming)], early, time.GetUtcNow(), cancel),
            1,
            context.CancellationToken
        );
        if (stored.Result is { } outcomes)
        {
            StoreDuration.Record(time.GetElapsedTime(began).TotalSeconds);
            for (var i = 0; i < batch.Count; i++)
                Settle(batch[i].Delivered, batch[i].Incoming, outcomes[i], bad);
        }
        else
        {
            await StoreOneByOneAsync(batch, bad, context.CancellationToken);
        }

        await setAside.RejectAsync(context, bad);
    }

    /// <summary>One message among them may be the cause, and must not keep the others out.</summary>
    private async Task StoreOneByOneAsync(
        List<(DeliveredWindow Delivered, IncomingWindow Incoming)> batch,
        List<RejectedDelivery> bad,
        CancellationToken cancel
    )
    {
        foreach (var (delivered, incoming) in batch)
        {
            var (alone, fault) = await persistence.TryAsync(
                stop => intake.StoreAsync([incoming], early, time.GetUtcNow(), stop),
                Attempts - 1,
                cancel
            );
            if (alone is null)
                bad.Add(new RejectedDelivery(delivered, WhyNotStored(fault!)));
            else
                Settle(delivered, incoming, alone[0], bad);
        }
    }

    private static string WhyNotStored(Exception fault) =>
        fault.GetBaseException() is PostgresException refused
            ? $"storage: the database refused the window {Attempts} times (SQLSTATE {refused.SqlState}); the log says more"
            : $"storage: {Attempts} tries to store the window failed through no fault of its own; the log says why";

    private static void Settle(
        DeliveredWindow delivered,
        IncomingWindow incoming,
        IntakeOutcome outcome,
        List<RejectedDelivery> bad
    )
    {
        switch (outcome)
        {
            case IntakeOutcome.UnknownFleet:
                bad.Add(new RejectedDelivery(delivered, $"fleet: the tenant has no fleet \"{incoming.Window.Fleet}\""));
                break;
            case IntakeOutcome.Conflict:
                bad.Add(new RejectedDelivery(delivered, ReusedMessageId));
                break;
            default:
                var name = outcome == IntakeOutcome.Stored ? "stored" : "duplicate";
                Windows.Add(1, new KeyValuePair<string, object?>("outcome", name));
                break;
        }
    }

    private static string NameOf(UncountedCause cause) =>
        cause switch
        {
            UncountedCause.OlderThanHorizon => "older-than-horizon",
            UncountedCause.LongerThanHorizon => "longer-than-horizon",
            _ => "unknown-task-type",
        };

    private static TagList Tags(ConsumeContext<Batch<DeliveredWindow>> context) =>
        new()
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
}
