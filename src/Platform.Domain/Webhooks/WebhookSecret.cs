using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Domain.Webhooks;

/// <summary>
/// The secret by which a receiver knows that a message is the platform's, and the signatures made with it, as Standard
/// Webhooks 1.0.0 has them. It is derived and nowhere stored: who has read the database can sign nothing.
/// </summary>
public sealed class WebhookSecret
{
    /// <summary>Header of the message's id, the same each time the message is sent.</summary>
    public const string IdHeader = "webhook-id";

    /// <summary>Header of the moment of sending, in seconds since 1970.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>Header of the signatures, with a space between two.</summary>
    public const string SignatureHeader = "webhook-signature";

    private const string Prefix = "whsec_";
    private const int Length = 32;

    private readonly byte[] _secret;

    private WebhookSecret(byte[] secret) => _secret = secret;

    /// <summary>The secret in the form in which receivers' libraries take it.</summary>
    public string Text => Prefix + Convert.ToBase64String(_secret);

    /// <summary>Derives the secret of a webhook.</summary>
    /// <param name="key">The platform's key for this, 32 bytes.</param>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="webhook">The webhook's number, which is never used again.</param>
    /// <param name="generation">Counts the secrets of the webhook, from 1.</param>
    public static WebhookSecret Derive(ReadOnlySpan<byte> key, string tenant, Guid webhook, int generation)
    {
        var secret = new byte[Length];
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            key,
            secret,
            [],
            Encoding.UTF8.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"webhook/{tenant}/{webhook:D}/{generation}")
            )
        );
        return new WebhookSecret(secret);
    }

    /// <summary>Reads a secret from its form for receivers.</summary>
    /// <exception cref="FormatException">It has not that form.</exception>
    public static WebhookSecret Parse(string text) =>
        text.StartsWith(Prefix, StringComparison.Ordinal)
            ? new WebhookSecret(Convert.FromBase64String(text[Prefix.Length..]))
            : throw new FormatException($"A secret begins with {Prefix}.");

    /// <summary>Signs a message.</summary>
    /// <param name="id">The message's id.</param>
    /// <param name="at">When it is sent; whole seconds count.</param>
    /// <param name="body">Its body.</param>
    public string Sign(string id, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        byte[] signed =
        [
            .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.")),
            .. body,
        ];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(_secret, signed));
    }
}
