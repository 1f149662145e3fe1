using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Html;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Platform.Api.Authentication;
using Platform.Api.Fleets;
using Platform.Api.Snapshots;
using Platform.Domain;
using Platform.Domain.Fleets;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>
/// One fleet: what is in force, how it came to be, what it rests on, and what may be decided about it.
/// </summary>
[Authorize(Policy = Session.ReadPolicy)]
internal sealed class FleetModel(
    FleetStore fleets,
    SnapshotHistory history,
    SnapshotExport snapshots,
    EstimateHistory estimates,
    WorkloadVoids voids,
    LabelDecisions labels,
    TimeProvider time
) : PageModel
{
    /// <summary>Versions that are drawn, the latest ones.</summary>
    private const int MostVersions = 100;

    private const int MostEvents = 30;

    private const int MostVoids = 20;

    private const int LoadPoints = 41;

    /// <summary>Task types whose curve and line are drawn, those with most arrivals.</summary>
    public const int MostTypesDrawn = 20;

    [BindProperty(SupportsGet = true)]
    public string Fleet { get; set; } = "";

    [BindProperty]
    public int Version { get; set; }

    [BindProperty]
    public string? Reason { get; set; }

    public DateTimeOffset Now { get; } = time.GetUtcNow();

    public FleetView View { get; private set; } = null!;

    public Health Health { get; private set; } = null!;

    /// <summary>The version in force, or null before the first.</summary>
    public ComparableSnapshot? InForce { get; private set; }

    /// <summary>The latest versions, oldest first.</summary>
    public IReadOnlyList<ComparableSnapshot> Versions { get; private set; } = [];

    public EstimateWithObservations? Known { get; private set; }

    /// <summary>The arrival rate as it was seen, is now and is expected; null where nothing is known of it.</summary>
    public TrafficDrawing? Traffic { get; private set; }

    /// <summary>Time against load under the allocation in force; null without one, or where it is unstable.</summary>
    public LoadCurve? Load { get; private set; }

    /// <summary>The latest decisions, latest first.</summary>
    public IReadOnlyList<RecordedEvent> Events { get; private set; } = [];

    /// <summary>What was voided last, latest first.</summary>
    public IReadOnlyList<RecordedVoid> Voids { get; private set; } = [];

    /// <summary>Why a decision was not taken.</summary>
    public string? Fault { get; private set; }

    public bool MayManage => User.HasClaim(Caller.ScopeClaim, Scopes.Manage);

    public Task<IActionResult> OnGetAsync(CancellationToken cancel) => ShowAsync(cancel);

    public Task<IActionResult> OnPostSolveAsync(CancellationToken cancel) =>
        ManageAsync(
            async () =>
                await fleets.RequestSolveAsync(User.Tenant(), Fleet, Now, cancel) ? null : "There is no such fleet.",
            cancel
        );

    public Task<IActionResult> OnPostPinAsync(CancellationToken cancel) =>
        DecideAsync(
            (state, reason) => Domain.Fleets.Fleet.PinVersion(state, Version, reason, User.KeyName(), Now),
            cancel
        );

    public Task<IActionResult> OnPostUnpinAsync(CancellationToken cancel) =>
        DecideAsync((state, reason) => Domain.Fleets.Fleet.Unpin(state, reason, User.KeyName(), Now), cancel);

    public Task<IActionResult> OnPostApproveAsync(CancellationToken cancel) =>
        DecideAsync(
            (state, reason) => Domain.Fleets.Fleet.Approve(state, Version, reason, User.KeyName(), Now),
            cancel
        );

    private Task<IActionResult> DecideAsync(
        Func<Fleet?, string, Decision<FleetEvent>> decide,
        CancellationToken cancel
    ) =>
        ManageAsync(
            async () =>
                LabelDecisions.CheckReason(Reason) is { } fault ? $"The reason {fault.Detail}."
                : (await labels.DecideAsync(User.Tenant(), Fleet, state => decide(state, Reason!), cancel)).Decision
                    is { IsRefused: true } refused
                    ? $"Not done: {refused.Reason}."
                : null,
            cancel
        );

    /// <summary>Does something that wants the scope <c>manage</c>, and shows the fleet anew.</summary>
    private async Task<IActionResult> ManageAsync(Func<Task<string?>> act, CancellationToken cancel)
    {
        if (!MayManage)
            return Forbid(Session.Scheme);
        Fault = await act();
        if (Fault is null)
            return LocalRedirect($"/fleets/{Fleet}");
        Response.StatusCode = StatusCodes.Status409Conflict;
        return await ShowAsync(cancel);
    }

    private async Task<IActionResult> ShowAsync(CancellationToken cancel)
    {
        if (await fleets.FindAsync(User.Tenant(), Fleet, cancel) is not { } view)
            return NotFound();
        (View, Health) = (view, Health.Of(view, Now));
        var versions = new List<ComparableSnapshot>();
        await foreach (
            var stored in snapshots.ReadAsync(
                User.Tenant(),
                Fleet,
                Math.Max(1, view.LatestVersion - MostVersions + 1),
                view.LatestVersion,
                cancel
            )
        )
            versions.Add(ComparisonEndpoints.Read(stored));
        Versions = versions;
        InForce =
            Versions.FirstOrDefault(it => it.Version == view.Labels.InForce)
            ?? (
                await history.FindVersionAsync(User.Tenant(), Fleet, view.Labels.InForce, cancel) is { } older
                    ? ComparisonEndpoints.Read(older)
                    : null
            );
        Load = InForce is { Problem.ArrivalRate: > 0 } inForce ? TraceLoad(inForce) : null;
        Known = await estimates.FindWithObservationsAsync(User.Tenant(), Fleet, Now, cancel);
        Traffic = TrafficDrawing.Find(Known);
        Voids = await voids.ListLatestAsync(User.Tenant(), Fleet, MostVoids, cancel);
        Events = await LatestEventsAsync(view, cancel);
        return Page();
    }

    /// <summary>The load curve, with where the fleet stands on it and what was seen.</summary>
    public IHtmlContent DrawLoad()
    {
        var (load, now) = (Load!, InForce!);
        var seenTime = Known?.Estimate.MeanSystemTimeSeconds;
        var seenRate = Known?.Estimate.ArrivalRate.Value ?? 0;
        double[] rates = [.. load.Points.Select(point => point.ArrivalRate), seenRate];
        double[] times = [.. load.Points.Select(point => point.MeanSystemTimeSeconds), seenTime ?? 0];
        var plot = new Plot(
            "Mean system time against arrival rate",
            Axis.FromZero("arrivals a second", rates, Show.Tick),
            Axis.FromZero("mean system time, seconds", times, Show.Tick)
        ).Line(load.Points.Select(point => (point.ArrivalRate, point.MeanSystemTimeSeconds)), "curve");
        var time = now.Sent is { } sent ? sent.MeanSystemTimeSeconds : now.Solution.MeanSystemTimeSeconds;
        if (time is { } seconds)
            plot = plot.Point(now.Problem.ArrivalRate, seconds, null, "now");
        if (load.SaturationRate < rates.Max() * 1.08)
            plot = plot.Mark(load.SaturationRate, "saturation");
        return seenTime is { } seen ? plot.Point(seenRate, seen, null, "then").Draw() : plot.Draw();
    }

    private static LoadCurve? TraceLoad(ComparableSnapshot inForce) =>
        LoadCurve.Trace(inForce.Problem, [.. inForce.Given.Select(type => type.Tokens)], LoadPoints);

    private async Task<IReadOnlyList<RecordedEvent>> LatestEventsAsync(FleetView view, CancellationToken cancel)
    {
        // The stream has an event for each version and each revision at least, and one for each pin and approval
        // besides.
        var (events, after) = (
            new List<RecordedEvent>(),
            Math.Max(0L, view.LatestVersion + view.Revision - MostEvents)
        );
        while (await fleets.EventsAsync(User.Tenant(), Fleet, after, 1_000, cancel) is { Count: > 0 } page)
        {
            events.AddRange(page);
            after = page[^1].Version;
        }

        return [.. events.TakeLast(MostEvents).Reverse()];
    }
}
