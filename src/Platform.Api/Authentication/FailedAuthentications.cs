using Platform.Domain.Tenants;
using Platform.Persistence;
using Platform.Persistence.Tenants;

namespace Platform.Api.Authentication;

/// <summary>
/// Records, in the log of the tenant whose key it is, that a key was refused. Of one key once a minute and process at
/// most, with the number of attempts until then: nobody fills a tenant's history.
/// </summary>
internal sealed class FailedAuthentications(
    TenantRegistry tenants,
    KeyCache keys,
    TimeProvider time,
    ILogger<FailedAuthentications> log
)
{
    private const int MostKeys = 10_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, (DateTimeOffset RecordedAt, int Since)> _keys = new(StringComparer.Ordinal);

    /// <summary>Takes note of a refusal.</summary>
    /// <param name="key">What was presented.</param>
    /// <param name="stored">The key of that public id, unless it is revoked, its tenant is suspended, or there never
    /// was one.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task NoteAsync(ApiKey key, StoredApiKey? stored, CancellationToken cancel)
    {
        if (Count(key.Id) is not { } attempts)
            return;
        try
        {
            var (tenant, cause) =
                stored is not null ? (stored.Tenant, key.Matches(stored.Mac, keys.Pepper) ? "expired" : "wrong-secret")
                : await tenants.FindRefusedKeyAsync(key.Id, cancel) is { } refused
                    ? (refused.Tenant, key.Matches(refused.Mac, keys.Pepper) ? refused.Cause : "wrong-secret")
                : (null, "");
            if (tenant is not null)
                await tenants.RecordAsync(
                    tenant,
                    new AuthenticationFailed
                    {
                        At = time.GetUtcNow(),
                        KeyId = key.Id,
                        Cause = cause,
                        Attempts = attempts,
                    },
                    cancel
                );
        }
        catch (Exception fault) when (PlatformStore.IsTransient(fault))
        {
            log.LogWarning("The refusal of key {Key} could not be recorded: {Reason}", key.Id, fault.Message);
        }
    }

    /// <summary>Attempts to record now, or null when it is too early.</summary>
    private int? Count(string keyId)
    {
        var now = time.GetUtcNow();
        lock (_keys)
        {
            var (recordedAt, since) = _keys.GetValueOrDefault(keyId);
            if (now - recordedAt < Interval)
            {
                _keys[keyId] = (recordedAt, since + 1);
                return null;
            }

            if (_keys.Count >= MostKeys)
                _keys.Clear();
            _keys[keyId] = (now, 0);
            return since + 1;
        }
    }
}
