using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Snapshots;

/// <summary>An estimate with what it rests on.</summary>
/// <param name="Definition">The definition that was in force.</param>
/// <param name="Estimate">The estimate.</param>
/// <param name="Observations">What the windows say.</param>
public sealed record EstimateWithObservations(
    FleetDefinition Definition,
    FleetEstimate Estimate,
    WorkloadObservations Observations
);

/// <summary>The estimate of a fleet as of any instant, from its events.</summary>
public sealed class EstimateHistory(PlatformStore store)
{
    /// <summary>
    /// The estimate by the definition that was in force and the windows that were stored at an instant; null when the
    /// tenant had no such fleet then.
    /// </summary>
    public async Task<FleetEstimate?> FindAsync(
        string tenant,
        string fleet,
        DateTimeOffset asOf,
        CancellationToken cancel
    ) =>
        await FoldAsync(tenant, fleet, asOf, cancel) is var (definition, sums)
            ? Estimator.Estimate(definition, sums, asOf)
            : null;

    /// <summary>The same, with what the windows say that it rests on.</summary>
    /// <inheritdoc cref="FindAsync"/>
    public async Task<EstimateWithObservations?> FindWithObservationsAsync(
        string tenant,
        string fleet,
        DateTimeOffset asOf,
        CancellationToken cancel
    ) =>
        await FoldAsync(tenant, fleet, asOf, cancel) is var (definition, sums) ? Observe(definition, sums, asOf) : null;

    private static EstimateWithObservations Observe(FleetDefinition definition, WorkloadSums sums, DateTimeOffset asOf)
    {
        var observations = WorkloadObservations.Of(sums.Renamed(definition.TaskTypes), asOf);
        return new EstimateWithObservations(definition, Estimator.Estimate(definition, sums, asOf), observations);
    }

    private async Task<(FleetDefinition Definition, WorkloadSums Sums)?> FoldAsync(
        string tenant,
        string fleet,
        DateTimeOffset asOf,
        CancellationToken cancel
    )
    {
        await using var session = await store.OpenAsync(tenant, cancel);
        if (await DefinitionAsync(session, fleet, asOf, cancel) is not { } definition)
            return null;
        var sums = new WorkloadSums(definition.Solving.Reach);
        await new WindowHistory(session, fleet).FoldStoredByAsync(sums, asOf, cancel);
        return (definition, sums);
    }

    private static async Task<FleetDefinition?> DefinitionAsync(
        TenantSession session,
        string fleet,
        DateTimeOffset asOf,
        CancellationToken cancel
    )
    {
        Fleet? state = null;
        await foreach (var recorded in session.ReadAllAsync(EventStore.FleetStream(session.Tenant, fleet), cancel))
        {
            if (recorded.Data is FleetEvent happened && happened.At <= asOf)
                state = Fleet.Evolve(state, happened);
        }

        return state is null or { IsRetired: true } ? null : state.Definition;
    }
}
