using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Platform.Api.Authentication;
using Platform.Api.Tenants;
using Platform.Persistence.Operations;
using Platform.Persistence.Tenants;

namespace Platform.Api.Dashboard;

/// <summary>What an operator looks at: workers, queues, sweeps, tenants and their keys.</summary>
[Authorize(Policy = Session.OperatorPolicy)]
internal sealed class OperateModel(
    WorkerActivity activity,
    BrokerManagement broker,
    TenantRegistry tenants,
    TimeProvider time
) : PageModel
{
    /// <summary>Sweeps that are drawn, a few minutes of them.</summary>
    private const int MostSweeps = 300;

    public const int PageLength = 100;

    /// <summary>
    /// A worker tells every 30 s that it is there: one that has not for so long has most likely died.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Show tenants after this one.</summary>
    [BindProperty(SupportsGet = true)]
    public string After { get; set; } = "";

    /// <summary>The tenant whose keys are shown.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Tenant { get; set; }

    public DateTimeOffset Now { get; } = time.GetUtcNow();

    public IReadOnlyList<SolvingWorker> Workers { get; private set; } = [];

    public IReadOnlyList<Sweep> Sweeps { get; private set; } = [];

    /// <summary>The queues, or null when the broker is away.</summary>
    public IReadOnlyList<BrokerQueue>? Queues { get; private set; }

    public IReadOnlyList<TenantSummary> Tenants { get; private set; } = [];

    /// <summary>Keys of the tenant that was asked for; null when there is none.</summary>
    public IReadOnlyList<ApiKeySummary>? Keys { get; private set; }

    public bool IsAlive(SolvingWorker worker) => Now - worker.HeartbeatAt < Patience;

    public Series Durations =>
        new(
            "Duration",
            "ms",
            false,
            ["duration"],
            [.. Sweeps.Select(sweep => new SeriesRow(sweep.EndedAt, [1e3 * sweep.DurationSeconds]))]
        );

    public Series Solved =>
        new(
            "Fleets",
            "fleets",
            false,
            ["due", "with a new version"],
            [.. Sweeps.Select(sweep => new SeriesRow(sweep.EndedAt, [sweep.Fleets, sweep.Published]))]
        );

    public async Task OnGetAsync(CancellationToken cancel)
    {
        (Workers, Sweeps) = (await activity.WorkersAsync(cancel), await activity.SweepsAsync(MostSweeps, cancel));
        Tenants = await tenants.ListAsync(After, PageLength + 1, cancel);
        Keys = Tenant is null ? null : await tenants.ListKeysAsync(Tenant, cancel);
        try
        {
            Queues = await broker.QueuesAsync(cancel);
        }
        catch (HttpRequestException)
        {
            // The page says that the broker is away: everything else on it is worth to be seen then.
        }
    }
}
