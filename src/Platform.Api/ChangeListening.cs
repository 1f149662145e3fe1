using Platform.Persistence;

namespace Platform.Api;

/// <summary>Listens to what is committed, for as long as the process runs.</summary>
internal sealed class ChangeListening(ChangeFeed changes, ILogger<ChangeListening> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await changes.RunAsync(
                fault => log.LogWarning("Changes are not heard of for now, and nothing is served from memory: {Reason}", fault.Message), stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
    }
}
