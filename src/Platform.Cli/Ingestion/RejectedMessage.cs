using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Platform.Domain.Contracts;
using RabbitMQ.Client;

namespace Platform.Cli.Ingestion;

/// <summary>A message that could not be taken, with what its publisher and the broker said of it.</summary>
/// <param name="Id">Its <see cref="RejectedMessageId"/>.</param>
/// <param name="RejectedAt">When it was set aside.</param>
/// <param name="Reason">Why.</param>
/// <param name="Tenant">The tenant that it proves, or null.</param>
/// <param name="Fleet">The fleet that its routing key names, or null.</param>
/// <param name="MessageId">Its message-id, unchecked, or null.</param>
/// <param name="UserId">The broker user that published it, or null.</param>
/// <param name="ContentType">Its content type, unchecked, or null.</param>
/// <param name="RoutingKey">Its routing key.</param>
/// <param name="Bytes">Length of its body.</param>
internal sealed record RejectedMessage(
    string Id,
    DateTimeOffset RejectedAt,
    string Reason,
    string? Tenant,
    string? Fleet,
    string? MessageId,
    string? UserId,
    string? ContentType,
    string RoutingKey,
    int Bytes
)
{
    private const string DeathsHeader = "x-death";

    /// <summary>The body, unchanged.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Its place in the order of rejection, as text that sorts byte by byte.</summary>
    [JsonIgnore]
    public string Position => $"{RejectedAt.UtcDateTime:O}_{Id}";

    /// <summary>By which the broker knows it while this command holds it.</summary>
    [JsonIgnore]
    public ulong DeliveryTag { get; init; }

    /// <summary>Reads a message as the broker hands it out.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="platformUser">The platform's own broker user, which alone may speak for a tenant.</param>
    public static RejectedMessage Read(BasicGetResult delivery, string platformUser)
    {
        var headers = delivery.BasicProperties.Headers ?? new Dictionary<string, object?>();
        // What the broker itself has set aside still has its publisher's headers, which prove nothing; only the broker
        // adds this one.
        return headers.TryGetValue(DeathsHeader, out var deaths)
            ? ReadDead(
                delivery,
                headers,
                (deaths as List<object>)?.FirstOrDefault() as IDictionary<string, object?>,
                platformUser
            )
            : Create(
                delivery,
                Text(headers, RejectedHeaders.Reason) ?? "unknown",
                Instant(Text(headers, RejectedHeaders.RejectedAt)),
                Text(headers, RejectedHeaders.Tenant),
                Text(headers, RejectedHeaders.MessageId) ?? delivery.BasicProperties.MessageId,
                Text(headers, RejectedHeaders.UserId),
                Text(headers, RejectedHeaders.ContentType),
                Text(headers, RejectedHeaders.RoutingKey) ?? ""
            );
    }

    private static RejectedMessage ReadDead(
        BasicGetResult delivery,
        IDictionary<string, object?> headers,
        IDictionary<string, object?>? death,
        string platformUser
    )
    {
        var properties = delivery.BasicProperties;
        var claimed =
            properties.UserId == platformUser ? Text(headers, IngressNames.OnBehalfOfHeader) : properties.UserId;
        return Create(
            delivery,
            $"delivery: set aside by the broker ({(death is null ? null : Text(death, "reason")) ?? "unknown"})",
            death?.TryGetValue("time", out var time) == true && time is AmqpTimestamp stamp
                ? DateTimeOffset.FromUnixTimeSeconds(stamp.UnixTime)
                : DateTimeOffset.UnixEpoch,
            claimed is not null && Identifiers.IsTenant(claimed) ? claimed : null,
            properties.MessageId,
            properties.UserId,
            properties.ContentType,
            delivery.RoutingKey
        );
    }

    private static RejectedMessage Create(
        BasicGetResult delivery,
        string reason,
        DateTimeOffset rejectedAt,
        string? tenant,
        string? messageId,
        string? userId,
        string? contentType,
        string routingKey
    )
    {
        // The client's buffer ends with the delivery.
        var body = delivery.Body.ToArray();
        var fleet = routingKey.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot
            ? routingKey[(dot + 1)..]
            : null;
        return new RejectedMessage(
            RejectedMessageId.For(body, tenant, messageId, contentType, routingKey),
            rejectedAt,
            reason,
            tenant,
            fleet,
            messageId,
            userId,
            contentType,
            routingKey,
            body.Length
        )
        {
            Body = body,
            DeliveryTag = delivery.DeliveryTag,
        };
    }

    private static string? Text(IDictionary<string, object?> table, string name) =>
        table.TryGetValue(name, out var value) && value is byte[] { Length: > 0 } utf8
            ? Encoding.UTF8.GetString(utf8)
            : null;

    private static DateTimeOffset Instant(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : DateTimeOffset.UnixEpoch;
}
