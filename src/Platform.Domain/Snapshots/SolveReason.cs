namespace Platform.Domain.Snapshots;

/// <summary>Why a fleet is solved when it is.</summary>
public enum SolveReason
{
    /// <summary>Its period is over.</summary>
    Periodic,

    /// <summary>It is new.</summary>
    Registered,

    /// <summary>Its definition was revised.</summary>
    Revised,

    /// <summary>Somebody asked for it.</summary>
    Requested,

    /// <summary>Arrivals or service times are no longer what the last solve expected.</summary>
    Drift,

    /// <summary>
    /// The same, and so much more of them that the allocation in force gives the servers more work than they can do.
    /// </summary>
    Instability,
}

/// <summary>The reasons' names, in the database and in what the platform tells.</summary>
public static class SolveReasonNames
{
    /// <summary>The name of a reason.</summary>
    public static string NameOf(SolveReason reason) => reason.ToString().ToLowerInvariant();

    /// <summary>The reason of a name.</summary>
    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static SolveReason ReasonOf(string name) => Enum.Parse<SolveReason>(name, ignoreCase: true);
}
