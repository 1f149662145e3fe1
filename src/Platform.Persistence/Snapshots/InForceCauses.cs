using Platform.Domain.Fleets;

namespace Platform.Persistence.Snapshots;

/// <summary>What solves give as the cause of a change in force, beside the names of people's decisions.</summary>
internal static class InForceCauses
{
    /// <summary>A solve published the version.</summary>
    public static readonly string Published = EventStore.EventNames[typeof(AllocationPublished)];

    /// <summary>
    /// A solve published the version, and it did not wait for approval: what was in force gave the servers more work
    /// than they can do.
    /// </summary>
    public const string Emergency = "allocation-emergency";

    /// <summary>
    /// The version in force stays, since a person holds it, and a solve found that it gives the servers more work than
    /// they can do.
    /// </summary>
    public const string Unstable = "allocation-unstable";
}
