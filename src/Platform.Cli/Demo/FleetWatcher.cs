using Platform.Persistence.Ingestion;

namespace Platform.Cli.Demo;

/// <summary>Looks at how far the platform has come with what was published.</summary>
internal sealed class FleetWatcher(DemoWorkload workload, DemoPlatform platform, WorkloadIntake intake)
{
    private readonly StoredWindows[] _stored = [.. workload.Fleets.Select(_ => new StoredWindows(0, 0))];
    private readonly FleetProgress?[] _progress = new FleetProgress?[workload.Fleets.Count];

    public DemoWorkload Workload => workload;

    /// <summary>Windows that are to be stored and solved.</summary>
    public int Windows => workload.Windows;

    public long Stored => _stored.Sum(stored => stored.Events);

    public long Solved => _progress.Sum(SolvedOf);

    /// <summary>Every window is stored, and in its fleet's latest solve.</summary>
    public bool IsSettled =>
        workload
            .Fleets.Index()
            .All(fleet =>
                _stored[fleet.Index].Messages >= fleet.Item.Windows
                && SolvedOf(_progress[fleet.Index]) >= fleet.Item.Windows
            );

    /// <summary>Looks again.</summary>
    /// <returns>Whether anything has moved.</returns>
    public async Task<bool> LookAsync(CancellationToken cancel)
    {
        var before = (Stored, Solved);
        for (var i = 0; i < workload.Fleets.Count; i++)
        {
            var fleet = workload.Fleets[i].Plan.Template;
            // A fleet that is done is not asked again.
            if (_stored[i].Messages < workload.Fleets[i].Windows)
                _stored[i] = await intake.StoredWindowsAsync(platform.Tenants[fleet.Tenant].Id, fleet.Id, cancel);
            if (SolvedOf(_progress[i]) < workload.Fleets[i].Windows)
                _progress[i] = await platform.Client(fleet.Tenant).FleetAsync(fleet.Id, cancel);
        }

        return (Stored, Solved) != before;
    }

    /// <summary>The end of it: everything asked anew, so that what was stored or solved since is seen too.</summary>
    public async Task<IReadOnlyList<FleetReport>> ReportAsync(
        IReadOnlyList<LiveFleet> live,
        IReadOnlyList<int> duplicates,
        double? requestsPerSecond,
        CancellationToken cancel
    )
    {
        var reports = new List<FleetReport>();
        foreach (var (i, fleet) in workload.Fleets.Index())
        {
            var (id, tenant, client) = (
                fleet.Plan.Template.Id,
                platform.Tenants[fleet.Plan.Template.Tenant].Id,
                platform.Client(fleet.Plan.Template.Tenant)
            );
            var held = await client.AllocationAsync(id, null, cancel);
            var line = FleetReport.Create(
                tenant,
                fleet,
                duplicates[i],
                await intake.StoredWindowsAsync(tenant, id, cancel),
                await client.FleetAsync(id, cancel),
                held?.Snapshot
            );
            reports.Add(
                held is null
                    ? line
                    : line with
                    {
                        Learning = LearningReport.Create(
                            live[i],
                            workload.Length,
                            held.Snapshot.Solution.Allocation!,
                            await client.EstimateAsync(id, cancel),
                            workload.PartOf(fleet) * requestsPerSecond
                        ),
                    }
            );
        }

        return [.. reports.Select(report => report with { Fault = report.Fault ?? report.Learning?.Fault })];
    }

    private static long SolvedOf(FleetProgress? progress) => progress?.Freshness.SolvedWorkloadVersion ?? 0;
}
