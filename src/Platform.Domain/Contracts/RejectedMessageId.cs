using System.Security.Cryptography;
using System.Text;

namespace Platform.Domain.Contracts;

/// <summary>
/// The id of a message that was set aside: a digest of what the message is. Copies of a message have one id, and a
/// message keeps it when it is replayed and set aside again.
/// </summary>
public static class RejectedMessageId
{
    private const int IdBytes = 16;

    /// <summary>The id, 32 hexadecimal digits. A property that was left out counts as an empty one.</summary>
    public static string For(
        ReadOnlySpan<byte> body,
        string? tenant,
        string? messageId,
        string? contentType,
        string routingKey
    )
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var property in (ReadOnlySpan<string?>)[tenant, messageId, contentType, routingKey])
        {
            var text = Encoding.UTF8.GetBytes(property ?? "");
            digest.AppendData(BitConverter.GetBytes(text.Length));
            digest.AppendData(text);
        }

        digest.AppendData(body);
        return Convert.ToHexStringLower(digest.GetHashAndReset().AsSpan(0, IdBytes));
    }
}
