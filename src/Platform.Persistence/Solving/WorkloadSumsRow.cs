namespace Platform.Persistence.Solving;

/// <summary>
/// The exact sums of a fleet's windows so far. Derived: may be thrown away and folded again from the events.
/// </summary>
internal sealed class WorkloadSumsRow
{
    public required string TenantId { get; init; }

    public required string FleetId { get; init; }

    /// <summary>Version of the workload stream up to which windows are in both parts together.</summary>
    public required long WorkloadVersion { get; set; }

    /// <summary>The version up to which windows are in <see cref="Sums"/>.</summary>
    public required long WholeVersion { get; set; }

    /// <summary>The sums of those windows, in the estimator's own form.</summary>
    public required byte[] Sums { get; set; }

    /// <summary>
    /// The sums of the windows since, to be added to <see cref="Sums"/>; null for none. A solve that has seen a few
    /// more windows writes these few bytes, and not the whole horizon again.
    /// </summary>
    public byte[]? Recent { get; set; }
}
