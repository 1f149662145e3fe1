using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>What a solve comes to.</summary>
public abstract record SolveOutcome
{
    private SolveOutcome()
    {
    }

    /// <summary>What the solve expects of the windows to come; null for nothing.</summary>
    public WorkloadExpectation? Expectation { get; init; }

    /// <summary>The alarm that goes on standing; null for none.</summary>
    public LoadAlarm? Alarm { get; init; }

    /// <summary>What a person should look at, although the fleet is solved.</summary>
    public IReadOnlyList<FleetConcern> Concerns { get; init; } = [];

    /// <summary>More arrivals than the fleet can carry; null where the problem is not infeasible for that.</summary>
    public Overload? Overload { get; init; }

    /// <summary>The next version.</summary>
    /// <param name="Snapshot">The snapshot that is in force from now on.</param>
    public sealed record Published(AllocationSnapshot Snapshot) : SolveOutcome;

    /// <summary>The version in force is still as good as any, within the definition's minimum gain.</summary>
    public sealed record Confirmed : SolveOutcome;

    /// <summary>No allocation keeps the limits; the version in force stays, since no budget at all would be worse.</summary>
    /// <param name="Reason">Why, with the nearest feasible number.</param>
    public sealed record Infeasible(string Reason) : SolveOutcome;
}
