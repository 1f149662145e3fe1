namespace Platform.Persistence.Solving;

/// <summary>The exact sums of a fleet's windows so far. Derived: may be thrown away and folded again from the events.</summary>
internal sealed class WorkloadSumsRow
{
    public required string TenantId { get; init; }

    public required string FleetId { get; init; }

    /// <summary>Version of the workload stream up to which windows are folded in.</summary>
    public required long WorkloadVersion { get; set; }

    /// <summary>The sums, in the estimator's own form.</summary>
    public required byte[] Sums { get; set; }
}
