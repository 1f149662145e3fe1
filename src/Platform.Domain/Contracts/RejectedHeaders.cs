namespace Platform.Domain.Contracts;

/// <summary>
/// The headers of a message in <see cref="IngressNames.Rejected"/>, which the worker writes. The publisher's own
/// headers are dropped, and its properties travel here: the broker refuses a user-id that is not the sender's, and
/// clients refuse a message-id that is no UUID.
/// </summary>
public static class RejectedHeaders
{
    /// <summary>Why it was not taken: what is wrong, a colon, and the details.</summary>
    public const string Reason = "reason";

    /// <summary>When, RFC 3339 UTC.</summary>
    public const string RejectedAt = "rejected-at";

    /// <summary>The tenant that the message proves; empty when it proves none.</summary>
    public const string Tenant = "tenant";

    /// <summary>The property user-id; empty when there was none.</summary>
    public const string UserId = "user-id";

    /// <summary>The property message-id; empty when there was none.</summary>
    public const string MessageId = "message-id";

    /// <summary>The property content-type; empty when there was none.</summary>
    public const string ContentType = "content-type";

    /// <summary>The routing key that it was published with.</summary>
    public const string RoutingKey = "routing-key";
}
