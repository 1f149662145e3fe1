using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.Domain.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Client;

/// <summary>How a tenant reaches the broker: the member <c>broker</c> of what taking it on has answered.</summary>
/// <param name="VirtualHost">The virtual host.</param>
/// <param name="Exchange">Where it publishes windows.</param>
/// <param name="UserName">Its user, which is its id.</param>
/// <param name="Password">Its password.</param>
public sealed record BrokerAccess(string VirtualHost, string Exchange, string UserName, string Password)
{
    /// <summary>Where it is told what comes into force; null where the platform did not say.</summary>
    public string? Queue { get; init; }
}

/// <summary>A message as a tenant's gateway sends it.</summary>
/// <param name="Fleet">The fleet's id.</param>
/// <param name="MessageId">The idempotency key: sent again, the message keeps it.</param>
/// <param name="Body">The window's JSON.</param>
public sealed record WindowMessage(string Fleet, Guid MessageId, ReadOnlyMemory<byte> Body)
{
    // What the contract lets a publisher leave out is left out.
    private static readonly JsonSerializerOptions Wire = new(StrictJson.Options)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The message of a window.</summary>
    public static WindowMessage Of(WorkloadWindow window, Guid messageId) =>
        new(window.Fleet, messageId, JsonSerializer.SerializeToUtf8Bytes(window, Wire));

    /// <summary>
    /// The messages of a window under new ids: one as a rule, and as many as it takes where the task types are too many
    /// for one. Each tells of the same interval.
    /// </summary>
    public static IReadOnlyList<WindowMessage> AllOf(WorkloadWindow window)
    {
        var message = Of(window, Guid.NewGuid());
        var fits =
            message.Body.Length <= WorkloadWindowReader.MaxBytes
            && window.Tasks.Count <= WorkloadWindowReader.MaxTaskTypes;
        if (fits || window.Tasks.Count < 2)
            return [message];
        var half = window.Tasks.Count / 2;
        return
        [
            .. AllOf(window with { Tasks = [.. window.Tasks.Take(half)] }),
            .. AllOf(window with { Tasks = [.. window.Tasks.Skip(half)] }),
        ];
    }
}

/// <summary>
/// Publishes workload windows as one tenant, by the contract: its own broker user, its name as validated user-id, a
/// UUID as message-id, and publisher confirms. May be called by one thread at a time, without waiting for the calls
/// before.
/// </summary>
public sealed class WindowPublisher : IWindowSink
{
    /// <summary>How long a message is sent again whose confirm does not come: that does no harm.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly BrokerAccess _access;
    private readonly IConnection _connection;
    private readonly SemaphoreSlim _reopening = new(1);
    private IChannel _channel;

    private WindowPublisher(BrokerAccess access, IConnection connection, IChannel channel) =>
        (_access, _connection, _channel) = (access, connection, channel);

    /// <summary>Connects as the tenant.</summary>
    /// <param name="broker">amqp URI of the broker; its user is not looked at.</param>
    /// <param name="access">The tenant's credentials.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<WindowPublisher> ConnectAsync(Uri broker, BrokerAccess access, CancellationToken cancel)
    {
        var factory = new ConnectionFactory
        {
            Uri = broker,
            VirtualHost = access.VirtualHost,
            UserName = access.UserName,
            Password = access.Password,
            ClientProvidedName = $"gateway of {access.UserName}",
        };
        var connection = await factory.CreateConnectionAsync(cancel);
        try
        {
            return new WindowPublisher(access, connection, await connection.CreateChannelAsync(Confirmed, cancel));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// A channel on which a publish ends with the broker's confirm. Who publishes bounds what is in flight.
    /// </summary>
    public static CreateChannelOptions Confirmed { get; } =
        new(
            publisherConfirmationsEnabled: true,
            publisherConfirmationTrackingEnabled: true,
            outstandingPublisherConfirmationsRateLimiter: null
        );

    /// <summary>
    /// Publishes, and ends when the broker has confirmed; sends again for two minutes while it does not.
    /// </summary>
    /// <exception cref="WindowRefusedException">The window is larger than the platform takes.</exception>
    /// <exception cref="RabbitMQClientException">The broker was away, or has refused, for longer.</exception>
    public async Task PublishAsync(WindowMessage message, CancellationToken cancel)
    {
        if (message.Body.Length > WorkloadWindowReader.MaxBytes)
            throw TooLarge(message);
        var properties = new BasicProperties
        {
            UserId = _access.UserName,
            MessageId = message.MessageId.ToString("D"),
            ContentType = "application/json",
            DeliveryMode = DeliveryModes.Persistent,
        };
        for (var watch = Stopwatch.StartNew(); ; )
        {
            try
            {
                await _channel.BasicPublishAsync(
                    _access.Exchange,
                    $"{_access.UserName}.{message.Fleet}",
                    mandatory: true,
                    properties,
                    message.Body,
                    cancel
                );
                return;
            }
            catch (Exception fault)
                when (watch.Elapsed < Patience
                    && fault is AlreadyClosedException or OperationInterruptedException or PublishException
                )
            {
                await Task.Delay(Pause, cancel);
                await ReopenAsync(cancel);
            }
        }
    }

    /// <summary>Closes the connection; what was not confirmed by then may or may not be kept.</summary>
    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
        _reopening.Dispose();
    }

    /// <summary>
    /// The client restores a lost connection and its channel by itself, but not a channel that the broker has closed:
    /// over a permission or an exchange that was missing for a while, say.
    /// </summary>
    private async Task ReopenAsync(CancellationToken cancel)
    {
        await _reopening.WaitAsync(cancel);
        try
        {
            if (_channel.IsOpen || !_connection.IsOpen)
                return;
            var closed = _channel;
            _channel = await _connection.CreateChannelAsync(Confirmed, cancel);
            await closed.DisposeAsync();
        }
        catch (Exception fault) when (fault is RabbitMQClientException or IOException)
        {
            // The next try finds it as it is then.
        }
        finally
        {
            _reopening.Release();
        }
    }

    private static WindowRefusedException TooLarge(WindowMessage message) =>
        new(
            HttpStatusCode.RequestEntityTooLarge,
            $"the message has {message.Body.Length} bytes; at most {WorkloadWindowReader.MaxBytes} are taken"
        );
}
