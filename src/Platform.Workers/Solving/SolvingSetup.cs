using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;
using Platform.Persistence;
using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>Connects the solving to Hangfire.</summary>
internal static class SolvingSetup
{
    private const string EverySecond = "* * * * * *";

    /// <summary>Hangfire wants no longer than this to notice a job or that a worker has died with one.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Invisibility = TimeSpan.FromSeconds(30);

    public static void AddSolving(this IServiceCollection services, WorkerOptions options)
    {
        services.AddSingleton(provider => new DueFleets(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton(provider => new SolveStore(provider.GetRequiredService<PlatformStore>()));
        services.AddSingleton<FleetSolving>();
        services.AddSingleton<SolveSweep>();
        services.AddHangfire(
            (_, hangfire) =>
                hangfire
                    .UseRecommendedSerializerSettings()
                    .UsePostgreSqlStorage(
                        storage => storage.UseNpgsqlConnection(HangfireConnection(options.Postgres)),
                        new PostgreSqlStorageOptions
                        {
                            // The migrations make the schema; a worker that starts while the database is away waits for it.
                            PrepareSchemaIfNecessary = false,
                            QueuePollInterval = Poll,
                            EnableLongPolling = false,
                            UseSlidingInvisibilityTimeout = true,
                            InvisibilityTimeout = Invisibility,
                            // A dead worker's lock on the timetable is taken after so long; two sweeps at once do no harm.
                            DistributedLockTimeout = TimeSpan.FromSeconds(10),
                        }
                    )
        );
        services.AddHostedService(provider => new JobServer(
            provider.GetRequiredService<JobStorage>(),
            provider.GetRequiredService<JobActivator>(),
            Poll,
            provider.GetRequiredService<ILogger<JobServer>>()
        ));
        services.AddHostedService<Timetable>();
    }

    // A pool of its own, which never carries a tenant: here, and only here, the reset at each return to the pool can be
    // saved.
    private static string HangfireConnection(string postgres) =>
        new NpgsqlConnectionStringBuilder(postgres)
        {
            NoResetOnClose = true,
            MaxPoolSize = 10,
            ApplicationName = "hangfire",
        }.ConnectionString;

    private sealed class Timetable(IRecurringJobManager jobs, TimeProvider time, ILogger<Timetable> log)
        : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            while (!TryEnter())
                await Task.Delay(Poll, time, stoppingToken);
        }

        private bool TryEnter()
        {
            try
            {
                jobs.AddOrUpdate<SolveSweep>(
                    SolveSweep.JobId,
                    sweep => sweep.RunAsync(CancellationToken.None),
                    EverySecond
                );
                return true;
            }
            catch (Exception fault) when (PlatformStore.IsTransient(fault) || fault is NpgsqlException)
            {
                log.LogWarning("The timetable cannot be entered yet: {Reason}", fault.Message);
                return false;
            }
        }
    }
}
