namespace Platform.Persistence.Webhooks;

/// <summary>A webhook, without its secret, which is derived.</summary>
internal sealed class WebhookRow
{
    public required string TenantId { get; init; }

    public required string Name { get; init; }

    /// <summary>What its secrets are derived from; another one when it is registered again.</summary>
    public required Guid WebhookId { get; init; }

    public required string Url { get; set; }

    /// <summary>The fleets that it is told of; null for all.</summary>
    public required string[]? Fleets { get; set; }

    /// <summary>Counts its secrets, from 1.</summary>
    public required int Generation { get; set; }

    /// <summary>Until when the secret before this one counts too.</summary>
    public DateTimeOffset? PreviousUntil { get; set; }

    public required DateTimeOffset RegisteredAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; set; }

    /// <summary>Since when nothing was taken.</summary>
    public DateTimeOffset? FailingSince { get; set; }

    public string? Fault { get; set; }

    public DateTimeOffset? DisabledAt { get; set; }
}

/// <summary>
/// A change that a webhook is still to be told. The database adds it with the change itself; see the migration.
/// </summary>
internal sealed class WebhookDeliveryRow
{
    public required string TenantId { get; init; }

    public required string Webhook { get; init; }

    public required string FleetId { get; init; }

    public required long Change { get; init; }

    /// <summary>
    /// When it is to be sent; a worker that sends it puts this off, so that it is sent again if the worker dies.
    /// </summary>
    public required DateTimeOffset DueAt { get; set; }

    /// <summary>Attempts that have failed.</summary>
    public required int Failed { get; set; }
}
