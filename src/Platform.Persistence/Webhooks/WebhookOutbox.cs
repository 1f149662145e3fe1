using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Domain.Notices;
using Platform.Domain.Tenants;
using Platform.Persistence.Notices;
using Platform.Persistence.Tenants;

namespace Platform.Persistence.Webhooks;

/// <summary>A message that is to be sent.</summary>
/// <param name="Webhook">The webhook's name.</param>
/// <param name="WebhookId">What its secrets are derived from.</param>
/// <param name="Url">Where to.</param>
/// <param name="Generation">Counts its secrets.</param>
/// <param name="PreviousUntil">Until when the secret before counts too, or null.</param>
/// <param name="Failed">Attempts that have failed.</param>
/// <param name="ClaimedUntil">When it is due again, unless it is known by then what came of it.</param>
/// <param name="Notice">What is told.</param>
public sealed record WebhookDelivery(
    string Webhook,
    Guid WebhookId,
    string Url,
    int Generation,
    DateTimeOffset? PreviousUntil,
    int Failed,
    DateTimeOffset ClaimedUntil,
    InForceNotice Notice
);

/// <summary>
/// What webhooks are still to be told, for those who send it. Each message is sent at least once, and may be sent
/// twice. Whoever writes what came of one writes the webhook's row first and its messages after it, as a removal does:
/// so none of them waits for one who waits for it.
/// </summary>
public sealed class WebhookOutbox(PlatformStore store)
{
    // A row that another worker has just taken is passed over; what it has taken is due again when it has died.
    private const string Claim = $"""
        with due as (
            select webhook, fleet_id, change from platform.webhook_deliveries
            where tenant_id = $1 and due_at <= $2 order by due_at, fleet_id, change limit $4 for update skip locked),
        claimed as (
            update platform.webhook_deliveries d set due_at = $3 from due
            where d.tenant_id = $1 and d.webhook = due.webhook and d.fleet_id = due.fleet_id and d.change = due.change
            returning d.webhook, d.fleet_id, d.change, d.failed, d.due_at)
        select {InForceNotices.Columns}, d.webhook, w.webhook_id, w.url, w.generation, w.previous_until, d.failed, d.due_at
        from claimed d
        join platform.webhooks w on w.tenant_id = $1 and w.name = d.webhook
        join platform.in_force_changes c on c.tenant_id = $1 and c.fleet_id = d.fleet_id and c.change = d.change
        left join platform.allocation_snapshots a on a.tenant_id = $1 and a.fleet_id = d.fleet_id and a.version = c.version
        order by d.webhook, d.fleet_id, d.change
        """;

    /// <summary>Tenants that are due to be told something, in each database the longest due first.</summary>
    public async Task<IReadOnlyList<string>> DueAsync(DateTimeOffset now, int most, CancellationToken cancel) =>
        await store.Databases.AskForWorkAsync(
            "select tenant_id from platform.due_webhooks($1, $2)",
            [now, most],
            row => row.GetString(0),
            cancel
        );

    /// <summary>Takes some of a tenant's messages, for a while.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="now">The moment that counts.</param>
    /// <param name="until">When they are due again, unless it is known by then what came of them.</param>
    /// <param name="most">Most messages.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The messages, those of one webhook together, and of these those of one fleet, oldest first.</returns>
    public async Task<IReadOnlyList<WebhookDelivery>> ClaimAsync(
        string tenant,
        DateTimeOffset now,
        DateTimeOffset until,
        int most,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Claim)
            {
                Parameters =
                {
                    new() { Value = tenant },
                    new() { Value = now },
                    new() { Value = until },
                    new() { Value = most },
                },
            }
        );
        var claimed = new List<WebhookDelivery>();
        await using (var reader = await batch.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel))
            {
                var i = InForceNotices.Count;
                claimed.Add(
                    new WebhookDelivery(
                        reader.GetString(i),
                        reader.GetGuid(i + 1),
                        reader.GetString(i + 2),
                        reader.GetInt32(i + 3),
                        reader.IsDBNull(i + 4) ? null : reader.GetFieldValue<DateTimeOffset>(i + 4),
                        reader.GetInt32(i + 5),
                        reader.GetFieldValue<DateTimeOffset>(i + 6),
                        InForceNotices.Read(reader, tenant)
                    )
                );
            }
        }

        await session.CommitAsync(cancel);
        return claimed;
    }

    /// <summary>The message was taken.</summary>
    public async Task DeliveredAsync(WebhookDelivery delivery, DateTimeOffset at, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(delivery.Notice.Tenant, cancel);
        await session
            .Rows.Webhooks.Where(row => row.Name == delivery.Webhook)
            .ExecuteUpdateAsync(
                row =>
                    row.SetProperty(it => it.DeliveredAt, at)
                        .SetProperty(it => it.FailingSince, (DateTimeOffset?)null)
                        .SetProperty(it => it.Fault, (string?)null),
                cancel
            );
        await Of(session, delivery).ExecuteDeleteAsync(cancel);
        await session.CommitAsync(cancel);
    }

    /// <summary>The message was not taken, and is sent again.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="isAway">The receiver is away: whatever else waits for it waits as long.</param>
    /// <param name="fault">Why, in words for the tenant.</param>
    /// <param name="at">The moment.</param>
    /// <param name="dueAt">When.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task FailedAsync(
        WebhookDelivery delivery,
        bool isAway,
        string fault,
        DateTimeOffset at,
        DateTimeOffset dueAt,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(delivery.Notice.Tenant, cancel);
        await FailingAsync(session, delivery.Webhook, fault, at, cancel);
        await Of(session, delivery)
            .ExecuteUpdateAsync(
                row => row.SetProperty(it => it.DueAt, dueAt).SetProperty(it => it.Failed, it => it.Failed + 1),
                cancel
            );
        if (isAway)
        {
            // What was claimed with it, and what is due before; not what waits for longer by itself.
            await session
                .Rows.WebhookDeliveries.Where(row =>
                    row.Webhook == delivery.Webhook && (row.DueAt < dueAt || row.DueAt == delivery.ClaimedUntil)
                )
                .ExecuteUpdateAsync(row => row.SetProperty(it => it.DueAt, dueAt), cancel);
        }

        await session.CommitAsync(cancel);
    }

    /// <summary>
    /// The message was not taken and is not sent again. A webhook that has taken nothing for so long is disabled, and
    /// what it was still to be told is forgotten.
    /// </summary>
    /// <param name="delivery">The message.</param>
    /// <param name="fault">Why, in words for the tenant.</param>
    /// <param name="at">The moment.</param>
    /// <param name="patience">How long a webhook may fail; zero disables it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Whether the webhook is disabled.</returns>
    public async Task<bool> GivenUpAsync(
        WebhookDelivery delivery,
        string fault,
        DateTimeOffset at,
        TimeSpan patience,
        CancellationToken cancel
    )
    {
        await using var session = await TenantRegistry.OpenLockedAsync(store, delivery.Notice.Tenant, cancel);
        await FailingAsync(session, delivery.Webhook, fault, at, cancel);
        await Of(session, delivery).ExecuteDeleteAsync(cancel);
        var latest = at - patience;
        var disabled =
            await session
                .Rows.Webhooks.Where(row =>
                    row.Name == delivery.Webhook
                    && row.WebhookId == delivery.WebhookId
                    && row.DisabledAt == null
                    && row.FailingSince <= latest
                )
                .ExecuteUpdateAsync(row => row.SetProperty(it => it.DisabledAt, at), cancel) > 0;
        if (disabled)
        {
            await session
                .Rows.WebhookDeliveries.Where(row => row.Webhook == delivery.Webhook)
                .ExecuteDeleteAsync(cancel);
            session.Append(
                new WebhookDisabled
                {
                    At = at,
                    Webhook = delivery.Webhook,
                    Reason = fault,
                }
            );
        }

        await session.CommitAsync(cancel);
        return disabled;
    }

    private static IQueryable<WebhookDeliveryRow> Of(TenantSession session, WebhookDelivery delivery) =>
        session.Rows.WebhookDeliveries.Where(row =>
            row.Webhook == delivery.Webhook
            && row.FleetId == delivery.Notice.Fleet
            && row.Change == delivery.Notice.Change
        );

    private static Task<int> FailingAsync(
        TenantSession session,
        string webhook,
        string fault,
        DateTimeOffset at,
        CancellationToken cancel
    ) =>
        session
            .Rows.Webhooks.Where(row => row.Name == webhook)
            .ExecuteUpdateAsync(
                row =>
                    row.SetProperty(it => it.FailingSince, it => it.FailingSince ?? at)
                        .SetProperty(it => it.Fault, fault),
                cancel
            );
}
