using System.Diagnostics.Metrics;
using Platform.Persistence;

namespace Platform.Api;

/// <summary>Listens to what is committed, for as long as the process runs.</summary>
internal sealed class ChangeListening : BackgroundService
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Platform.Api.Changes";

    private readonly ChangeFeed _changes;
    private readonly ILogger<ChangeListening> _log;

    public ChangeListening(ChangeFeed changes, IMeterFactory meters, ILogger<ChangeListening> log)
    {
        (_changes, _log) = (changes, log);
        meters
            .Create(MeterName)
            .CreateObservableGauge(
                "platform.changes.current",
                () => changes.IsCurrent ? 1 : 0,
                "1",
                "1 while changes are heard of as they are committed, and allocations served from memory."
            );
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _changes.RunAsync(
                fault =>
                    _log.LogWarning(
                        "Changes are not heard of for now, and nothing is served from memory: {Reason}",
                        fault.Message
                    ),
                stoppingToken
            );
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
    }
}
