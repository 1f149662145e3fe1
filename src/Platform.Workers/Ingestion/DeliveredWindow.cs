namespace Platform.Workers.Ingestion;

/// <summary>
/// A message as it came from the broker, unread. Of its properties only those are kept that the platform looks at:
/// everything else that a publisher can write into a message is ignored.
/// </summary>
/// <param name="Body">The body.</param>
/// <param name="UserId">The broker user that published it, as the broker has checked it; null when the publisher left
/// it out.</param>
/// <param name="MessageId">The publisher's id for the message, unchecked.</param>
/// <param name="ContentType">The publisher's word on the body, unchecked.</param>
/// <param name="RoutingKey">The routing key that it was published with.</param>
/// <param name="OnBehalfOf">The tenant that the platform's own user names; means nothing from any other user.</param>
internal sealed record DeliveredWindow(
    byte[] Body,
    string? UserId,
    string? MessageId,
    string? ContentType,
    string RoutingKey,
    string? OnBehalfOf
)
{
    /// <summary>The publisher's word on its trace, unchecked.</summary>
    public string? TraceParent { get; init; }
}
