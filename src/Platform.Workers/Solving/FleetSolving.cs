using System.Diagnostics;
using System.Diagnostics.Metrics;
using Platform.Domain.Snapshots;
using Platform.Persistence;
using Platform.Persistence.Solving;

namespace Platform.Workers.Solving;

/// <summary>
/// Solves fleets of one tenant together: folds their new windows, estimates, solves, and writes what came of it.
/// </summary>
internal sealed class FleetSolving(SolveStore store, TimeProvider time, ILogger<FleetSolving> log)
{
    /// <summary>Name of the meter and of the source of spans.</summary>
    public const string SourceName = "Platform.Workers.Solving";

    private static readonly ActivitySource Source = new(SourceName);

    private static readonly Meter Meter = new(SourceName);

    private static readonly Counter<long> Solves = Meter.CreateCounter<long>(
        "platform.solving.solves",
        "{solve}",
        "Solves that were written, by reason and outcome: published, confirmed, or infeasible where no allocation keeps the limits."
    );

    private static readonly Counter<long> Failures = Meter.CreateCounter<long>(
        "platform.solving.failures",
        "{solve}",
        "Solves that failed; the fleet's health says why."
    );

    private static readonly Histogram<double> Lag = Meter.CreateHistogram(
        "platform.solving.lag",
        "s",
        "Time from when a fleet was due to its solve.",
        advice: Telemetry.Seconds
    );

    /// <summary>
    /// Solves each fleet once. One that cannot be solved is put off and keeps none of the others from being solved.
    /// </summary>
    /// <param name="tenant">The tenant's id.</param>
    /// <param name="fleets">Ids of its fleets, each once.</param>
    /// <param name="foundDueAt">When the fleets were found due.</param>
    /// <param name="cancel">Gives up; what is not written by then is due again.</param>
    public async Task<SweepFigures> SolveAsync(
        string tenant,
        IReadOnlyList<string> fleets,
        DateTimeOffset foundDueAt,
        CancellationToken cancel
    )
    {
        var clock = new SolveClock();
        var figures = await SolveOrSplitAsync(tenant, fleets, foundDueAt, clock, cancel);
        clock.Enter(SolveStage.Claim);
        return figures + SweepFigures.Of(clock);
    }

    private async Task<SweepFigures> SolveOrSplitAsync(
        string tenant,
        IReadOnlyList<string> fleets,
        DateTimeOffset foundDueAt,
        SolveClock clock,
        CancellationToken cancel
    )
    {
        try
        {
            return await SolveTogetherAsync(tenant, fleets, foundDueAt, clock, cancel);
        }
        catch (Exception fault) when (fleets.Count > 1 && PlatformStore.IsNotTheDatabasesState(fault))
        {
            log.LogWarning(
                "Of {Count} fleets of {Tenant} one cannot be written; they are solved one by one: {Reason}",
                fleets.Count,
                tenant,
                fault.Message
            );
        }
        catch (Exception fault) when (fleets.Count == 1 && PlatformStore.IsNotTheDatabasesState(fault))
        {
            return await PostponeAsync(new FleetKey(tenant, fleets[0]), fault, foundDueAt, cancel);
        }

        var figures = new SweepFigures();
        foreach (var fleet in fleets)
            figures += await SolveOrSplitAsync(tenant, [fleet], foundDueAt, clock, cancel);
        return figures;
    }

    private async Task<SweepFigures> SolveTogetherAsync(
        string tenant,
        IReadOnlyList<string> fleets,
        DateTimeOffset foundDueAt,
        SolveClock clock,
        CancellationToken cancel
    )
    {
        using var span = Source.StartActivity(
            "solve fleets",
            ActivityKind.Internal,
            default(ActivityContext),
            new TagList { { "platform.tenant", tenant } }
        );
        DateTimeOffset? read = null;
        var results = new List<SolveResult>(fleets.Count);
        var faults = new List<(FleetKey Key, Exception Fault)>();
        await foreach (var fleet in store.LoadAsync(tenant, fleets, time.GetUtcNow(), clock, cancel))
        {
            // All windows have been read before the first fleet comes: they were stored by this moment.
            read ??= time.GetUtcNow();
            // Another sweep has solved it between the question which are due and the lock.
            if (fleet.Basis?.DueAt > foundDueAt)
                continue;
            if ((fleet.Fault ?? TrySolve(fleet.Basis!, read.Value, clock, results)) is { } fault)
                faults.Add((fleet.Key, fault));
        }

        var failed = new SweepFigures();
        foreach (var (key, fault) in faults)
            failed += await PostponeAsync(key, fault, foundDueAt, cancel);

        clock.Enter(SolveStage.Write);
        for (var i = 0; i < results.Count; i++)
            results[i] = await store.ExplainAsync(results[i], cancel);
        var written = results.Count > 0 ? await store.CommitAsync(results, cancel) : [];
        foreach (var result in written)
            Tell(result, read!.Value);
        return failed
            + new SweepFigures
            {
                Fleets = fleets.Count - failed.Failed,
                Published = written.Count(result => result.Outcome is SolveOutcome.Published),
                Confirmed = written.Count(result => result.Outcome is SolveOutcome.Confirmed),
                Infeasible = written.Count(result => result.Outcome is SolveOutcome.Infeasible),
                Superseded = fleets.Count - failed.Failed - written.Count,
            };
    }

    private void Tell(SolveResult result, DateTimeOffset began)
    {
        var (key, reason) = (result.Basis.Key, result.Basis.DueReason);
        var outcome = result.Outcome.Fault is null ? result.Outcome.GetType().Name.ToLowerInvariant() : "infeasible";
        Solves.Add(1, new("reason", SolveReasonNames.NameOf(reason)), new("outcome", outcome));
        Lag.Record(Math.Max(0, (result.At - result.Basis.DueAt).TotalSeconds));
        Trace(result, outcome, began);
        if (reason is SolveReason.Drift or SolveReason.Instability)
            log.LogInformation(
                "Solved {Tenant}/{Fleet} before its time, for {Reason}: {Outcome}",
                key.Tenant,
                key.Fleet,
                reason,
                result.Outcome.GetType().Name
            );
        Warn(result);
    }

    /// <summary>Says what operators should look at, once.</summary>
    private void Warn(SolveResult result)
    {
        var key = result.Basis.Key;
        if (result.Outcome.Warning is { } warning)
            log.LogWarning("{Tenant}/{Fleet}: {Warning}", key.Tenant, key.Fleet, warning);
        if (result.Outcome is not SolveOutcome.Published { Snapshot.Version: var version } published)
            return;
        if (published.Emergency is { } emergency)
            log.LogWarning(
                "Emergency: version {Version} of {Tenant}/{Fleet} is in force at once: {Reason}",
                version,
                key.Tenant,
                key.Fleet,
                emergency
            );
        if (published.Snapshot.Shortfall is { } shortfall)
            log.LogWarning(
                "Version {Version} of {Tenant}/{Fleet} grants the fewest tokens: {Shortfall}",
                version,
                key.Tenant,
                key.Fleet,
                shortfall.Describe()
            );
    }

    /// <summary>
    /// The span of one fleet's solve, with links to the messages that it was the first to draw on: from each of them to
    /// the snapshot.
    /// </summary>
    private static void Trace(SolveResult result, string outcome, DateTimeOffset began)
    {
        if (Activity.Current is not { Recorded: true })
            return;
        var tags = new TagList
        {
            { "platform.tenant", result.Basis.Key.Tenant },
            { "platform.fleet", result.Basis.Key.Fleet },
            { "platform.solve.reason", SolveReasonNames.NameOf(result.Basis.DueReason) },
            { "platform.solve.outcome", outcome },
            { "platform.workload.version", result.Basis.WorkloadVersion },
        };
        if (result.Outcome is SolveOutcome.Published { Snapshot: var snapshot })
        {
            tags.Add("platform.snapshot.version", snapshot.Version);
            tags.Add("platform.snapshot.hash", AllocationSnapshot.HashOf(snapshot.ToCanonicalBytes()));
        }

        var links = result.Basis.TraceParents.Select(it => new ActivityLink(ActivityContext.Parse(it, null)));
        Source
            .StartActivity("solve fleet", ActivityKind.Internal, Activity.Current.Context, tags, links, began)
            ?.Dispose();
    }

    private static Exception? TrySolve(
        SolveBasis basis,
        DateTimeOffset now,
        SolveClock clock,
        List<SolveResult> results
    )
    {
        try
        {
            clock.Enter(SolveStage.Derive);
            var at = SnapshotDerivation.Instant(now, basis.SolvedAt);
            basis.Sums.Prune(at);
            var outcome = SolvePolicy.Solve(basis.Inputs(at), basis.Previous(at));
            clock.Enter(SolveStage.Fold);
            results.Add(
                new SolveResult
                {
                    Basis = basis.WithoutSums(),
                    At = at,
                    Sums = basis.SumsToStore(),
                    Outcome = outcome,
                }
            );
            return null;
        }
        catch (Exception fault)
        {
            // Nothing but arithmetic on this one fleet's numbers.
            return fault;
        }
    }

    private async Task<SweepFigures> PostponeAsync(
        FleetKey key,
        Exception fault,
        DateTimeOffset foundDueAt,
        CancellationToken cancel
    )
    {
        // Its health says so; the others do not wait for it.
        Failures.Add(1);
        log.LogError(fault, "The solve of {Tenant}/{Fleet} failed", key.Tenant, key.Fleet);
        await store.PostponeAsync(key, WhyFailed(fault), foundDueAt, time.GetUtcNow(), cancel);
        return new SweepFigures { Fleets = 1, Failed = 1 };
    }

    /// <summary>
    /// For the fleet's team: what is wrong with what is stored is said in our words, any other fault is the platform's
    /// own.
    /// </summary>
    private static string WhyFailed(Exception fault)
    {
        var trace = Activity.Current is { } current ? $" under trace {current.TraceId}" : "";
        return fault is FormatException
            ? $"failed: {fault.Message}; the operators' log says more{trace}"
            : $"failed: the solve broke on a fault of the platform's own; the operators' log says more{trace}";
    }
}
