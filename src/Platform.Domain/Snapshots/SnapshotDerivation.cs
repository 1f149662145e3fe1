using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>
/// What a snapshot is derived from. Together with the snapshot before it and the versions of the arithmetic it is all
/// there is.
/// </summary>
public sealed record SnapshotInputs
{
    /// <summary>The tenant's id.</summary>
    public required string Tenant { get; init; }

    /// <summary>The fleet's id.</summary>
    public required string Fleet { get; init; }

    /// <summary>The definition in force.</summary>
    public required FleetDefinition Definition { get; init; }

    /// <summary>Its revision.</summary>
    public required int DefinitionRevision { get; init; }

    /// <summary>The windows up to <see cref="WorkloadVersion"/>, folded with the definition's horizon.</summary>
    public required WorkloadSums Sums { get; init; }

    /// <summary>Version of the workload stream up to which windows are in the sums.</summary>
    public required long WorkloadVersion { get; init; }

    /// <summary>
    /// The moment of the solve, from which ages are counted: see <see cref="SnapshotDerivation.Instant"/>.
    /// </summary>
    public required DateTimeOffset SolvedAt { get; init; }

    /// <summary>The alarm that stands, or null.</summary>
    public LoadAlarm? Alarm { get; init; }
}

/// <summary>The snapshot that another one follows.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Hash">Its hash.</param>
public sealed record SnapshotLink(int Version, string Hash);

/// <summary>Which arithmetic derives a snapshot.</summary>
/// <param name="Estimator">Version of the estimator.</param>
/// <param name="Solver">Version of the solver.</param>
public sealed record DerivationVersions(string Estimator, string Solver)
{
    /// <summary>Those that new snapshots are derived with.</summary>
    public static DerivationVersions Current { get; } =
        new(Estimation.Estimator.EstimatorVersion, AllocationSolver.Version);
}

/// <summary>What the inputs come to.</summary>
public sealed class DerivedAllocation
{
    private readonly Func<AllocationSnapshot> _snapshot;

    internal DerivedAllocation(
        FleetEstimate estimate,
        LoadAlarm? alarm,
        LimitedStep step,
        Func<AllocationSnapshot> snapshot
    )
    {
        (Estimate, Alarm, Problem, Solution, HeldBack) = (estimate, alarm, step.Problem, step.Answer, step.Held);
        Asked = step.Asked;
        Shortfall = step.Shortfall;
        _snapshot = snapshot;
    }

    /// <summary>The estimate.</summary>
    public FleetEstimate Estimate { get; }

    /// <summary>
    /// The alarm that the problem counts with; null where none stands, or the estimate has caught up with it.
    /// </summary>
    public LoadAlarm? Alarm { get; }

    /// <summary>The problem.</summary>
    public AllocationProblem Problem { get; }

    /// <summary>
    /// The problem at the arrival rate and within the limits as they are; <see cref="Problem"/> is another one where no
    /// allocation keeps them and the fewest tokens are granted.
    /// </summary>
    public AllocationProblem Asked { get; }

    /// <summary>
    /// The same at the arrival rate as it is estimated, where allocations are made for the one that they must carry.
    /// </summary>
    public AllocationProblem AsOfNow =>
        Estimate.Traffic is null
            ? Asked
            : Asked with
            {
                ArrivalRate = Math.Min(Asked.ArrivalRate, Estimate.ArrivalRate.Value),
            };

    /// <summary>
    /// Why the fewest tokens are granted; null where an allocation keeps the limits, and before estimator/6.
    /// </summary>
    public Shortfall? Shortfall { get; }

    /// <summary>Its solution, without the uniform budget and the diagnostics that the snapshot has.</summary>
    public AllocationSolution Solution { get; }

    /// <summary>The task types that are granted less than the estimate alone would have.</summary>
    public IReadOnlyList<HeldBack> HeldBack { get; }

    /// <summary>
    /// The snapshot; null when the problem is infeasible. Made when it is asked for: most solves confirm the one in
    /// force.
    /// </summary>
    public AllocationSnapshot? Snapshot => HasSnapshot ? field ??= _snapshot() : null;

    /// <summary>Whether there is one, which is known without making it.</summary>
    public bool HasSnapshot => Solution.Status != SolutionStatus.Infeasible;
}

/// <summary>
/// The one way from events to a snapshot: estimate, problem, solution, snapshot. Whoever solves and whoever verifies
/// goes this way, so that the same inputs give the same bytes.
/// </summary>
public static class SnapshotDerivation
{
    /// <summary>
    /// Whether this program has the arithmetic of those versions: one that a later program has written may not be here.
    /// </summary>
    public static bool Knows(DerivationVersions versions) =>
        EstimatorArithmetic.Versions.ContainsKey(versions.Estimator)
        && AllocationSolver.Versions.ContainsKey(versions.Solver);

    /// <summary>
    /// The instant to solve for. Whole milliseconds: the database keeps no more than microseconds, and a snapshot must
    /// say exactly the instant it was derived for. Never before the fleet's last solve: its sums were pruned to that,
    /// and those who derive the snapshot again from all events would find evidence that the solve no longer had.
    /// </summary>
    /// <param name="now">The worker's clock.</param>
    /// <param name="lastSolvedAt">When the fleet was solved last, by whichever worker's clock; null before the first
    /// solve.</param>
    public static DateTimeOffset Instant(DateTimeOffset now, DateTimeOffset? lastSolvedAt)
    {
        var instant = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
        return lastSolvedAt is { } last && last > instant ? last : instant;
    }

    /// <summary>Derives the snapshot that follows <paramref name="previous"/>.</summary>
    /// <param name="inputs">What to derive it from.</param>
    /// <param name="previous">The snapshot before it, or null for the first.</param>
    /// <param name="versions">The arithmetic to use.</param>
    /// <exception cref="ArgumentException">The arithmetic is not here: see <see cref="Knows"/>.</exception>
    public static DerivedAllocation Derive(SnapshotInputs inputs, SnapshotLink? previous, DerivationVersions versions)
    {
        if (!Knows(versions))
            throw new ArgumentException(
                $"This program has no {versions.Estimator} with {versions.Solver}.",
                nameof(versions)
            );
        var arithmetic = EstimatorArithmetic.Versions[versions.Estimator];
        var estimate = Estimator.Estimate(inputs.Definition, inputs.Sums, inputs.SolvedAt, arithmetic);
        var options = AllocationSolver.Versions[versions.Solver];
        var alarm = Standing(inputs.Alarm, estimate);
        var step = arithmetic.HasNoStepLimit
            ? WithoutLimit(inputs.Definition, estimate, options)
            : StepLimit.Solve(
                inputs.Definition,
                estimate,
                alarm,
                options,
                isNearlyAllCarried: arithmetic.HasAverageTraffic
            );
        if (CarriedRate(estimate, step.Answer) is { } rate)
            step = StepLimit.Solve(
                inputs.Definition,
                WithRate(estimate, rate),
                alarm,
                options,
                isNearlyAllCarried: false
            );
        if (!arithmetic.HasAverageTraffic)
            step = FewestTokens.InPlaceOf(step, options);
        var known = (estimate, alarm);
        return new DerivedAllocation(estimate, alarm, step, () => Snapshot(inputs, previous, versions, known, step));
    }

    /// <summary>
    /// The rate to solve for where nothing keeps the limits at the one that an allocation must carry: the most that the
    /// fewest tokens carry, nearly, or the rate as it is estimated. Null where there is an answer, or no other rate.
    /// </summary>
    private static double? CarriedRate(FleetEstimate estimate, AllocationSolution answer)
    {
        var expected = estimate.ArrivalRate.Value;
        if (answer.Status != SolutionStatus.Infeasible || !(estimate.Traffic?.UpperRate > expected))
            return null;
        return Math.Max(expected, FewestTokens.NearlyAll * (answer.MaxArrivalRate ?? 0));
    }

    private static FleetEstimate WithRate(FleetEstimate estimate, double rate) =>
        estimate with
        {
            Traffic = estimate.Traffic! with { UpperRate = rate },
        };

    /// <summary>
    /// The alarm where the estimate does not say as much: one that follows the traffic knows the arrivals itself, and
    /// where servers share it is more arrivals that make each query slower.
    /// </summary>
    private static LoadAlarm? Standing(LoadAlarm? alarm, FleetEstimate estimate)
    {
        if (alarm is null || estimate is { Traffic: not null, Sharing: not null })
            return null;
        var counting = estimate.Traffic is null ? alarm : alarm with { ArrivalRate = 0 };
        return counting.Exceeds(estimate.ArrivalRate.Value) ? counting : null;
    }

    private static LimitedStep WithoutLimit(FleetDefinition definition, FleetEstimate estimate, SolverOptions options)
    {
        var problem = ProblemBuilder.Build(definition, estimate);
        var (answer, whole) = AllocationSolver.SolveInSteps(problem, options);
        return new LimitedStep(problem, answer, whole, []);
    }

    private static AllocationSnapshot Snapshot(
        SnapshotInputs inputs,
        SnapshotLink? previous,
        DerivationVersions versions,
        (FleetEstimate Estimate, LoadAlarm? Alarm) known,
        LimitedStep step
    )
    {
        var (problem, solution) = (step.Problem, step.Whole());
        var sent = inputs.Definition.Actuator is { } actuator ? Sent(problem, solution, actuator, versions) : null;
        return new AllocationSnapshot
        {
            Tenant = inputs.Tenant,
            Fleet = inputs.Fleet,
            Version = (previous?.Version ?? 0) + 1,
            SolvedAt = inputs.SolvedAt,
            Provenance = new Provenance
            {
                DefinitionRevision = inputs.DefinitionRevision,
                WorkloadVersion = inputs.WorkloadVersion,
                Estimator = versions.Estimator,
                Solver = versions.Solver,
                ProblemHash = AllocationSnapshot.HashOf(CanonicalJson.Write(problem)),
                PreviousHash = previous?.Hash,
                Alarm = known.Alarm,
            },
            Problem = problem,
            Solution = solution,
            Sent = sent,
            Ladder = Ladder(inputs.Definition, problem, Given(sent, solution), versions),
            HeldBack = step.Held is { Count: > 0 } held ? held : null,
            Shortfall = step.Shortfall,
            Validity = SnapshotValidity.Of(known.Estimate, solution),
        };
    }

    private static SentAllocation Sent(
        AllocationProblem problem,
        AllocationSolution solution,
        Actuator actuator,
        DerivationVersions versions
    )
    {
        var options = AllocationSolver.Versions[versions.Solver];
        return Actuation.Choose(new AllocationModel(problem, options.TakesRawCurves), solution, actuator);
    }

    private static SurgeLadder? Ladder(
        FleetDefinition definition,
        AllocationProblem problem,
        IReadOnlyList<SentTokens> granted,
        DerivationVersions versions
    )
    {
        var options = AllocationSolver.Versions[versions.Solver];
        return definition.Solving.Ladder is { } ladder
            ? LadderDerivation.Of(problem, granted, definition.Actuator, ladder.Rungs, options)
            : null;
    }

    /// <summary>What a gateway is given: what is sent, or the optimum where any tokens can be.</summary>
    internal static IReadOnlyList<SentTokens> Given(SentAllocation? sent, AllocationSolution solution) =>
        sent?.Allocation ?? [.. solution.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens))];
}
