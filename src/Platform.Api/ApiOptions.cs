using System.ComponentModel.DataAnnotations;

namespace Platform.Api;

/// <summary>Settings of an API process, section <c>Platform</c>.</summary>
internal sealed class ApiOptions
{
    /// <summary>Npgsql's connection string.</summary>
    [Required]
    public string Postgres { get; init; } = "";

    /// <summary>amqp URI of the broker with the platform's own user; its path is not looked at.</summary>
    [Required]
    public Uri RabbitMq { get; init; } = null!;

    /// <summary>Address of the broker's management interface; by default port 15672 of the broker's host.</summary>
    public Uri? RabbitMqManagement { get; init; }

    /// <summary>Virtual host that tenants publish to.</summary>
    [Required]
    public string IngressVirtualHost { get; init; } = "ingress";

    /// <summary>The operators' key.</summary>
    [Required, MinLength(16)]
    public string OperatorKey { get; init; } = "";

    /// <summary>Under which the codes of tenants' keys are taken. Whoever changes it makes all keys void.</summary>
    [Required, MinLength(16)]
    public string KeyPepper { get; init; } = "";

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
