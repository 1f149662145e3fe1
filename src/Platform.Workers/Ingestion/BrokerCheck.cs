using Microsoft.Extensions.Diagnostics.HealthChecks;
using RabbitMQ.Client;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Healthy while the broker answers, on a connection of its own: the bus says whether it is connected, but notices a
/// silent network only by missed heartbeats.
/// </summary>
internal sealed class BrokerCheck(WorkerOptions options, TimeProvider time) : IHealthCheck, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _asking = new(1);
    private IConnection? _connection;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        using var waiting = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(waiting.Token, cancellationToken);
        await _asking.WaitAsync(either.Token);
        try
        {
            if (_connection is not { IsOpen: true })
                _connection = await ConnectAsync(either.Token);
            // Given up from outside: a cancelled call to the broker waits for its answer all the same.
            await AskAsync(_connection).WaitAsync(either.Token);
            return HealthCheckResult.Healthy();
        }
        catch
        {
            // In the background: a connection that says nothing takes seconds to be given up.
            _ = _connection?.DisposeAsync().AsTask();
            _connection = null;
            throw;
        }
        finally
        {
            _asking.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        _asking.Dispose();
    }

    private static async Task AskAsync(IConnection connection)
    {
        await using var channel = await connection.CreateChannelAsync();
    }

    private Task<IConnection> ConnectAsync(CancellationToken cancel)
    {
        var (name, password) = options.BrokerUser;
        var factory = new ConnectionFactory
        {
            HostName = options.RabbitMq.Host,
            Port = options.RabbitMq.Port,
            VirtualHost = options.IngressVirtualHost,
            UserName = name,
            Password = password,
            ClientProvidedName = "health of a worker",
            AutomaticRecoveryEnabled = false,
        };
        return factory.CreateConnectionAsync(cancel);
    }
}
