using System.ComponentModel.DataAnnotations;

namespace Platform.Workers;

/// <summary>Settings of a worker process, section <c>Platform</c>.</summary>
internal sealed class WorkerOptions
{
    /// <summary>Npgsql's connection string.</summary>
    [Required]
    public string Postgres { get; init; } = "";

    /// <summary>
    /// Connection strings of further databases over which tenants are spread, by names that are never changed.
    /// </summary>
    public Dictionary<string, string> Databases { get; init; } = [];

    /// <summary>amqp URI of the broker with the platform's own user; its path is not looked at.</summary>
    [Required]
    public Uri RabbitMq { get; init; } = null!;

    /// <summary>Virtual host that tenants publish to.</summary>
    [Required]
    public string IngressVirtualHost { get; init; } = "ingress";

    /// <summary>
    /// The private key that signs the tenants' logs: 32 random bytes in hexadecimal, the same for all workers.
    /// </summary>
    [Required]
    [RegularExpression("[0-9a-fA-F]{64}")]
    public string LogKey { get; init; } = "";

    /// <summary>
    /// Whether this worker tells at its broker what comes into force. Not one that drains a virtual host of its own
    /// beside that of the tenants: it would tell where nobody listens.
    /// </summary>
    public bool Announces { get; init; } = true;

    /// <summary>
    /// What the webhooks' secrets are derived from: 32 random bytes in hexadecimal, the same for all processes. Without
    /// it there are no webhooks.
    /// </summary>
    [RegularExpression("[0-9a-fA-F]{64}|")]
    public string WebhookKey { get; init; } = "";

    /// <summary>
    /// Networks that webhooks may go to besides the public ones, in plain text too: <c>10.1.0.0/16,fd00::/8</c>.
    /// </summary>
    public string WebhookNetworks { get; init; } = "";

    /// <summary>The platform's own broker user.</summary>
    public (string Name, string Password) BrokerUser
    {
        get
        {
            var user = RabbitMq.UserInfo.Split(':', 2);
            return (Uri.UnescapeDataString(user[0]), Uri.UnescapeDataString(user[^1]));
        }
    }
}
