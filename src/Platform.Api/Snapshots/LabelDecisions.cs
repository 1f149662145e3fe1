using Platform.Domain;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Persistence.Fleets;

namespace Platform.Api.Snapshots;

/// <summary>Decides which version is in force, with the reason that a person gave.</summary>
internal sealed class LabelDecisions(FleetStore fleets, AllocationCache inForce)
{
    private const int MaxReasonLength = 500;

    private static readonly InputError NoReason = new(
        "/reason",
        $"must have 1 to {MaxReasonLength} characters that are not all white space, and no control characters"
    );

    /// <summary>What is wrong with a reason, or null.</summary>
    public static InputError? CheckReason(string? reason) =>
        string.IsNullOrWhiteSpace(reason) || reason.Length > MaxReasonLength || reason.Any(char.IsControl)
            ? NoReason
            : null;

    /// <summary>Takes a decision, and serves what is in force after it at once.</summary>
    public async Task<FleetOutcome> DecideAsync(
        string tenant,
        string fleet,
        Func<Fleet?, Decision<FleetEvent>> decide,
        CancellationToken cancel
    )
    {
        var outcome = await fleets.DecideAsync(tenant, fleet, decide, cancel);
        if (!outcome.Decision.IsRefused)
            inForce.Forget(tenant, fleet);
        return outcome;
    }
}
