using Microsoft.EntityFrameworkCore;
using Platform.Domain.Contracts;
using Platform.Domain.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Ingestion;

/// <summary>
/// Reports the windows that were stored and do not count for their fleet: their publishers at the broker get no answer.
/// One for a process. A fleet's definition is read once a revision.
/// </summary>
/// <param name="store">The platform's database.</param>
/// <param name="report">Receives each cause of each window once.</param>
public sealed class UncountedWindows(PlatformStore store, Action<UncountedCause> report)
{
    /// <summary>Fleets whose definition is remembered. Beyond, all are forgotten.</summary>
    internal const int MostFleets = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<FleetKey, RevisedScope> _scopes = [];

    /// <summary>Looks at windows of one fleet that were stored together.</summary>
    /// <param name="key">The fleet.</param>
    /// <param name="revision">The revision of its definition when they were stored.</param>
    /// <param name="windows">The windows.</param>
    /// <param name="now">The moment at which they were taken.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task ObserveAsync(
        FleetKey key,
        int revision,
        IEnumerable<WorkloadWindow> windows,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        if ((Find(key, revision) ?? await ReadAsync(key, cancel)) is not { } scope)
            return;
        foreach (var window in windows)
        {
            foreach (var cause in scope.WarningsFor(window, now).Select(warning => warning.Cause).Distinct())
                report(cause);
        }
    }

    private FleetScope? Find(FleetKey key, int revision)
    {
        lock (_gate)
        {
            return _scopes.TryGetValue(key, out var known) && known.Revision >= revision ? known.Scope : null;
        }
    }

    private async Task<FleetScope?> ReadAsync(FleetKey key, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(key.Tenant, cancel);
        var row = await session
            .Rows.Fleets.AsNoTracking()
            .SingleOrDefaultAsync(row => row.FleetId == key.Fleet, cancel);
        if (row is null)
            return null;
        var scope = new FleetScope(row.Definition);
        lock (_gate)
        {
            if (_scopes.Count >= MostFleets)
                _scopes.Clear();
            _scopes[key] = new RevisedScope(row.Revision, scope);
        }

        return scope;
    }

    private sealed record RevisedScope(int Revision, FleetScope Scope);
}
