using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Persistence.Snapshots;

/// <summary>The estimate of a fleet as of any instant, from its events.</summary>
public sealed class EstimateHistory(PlatformStore store)
{
    /// <summary>Events read at a time.</summary>
    private const int PageLength = 500;

    /// <summary>
    /// The estimate by the definition that was in force and the windows that were stored at an instant; null when the tenant had no such
    /// fleet then.
    /// </summary>
    public async Task<FleetEstimate?> FindAsync(string tenant, string fleet, DateTimeOffset asOf, CancellationToken cancel)
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (await DefinitionAsync(session, fleet, asOf, cancel) is not { } definition)
            return null;
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        var (stream, version) = (EventStore.WorkloadStream(tenant, fleet), 0L);
        for (var full = true; full;)
        {
            var page = await session.ReadAsync(stream, version, PageLength, cancel);
            foreach (var recorded in page)
            {
                if (recorded.Timestamp <= asOf)
                    sums.Fold(((WorkloadWindowRecorded)recorded.Data).Window);
            }

            version += page.Count;
            full = page.Count == PageLength;
        }

        return Estimator.Estimate(definition, sums, asOf);
    }

    private static async Task<FleetDefinition?> DefinitionAsync(TenantSession session, string fleet, DateTimeOffset asOf, CancellationToken cancel)
    {
        var (state, version) = ((Fleet?)null, 0L);
        for (var full = true; full;)
        {
            var page = await session.ReadAsync(EventStore.FleetStream(session.Tenant, fleet), version, PageLength, cancel);
            foreach (var happened in page.Select(recorded => (FleetEvent)recorded.Data).Where(happened => happened.At <= asOf))
                state = Fleet.Evolve(state, happened);
            version += page.Count;
            full = page.Count == PageLength;
        }

        return state is null or { IsRetired: true } ? null : state.Definition;
    }
}
