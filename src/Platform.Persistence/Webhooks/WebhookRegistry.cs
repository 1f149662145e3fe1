using Microsoft.EntityFrameworkCore;
using Platform.Domain;
using Platform.Domain.Tenants;
using Platform.Persistence.Tenants;

namespace Platform.Persistence.Webhooks;

/// <summary>A webhook as its tenant sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Url">Where it is told.</param>
/// <param name="Fleets">The fleets that it is told of; null for all.</param>
/// <param name="RegisteredAt">Since when it is there.</param>
/// <param name="Waiting">Changes that it is still to be told.</param>
/// <param name="DeliveredAt">When one was last taken, or null.</param>
/// <param name="FailingSince">Since when nothing was taken, or null.</param>
/// <param name="Fault">Why the last attempt failed, or null.</param>
/// <param name="DisabledAt">Since when nothing is sent any more, or null.</param>
public sealed record WebhookSummary(
    string Name,
    string Url,
    IReadOnlyList<string>? Fleets,
    DateTimeOffset RegisteredAt,
    int Waiting,
    DateTimeOffset? DeliveredAt,
    DateTimeOffset? FailingSince,
    string? Fault,
    DateTimeOffset? DisabledAt
);

/// <summary>What its secret is derived from.</summary>
/// <param name="Id">The webhook's number.</param>
/// <param name="Generation">Counts its secrets, from 1.</param>
/// <param name="IsNew">The webhook was not there before.</param>
public sealed record WebhookSeed(Guid Id, int Generation, bool IsNew);

/// <summary>What a command about a webhook came to.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Seed">What the secret is derived from; null when refused.</param>
public sealed record WebhookOutcome(Decision<TenantEvent> Decision, WebhookSeed? Seed);

/// <summary>The tenants' webhooks, for their calls.</summary>
public sealed class WebhookRegistry(PlatformStore store)
{
    /// <summary>
    /// Registers a webhook, or gives it another address or other fleets; one that was disabled is enabled.
    /// </summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="put">What is decided.</param>
    /// <param name="url">The whole address.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<WebhookOutcome> PutAsync(string tenant, WebhookPut put, string url, CancellationToken cancel)
    {
        await using var session = await TenantRegistry.OpenLockedAsync(store, tenant, cancel);
        var decision = Tenant.PutWebhook(await TenantRegistry.FindAsync(session, cancel), put);
        if (decision.IsRefused)
            return new WebhookOutcome(decision, null);
        var row = await session.Rows.Webhooks.SingleOrDefaultAsync(row => row.Name == put.Webhook, cancel);
        var isNew = row is null;
        row ??= Add(session, put, url);
        if (
            !isNew
            && row.DisabledAt is null
            && row.Url == url
            && (row.Fleets ?? []).SequenceEqual(put.Fleets ?? [])
            && row.Fleets is null == put.Fleets is null
        )
            return new WebhookOutcome(decision, new WebhookSeed(row.WebhookId, row.Generation, isNew));
        (row.Url, row.Fleets) = (url, put.Fleets?.ToArray());
        (row.DisabledAt, row.FailingSince, row.Fault) = (null, null, null);
        session.Append(decision.Event!);
        await session.CommitAsync(cancel);
        return new WebhookOutcome(decision, new WebhookSeed(row.WebhookId, row.Generation, isNew));
    }

    /// <summary>Gives a webhook a new secret.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="replaced">What is decided.</param>
    /// <param name="previousUntil">Until when messages are signed with the one before, too.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<WebhookOutcome> ReplaceSecretAsync(
        string tenant,
        WebhookSecretReplaced replaced,
        DateTimeOffset previousUntil,
        CancellationToken cancel
    )
    {
        await using var session = await TenantRegistry.OpenLockedAsync(store, tenant, cancel);
        var decision = Tenant.ChangeWebhook(await TenantRegistry.FindAsync(session, cancel), replaced);
        if (decision.IsRefused)
            return new WebhookOutcome(decision, null);
        var row = await session.Rows.Webhooks.SingleAsync(row => row.Name == replaced.Webhook, cancel);
        (row.Generation, row.PreviousUntil) = (row.Generation + 1, previousUntil);
        session.Append(replaced);
        await session.CommitAsync(cancel);
        return new WebhookOutcome(decision, new WebhookSeed(row.WebhookId, row.Generation, IsNew: false));
    }

    /// <summary>Removes a webhook; what it was not yet told it never is.</summary>
    public async Task<Decision<TenantEvent>> RemoveAsync(
        string tenant,
        WebhookRemoved removed,
        CancellationToken cancel
    )
    {
        await using var session = await TenantRegistry.OpenLockedAsync(store, tenant, cancel);
        var decision = Tenant.ChangeWebhook(await TenantRegistry.FindAsync(session, cancel), removed);
        if (decision.IsRefused)
            return decision;
        await RemoveAsync(session, removed.Webhook, cancel);
        session.Append(removed);
        await session.CommitAsync(cancel);
        return decision;
    }

    /// <summary>The tenant's webhooks by name.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="name">The one that is asked for; null for all.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<WebhookSummary>> ListAsync(string tenant, string? name, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        var rows = session.Rows;
        return await rows
            .Webhooks.AsNoTracking()
            .Where(row => name == null || row.Name == name)
            .OrderBy(row => row.Name)
            .Select(row => new WebhookSummary(
                row.Name,
                row.Url,
                row.Fleets,
                row.RegisteredAt,
                rows.WebhookDeliveries.Count(it => it.Webhook == row.Name),
                row.DeliveredAt,
                row.FailingSince,
                row.Fault,
                row.DisabledAt
            ))
            .ToListAsync(cancel);
    }

    /// <summary>Removes one webhook of the session's tenant, or all.</summary>
    internal static Task RemoveAsync(TenantSession session, string? name, CancellationToken cancel) =>
        session.Rows.Webhooks.Where(row => name == null || row.Name == name).ExecuteDeleteAsync(cancel);

    private static WebhookRow Add(TenantSession session, WebhookPut put, string url)
    {
        var row = new WebhookRow
        {
            TenantId = session.Tenant,
            Name = put.Webhook,
            WebhookId = Guid.NewGuid(),
            Url = url,
            Fleets = put.Fleets?.ToArray(),
            Generation = 1,
            RegisteredAt = put.At,
        };
        session.Rows.Webhooks.Add(row);
        return row;
    }
}
