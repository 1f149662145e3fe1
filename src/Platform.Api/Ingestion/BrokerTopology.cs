using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.Api.Tenants;
using Platform.Persistence;
using Platform.Persistence.Ingestion;

namespace Platform.Api.Ingestion;

/// <summary>
/// Makes the broker ready for tenants when the process starts, however late the broker is. Healthy when that is done,
/// for as long as the broker answers.
/// </summary>
internal sealed class BrokerTopology(
    BrokerManagement broker,
    StatisticsPublisher publisher,
    TimeProvider time,
    ILogger<BrokerTopology> log
) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private volatile bool _isReady;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        if (!_isReady)
            return HealthCheckResult.Unhealthy("The broker has not answered yet.");
        await publisher.CheckAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!_isReady)
        {
            try
            {
                await broker.EnsureTopologyAsync(stoppingToken);
                _isReady = true;
            }
            catch (Exception fault)
                when (fault is HttpRequestException or TaskCanceledException && !stoppingToken.IsCancellationRequested)
            {
                log.LogWarning("The broker's management interface does not answer yet: {Reason}", fault.Message);
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
    }
}

/// <summary>Connects the API to the broker.</summary>
internal static class BrokerSetup
{
    public static void AddBroker(this IServiceCollection services)
    {
        services.AddHttpClient<BrokerManagement>(BrokerManagement.Configure);
        services.AddSingleton<StatisticsPublisher>();
        services.AddSingleton(provider => new WorkloadIntake(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton<IdempotencyKeys>();
        services.AddSingleton(provider => new Rejections(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton<BrokerTopology>();
        services.AddHostedService(provider => provider.GetRequiredService<BrokerTopology>());
        services.AddScoped<TenantEndpoints>();
    }
}
