using System.Diagnostics.CodeAnalysis;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Platform.Api.Authentication;

namespace Platform.Api.Paging;

/// <summary>
/// Binds a cursor to the tenant, the list and the filters that it was given for, by a code under the pepper: every API
/// process takes the cursors of the others, and nobody makes one up.
/// </summary>
internal sealed class CursorSeal
{
    private const int CodeLength = 16;

    /// <summary>What says how much is wanted and from where on, and not of what.</summary>
    private static readonly string[] Positions = ["limit", "cursor", "after"];

    private readonly byte[] _pepper;
    private readonly string[] _list;

    private CursorSeal(byte[] pepper, string[] list) => (_pepper, _list) = (pepper, list);

    /// <summary>That of the list which is asked for.</summary>
    public static CursorSeal Of(HttpRequest request)
    {
        var options = request.HttpContext.RequestServices.GetRequiredService<IOptions<ApiOptions>>().Value;
        var filters = request
            .Query.Where(it => !Positions.Contains(it.Key, StringComparer.OrdinalIgnoreCase))
            .OrderBy(it => it.Key, StringComparer.Ordinal);
        return new CursorSeal(
            Encoding.UTF8.GetBytes(options.KeyPepper),
            [
                "cursor",
                request.HttpContext.User.FindFirstValue(Caller.TenantClaim) ?? "",
                request.Path.Value ?? "",
                .. filters.SelectMany(filter => (string[])[filter.Key, filter.Value.ToString()]),
            ]
        );
    }

    /// <summary>The cursor that goes on after a key.</summary>
    public string Seal(string key) => WebEncoders.Base64UrlEncode([.. Code(key), .. Encoding.UTF8.GetBytes(key)]);

    /// <summary>The key that a cursor of this list goes on after; false for any other text.</summary>
    public bool TryOpen(string cursor, [NotNullWhen(true)] out string? key)
    {
        key = null;
        try
        {
            var bytes = WebEncoders.Base64UrlDecode(cursor).AsSpan();
            if (bytes.Length <= CodeLength)
                return false;
            var sealedKey = Encoding.UTF8.GetString(bytes[CodeLength..]);
            if (CryptographicOperations.FixedTimeEquals(bytes[..CodeLength], Code(sealedKey)))
                key = sealedKey;
            return key is not null;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // As JSON, no two lists and keys give the same bytes; nor does one of the API's keys, whose code is taken under the
    // same pepper.
    private ReadOnlySpan<byte> Code(string key) =>
        HMACSHA256
            .HashData(_pepper, JsonSerializer.SerializeToUtf8Bytes<string[]>([.. _list, key]))
            .AsSpan(0, CodeLength);
}
