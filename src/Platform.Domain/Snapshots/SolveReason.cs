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

    /// <summary>The same, and so much more of them that the allocation in force gives the servers more work than they can do.</summary>
    Instability,
}
