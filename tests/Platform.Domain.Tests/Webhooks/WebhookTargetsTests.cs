using System.Net;
using Platform.Domain.Webhooks;

namespace Platform.Domain.Tests.Webhooks;

public sealed class WebhookTargetsTests
{
    private static readonly WebhookTargets Public = WebhookTargets.Parse("");
    private static readonly WebhookTargets Named = WebhookTargets.Parse("10.1.0.0/16, fd00:1::/32");

    [Theory]
    [InlineData("93.184.216.34")]
    [InlineData("2606:2800:220:1:248:1893:25c8:1946")]
    [InlineData("::ffff:93.184.216.34")]
    public void Public_addresses_are_reached_over_TLS_alone(string address)
    {
        Assert.True(Public.MayReach(IPAddress.Parse(address), isEncrypted: true));
        Assert.False(Public.MayReach(IPAddress.Parse(address), isEncrypted: false));
        Assert.False(Named.MayReach(IPAddress.Parse(address), isEncrypted: false));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.8.8")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2001::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fc00::1")]
    [InlineData("fd00:1::1")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    public void Others_are_not(string address) =>
        Assert.False(Public.MayReach(IPAddress.Parse(address), isEncrypted: true));

    [Fact]
    public void The_operators_networks_are_reached_in_plain_text_too()
    {
        Assert.True(Named.MayReach(IPAddress.Parse("10.1.2.3"), isEncrypted: false));
        Assert.True(Named.MayReach(IPAddress.Parse("::ffff:10.1.2.3"), isEncrypted: false));
        Assert.True(Named.MayReach(IPAddress.Parse("fd00:1::1"), isEncrypted: true));
        Assert.False(Named.MayReach(IPAddress.Parse("10.2.0.1"), isEncrypted: true));
    }

    [Theory]
    [InlineData("https://hooks.example.org/t/abc?x=1")]
    [InlineData("https://hooks.example.org:8443/")]
    [InlineData("https://93.184.216.34/")]
    public void Addresses_that_may_be_registered(string url) => Assert.Null(Public.Check(url));

    [Theory]
    [InlineData("hooks", "absolute URL")]
    [InlineData("/hooks", "https:")]
    [InlineData("http://hooks.example.org/", "https:")]
    [InlineData("ftp://hooks.example.org/", "https:")]
    [InlineData("https://user:secret@hooks.example.org/", "user")]
    [InlineData("https://hooks.example.org/#part", "fragment")]
    [InlineData("https://127.0.0.1/", "public")]
    [InlineData("https://[::1]/", "public")]
    [InlineData("https://0x7f000001/", "public")]
    [InlineData("https://2130706433/", "public")]
    public void Addresses_that_may_not(string url, string because) =>
        Assert.Contains(because, Public.Check(url), StringComparison.Ordinal);

    [Fact]
    public void An_address_may_be_only_so_long() =>
        Assert.Contains(
            "2000",
            Public.Check("https://hooks.example.org/" + new string('a', 2_000)),
            StringComparison.Ordinal
        );

    [Fact]
    public void Plain_text_is_registered_where_the_operator_has_named_networks()
    {
        Assert.Null(Named.Check("http://10.1.2.3/"));
        Assert.Null(Named.Check("http://gateway.internal/"));
        Assert.Contains("public", Named.Check("http://93.184.216.34/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.0.0")]
    [InlineData("10.1.0.0/33")]
    [InlineData("all")]
    public void What_is_no_network_is_refused(string networks) =>
        Assert.Throws<FormatException>(() => WebhookTargets.Parse(networks));
}
