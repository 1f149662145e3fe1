using Microsoft.Extensions.Options;
using Platform.Domain.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Api.Ingestion;

/// <summary>The broker cannot take a message now; it may, later.</summary>
internal sealed class BrokerUnavailableException(string message, Exception inner) : Exception(message, inner);

/// <summary>
/// Sends windows that came over HTTP on the same road as those that come over the broker. The platform's own user is the sender; it
/// names the tenant whose key was checked. Returns when the broker has confirmed that it keeps the message.
/// </summary>
internal sealed class StatisticsPublisher(IOptions<ApiOptions> options, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long a confirm is waited for: a network that swallows everything is not noticed by itself for minutes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _connecting = new(1);
    private IConnection? _connection;
    private IChannel? _channel;

    /// <summary>Publishes a window's body, unchanged.</summary>
    /// <exception cref="BrokerUnavailableException">The broker is away, or has not confirmed.</exception>
    public async Task PublishAsync(string tenant, string fleet, Guid messageId, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var properties = new BasicProperties
        {
            UserId = options.Value.BrokerUser.Name,
            MessageId = messageId.ToString("D"),
            ContentType = "application/json",
            DeliveryMode = DeliveryModes.Persistent,
            Headers = new Dictionary<string, object?> { [IngressNames.OnBehalfOfHeader] = tenant },
        };
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        try
        {
            var channel = await ChannelAsync(either.Token);
            await channel.BasicPublishAsync(IngressNames.Exchange, $"{tenant}.{fleet}", mandatory: true, properties, body, either.Token);
        }
        catch (OperationCanceledException fault) when (!cancel.IsCancellationRequested)
        {
            throw new BrokerUnavailableException($"The broker has not confirmed the message within {Patience.TotalSeconds:0} s.", fault);
        }
        catch (Exception fault) when (fault is RabbitMQClientException or PublishException or IOException or System.Net.Sockets.SocketException)
        {
            throw new BrokerUnavailableException("The broker did not take the message.", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        _connecting.Dispose();
    }

    private async Task<IChannel> ChannelAsync(CancellationToken cancel)
    {
        if (_channel is { IsOpen: true } open)
            return open;
        await _connecting.WaitAsync(cancel);
        try
        {
            if (_channel is { IsOpen: true } meanwhile)
                return meanwhile;
            if (_connection is not { IsOpen: true })
            {
                if (_connection is not null)
                    await _connection.DisposeAsync();
                _connection = await ConnectAsync(cancel);
            }

            return _channel = await _connection.CreateChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancel);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private Task<IConnection> ConnectAsync(CancellationToken cancel)
    {
        var (name, password) = options.Value.BrokerUser;
        var factory = new ConnectionFactory
        {
            HostName = options.Value.RabbitMq.Host,
            Port = options.Value.RabbitMq.Port,
            VirtualHost = options.Value.IngressVirtualHost,
            UserName = name,
            Password = password,
            ClientProvidedName = "api",
            // We connect anew ourselves: a connection that came back beside ours would stay for ever.
            AutomaticRecoveryEnabled = false,
        };
        return factory.CreateConnectionAsync(cancel);
    }
}
