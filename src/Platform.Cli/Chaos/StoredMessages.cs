using System.Diagnostics;
using Npgsql;
using Platform.Cli.Demo;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;
using RabbitMQ.Client;

namespace Platform.Cli.Chaos;

/// <summary>What a run's messages have become, by the database and the broker themselves.</summary>
internal sealed class StoredMessages(PlatformSettings settings) : IAsyncDisposable
{
    /// <summary>Without one more window stored for so long, the platform is stuck.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(settings.Postgres);

    /// <summary>Waits until so many windows are stored, for as long as there are more and more.</summary>
    public async Task UntilAsync(int acknowledged, CancellationToken cancel)
    {
        var (stored, quiet) = (-1L, Stopwatch.StartNew());
        while (stored < acknowledged && quiet.Elapsed < Patience)
        {
            await using var command = _database.CreateCommand(
                "select count(*) from events.mt_events where type = 'workload-window-recorded'"
            );
            var now = (long)(await command.ExecuteScalarAsync(cancel))!;
            if (now != stored)
                quiet.Restart();
            stored = now;
            await Task.Delay(LookEvery, cancel);
        }
    }

    /// <summary>The message id of every stored window, with its tenant.</summary>
    public async Task<List<(string Tenant, Guid MessageId)>> ReadAsync(CancellationToken cancel)
    {
        await using var command = _database.CreateCommand(
            "select tenant_id, (data ->> 'messageId')::uuid from events.mt_events where type = 'workload-window-recorded'"
        );
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var stored = new List<(string, Guid)>();
        while (await reader.ReadAsync(cancel))
            stored.Add((reader.GetString(0), reader.GetGuid(1)));
        return stored;
    }

    /// <summary>Messages in the queue of those that could not be taken.</summary>
    public async Task<int> SetAsideAsync(DemoPlatform platform, CancellationToken cancel)
    {
        var factory = new ConnectionFactory
        {
            Uri = new Uri(settings.RabbitMq),
            VirtualHost = platform.Tenants[0].Broker.VirtualHost,
        };
        await using var connection = await factory.CreateConnectionAsync(cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancel);
        return (int)(await channel.QueueDeclarePassiveAsync(IngressNames.Rejected, cancel)).MessageCount;
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
