using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Platform.Persistence;
using Platform.Persistence.Tenants;

namespace Platform.Api.Authentication;

/// <summary>A key that is held against what is presented, and what it proves.</summary>
/// <param name="Stored">The key as it is stored.</param>
/// <param name="Success">The answer when it matches.</param>
internal sealed record KnownKey(StoredApiKey Stored, AuthenticateResult Success)
{
    public bool IsExpired(TimeProvider time) => Stored.ExpiresAt <= time.GetUtcNow();

    public static KnownKey Of(StoredApiKey stored) =>
        new(
            stored,
            ApiKeyAuthentication.Success([
                new Claim(Caller.TenantClaim, stored.Tenant),
                new Claim(Caller.KeyIdClaim, stored.Id),
                new Claim(Caller.KeyNameClaim, stored.Name),
                .. stored.Scopes.Select(scope => new Claim(Caller.ScopeClaim, scope)),
            ])
        );
}

/// <summary>
/// The keys that were used lately, in memory: one that is revoked opens nothing after a second, on whichever process.
/// </summary>
internal sealed class KeyCache
{
    private const int MostEntries = 20_000;

    private readonly ConcurrentDictionary<string, KnownKey> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Digest, KnownKey> _proven = new();
    private readonly TenantRegistry _tenants;
    private readonly ChangeFeed _changes;
    private long _generation;

    public KeyCache(TenantRegistry tenants, ChangeFeed changes, IOptions<ApiOptions> options)
    {
        (_tenants, _changes) = (tenants, changes);
        Pepper = Encoding.UTF8.GetBytes(options.Value.KeyPepper);
        OperatorDigest = SHA256.HashData(Encoding.UTF8.GetBytes(options.Value.OperatorKey));
        changes.KeysChanged += _ => Clear();
        changes.Interrupted += Clear;
    }

    /// <summary>The secret under which keys are stored.</summary>
    public byte[] Pepper { get; }

    /// <summary>SHA-256 of the operators' key.</summary>
    public byte[] OperatorDigest { get; }

    /// <summary>The key whose whole text has this SHA-256, when that was shown to match before.</summary>
    public KnownKey? FindProven(byte[] digest) =>
        _changes.IsCurrent && _proven.TryGetValue(new Digest(digest), out var known) ? known : null;

    /// <summary>Keeps that a text matches: the next time one hash is enough.</summary>
    public void KeepProven(byte[] digest, KnownKey known)
    {
        lock (_entries)
        {
            // Only of a key that is itself kept: what drops that drops this.
            if (_entries.TryGetValue(known.Stored.Id, out var kept) && kept == known && _proven.Count < MostEntries)
                _proven[new Digest(digest)] = known;
        }
    }

    /// <summary>The key of a public id, unless it is revoked or its tenant is suspended; null then.</summary>
    public ValueTask<KnownKey?> FindAsync(string keyId, CancellationToken cancel) =>
        _changes.IsCurrent && _entries.TryGetValue(keyId, out var known) ? new(known) : new(LoadAsync(keyId, cancel));

    private async Task<KnownKey?> LoadAsync(string keyId, CancellationToken cancel)
    {
        var generation = Interlocked.Read(ref _generation);
        if (await _tenants.FindKeyAsync(keyId, cancel) is not { } stored)
            return null;
        var known = KnownKey.Of(stored);
        Keep(keyId, known, generation);
        return known;
    }

    // A key that was read before a change was told must not be kept after it.
    private void Keep(string keyId, KnownKey known, long generation)
    {
        lock (_entries)
        {
            if (generation != _generation || !_changes.IsCurrent)
                return;
            if (_entries.Count >= MostEntries)
            {
                _entries.Clear();
                _proven.Clear();
            }

            _entries[keyId] = known;
        }
    }

    /// <summary>Forgets all: who has revoked a key here need not wait until the change is told.</summary>
    public void Clear()
    {
        lock (_entries)
        {
            _generation++;
            _entries.Clear();
            _proven.Clear();
        }
    }

    /// <summary>A SHA-256, to be looked up by.</summary>
    private readonly record struct Digest(long A, long B, long C, long D)
    {
        public Digest(ReadOnlySpan<byte> bytes)
            : this(Part(bytes, 0), Part(bytes, 1), Part(bytes, 2), Part(bytes, 3)) { }

        private static long Part(ReadOnlySpan<byte> bytes, int i) =>
            BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * sizeof(long))..]);
    }
}
