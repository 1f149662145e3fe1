namespace Platform.Persistence.Tenants;

/// <summary>A tenant, as its events have left it.</summary>
internal sealed class TenantRow
{
    public required string TenantId { get; init; }

    public required string DisplayName { get; set; }

    public required DateTimeOffset RegisteredAt { get; init; }

    public DateTimeOffset? SuspendedAt { get; set; }
}

/// <summary>A key, without its secret.</summary>
internal sealed class ApiKeyRow
{
    public required string KeyId { get; init; }

    public required string TenantId { get; init; }

    public required string Name { get; init; }

    public required string[] Scopes { get; init; }

    /// <summary>HMAC-SHA256 of the whole key.</summary>
    public required byte[] Mac { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }
}
