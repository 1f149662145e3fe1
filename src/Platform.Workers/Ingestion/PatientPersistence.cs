using Platform.Persistence;

namespace Platform.Workers.Ingestion;

/// <summary>
/// Writes to the database however long it is away: the intake pauses in the meantime, and the worker's health says so.
/// </summary>
internal sealed class PatientPersistence(IntakeCheck check, TimeProvider time, ILogger<PatientPersistence> log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Tries until it succeeds; gives up only on what repeats without one of the known passing reasons.
    /// </summary>
    /// <param name="write">What is to be done; it may be done more than once.</param>
    /// <param name="attempts">Tries that fail for no known passing reason before it is given up.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The result, or the fault of the last try.</returns>
    public async Task<(T? Result, Exception? Fault)> TryAsync<T>(
        Func<CancellationToken, Task<T>> write,
        int attempts,
        CancellationToken cancel
    )
        where T : class
    {
        var pause = FirstPause;
        for (var attempt = 1; ; )
        {
            try
            {
                var result = await write(cancel);
                check.Succeeded();
                return (result, null);
            }
            catch (Exception fault) when (!cancel.IsCancellationRequested)
            {
                var passing = PlatformStore.IsTransient(fault);
                if (passing)
                    check.Failed(fault.GetBaseException().Message);
                log.LogWarning(
                    fault,
                    "The database did not take what came from the broker; waiting {Pause} before the next try",
                    pause
                );
                if (!passing && attempt++ == attempts)
                    return (null, fault);
            }

            await Task.Delay(pause, time, cancel);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
