using System.Diagnostics.Metrics;
using MassTransit;
using Platform.Domain.Contracts;
using Platform.Persistence.Ingestion;

namespace Platform.Workers.Ingestion;

/// <summary>A message that cannot be taken.</summary>
/// <param name="Delivered">The message.</param>
/// <param name="Reason">Why.</param>
internal sealed record RejectedDelivery(DeliveredWindow Delivered, string Reason);

/// <summary>
/// Sets messages aside: first in the list that their tenant sees, then in the queue of rejected messages. Killed
/// between the two, the message comes again and finds its row.
/// </summary>
internal sealed class SettingAside(
    WindowReception reception,
    Rejections rejections,
    PatientPersistence persistence,
    TimeProvider time,
    ILogger<SettingAside> log
)
{
    /// <summary>Name of the counter of messages that were set aside.</summary>
    public const string RejectionsName = "platform.ingestion.rejected";

    /// <summary>Tries to write down a message for its tenant that fail for no known passing reason.</summary>
    private const int Attempts = 3;

    private static readonly Meter Meter = new(WorkloadWindowConsumer.SourceName);

    private static readonly Counter<long> Rejected = Meter.CreateCounter<long>(
        RejectionsName,
        "{message}",
        "Messages set aside, by reason: what stands before the colon in the header of the same name."
    );

    /// <summary>Sets messages aside; ends when the broker has confirmed that it keeps them.</summary>
    public async Task RejectAsync(ConsumeContext context, IReadOnlyList<RejectedDelivery> messages)
    {
        if (messages.Count == 0)
            return;
        var at = InMicroseconds(time.GetUtcNow());
        await RecordAsync(
            [.. messages.Select(message => RejectionFor(message, at)).OfType<NewRejection>()],
            context.CancellationToken
        );
        var queue = await context.GetSendEndpoint(new Uri($"exchange:{IngressNames.Rejected}"));
        foreach (var message in messages)
            await SendAsync(queue, message, at, context.CancellationToken);
    }

    // What a message's tenant decides about is found by this instant: it must survive the database.
    private static DateTimeOffset InMicroseconds(DateTimeOffset instant) =>
        instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerMicrosecond));

    private NewRejection? RejectionFor(RejectedDelivery message, DateTimeOffset at)
    {
        var delivered = message.Delivered;
        if (reception.Tenant(delivered) is not { } tenant)
            return null;
        var id = RejectedMessageId.For(
            delivered.Body,
            tenant,
            delivered.MessageId,
            delivered.ContentType,
            delivered.RoutingKey
        );
        return new NewRejection(
            tenant,
            id,
            at,
            FleetIn(delivered.RoutingKey),
            delivered.MessageId,
            message.Reason,
            delivered.Body
        );
    }

    private static string? FleetIn(string routingKey)
    {
        var dot = routingKey.IndexOf('.', StringComparison.Ordinal);
        return dot >= 0 && Identifiers.IsFleet(routingKey.AsSpan(dot + 1)) ? routingKey[(dot + 1)..] : null;
    }

    /// <summary>
    /// Writes messages down for their tenants. One that the database refuses for good keeps the others from nothing.
    /// </summary>
    private async Task RecordAsync(IReadOnlyList<NewRejection> rows, CancellationToken cancel)
    {
        if (rows.Count == 0 || await TryRecordAsync(rows, cancel) is null)
            return;
        foreach (var row in rows)
        {
            if (await TryRecordAsync([row], cancel) is { } fault)
                log.LogError(
                    fault,
                    "A message of {Tenant} is set aside, and the tenant's own list cannot name it",
                    row.Tenant
                );
        }
    }

    private async Task<Exception?> TryRecordAsync(IReadOnlyList<NewRejection> rows, CancellationToken cancel)
    {
        var recorded = await persistence.TryAsync(
            async stop =>
            {
                await rejections.RecordAsync(rows, stop);
                return rows;
            },
            Attempts,
            cancel
        );
        return recorded.Fault;
    }

    private async Task SendAsync(
        ISendEndpoint queue,
        RejectedDelivery message,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        var (delivered, reason) = message;
        log.LogInformation("Rejected a message of {User}: {Reason}", delivered.UserId, reason);
        await queue.Send(
            delivered,
            send =>
            {
                send.Serializer = new UnchangedBody(delivered.Body);
                if (Guid.TryParse(delivered.MessageId, out var messageId))
                    send.MessageId = messageId;
                send.Headers.Set(RejectedHeaders.Reason, reason);
                send.Headers.Set(RejectedHeaders.RejectedAt, at.ToString("O"));
                send.Headers.Set(RejectedHeaders.Tenant, reception.Tenant(delivered) ?? "");
                send.Headers.Set(RejectedHeaders.UserId, delivered.UserId ?? "");
                send.Headers.Set(RejectedHeaders.MessageId, delivered.MessageId ?? "");
                send.Headers.Set(RejectedHeaders.ContentType, delivered.ContentType ?? "");
                send.Headers.Set(RejectedHeaders.RoutingKey, delivered.RoutingKey);
            },
            cancel
        );
        Rejected.Add(1, new KeyValuePair<string, object?>("reason", reason.Split(':', 2)[0]));
    }
}
