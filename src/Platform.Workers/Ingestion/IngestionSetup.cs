using MassTransit;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using RabbitMQ.Client;

namespace Platform.Workers.Ingestion;

/// <summary>Connects the intake to the broker.</summary>
internal static class IngestionSetup
{
    /// <summary>The topic exchange that tenants publish to.</summary>
    private const string Exchange = "workload-statistics";

    /// <summary>The queue that all workers share.</summary>
    private const string Queue = "workload-statistics.intake";

    /// <summary>Windows in a transaction, at most. The rate of stored events hardly grows beyond.</summary>
    private const int BatchLimit = 200;

    /// <summary>Batches in the making at once: one is stored while the next is filled.</summary>
    private const int Batches = 2;

    /// <summary>
    /// How often the broker hands out a message that no consumer has ended with. Each death of a worker counts for every message that it
    /// held, so this is no measure of the message: those that are bad are set aside by the consumer, at once.
    /// </summary>
    private const int DeliveryLimit = 20;

    public static void AddIngestion(this IServiceCollection services, WorkerOptions options)
    {
        var user = options.RabbitMq.UserInfo.Split(':', 2);
        services.AddSingleton(new WindowReception(Uri.UnescapeDataString(user[0])));
        services.AddSingleton(provider => new WorkloadIntake(provider.GetRequiredService<PlatformStore>()));
        services.AddMassTransit(bus =>
        {
            bus.AddConsumer<WorkloadWindowConsumer>(consumer => consumer.Options<BatchOptions>(batch => batch
                .SetMessageLimit(BatchLimit).SetTimeLimit(ms: 50).SetConcurrencyLimit(Batches)));
            bus.UsingRabbitMq((context, broker) =>
            {
                broker.Host(options.RabbitMq.Host, (ushort)options.RabbitMq.Port, options.IngressVirtualHost, host =>
                {
                    host.Username(Uri.UnescapeDataString(user[0]));
                    host.Password(Uri.UnescapeDataString(user[^1]));
                });
                broker.ReceiveEndpoint(Queue, endpoint => Configure(endpoint, context));
            });
        });
    }

    private static void Configure(IRabbitMqReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
    {
        endpoint.ConfigureConsumeTopology = false;
        endpoint.PublishFaults = false;
        endpoint.PrefetchCount = 2 * Batches * BatchLimit;
        endpoint.SetQuorumQueue();
        endpoint.SetQueueArgument("x-delivery-limit", DeliveryLimit);
        endpoint.BindDeadLetterQueue(
            WorkloadWindowConsumer.Rejected, WorkloadWindowConsumer.Rejected, queue => queue.SetQueueArgument("x-queue-type", "quorum"));
        endpoint.Bind(Exchange, exchange =>
        {
            exchange.ExchangeType = ExchangeType.Topic;
            exchange.RoutingKey = "#";
        });
        endpoint.ClearSerialization();
        endpoint.AddSerializer(new DeliveredWindowSerialization());
        endpoint.AddDeserializer(new DeliveredWindowSerialization(), isDefault: true);
        // MassTransit's own error queue would carry the property user-id, which the broker refuses from another user: the channel
        // would die and the message come back for ever. Rethrown, it comes back at most DeliveryLimit times.
        endpoint.RethrowFaultedMessages();
        endpoint.ThrowOnSkippedMessages();
        endpoint.ConfigureConsumer<WorkloadWindowConsumer>(context);
    }
}
