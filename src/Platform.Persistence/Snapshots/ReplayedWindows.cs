using JasperFx.Events;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Snapshots;

/// <summary>The windows of a fleet for those who derive its versions again.</summary>
internal interface IReplayedWindows
{
    /// <summary>
    /// The sums of the windows up to a version of the workload stream, for an estimate at an instant; read them before
    /// the next call.
    /// </summary>
    /// <exception cref="FormatException">The stored windows cannot be those that were folded once; says
    /// why.</exception>
    Task<WorkloadSums> SumsAsync(WorkloadReach reach, long version, DateTimeOffset asOf);
}

/// <summary>
/// For every version in order: all windows are folded once, forward, for every reach that a definition has had. Sums
/// cannot be subtracted: a version that is the first to know of a void has those of a fold backward, without the void
/// windows.
/// </summary>
internal sealed class WindowsForward(
    FleetDecisions decisions,
    IAsyncEnumerator<IEvent> windows,
    WindowHistory history,
    CancellationToken cancel
) : IReplayedWindows
{
    private readonly Dictionary<WorkloadReach, WorkloadSums> _sums = decisions.Reaches.ToDictionary(
        reach => reach,
        reach => new WorkloadSums(reach)
    );
    private long _folded;

    public async Task<WorkloadSums> SumsAsync(WorkloadReach reach, long version, DateTimeOffset asOf)
    {
        if (version < _folded)
            throw new FormatException(
                $"it says that it has the windows up to {version}, and the version before it those up to {_folded}"
            );
        var isAnyVoid = false;
        for (; _folded < version; _folded++)
        {
            if (!await windows.MoveNextAsync())
                throw new FormatException($"it says that it has the windows up to {version}, and there are {_folded}");
            if (windows.Current.Data is WorkloadWindowRecorded recorded)
                Fold(recorded);
            else
                isAnyVoid = true;
        }

        if (isAnyVoid)
            await FoldAnewAsync(version, asOf);
        return _sums[reach];
    }

    private void Fold(WorkloadWindowRecorded recorded)
    {
        try
        {
            foreach (var sums in _sums.Values)
                sums.Fold(recorded.Window);
        }
        catch (Exception fault) when (fault is ArgumentException or ArithmeticException)
        {
            throw new FormatException($"window {_folded + 1} is none that was ever taken", fault);
        }
    }

    private async Task FoldAnewAsync(long version, DateTimeOffset asOf)
    {
        foreach (var reach in _sums.Keys.ToArray())
        {
            var sums = new WorkloadSums(reach);
            await history.FoldLatestAsync(sums, version + 1, asOf, cancel);
            _sums[reach] = sums;
        }
    }
}

/// <summary>For one version: its windows are folded backward, as far as they count.</summary>
internal sealed class WindowsBackward(TenantSession session, string fleet, CancellationToken cancel) : IReplayedWindows
{
    public async Task<WorkloadSums> SumsAsync(WorkloadReach reach, long version, DateTimeOffset asOf)
    {
        var sums = new WorkloadSums(reach);
        var read = await new WindowHistory(session, fleet).FoldLatestAsync(sums, version + 1, asOf, cancel);
        if (read.Newest != version)
            throw new FormatException($"it says that it has the windows up to {version}, and there are {read.Newest}");
        return read.HasNoGap
            ? sums
            : throw new FormatException($"of the windows {read.Oldest} to {read.Newest} only {read.Count} are there");
    }
}
