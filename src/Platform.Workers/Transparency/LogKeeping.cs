using Platform.Persistence;
using Platform.Persistence.Transparency;

namespace Platform.Workers.Transparency;

/// <summary>
/// Gives what was decided its place in the tenants' logs, and signs the new roots: within moments, by whichever worker
/// comes first.
/// </summary>
internal sealed class LogKeeping(TransparencyLog log, LogSigner signer, TimeProvider time, ILogger<LogKeeping> logger)
    : BackgroundService
{
    private const int TenantsAtATime = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                foreach (var tenant in await log.WaitingTenantsAsync(TenantsAtATime, stoppingToken))
                    await AppendAsync(tenant, stoppingToken);
            }
            catch (Exception fault) when (PlatformStore.IsTransient(fault))
            {
                logger.LogWarning("The logs wait: {Reason}", fault.Message);
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }

    private async Task AppendAsync(string tenant, CancellationToken cancel)
    {
        try
        {
            await log.AppendAsync(tenant, signer, time.GetUtcNow(), cancel);
        }
        catch (Exception fault) when (PlatformStore.IsNotTheDatabasesState(fault))
        {
            // One tenant's events, tampered with before they were logged, must keep neither the others' logs nor the
            // worker from going on.
            logger.LogError(fault, "The log of {Tenant} cannot be continued", tenant);
        }
    }
}

/// <summary>Connects a worker to the tenants' logs.</summary>
internal static class TransparencySetup
{
    public static void AddTransparency(this IServiceCollection services, WorkerOptions options)
    {
        services.AddSingleton(provider => new TransparencyLog(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(_ => new LogSigner(Convert.FromHexString(options.LogKey)));
        services.AddHostedService<LogKeeping>();
    }
}
