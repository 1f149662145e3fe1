using System.Collections.Concurrent;
using System.Text;
using Platform.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Platform.Integration.Tests;

/// <summary>A message that was set aside.</summary>
public sealed record RejectedMessage(byte[] Body, string? MessageId, string Tenant, string Reason);

/// <summary>Collects what the workers set aside, for all tests.</summary>
public sealed class RejectedMessages : IAsyncDisposable
{
    private readonly IConnection _connection;
    private readonly ConcurrentBag<RejectedMessage> _messages = [];

    private RejectedMessages(IConnection connection) => _connection = connection;

    public static async Task<RejectedMessages> ConsumeAsync(TestPlatform platform, CancellationToken cancel)
    {
        var rejected = new RejectedMessages(await platform.BrokerAsPlatformAsync(cancel));
        var channel = await rejected._connection.CreateChannelAsync(cancellationToken: cancel);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            rejected.Take(delivery);
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync("workload-statistics.rejected", autoAck: true, consumer, cancel);
        return rejected;
    }

    /// <summary>Messages set aside so far.</summary>
    public int Count => _messages.Count;

    /// <summary>Messages of a tenant that were set aside so far.</summary>
    public int CountOf(string tenant) => _messages.Count(message => message.Tenant == tenant);

    /// <summary>Why messages of a tenant were set aside.</summary>
    public IEnumerable<string> ReasonsOf(string tenant) =>
        _messages.Where(message => message.Tenant == tenant).Select(message => message.Reason);

    /// <summary>Waits for the message with that body.</summary>
    public Task<RejectedMessage> WithBodyAsync(byte[] body, CancellationToken cancel) =>
        Eventually.GetAsync(
            () => Task.FromResult(_messages.FirstOrDefault(message => message.Body.AsSpan().SequenceEqual(body))),
            "the rejected message",
            cancel
        );

    /// <summary>Waits for the message with that message-id.</summary>
    public Task<RejectedMessage> WithMessageIdAsync(Guid id, CancellationToken cancel) =>
        Eventually.GetAsync(
            () => Task.FromResult(_messages.FirstOrDefault(message => message.MessageId == $"{id}")),
            "the rejected message",
            cancel
        );

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private void Take(BasicDeliverEventArgs delivery) =>
        _messages.Add(
            new RejectedMessage(
                delivery.Body.ToArray(),
                delivery.BasicProperties.MessageId,
                Header(delivery, "tenant"),
                Header(delivery, "reason")
            )
        );

    private static string Header(BasicDeliverEventArgs delivery, string name) =>
        delivery.BasicProperties.Headers?.TryGetValue(name, out var value) == true && value is byte[] utf8
            ? Encoding.UTF8.GetString(utf8)
            : "";
}
