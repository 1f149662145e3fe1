using System.Diagnostics;
using Microsoft.Extensions.Options;
using Platform.Domain.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Api.Ingestion;

/// <summary>The broker cannot take a message now; it may, later.</summary>
internal sealed class BrokerUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Sends windows that came over HTTP on the same road as those that come over the broker. The platform's own user is
/// the sender; it names the tenant whose key was checked. Returns when the broker has confirmed that it keeps the
/// message.
/// </summary>
internal sealed class StatisticsPublisher(IOptions<ApiOptions> options, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Name of the source of spans.</summary>
    public const string SourceName = "Platform.Api.Ingestion";

    /// <summary>
    /// How long a confirm is waited for: a network that swallows everything is not noticed by itself for long.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The same for a sign of life.</summary>
    private static readonly TimeSpan PatienceOnCheck = TimeSpan.FromSeconds(3);

    /// <summary>A connection that says nothing for two to four times as long is closed.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    private static readonly ActivitySource Source = new(SourceName);

    private readonly SemaphoreSlim _connecting = new(1);
    private IConnection? _connection;
    private IChannel? _channel;
    private volatile bool _isBlocked;

    /// <summary>Publishes a window's body, unchanged.</summary>
    /// <exception cref="BrokerUnavailableException">The broker is away, or has not confirmed.</exception>
    public async Task PublishAsync(
        string tenant,
        string fleet,
        Guid messageId,
        ReadOnlyMemory<byte> body,
        CancellationToken cancel
    )
    {
        using var span = Source.StartActivity($"send {IngressNames.Exchange}", ActivityKind.Producer);
        span?.SetTag("messaging.system", "rabbitmq")
            .SetTag("messaging.operation.type", "send")
            .SetTag("messaging.destination.name", IngressNames.Exchange);
        var headers = new Dictionary<string, object?> { [IngressNames.OnBehalfOfHeader] = tenant };
        if (Activity.Current is { Recorded: true, Id: { } traceParent })
            headers.Add(IngressNames.TraceParentHeader, traceParent);
        var properties = new BasicProperties
        {
            UserId = options.Value.BrokerUser.Name,
            MessageId = messageId.ToString("D"),
            ContentType = "application/json",
            DeliveryMode = DeliveryModes.Persistent,
            Headers = headers,
        };
        await AskAsync(
            (channel, stop) =>
                channel
                    .BasicPublishAsync(
                        IngressNames.Exchange,
                        $"{tenant}.{fleet}",
                        mandatory: true,
                        properties,
                        body,
                        stop
                    )
                    .AsTask(),
            Patience,
            cancel
        );
    }

    /// <summary>Asks for a sign of life on the connection that the windows take.</summary>
    /// <exception cref="BrokerUnavailableException">The broker gives none, or takes no messages.</exception>
    public Task CheckAsync(CancellationToken cancel) =>
        AskAsync(
            (channel, stop) => channel.ExchangeDeclarePassiveAsync(IngressNames.Exchange, stop),
            PatienceOnCheck,
            cancel
        );

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        _connecting.Dispose();
    }

    private async Task AskAsync(
        Func<IChannel, CancellationToken, Task> ask,
        TimeSpan patience,
        CancellationToken cancel
    )
    {
        if (_isBlocked && _connection is { IsOpen: true })
            throw new BrokerUnavailableException("The broker is short of disk space or memory, and takes no messages.");
        using var waiting = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(waiting.Token, cancel);
        try
        {
            // Given up from outside: a cancelled call to the broker may wait for its answer all the same.
            await ask(await ChannelAsync(either.Token).WaitAsync(either.Token), either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException fault) when (!cancel.IsCancellationRequested)
        {
            // The network may have forgotten the connection. The next call opens another, without waiting for missed
            // heartbeats.
            if (!_isBlocked)
                _ = Interlocked.Exchange(ref _connection, null)?.DisposeAsync().AsTask();
            throw new BrokerUnavailableException(
                $"The broker has not answered within {patience.TotalSeconds:0} s.",
                fault
            );
        }
        catch (Exception fault)
            when (fault
                    is RabbitMQClientException
                        or PublishException
                        or IOException
                        or System.Net.Sockets.SocketException
            )
        {
            throw new BrokerUnavailableException("The broker did not take the message.", fault);
        }
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
                new CreateChannelOptions(
                    publisherConfirmationsEnabled: true,
                    publisherConfirmationTrackingEnabled: true
                ),
                cancel
            );
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task<IConnection> ConnectAsync(CancellationToken cancel)
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
            RequestedHeartbeat = Heartbeat,
        };
        var connection = await factory.CreateConnectionAsync(cancel);
        _isBlocked = false;
        connection.ConnectionBlockedAsync += (_, _) => SetBlockedAsync(true);
        connection.ConnectionUnblockedAsync += (_, _) => SetBlockedAsync(false);
        return connection;
    }

    private Task SetBlockedAsync(bool isBlocked)
    {
        _isBlocked = isBlocked;
        return Task.CompletedTask;
    }
}
