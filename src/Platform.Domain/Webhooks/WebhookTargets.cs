using System.Net;
using System.Net.Sockets;

namespace Platform.Domain.Webhooks;

/// <summary>
/// Where webhooks may go. A tenant gives the address, the platform's machines send there: so it must be one on the
/// public Internet, over TLS, or in a network that the operator has named. What a name means is looked at for each
/// connection, not when it is registered.
/// </summary>
public sealed class WebhookTargets
{
    /// <summary>Most characters of an address.</summary>
    public const int MaxUrlLength = 2_000;

    // IANA's registries of special-purpose addresses, with multicast and what is reserved. Of IPv6, all that is not
    // global unicast is left out below.
    private static readonly IPNetwork[] NotPublic =
    [
        .. (
            (string[])
                [
                    "0.0.0.0/8",
                    "10.0.0.0/8",
                    "100.64.0.0/10",
                    "127.0.0.0/8",
                    "169.254.0.0/16",
                    "172.16.0.0/12",
                    "192.0.0.0/24",
                    "192.0.2.0/24",
                    "192.88.99.0/24",
                    "192.168.0.0/16",
                    "198.18.0.0/15",
                    "198.51.100.0/24",
                    "203.0.113.0/24",
                    "224.0.0.0/4",
                    "240.0.0.0/4",
                    "2001::/23",
                    "2001:db8::/32",
                    "2002::/16",
                    "3fff::/20",
                ]
        ).Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    private readonly IPNetwork[] _named;

    private WebhookTargets(IPNetwork[] named) => _named = named;

    /// <summary>Reads the operator's networks.</summary>
    /// <param name="networks">Networks as <c>10.1.0.0/16,fd00::/8</c>, or nothing.</param>
    /// <exception cref="FormatException">One of them is no network.</exception>
    public static WebhookTargets Parse(string networks) =>
        new([
            .. networks
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(IPNetwork.Parse),
        ]);

    /// <summary>What is wrong with an address, or null.</summary>
    public string? Check(string url)
    {
        if (
            url.Length > MaxUrlLength
            || !Uri.TryCreate(url, UriKind.Absolute, out var target)
            || url.Any(char.IsControl)
        )
            return $"must be an absolute URL of at most {MaxUrlLength} characters";
        if (target.Scheme != Uri.UriSchemeHttps && (target.Scheme != Uri.UriSchemeHttp || _named.Length == 0))
            return _named.Length == 0 ? "must begin with https:" : "must begin with https: or http:";
        if (target.UserInfo.Length > 0 || target.Fragment.Length > 0)
            return "must have neither a user nor a fragment";
        return
            IPAddress.TryParse(target.IdnHost.Trim('[', ']'), out var address)
            && !MayReach(address, target.Scheme == Uri.UriSchemeHttps)
            ? "must be a public address"
            : null;
    }

    /// <summary>Whether a connection to that address may be opened.</summary>
    /// <param name="address">The address itself, not a name.</param>
    /// <param name="isEncrypted">Whether it is over TLS; in plain text only the named networks are reached.</param>
    public bool MayReach(IPAddress address, bool isEncrypted)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return _named.Any(network => network.Contains(address)) || (isEncrypted && IsPublic(address));
    }

    private static bool IsPublic(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address))
        && !NotPublic.Any(network => network.Contains(address));
}
