using System.Collections.Immutable;

namespace Platform.Domain.Tenants;

/// <summary>A tenant as the operator's decisions have left it.</summary>
public sealed record Tenant
{
    /// <summary>Webhooks that a tenant may have: each costs a request for every change.</summary>
    public const int MaxWebhooks = 10;

    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>The tenant is suspended.</summary>
    public bool IsSuspended { get; init; }

    /// <summary>Public parts of the keys that are not revoked.</summary>
    public ImmutableHashSet<string> Keys { get; init; } = [];

    /// <summary>Names of the webhooks.</summary>
    public ImmutableHashSet<string> Webhooks { get; init; } = [];

    /// <summary>The state after one more event.</summary>
    /// <exception cref="InvalidOperationException">The event cannot follow the state.</exception>
    public static Tenant Evolve(Tenant? tenant, TenantEvent happened) =>
        (tenant, happened) switch
        {
            (null, TenantRegistered registered) => new Tenant { DisplayName = registered.DisplayName },
            ({ IsSuspended: false }, TenantSuspended) => tenant with { IsSuspended = true, Webhooks = [] },
            ({ IsSuspended: false }, BrokerPasswordIssued) => tenant,
            (not null, AuthenticationFailed) => tenant,
            ({ IsSuspended: false }, ApiKeyIssued issued) => tenant with { Keys = tenant.Keys.Add(issued.KeyId) },
            (not null, ApiKeyRevoked revoked) when tenant.Keys.Contains(revoked.KeyId) => tenant with
            {
                Keys = tenant.Keys.Remove(revoked.KeyId),
            },
            ({ IsSuspended: false }, WebhookPut put) => tenant with { Webhooks = tenant.Webhooks.Add(put.Webhook) },
            (not null, WebhookRemoved removed) when tenant.Webhooks.Contains(removed.Webhook) => tenant with
            {
                Webhooks = tenant.Webhooks.Remove(removed.Webhook),
            },
            (not null, WebhookSecretReplaced or WebhookDisabled)
                when tenant.Webhooks.Contains(((WebhookEvent)happened).Webhook) => tenant,
            _ => throw new InvalidOperationException(
                $"{happened.GetType().Name} cannot follow the tenant's state {tenant}."
            ),
        };

    /// <summary>Takes a tenant on. An id is used once: a suspended tenant's history stays its own.</summary>
    public static Decision<TenantEvent> Register(Tenant? tenant, string displayName, DateTimeOffset at) =>
        tenant is not null
            ? Decision<TenantEvent>.Refused(Refusal.Conflict, "the id is taken")
            : new TenantRegistered { DisplayName = displayName, At = at };

    /// <summary>Suspends the tenant.</summary>
    public static Decision<TenantEvent> Suspend(Tenant? tenant, DateTimeOffset at) =>
        tenant switch
        {
            null => Decision<TenantEvent>.Refused(Refusal.NotFound, "there is no such tenant"),
            { IsSuspended: true } => Decision<TenantEvent>.Nothing(),
            _ => new TenantSuspended { At = at },
        };

    /// <summary>Makes a key.</summary>
    public static Decision<TenantEvent> IssueKey(Tenant? tenant, ApiKeyIssued key) => Issue(tenant, key);

    /// <summary>Gives the broker user a new password in place of the one before.</summary>
    public static Decision<TenantEvent> IssueBrokerPassword(Tenant? tenant, DateTimeOffset at) =>
        Issue(tenant, new BrokerPasswordIssued { At = at });

    /// <summary>Revokes a key.</summary>
    public static Decision<TenantEvent> RevokeKey(Tenant? tenant, string keyId, DateTimeOffset at) =>
        tenant?.Keys.Contains(keyId) == true
            ? new ApiKeyRevoked { KeyId = keyId, At = at }
            : Decision<TenantEvent>.Refused(Refusal.NotFound, "there is no such key");

    /// <summary>Registers a webhook, or changes one.</summary>
    public static Decision<TenantEvent> PutWebhook(Tenant? tenant, WebhookPut put) =>
        tenant is { IsSuspended: false }
        && tenant.Webhooks.Count >= MaxWebhooks
        && !tenant.Webhooks.Contains(put.Webhook)
            ? Decision<TenantEvent>.Refused(
                Refusal.Quota,
                $"the tenant has {MaxWebhooks} webhooks and may have no more: remove one"
            )
            : Issue(tenant, put);

    /// <summary>Something happens to a webhook that is there.</summary>
    public static Decision<TenantEvent> ChangeWebhook(Tenant? tenant, WebhookEvent happened) =>
        tenant?.Webhooks.Contains(happened.Webhook) == true
            ? happened
            : Decision<TenantEvent>.Refused(Refusal.NotFound, "there is no such webhook");

    private static Decision<TenantEvent> Issue(Tenant? tenant, TenantEvent issued) =>
        tenant switch
        {
            null => Decision<TenantEvent>.Refused(Refusal.NotFound, "there is no such tenant"),
            { IsSuspended: true } => Decision<TenantEvent>.Refused(Refusal.Conflict, "the tenant is suspended"),
            _ => issued,
        };
}
