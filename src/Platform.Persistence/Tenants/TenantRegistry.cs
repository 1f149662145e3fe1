using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Domain;
using Platform.Domain.Tenants;
using Platform.Persistence.Webhooks;

namespace Platform.Persistence.Tenants;

/// <summary>A tenant as operators list it.</summary>
/// <param name="Id">The tenant's id.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="RegisteredAt">Since when.</param>
/// <param name="SuspendedAt">Since when suspended, or null.</param>
public sealed record TenantSummary(
    string Id,
    string DisplayName,
    DateTimeOffset RegisteredAt,
    DateTimeOffset? SuspendedAt
);

/// <summary>A key as operators list it: all but its secret.</summary>
/// <param name="Id">The key's public part.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="IssuedAt">Since when.</param>
/// <param name="ExpiresAt">Until when, or null.</param>
/// <param name="RevokedAt">Since when revoked, or null.</param>
public sealed record ApiKeySummary(
    string Id,
    string Name,
    IReadOnlyList<string> Scopes,
    DateTimeOffset IssuedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt
);

/// <summary>What a presented key is held against.</summary>
/// <param name="Id">The key's public part.</param>
/// <param name="Tenant">The tenant that the key proves.</param>
/// <param name="Name">The key's name.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Mac">HMAC-SHA256 of the whole key.</param>
/// <param name="ExpiresAt">Until when, or null.</param>
public sealed record StoredApiKey(
    string Id,
    string Tenant,
    string Name,
    IReadOnlyList<string> Scopes,
    byte[] Mac,
    DateTimeOffset? ExpiresAt
);

/// <summary>A key that no longer opens anything.</summary>
/// <param name="Tenant">The tenant whose key it was.</param>
/// <param name="Mac">HMAC-SHA256 of the whole key.</param>
/// <param name="Cause"><c>revoked</c> or <c>suspended</c>.</param>
public sealed record RefusedApiKey(string Tenant, byte[] Mac, string Cause);

/// <summary>Tenants and their keys, for operators and for authentication.</summary>
public sealed class TenantRegistry(PlatformStore store)
{
    /// <summary>Takes a tenant on with its first key.</summary>
    /// <param name="id">The tenant's id.</param>
    /// <param name="displayName">Name for people.</param>
    /// <param name="key">The first key.</param>
    /// <param name="mac">Its HMAC.</param>
    /// <param name="provision">Makes what the tenant needs elsewhere; if it fails, the tenant is not taken on. Must
    /// bear being repeated.</param>
    /// <param name="at">The moment.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<Decision<TenantEvent>> RegisterAsync(
        string id,
        string displayName,
        ApiKeyIssued key,
        byte[] mac,
        Func<CancellationToken, Task> provision,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        await store.Databases.PlaceAsync(id, cancel);
        await using var session = await OpenLockedAsync(store, id, cancel);
        var decision = Tenant.Register(await FindAsync(session, cancel), displayName, at);
        if (decision.IsRefused)
            return decision;
        session.Rows.Tenants.Add(
            new TenantRow
            {
                TenantId = id,
                DisplayName = displayName,
                RegisteredAt = at,
            }
        );
        session.Append(decision.Event!);
        AddKey(session, key, mac);
        await provision(cancel);
        await session.CommitAsync(cancel);
        return decision;
    }

    /// <summary>Suspends a tenant; its data stay.</summary>
    public async Task<Decision<TenantEvent>> SuspendAsync(
        string id,
        Func<CancellationToken, Task> withdraw,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        await using var session = await OpenLockedAsync(store, id, cancel);
        var decision = Tenant.Suspend(await FindAsync(session, cancel), at);
        if (decision.IsRefused)
            return decision;
        if (decision.Event is { } suspended)
        {
            (await session.Rows.Tenants.SingleAsync(cancel)).SuspendedAt = at;
            await WebhookRegistry.RemoveAsync(session, null, cancel);
            session.Append(suspended);
        }

        await withdraw(cancel);
        await session.NotifyAsync(ChangeChannel.Keys, ["*"], cancel);
        await session.CommitAsync(cancel);
        return decision;
    }

    /// <summary>Records that the tenant's broker user gets a new password.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="provision">Puts the password into force; if it fails, nothing is recorded. Must bear being
    /// repeated.</param>
    /// <param name="at">The moment.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<Decision<TenantEvent>> IssueBrokerPasswordAsync(
        string tenant,
        Func<CancellationToken, Task> provision,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        await using var session = await OpenLockedAsync(store, tenant, cancel);
        var decision = Tenant.IssueBrokerPassword(await FindAsync(session, cancel), at);
        if (decision.IsRefused)
            return decision;
        session.Append(decision.Event!);
        await provision(cancel);
        await session.CommitAsync(cancel);
        return decision;
    }

    /// <summary>Adds a key.</summary>
    public async Task<Decision<TenantEvent>> IssueKeyAsync(
        string tenant,
        ApiKeyIssued key,
        byte[] mac,
        CancellationToken cancel
    )
    {
        await using var session = await OpenLockedAsync(store, tenant, cancel);
        var decision = Tenant.IssueKey(await FindAsync(session, cancel), key);
        if (decision.IsRefused)
            return decision;
        AddKey(session, key, mac);
        await session.CommitAsync(cancel);
        return decision;
    }

    /// <summary>Revokes a key.</summary>
    public async Task<Decision<TenantEvent>> RevokeKeyAsync(
        string tenant,
        string keyId,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        await using var session = await OpenLockedAsync(store, tenant, cancel);
        var decision = Tenant.RevokeKey(await FindAsync(session, cancel), keyId, at);
        if (decision.IsRefused)
            return decision;
        (await session.Rows.ApiKeys.SingleAsync(key => key.KeyId == keyId, cancel)).RevokedAt = at;
        session.Append(decision.Event!);
        await session.NotifyAsync(ChangeChannel.Keys, ["*"], cancel);
        await session.CommitAsync(cancel);
        return decision;
    }

    /// <summary>Tenants by id, after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<TenantSummary>> ListAsync(string after, int limit, CancellationToken cancel)
    {
        var (tenants, fault) = await store.Databases.AskAsync(
            "select tenant_id, display_name, registered_at, suspended_at from platform.list_tenants($1, $2)",
            [after, limit],
            row => new TenantSummary(
                row.GetString(0),
                row.GetString(1),
                row.GetFieldValue<DateTimeOffset>(2),
                row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3)
            ),
            cancel
        );
        // A list that lacks the tenants of one database would be taken for whole.
        if (fault is not null)
            ExceptionDispatchInfo.Throw(fault);
        return [.. tenants.OrderBy(tenant => tenant.Id, StringComparer.Ordinal).Take(limit)];
    }

    /// <summary>All keys of a tenant, the revoked too, or null when there is no such tenant.</summary>
    public async Task<IReadOnlyList<ApiKeySummary>?> ListKeysAsync(string tenant, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (!await session.Rows.Tenants.AnyAsync(cancel))
            return null;
        return await session
            .Rows.ApiKeys.AsNoTracking()
            .OrderBy(key => key.IssuedAt)
            .ThenBy(key => key.KeyId)
            .Select(key => new ApiKeySummary(
                key.KeyId,
                key.Name,
                key.Scopes,
                key.IssuedAt,
                key.ExpiresAt,
                key.RevokedAt
            ))
            .ToListAsync(cancel);
    }

    /// <summary>The stored key of that public id, unless it is revoked or its tenant is suspended.</summary>
    public Task<StoredApiKey?> FindKeyAsync(string keyId, CancellationToken cancel) =>
        FindAsync(
            "select tenant_id, name, scopes, mac, expires_at from platform.find_api_key($1)",
            keyId,
            row => new StoredApiKey(
                keyId,
                row.GetString(0),
                row.GetString(1),
                row.GetFieldValue<string[]>(2),
                row.GetFieldValue<byte[]>(3),
                row.IsDBNull(4) ? null : row.GetFieldValue<DateTimeOffset>(4)
            ),
            cancel
        );

    /// <summary>The key of that public id that no longer opens anything; null when there is none.</summary>
    public Task<RefusedApiKey?> FindRefusedKeyAsync(string keyId, CancellationToken cancel) =>
        FindAsync(
            "select tenant_id, mac, cause from platform.find_refused_key($1)",
            keyId,
            row => new RefusedApiKey(row.GetString(0), row.GetFieldValue<byte[]>(1), row.GetString(2)),
            cancel
        );

    /// <summary>Records a refusal, which changes nothing of the tenant.</summary>
    public async Task RecordAsync(string tenant, AuthenticationFailed failed, CancellationToken cancel)
    {
        await using var session = await OpenLockedAsync(store, tenant, cancel);
        session.Append(failed);
        await session.CommitAsync(cancel);
    }

    /// <summary>Opens a session in which nobody else decides about the tenant.</summary>
    internal static async Task<TenantSession> OpenLockedAsync(
        PlatformStore store,
        string tenant,
        CancellationToken cancel
    )
    {
        var session = await store.OpenAsync(tenant, cancel);
        await session.LockAsync([EventStore.TenantStream(tenant)], cancel);
        return session;
    }

    /// <summary>The tenant as its rows have it; null when there is none.</summary>
    internal static async Task<Tenant?> FindAsync(TenantSession session, CancellationToken cancel)
    {
        if (await session.Rows.Tenants.AsNoTracking().SingleOrDefaultAsync(cancel) is not { } row)
            return null;
        var keys = await session
            .Rows.ApiKeys.Where(key => key.RevokedAt == null)
            .Select(key => key.KeyId)
            .ToListAsync(cancel);
        var webhooks = await session.Rows.Webhooks.Select(webhook => webhook.Name).ToListAsync(cancel);
        return new Tenant
        {
            DisplayName = row.DisplayName,
            IsSuspended = row.SuspendedAt is not null,
            Keys = [.. keys],
            Webhooks = [.. webhooks],
        };
    }

    /// <summary>A key is in one database; where that one is away, nobody can say that there is none.</summary>
    private async Task<T?> FindAsync<T>(
        string sql,
        string keyId,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancel
    )
        where T : class
    {
        var (found, fault) = await store.Databases.AskAsync(sql, [keyId], read, cancel);
        if (found.Count == 0 && fault is not null)
            ExceptionDispatchInfo.Throw(fault);
        return found.FirstOrDefault();
    }

    private static void AddKey(TenantSession session, ApiKeyIssued key, byte[] mac)
    {
        session.Rows.ApiKeys.Add(
            new ApiKeyRow
            {
                KeyId = key.KeyId,
                TenantId = session.Tenant,
                Name = key.Name,
                Scopes = [.. key.Scopes],
                Mac = mac,
                IssuedAt = key.At,
                ExpiresAt = key.ExpiresAt,
            }
        );
        session.Append(key);
    }
}
