using Platform.Domain.Allocation;
using Platform.Domain.Snapshots;
using Platform.Persistence.Ingestion;

namespace Platform.Cli.Demo;

/// <summary>What the demo came to; <c>-o json</c> writes it as it is.</summary>
internal sealed record DemoReport
{
    public required bool Succeeded { get; init; }

    /// <summary>Why not, one line for each fleet that is not as it should be.</summary>
    public required IReadOnlyList<string> Faults { get; init; }

    public required string Trace { get; init; }

    public required int Requests { get; init; }

    public required double TraceSeconds { get; init; }

    public required int Seed { get; init; }

    /// <summary>
    /// Wall time of publishing, and from the first publish until the last fleet was solved on all windows.
    /// </summary>
    public required double PublishingSeconds { get; init; }

    public required double SettledSeconds { get; init; }

    public required WindowCounts Windows { get; init; }

    public required IReadOnlyList<FleetReport> Fleets { get; init; }

    /// <summary>Address of the API.</summary>
    public required Uri Address { get; init; }

    /// <summary>The key of one tenant, where the platform is left running.</summary>
    public required TenantKey? Kept { get; init; }
}

/// <summary>Windows by what became of them.</summary>
/// <param name="Published">Different windows published.</param>
/// <param name="DuplicatesSent">Sendings beyond the first.</param>
/// <param name="Stored">Events stored.</param>
internal sealed record WindowCounts(int Published, int DuplicatesSent, long Stored);

/// <summary>A key to look around with.</summary>
internal sealed record TenantKey(string Tenant, string ApiKey);

/// <summary>One fleet's line.</summary>
internal sealed record FleetReport
{
    public required string Tenant { get; init; }

    public required string Fleet { get; init; }

    public required int Servers { get; init; }

    public required WindowCounts Windows { get; init; }

    /// <summary>Snapshots written.</summary>
    public required int Versions { get; init; }

    /// <summary>Windows in the latest solve.</summary>
    public required long SolvedWindows { get; init; }

    public required double? Objective { get; init; }

    /// <summary>
    /// The best single budget and its objective; null when no single budget keeps within the fleet's limits.
    /// </summary>
    public required UniformAllocation? Uniform { get; init; }

    public required double? MeanAccuracy { get; init; }

    public required double? MeanSystemTimeSeconds { get; init; }

    public required double? Utilization { get; init; }

    public required double? ArrivalRate { get; init; }

    public required IReadOnlyList<TaskReport> Allocation { get; init; }

    /// <summary>What came of the loop; null without an allocation.</summary>
    public LearningReport? Learning { get; init; }

    /// <summary>What of the demo's promise the fleet does not keep, or null.</summary>
    public required string? Fault { get; init; }

    /// <summary>Puts a fleet's line together and judges it.</summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="workload">What was published.</param>
    /// <param name="duplicates">Sendings beyond the first.</param>
    /// <param name="stored">What is stored.</param>
    /// <param name="progress">Where its solving stands.</param>
    /// <param name="snapshot">The snapshot in force, or null.</param>
    public static FleetReport Create(
        string tenant,
        FleetWorkload workload,
        int duplicates,
        StoredWindows stored,
        FleetProgress progress,
        AllocationSnapshot? snapshot
    ) =>
        new()
        {
            Tenant = tenant,
            Fleet = workload.Plan.Template.Id,
            Servers = workload.Plan.Template.Servers,
            Windows = new WindowCounts(workload.Windows, duplicates, stored.Events),
            Versions = progress.LatestVersion,
            SolvedWindows = progress.Freshness.SolvedWorkloadVersion,
            Objective = snapshot?.Solution.Objective,
            Uniform = snapshot?.Solution.Uniform,
            MeanAccuracy = snapshot?.Solution.MeanAccuracy,
            MeanSystemTimeSeconds = snapshot?.Solution.MeanSystemTimeSeconds,
            Utilization = snapshot?.Solution.Utilization,
            ArrivalRate = snapshot?.Problem.ArrivalRate,
            Allocation =
            [
                .. (snapshot?.Solution.Allocation ?? []).Zip(snapshot?.Problem.TaskTypes ?? [], TaskReport.Create),
            ],
            Fault = FaultOf(workload.Windows, stored, progress, snapshot?.Solution),
        };

    private static string? FaultOf(
        int published,
        StoredWindows stored,
        FleetProgress progress,
        AllocationSolution? solution
    )
    {
        if (stored.Messages < published)
            return $"{published - stored.Messages} of {published} windows are not stored";
        if (stored.Events != published)
            return $"{stored.Events} events are stored for {published} windows";
        var (solved, health) = (
            progress.Freshness.SolvedWorkloadVersion,
            progress.Health.Detail ?? progress.Health.Status
        );
        if (solved < published)
            return $"the latest solve has {solved} of {published} windows ({health})";
        if (solution?.Objective is not { } objective)
            return $"there is no allocation ({health})";
        return objective < solution.Uniform?.Objective
            ? $"the objective, {objective}, is below that of the best uniform budget, {solution.Uniform.Objective}"
            : null;
    }
}

/// <summary>What a task type is granted.</summary>
/// <param name="TaskType">Its id.</param>
/// <param name="Share">Its share of the arrivals, as estimated.</param>
/// <param name="Tokens">Tokens for a query.</param>
/// <param name="Accuracy">The accuracy expected of that.</param>
internal sealed record TaskReport(string TaskType, double Share, long Tokens, double Accuracy)
{
    public static TaskReport Create(TaskAllocation allocation, TaskType type) =>
        new(allocation.TaskType, type.Share, allocation.Tokens, allocation.Accuracy);
}
