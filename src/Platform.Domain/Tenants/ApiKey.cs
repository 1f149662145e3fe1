using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Domain.Tenants;

/// <summary>What a key may do.</summary>
public static class Scopes
{
    /// <summary>Send workload windows.</summary>
    public const string Ingest = "ingest";

    /// <summary>Read fleets, estimates and allocations.</summary>
    public const string Read = "read";

    /// <summary>Register, revise and retire fleets, solve, pin.</summary>
    public const string Manage = "manage";

    /// <summary>Read everything of the tenant, its audit log too, and write nothing.</summary>
    public const string Audit = "audit";

    /// <summary>All scopes.</summary>
    public static readonly IReadOnlyList<string> All = [Ingest, Read, Manage, Audit];
}

/// <summary>
/// A secret that proves a tenant: <c>alloc_&lt;public id&gt;_&lt;secret&gt;&lt;checksum&gt;</c>. The prefix lets secret
/// scanners find a leaked key, the public id finds its row, the checksum turns away typing errors and guesses before
/// any look-up. The secret has 192 random bits, so a keyed hash (HMAC-SHA256 under a pepper) protects a stolen table as
/// well as a slow hash would, at a hundred-thousandth of the cost.
/// </summary>
/// <param name="Id">The public part, 16 characters.</param>
/// <param name="Text">The whole key, to be shown once.</param>
public sealed record ApiKey(string Id, string Text)
{
    /// <summary>Random bytes that a key is made from.</summary>
    public const int EntropyBytes = 36;

    private const string Prefix = "alloc_";
    private const int IdLength = 16;
    private const int SecretLength = 32;
    private const int ChecksumLength = 6;
    private const int IdEntropyBytes = 12;

    /// <summary>Makes a key from random bytes.</summary>
    /// <param name="entropy"><see cref="EntropyBytes"/> bytes from a cryptographic source.</param>
    public static ApiKey FromEntropy(ReadOnlySpan<byte> entropy)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(entropy.Length, EntropyBytes);
        var id = Letters(entropy[..IdEntropyBytes]);
        var body = $"{Prefix}{id}_{Letters(entropy[IdEntropyBytes..])}";
        return new ApiKey(id, body + Checksum(body));
    }

    /// <summary>Reads a key that somebody presents; false when it cannot be one.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ApiKey? key)
    {
        key = null;
        var bodyLength = Prefix.Length + IdLength + 1 + SecretLength;
        if (text.Length != bodyLength + ChecksumLength || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        // The checksum is no secret: a text made for it must not get as far as the look-up with characters that no key
        // has.
        var (id, rest) = (text.Substring(Prefix.Length, IdLength), text[(Prefix.Length + IdLength + 1)..]);
        if (
            text[Prefix.Length + IdLength] != '_'
            || !id.All(char.IsAsciiLetterOrDigit)
            || !rest.All(char.IsAsciiLetterOrDigit)
        )
            return false;
        if (!string.Equals(text[bodyLength..], Checksum(text[..bodyLength]), StringComparison.Ordinal))
            return false;
        key = new ApiKey(id, text);
        return true;
    }

    /// <summary>The HMAC-SHA256 of the whole key under the pepper: what is stored.</summary>
    public byte[] Mac(ReadOnlySpan<byte> pepper) => HMACSHA256.HashData(pepper, Encoding.ASCII.GetBytes(Text));

    /// <summary>Compares with a stored code in constant time.</summary>
    public bool Matches(ReadOnlySpan<byte> storedMac, ReadOnlySpan<byte> pepper) =>
        CryptographicOperations.FixedTimeEquals(storedMac, Mac(pepper));

    /// <inheritdoc/>
    public override string ToString() => $"{Prefix}{Id}_…";

    // '-' and '_' of base64url would end a double-click selection or look like a separator.
    private static string Letters(ReadOnlySpan<byte> bytes) =>
        Convert.ToBase64String(bytes).Replace('+', 'p').Replace('/', 's').TrimEnd('=');

    private static string Checksum(string body) =>
        Letters(SHA256.HashData(Encoding.ASCII.GetBytes(body)))[..ChecksumLength];
}
