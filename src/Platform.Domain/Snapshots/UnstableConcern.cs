using System.Globalization;
using Platform.Domain.Fleets;

namespace Platform.Domain.Snapshots;

/// <summary>
/// Says of a version that stays in force what it does to the servers: a pin, or the wish to approve every version, is a
/// person's word and is kept.
/// </summary>
public static class UnstableConcern
{
    /// <summary>The concern's code.</summary>
    public const string Code = "unstableInForce";

    /// <summary>The concern; null where what is in force leaves the servers time, or nothing less is allowed.</summary>
    internal static FleetConcern? Find(
        SnapshotInputs inputs,
        PreviousAllocation? previous,
        LoadInForce? load,
        SolveOutcome outcome
    )
    {
        if (load is not { IsUnstable: true, IsMoreThanFewest: true })
            return null;
        var since = previous!.UnstableSince ?? inputs.SolvedAt;
        var which = previous.IsPinned ? "The pinned version" : "The version in force,";
        var comma = previous.IsPinned ? "" : ",";
        var fact = string.Create(
            CultureInfo.InvariantCulture,
            $"{which} {load.Version}{comma} gives the servers {load.Load:0.##} times the work that they can do, since "
                + $"{since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: queries wait longer and longer. "
        );
        return new FleetConcern(Code, fact + Advice(previous, outcome)) { Since = since };
    }

    private static string Advice(PreviousAllocation previous, SolveOutcome outcome)
    {
        if (previous.IsPinned)
            return "Unpin it, or pin a version that grants fewer tokens.";
        var waiting = outcome is SolveOutcome.Published published ? published.Snapshot.Version : previous.Version;
        return waiting != previous.InForce
            ? $"Version {waiting} waits for approval: approve it. Where solving.emergency is not wait, such a version is in "
                + "force at once."
            : "No other allocation can take its place: see the fleet's health.";
    }
}
