using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>What a solve comes to.</summary>
public abstract record SolveOutcome
{
    private SolveOutcome() { }

    /// <summary>What the solve expects of the windows to come; null for nothing.</summary>
    public WorkloadExpectation? Expectation { get; init; }

    /// <summary>The alarm that goes on standing; null for none.</summary>
    public LoadAlarm? Alarm { get; init; }

    /// <summary>What a person should look at, although the fleet is solved.</summary>
    public IReadOnlyList<FleetConcern> Concerns { get; init; } = [];

    /// <summary>More arrivals than the fleet can carry; null where the problem is not infeasible for that.</summary>
    public Overload? Overload { get; init; }

    /// <summary>
    /// Why no allocation keeps every limit, with what would be needed; null where one does. Whatever else comes of the
    /// solve, the fleet's health says it.
    /// </summary>
    public string? Fault { get; init; }

    /// <summary>
    /// What stays in force and gives the servers more work than they can do, in words; null where nothing does, or
    /// where it has been told already. It is to be told once.
    /// </summary>
    public string? Warning { get; init; }

    /// <summary>The next version.</summary>
    /// <param name="Snapshot">The snapshot that is in force from now on.</param>
    public sealed record Published(AllocationSnapshot Snapshot) : SolveOutcome
    {
        /// <summary>
        /// Why the version is put in force at once although the fleet's allocations wait for approval; null where they
        /// do not, or this one waits too.
        /// </summary>
        public string? Emergency { get; init; }

        /// <summary>What the change in force gives as its reason; null for an ordinary version.</summary>
        public string? Reason
        {
            get
            {
                string[] reasons = [.. new[] { Emergency, Snapshot.Shortfall?.Describe() }.OfType<string>()];
                return reasons.Length > 0 ? string.Join("; ", reasons) : null;
            }
        }
    }

    /// <summary>The version in force is still as good as any, within the definition's minimum gain.</summary>
    public sealed record Confirmed : SolveOutcome;

    /// <summary>
    /// No allocation keeps the limits, and there is nothing new to grant: the fewest tokens were published already, or
    /// an accuracy floor is out of reach. <see cref="Fault"/> says which.
    /// </summary>
    public sealed record Infeasible : SolveOutcome;
}
