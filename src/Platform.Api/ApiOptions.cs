using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Platform.Domain.Webhooks;

namespace Platform.Api;

/// <summary>Settings of an API process, section <c>Platform</c>.</summary>
internal sealed class ApiOptions : IValidatableObject
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

    /// <summary>How much of the platform one tenant may have.</summary>
    [ValidateObjectMembers]
    public TenantLimits Limits { get; init; } = new();

    /// <summary>
    /// Windows that may wait in the intake, of all tenants. Beyond, the broker refuses what is published, and
    /// publishers send it again: nothing is lost, and neither the broker's memory nor its disk grows.
    /// </summary>
    [Range(1_000, 100_000_000)]
    public int IntakeBacklog { get; init; } = 500_000;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string? fault = null;
        try
        {
            WebhookTargets.Parse(WebhookNetworks);
        }
        catch (FormatException wrong)
        {
            fault = wrong.Message;
        }

        return fault is null
            ? []
            : [new ValidationResult($"Networks are separated by commas: {fault}", [nameof(WebhookNetworks)])];
    }

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

/// <summary>
/// How much of the platform one tenant may have, in each API process; beyond, it is answered with 429.
/// </summary>
internal sealed class TenantLimits
{
    /// <summary>Windows a second over HTTP, over a long time.</summary>
    [Range(1, 1_000_000)]
    public int WindowsPerSecond { get; init; } = 200;

    /// <summary>Windows at once over HTTP, after a silence.</summary>
    [Range(1, 1_000_000)]
    public int WindowsAtOnce { get; init; } = 1_000;

    /// <summary>Plans and comparisons at once; twenty more wait.</summary>
    [Range(1, 1_000)]
    public int PlansAtOnce { get; init; } = 2;

    /// <summary>Fleets that are not retired.</summary>
    [Range(1, 1_000_000)]
    public int Fleets { get; init; } = 1_000;

    /// <summary>Task types over all fleets.</summary>
    [Range(1, 100_000_000)]
    public int TaskTypes { get; init; } = 20_000;
}

/// <summary>Checks the settings, those of the limits too.</summary>
[OptionsValidator]
internal sealed partial class ApiOptionsValidator : IValidateOptions<ApiOptions>;
