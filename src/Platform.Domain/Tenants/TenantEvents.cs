namespace Platform.Domain.Tenants;

/// <summary>
/// Something that an operator decided about a tenant. Stored for ever: members may be added, never renamed or removed.
/// </summary>
public abstract record TenantEvent
{
    /// <summary>When it was decided, UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>The tenant was taken on.</summary>
public sealed record TenantRegistered : TenantEvent
{
    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }
}

/// <summary>The tenant was suspended: its keys and its broker user no longer work; its data stay.</summary>
public sealed record TenantSuspended : TenantEvent;

/// <summary>
/// The tenant's broker user has a new password, which is nowhere stored; the one before no longer works.
/// </summary>
public sealed record BrokerPasswordIssued : TenantEvent;

/// <summary>A key was made. Its secret is nowhere stored.</summary>
public sealed record ApiKeyIssued : TenantEvent
{
    /// <summary>The key's public part.</summary>
    public required string KeyId { get; init; }

    /// <summary>Name for people.</summary>
    public required string Name { get; init; }

    /// <summary>What the key may do.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>When it ceases to work, or null.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A key of the tenant was presented and refused.</summary>
public sealed record AuthenticationFailed : TenantEvent
{
    /// <summary>The key's public part.</summary>
    public required string KeyId { get; init; }

    /// <summary><c>wrong-secret</c>, <c>expired</c>, <c>revoked</c> or <c>suspended</c>.</summary>
    public required string Cause { get; init; }

    /// <summary>How often, since the last record of it by the same process.</summary>
    public required int Attempts { get; init; }
}

/// <summary>A key was revoked.</summary>
public sealed record ApiKeyRevoked : TenantEvent
{
    /// <summary>The key's public part.</summary>
    public required string KeyId { get; init; }
}

/// <summary>Something happened to one of the tenant's webhooks.</summary>
public abstract record WebhookEvent : TenantEvent
{
    /// <summary>The webhook's name.</summary>
    public required string Webhook { get; init; }
}

/// <summary>A webhook was registered, or given another address or other fleets.</summary>
public sealed record WebhookPut : WebhookEvent
{
    /// <summary>Scheme, host and port of its address; what follows may be a secret.</summary>
    public required string Receiver { get; init; }

    /// <summary>The fleets that it is told of; null for all.</summary>
    public IReadOnlyList<string>? Fleets { get; init; }

    /// <summary>Name of the key.</summary>
    public required string By { get; init; }
}

/// <summary>A webhook got a new secret; the one before counts for another day.</summary>
public sealed record WebhookSecretReplaced : WebhookEvent
{
    /// <summary>Name of the key.</summary>
    public required string By { get; init; }
}

/// <summary>A webhook was removed.</summary>
public sealed record WebhookRemoved : WebhookEvent
{
    /// <summary>Name of the key.</summary>
    public required string By { get; init; }
}

/// <summary>The platform has disabled a webhook, whose receiver is gone.</summary>
public sealed record WebhookDisabled : WebhookEvent
{
    /// <summary>What was the matter.</summary>
    public required string Reason { get; init; }
}
