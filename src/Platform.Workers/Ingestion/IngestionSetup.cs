using MassTransit;
using Platform.Domain.Contracts;
using Platform.Persistence;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;
using RabbitMQ.Client;

namespace Platform.Workers.Ingestion;

/// <summary>Connects the intake to the broker.</summary>
internal static class IngestionSetup
{
    /// <summary>Windows in a transaction, at most. The rate of stored events hardly grows beyond.</summary>
    private const int BatchLimit = 200;

    /// <summary>Batches in the making at once: one is stored while the next is filled.</summary>
    private const int Batches = 2;

    /// <summary>
    /// A connection that says nothing for two to four times as long is closed, and another one opened.
    /// </summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);

    public static void AddIngestion(this IServiceCollection services, WorkerOptions options)
    {
        var (name, password) = options.BrokerUser;
        services.AddSingleton(new WindowReception(name));
        services.AddSingleton(provider => new EarlySolves(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new WorkloadIntake(provider.GetRequiredService<PlatformStore>())
        {
            Uncounted = new UncountedWindows(
                provider.GetRequiredService<PlatformStore>(),
                WorkloadWindowConsumer.CountUncounted
            ),
        });
        services.AddSingleton(provider => new Rejections(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton<IntakeCheck>();
        services.AddSingleton<PatientPersistence>();
        services.AddSingleton<SettingAside>();
        services.AddSingleton(provider => new BrokerCheck(options, provider.GetRequiredService<TimeProvider>()));
        services
            .AddHealthChecks()
            .AddCheck<IntakeCheck>("intake", tags: ["ready"])
            .AddCheck<BrokerCheck>("broker", tags: ["ready"]);
        services.AddMassTransit(bus =>
        {
            // By default MassTransit tells its makers how it is used; what a platform does is its operator's business.
            bus.DisableUsageTelemetry();
            bus.AddConsumer<WorkloadWindowConsumer>(consumer =>
                consumer.Options<BatchOptions>(batch =>
                    batch.SetMessageLimit(BatchLimit).SetTimeLimit(ms: 50).SetConcurrencyLimit(Batches)
                )
            );
            bus.UsingRabbitMq(
                (context, broker) =>
                {
                    broker.Host(
                        options.RabbitMq.Host,
                        (ushort)options.RabbitMq.Port,
                        options.IngressVirtualHost,
                        host =>
                        {
                            host.Username(name);
                            host.Password(password);
                            host.Heartbeat(Heartbeat);
                        }
                    );
                    broker.ReceiveEndpoint(IngressNames.Intake, endpoint => Configure(endpoint, context));
                }
            );
        });
    }

    private static void Configure(IRabbitMqReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
    {
        endpoint.ConfigureConsumeTopology = false;
        endpoint.PublishFaults = false;
        endpoint.PrefetchCount = 2 * Batches * BatchLimit;
        endpoint.SetQuorumQueue();
        endpoint.SetQueueArgument("x-delivery-limit", IngressNames.DeliveryLimit);
        endpoint.BindDeadLetterQueue(
            IngressNames.Rejected,
            IngressNames.Rejected,
            queue => queue.SetQueueArgument("x-queue-type", "quorum")
        );
        endpoint.Bind(
            IngressNames.Exchange,
            exchange =>
            {
                exchange.ExchangeType = ExchangeType.Topic;
                exchange.RoutingKey = "#";
            }
        );
        endpoint.ClearSerialization();
        endpoint.AddSerializer(new DeliveredWindowSerialization());
        endpoint.AddDeserializer(new DeliveredWindowSerialization(), isDefault: true);
        // MassTransit's own error queue would carry the property user-id, which the broker refuses from another user:
        // the channel would die and the message come back for ever. Rethrown, it comes back a limited number of times.
        endpoint.RethrowFaultedMessages();
        endpoint.ThrowOnSkippedMessages();
        endpoint.ConfigureConsumer<WorkloadWindowConsumer>(context);
    }
}
