using System.Text;
using Platform.Domain.Webhooks;

namespace Platform.Domain.Tests.Webhooks;

public sealed class WebhookSecretTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly Guid Webhook = new("7c0d6a3e-54c1-4b55-9a55-5a4f3b1c2d10");

    /// <summary>The vector of the libraries of Standard Webhooks.</summary>
    [Fact]
    public void Signs_as_the_standards_libraries_do() =>
        Assert.Equal(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSecret
                .Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
                .Sign(
                    "msg_p5jXN8AQM9LWM0D4loKWxJek",
                    DateTimeOffset.FromUnixTimeSeconds(1614265330),
                    """{"test": 2432232314}"""u8
                )
        );

    [Fact]
    public void Is_the_same_each_time_and_differs_by_key_tenant_webhook_and_generation()
    {
        var secret = WebhookSecret.Derive(Key, "tenant", Webhook, 1).Text;
        Assert.Equal(secret, WebhookSecret.Derive(Key, "tenant", Webhook, 1).Text);
        Assert.Equal(secret, WebhookSecret.Parse(secret).Text);
        Assert.Equal(32, Convert.FromBase64String(secret["whsec_".Length..]).Length);
        string[] others =
        [
            WebhookSecret.Derive([.. Key.Reverse()], "tenant", Webhook, 1).Text,
            WebhookSecret.Derive(Key, "tenant-2", Webhook, 1).Text,
            WebhookSecret.Derive(Key, "tenant", Guid.Empty, 1).Text,
            WebhookSecret.Derive(Key, "tenant", Webhook, 2).Text,
        ];
        Assert.Equal(5, others.Append(secret).Distinct().Count());
    }

    [Fact]
    public void Covers_id_moment_and_body()
    {
        var (secret, at) = (
            WebhookSecret.Derive(Key, "tenant", Webhook, 1),
            DateTimeOffset.FromUnixTimeSeconds(1_800_000_000)
        );
        string[] signatures =
        [
            secret.Sign("a", at, "body"u8),
            secret.Sign("b", at, "body"u8),
            secret.Sign("a", at.AddSeconds(1), "body"u8),
            secret.Sign("a", at, Encoding.UTF8.GetBytes("body ")),
        ];
        Assert.Equal(4, signatures.Distinct().Count());
    }

    [Theory]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_%")]
    public void What_is_no_secret_is_refused(string text) =>
        Assert.Throws<FormatException>(() => WebhookSecret.Parse(text));
}
