using System.Diagnostics.CodeAnalysis;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using MassTransit;
using MassTransit.Serialization;
using Platform.Domain.Contracts;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Hands a message's bytes to the consumer, unread, whatever its content type says. It cannot fail, so that a malformed
/// body is judged by the consumer and set aside with its reason, and it gives MassTransit none of the publisher's
/// headers: a fault or response address would make the worker send to an exchange of the publisher's choice, and of two
/// messages with one message id MassTransit's batches acknowledge the second without delivering it, even when they come
/// from different tenants.
/// </summary>
internal sealed class DeliveredWindowSerialization : ISerializerFactory, IMessageDeserializer
{
    public ContentType ContentType { get; } = new("application/json");

    public IMessageSerializer CreateSerializer() => new UnchangedBody([]);

    public IMessageDeserializer CreateDeserializer() => this;

    public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
        new BodyConsumeContext(receiveContext, new Envelope(receiveContext.InputAddress, Read(receiveContext)));

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
        new Envelope(destinationAddress, new DeliveredWindow(body.GetBytes(), null, null, null, "", null));

    public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

    public void Probe(ProbeContext context) => context.CreateScope("deliveredWindow");

    private static DeliveredWindow Read(ReceiveContext receiveContext)
    {
        var body = receiveContext.Body.GetBytes();
        if (!receiveContext.TryGetPayload<RabbitMqBasicConsumeContext>(out var delivery))
            return new DeliveredWindow(body, null, null, null, "", null);
        var properties = delivery.Properties;
        return new DeliveredWindow(
            body,
            properties.UserId,
            properties.MessageId,
            properties.ContentType,
            delivery.RoutingKey ?? "",
            Header(properties.Headers, IngressNames.OnBehalfOfHeader)
        )
        {
            TraceParent = Header(properties.Headers, IngressNames.TraceParentHeader),
        };
    }

    private static string? Header(IDictionary<string, object?>? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var value) && value is byte[] utf8
            ? Encoding.UTF8.GetString(utf8)
            : null;

    private sealed class Envelope(Uri? destination, DeliveredWindow window)
        : SystemTextJsonRawSerializerContext(
            SystemTextJsonMessageSerializer.Instance,
            SystemTextJsonMessageSerializer.Options,
            new ContentType("application/json"),
            new RawMessageContext(EmptyHeaders.Instance, destination, RawSerializerOptions.AnyMessageType),
            [],
            RawSerializerOptions.AnyMessageType,
            default(JsonElement)
        )
    {
        public override bool TryGetMessage<T>([NotNullWhen(true)] out T? message)
            where T : class => (message = window as T) is not null;

        public override bool TryGetMessage(Type messageType, [NotNullWhen(true)] out object? message) =>
            (message = messageType == typeof(DeliveredWindow) ? window : null) is not null;
    }
}

/// <summary>Sends a body as it is.</summary>
internal sealed class UnchangedBody(byte[] body, string contentType = "application/json") : IMessageSerializer
{
    public ContentType ContentType { get; } = new(contentType);

    public MessageBody GetMessageBody<T>(SendContext<T> context)
        where T : class => new BytesMessageBody(body);
}
