using Hangfire;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.States;

namespace Platform.Workers.Solving;

/// <summary>
/// Hangfire's server, with one thing set that its own does not offer: after a failure it tries again within a moment,
/// for as long as it takes. By default the wait grows with the square of the failures, up to five minutes, and after an
/// outage of the database nothing would be solved for as long.
/// </summary>
internal sealed class JobServer(JobStorage storage, JobActivator activator, TimeSpan poll, ILogger<JobServer> log)
    : IHostedService,
        IDisposable
{
    private static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(5);

    private BackgroundProcessingServer? _server;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var filters = JobFilterProviders.Providers;
        var states = new BackgroundJobStateChanger(filters);
        var workers = Math.Max(2, Environment.ProcessorCount);
        string[] queues = [EnqueuedState.DefaultQueue];
        _server = new BackgroundProcessingServer(
            storage,
            [
                new Worker(queues, new BackgroundJobPerformer(filters, activator), states).UseBackgroundPool(workers),
                new DelayedJobScheduler(poll, states).UseBackgroundPool(1),
                new RecurringJobScheduler(new Hangfire.Client.BackgroundJobFactory(filters), poll).UseBackgroundPool(1),
            ],
            new Dictionary<string, object> { ["Queues"] = queues, ["WorkerCount"] = workers },
            new BackgroundProcessingServerOptions
            {
                ShutdownTimeout = Shutdown,
                RetryDelay = _ => poll,
                RestartDelay = poll,
            }
        );
        log.LogInformation("Sweeps are looked for every {Seconds} s by {Workers} threads", poll.TotalSeconds, workers);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is null)
            return;
        _server.SendStop();
        await _server.WaitForShutdownAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _server?.Dispose();
}
