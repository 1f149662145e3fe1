using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>
/// One fleet of the platform without its database: windows are folded and watched as the intake does, solves come when
/// they are due or brought forward, and their versions are in force at once.
/// </summary>
internal sealed class TrafficFleet
{
    private readonly FleetDefinition _definition;
    private readonly DerivationVersions _versions;
    private readonly double _phase;
    private readonly WorkloadSums _sums;
    private readonly WorkloadWatch _watch = new();
    private long _workloadVersion;
    private DateTimeOffset _solvedAt;
    private SolveReason? _lastReason;
    private SolveReason _dueReason = SolveReason.Registered;
    private LoadAlarm? _alarm;
    private AllocationSummary? _latest;

    /// <param name="definition">The fleet.</param>
    /// <param name="versions">The arithmetic.</param>
    /// <param name="start">When it is registered, and solved first.</param>
    /// <param name="phase">Part of a period to its second solve, 0 to 1: its periods fall anywhere.</param>
    public TrafficFleet(FleetDefinition definition, DerivationVersions versions, DateTimeOffset start, double phase)
    {
        _phase = phase;
        _definition = definition;
        _versions = versions;
        _sums = new WorkloadSums(definition.Solving.Reach);
        DueAt = start;
        Tokens = [.. definition.TaskTypes.Select(type => type.MinTokens)];
    }

    /// <summary>When it is to be solved.</summary>
    public DateTimeOffset DueAt { get; private set; }

    /// <summary>Tokens in force, in the order of the task types; the fewest before the first version.</summary>
    public long[] Tokens { get; private set; }

    /// <summary>Versions that were written.</summary>
    public int Versions { get; private set; }

    /// <summary>Solves that came before their time.</summary>
    public int EarlySolves { get; private set; }

    /// <summary>Solves that found no allocation within the limits.</summary>
    public int InfeasibleSolves { get; private set; }

    /// <summary>The alarm that stands, or null.</summary>
    public LoadAlarm? Alarm => _alarm;

    /// <summary>Takes a window, as the intake does, and brings the solve forward if the window asks for it.</summary>
    /// <param name="window">The window.</param>
    /// <param name="now">The moment.</param>
    public void Take(WorkloadWindow window, DateTimeOffset now)
    {
        _sums.Fold(window);
        _workloadVersion++;
        var expectation = _watch.Expectation;
        if (_watch.Observe([window]) is not { } excess)
            return;
        if (excess.Reason == SolveReason.Instability)
            _alarm = LoadAlarm.Raise(_alarm, expectation!, excess, now);
        else if (excess.IsLess)
            _alarm = null;
        var earliest = SolvePolicy.EarliestNext(_solvedAt, _lastReason, excess.Reason, _definition.Solving);
        var at = earliest > now ? earliest : now;
        if (at < DueAt)
        {
            DueAt = at;
            _dueReason = excess.Reason;
        }

        _watch.Expect(null);
    }

    /// <summary>Solves it at the moment that it is due.</summary>
    public void Solve()
    {
        var at = DueAt;
        _sums.Prune(at);
        var outcome = SolvePolicy.Solve(Inputs(at), Previous(), _versions);
        if (outcome is SolveOutcome.Published { Snapshot: var snapshot })
            Publish(snapshot);
        if (outcome is SolveOutcome.Infeasible)
            InfeasibleSolves++;
        if (_dueReason is SolveReason.Drift or SolveReason.Instability)
            EarlySolves++;
        _alarm = outcome.Alarm;
        _watch.Expect(outcome.Expectation);
        var isFirst = _lastReason is null;
        _solvedAt = at;
        _lastReason = _dueReason;
        _dueReason = SolveReason.Periodic;
        DueAt = at.AddSeconds(Math.Ceiling(_definition.Solving.EverySeconds * (isFirst ? _phase : 1)));
    }

    /// <summary>What is known of the fleet at a moment.</summary>
    public FleetEstimate EstimateAt(DateTimeOffset at) =>
        SnapshotDerivation.Derive(Inputs(at), null, _versions).Estimate;

    private void Publish(AllocationSnapshot snapshot)
    {
        Versions = snapshot.Version;
        _latest = AllocationSummary.Of(snapshot);
        Tokens = [.. _definition.TaskTypes.Select(type => _latest.Given[type.Id])];
    }

    private PreviousAllocation? Previous() =>
        _latest is null
            ? null
            : new PreviousAllocation
            {
                Version = Versions,
                Hash = "",
                Summary = _latest,
            };

    private SnapshotInputs Inputs(DateTimeOffset at) =>
        new()
        {
            Tenant = "traffic",
            Fleet = "fleet",
            Definition = _definition,
            DefinitionRevision = 1,
            Sums = _sums,
            WorkloadVersion = _workloadVersion,
            SolvedAt = at,
            Alarm = _alarm?.StandsAt(at, _definition.Solving.HorizonSeconds) == true ? _alarm : null,
        };
}
