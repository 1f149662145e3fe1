using Platform.Domain.Fleets;

namespace Platform.Domain.Tenants;

/// <summary>What a tenant has in its fleets.</summary>
/// <param name="Fleets">Fleets that are not retired.</param>
/// <param name="TaskTypes">Task types over all of them.</param>
public readonly record struct TenantHoldings(long Fleets, long TaskTypes);

/// <summary>How much one tenant may have, so that its solving leaves the others theirs.</summary>
/// <param name="Fleets">Fleets that are not retired, at most.</param>
/// <param name="TaskTypes">Task types over all of them, at most.</param>
public sealed record TenantQuota(int Fleets, int TaskTypes)
{
    /// <summary>
    /// Puts a fleet, as <see cref="Fleet.Put"/> does, when there is room for it. What a tenant has is never taken from
    /// it, and may be revised as long as it does not grow, even above a quota that was lowered.
    /// </summary>
    /// <param name="put">What <see cref="Fleet.Put"/> has decided.</param>
    /// <param name="fleet">The fleet's state before, or null when there is none.</param>
    /// <param name="definition">What it is to become.</param>
    /// <param name="others">What the tenant has in its other fleets.</param>
    public Decision<FleetEvent> Admit(
        Decision<FleetEvent> put,
        Fleet? fleet,
        FleetDefinition definition,
        TenantHoldings others
    )
    {
        var held = fleet is { IsRetired: false } ? fleet.Definition.TaskTypes.Count : 0;
        if (put.Event is FleetRegistered && others.Fleets >= Fleets)
            return Decision<FleetEvent>.Refused(
                Refusal.Quota,
                $"the tenant has {others.Fleets} fleets and may have {Fleets}: retire one"
            );
        if (
            put.Event is not null
            && definition.TaskTypes.Count > held
            && others.TaskTypes + definition.TaskTypes.Count > TaskTypes
        )
            return Decision<FleetEvent>.Refused(
                Refusal.Quota,
                $"the tenant's other fleets have {others.TaskTypes} task types; with {definition.TaskTypes.Count} more it would exceed its {TaskTypes}"
            );
        return put;
    }
}
