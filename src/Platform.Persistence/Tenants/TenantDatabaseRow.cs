namespace Platform.Persistence.Tenants;

/// <summary>In which database a tenant is. Kept in the main one alone.</summary>
internal sealed class TenantDatabaseRow
{
    public required string TenantId { get; init; }

    /// <summary>The name that the hosts' settings give it; empty for the main one.</summary>
    public required string Database { get; init; }
}
