using System.Runtime.CompilerServices;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Cli.Ingestion;

/// <summary>
/// The queue of rejected messages, in the hands of one operator at a time. Messages that are read are held, and go back
/// when the connection ends, however it ends; only what is removed is gone.
/// </summary>
internal sealed class RejectedQueue : IAsyncDisposable
{
    /// <summary>
    /// Exists as long as its connection, and lets no other connection declare it: the operators' lock.
    /// </summary>
    private const string Turn = IngressNames.Rejected + ".operator";

    private readonly IConnection _connection;
    private readonly IChannel _reading;
    private readonly IChannel _publishing;
    private readonly string _user;

    private RejectedQueue(IConnection connection, IChannel reading, IChannel publishing, string user) =>
        (_connection, _reading, _publishing, _user) = (connection, reading, publishing, user);

    /// <summary>Connects as the platform's own user.</summary>
    /// <exception cref="CommandFailure">The broker is away, knows nothing of the platform yet, or another operator is
    /// at work.</exception>
    public static async Task<RejectedQueue> OpenAsync(PlatformSettings settings, CancellationToken cancel)
    {
        // A connection that the client restored would hold nothing of what this command believes to hold.
        var factory = new ConnectionFactory
        {
            Uri = new Uri(settings.RabbitMq),
            VirtualHost = settings.IngressVirtualHost,
            ClientProvidedName = "operator",
            AutomaticRecoveryEnabled = false,
        };
        IConnection? connection = null;
        try
        {
            connection = await factory.CreateConnectionAsync(cancel);
            var reading = await connection.CreateChannelAsync(cancellationToken: cancel);
            await reading.QueueDeclareAsync(
                Turn,
                durable: false,
                exclusive: true,
                autoDelete: true,
                cancellationToken: cancel
            );
            var publishing = await connection.CreateChannelAsync(
                new CreateChannelOptions(
                    publisherConfirmationsEnabled: true,
                    publisherConfirmationTrackingEnabled: true
                ),
                cancel
            );
            return new RejectedQueue(connection, reading, publishing, factory.UserName);
        }
        catch (Exception fault) when (fault is RabbitMQClientException)
        {
            if (connection is not null)
                await connection.DisposeAsync();
            throw fault is OperationInterruptedException { ShutdownReason.ReplyCode: Constants.ResourceLocked }
                ? new CommandFailure("another operator is at work on the rejected messages", CommandFailure.JobSaysNo)
                : new CommandFailure(
                    $"cannot reach virtual host '{settings.IngressVirtualHost}' of the broker: {fault.Message}",
                    CommandFailure.BadUsage
                );
        }
    }

    /// <summary>Reads all messages and holds them.</summary>
    public async IAsyncEnumerable<RejectedMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        while (await _reading.BasicGetAsync(IngressNames.Rejected, autoAck: false, cancel) is { } delivery)
            yield return RejectedMessage.Read(delivery, _user);
    }

    /// <summary>
    /// Publishes a message once more as it was published, and ends when the broker has confirmed that it keeps it.
    /// </summary>
    /// <exception cref="CommandFailure">The intake is full, or away.</exception>
    public async Task ReplayAsync(RejectedMessage message, CancellationToken cancel)
    {
        var properties = new BasicProperties
        {
            UserId = _user,
            MessageId = message.MessageId,
            ContentType = message.ContentType,
            DeliveryMode = DeliveryModes.Persistent,
        };
        if (message.Tenant is { } tenant)
            properties.Headers = new Dictionary<string, object?> { [IngressNames.OnBehalfOfHeader] = tenant };
        try
        {
            await _publishing.BasicPublishAsync(
                IngressNames.Exchange,
                message.RoutingKey,
                mandatory: true,
                properties,
                message.Body,
                cancel
            );
        }
        catch (Exception fault) when (fault is PublishException or RabbitMQClientException)
        {
            throw new CommandFailure(
                $"the intake does not take message {message.Id} now; it is kept: {fault.Message}",
                CommandFailure.JobSaysNo
            );
        }
    }

    /// <summary>Removes a message that is held.</summary>
    public ValueTask RemoveAsync(RejectedMessage message, CancellationToken cancel) =>
        _reading.BasicAckAsync(message.DeliveryTag, multiple: false, cancel);

    public async ValueTask DisposeAsync()
    {
        await _publishing.DisposeAsync();
        await _reading.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
