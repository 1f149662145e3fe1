using Platform.Domain.Estimation;

namespace Platform.Api.Dashboard;

/// <summary>A figure that says whether the model fits.</summary>
/// <param name="Of">The task type, or null for the fleet as a whole.</param>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">What a flag on it means.</param>
/// <param name="Check">The figure.</param>
internal sealed record Flag(string? Of, string Name, string Meaning, ValidityCheck Check)
{
    /// <summary>All of an estimate; formulas are in docs/estimation.md.</summary>
    public static IEnumerable<Flag> All(FleetEstimate estimate) =>
    [
        new(null, "Burstiness", "Arrivals come in bursts: waits are longer than predicted.", estimate.Validity.Burstiness),
        new(null, "Arrival drift", "The arrival rate has moved within the horizon.", estimate.Validity.ArrivalDrift),
        new(null, "Adherence", "Tokens used are not those granted: the servers do not keep to budgets.", estimate.Validity.Adherence),
        new(null, "Staleness", "No window has come for long.", estimate.Validity.Staleness),
        .. estimate.TaskTypes.SelectMany(OfType),
    ];

    private static Flag[] OfType(TaskTypeEstimate type) =>
    [
        new(type.Id, "Share dispersion", "Its part of the traffic comes in bursts.", type.Validity.ShareDispersion),
        new(type.Id, "Service spread", "Service times scatter widely around the line.", type.Validity.ServiceSpread),
        new(type.Id, "Adherence", "Tokens used are not those granted.", type.Validity.Adherence),
        new(type.Id, "Curve misfit", "The accuracy curve does not go through the verdicts.", type.Validity.CurveMisfit),
        new(type.Id, "Convexity", "More tokens gain more, not less, somewhere: the curve is not concave.", type.Validity.Convexity),
        new(type.Id, "Arrival drift", "Its arrival rate has moved within the horizon.", type.Validity.ArrivalDrift),
        new(type.Id, "Service drift", "Its service times have moved within the horizon.", type.Validity.ServiceDrift),
        new(type.Id, "Accuracy drift", "Its accuracy has moved within the horizon.", type.Validity.AccuracyDrift),
    ];
}
