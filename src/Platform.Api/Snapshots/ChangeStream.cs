using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Platform.Api.Authentication;
using Platform.Persistence;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Snapshots;

/// <summary>
/// The changes of the version in force of one fleet, for one reader. The id of each event is the number of its change.
/// </summary>
internal sealed class ChangeStream(
    SnapshotHistory history,
    ChangeFeed changes,
    KeyCache keys,
    TimeProvider time,
    string tenant,
    string fleet,
    string keyId
)
{
    private const int PageLength = 100;

    /// <summary>
    /// How long nothing is said at most: what stands between would close a stream that is silent for longer.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>How often changes are looked for while they are not told.</summary>
    private static readonly TimeSpan SilenceUntold = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Every change after one of them, then each as it comes; ends with the fleet, with the key, or when it is told to.
    /// </summary>
    public async IAsyncEnumerable<SseItem<InForceChange?>> RunAsync(
        long after,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        using var told = new SemaphoreSlim(0);
        void TellOfFleet(string ofTenant, string ofFleet) => Tell(told, ofTenant == tenant && ofFleet == fleet);
        void TellOfKeys(string ofTenant) => Tell(told, ofTenant == tenant);
        changes.FleetChanged += TellOfFleet;
        changes.KeysChanged += TellOfKeys;
        try
        {
            for (var spokenAt = time.GetTimestamp(); await NextAsync(after, cancel) is { } next; )
            {
                foreach (var change in next)
                {
                    after = change.Change;
                    yield return new SseItem<InForceChange?>(change, "change")
                    {
                        EventId = after.ToString(CultureInfo.InvariantCulture),
                    };
                }

                spokenAt = next.Count > 0 ? time.GetTimestamp() : spokenAt;
                if (
                    next.Count == PageLength
                    || await WaitAsync(told, cancel)
                    || time.GetElapsedTime(spokenAt) < Silence
                )
                    continue;
                spokenAt = time.GetTimestamp();
                yield return new SseItem<InForceChange?>(null, "silence");
            }
        }
        finally
        {
            changes.FleetChanged -= TellOfFleet;
            changes.KeysChanged -= TellOfKeys;
        }
    }

    /// <summary>What comes after a change; null when the stream is to end.</summary>
    private async Task<IReadOnlyList<InForceChange>?> NextAsync(long after, CancellationToken cancel)
    {
        try
        {
            return await keys.FindAsync(keyId, cancel) is { } key && !key.IsExpired(time)
                ? await history.ChangesAsync(tenant, fleet, after, PageLength, cancel)
                : null;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Whether something was told, before it was silent for too long.</summary>
    private async Task<bool> WaitAsync(SemaphoreSlim told, CancellationToken cancel)
    {
        try
        {
            return await told.WaitAsync(changes.IsCurrent ? Silence : SilenceUntold, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return true;
        }
    }

    private static void Tell(SemaphoreSlim told, bool concerns)
    {
        // One is enough, however many were told: what is read then is all that there is. The stream may just have
        // ended.
        if (concerns && told.CurrentCount == 0)
            told.Release();
    }
}
