using System.Globalization;
using Platform.Domain.Allocation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>The allocation that a new one must beat.</summary>
public sealed record PreviousAllocation
{
    /// <summary>Its version.</summary>
    public required int Version { get; init; }

    /// <summary>Its hash.</summary>
    public required string Hash { get; init; }

    /// <summary>What it says.</summary>
    public required AllocationSummary Summary { get; init; }

    /// <summary>It waited for a person to put it in force, and has waited too long.</summary>
    public bool HasLapsed { get; init; }

    /// <summary>A person holds a version in force: what is solved does not come into force.</summary>
    public bool IsPinned { get; init; }

    /// <summary>Tokens by task type that are sent for the version in force where that is another one; null where it is this one.</summary>
    public IReadOnlyDictionary<string, long>? TokensInForce { get; init; }

}

/// <summary>Solves a fleet's problem and decides what becomes of the answer.</summary>
public static class SolvePolicy
{
    /// <summary>
    /// Standard deviations that a gain must exceed of what chance makes of it. A gain grows with the square of the optimum's move, its noise
    /// with the move: 2 deviations of the gain are 4 of the optimum, and two estimates of a fleet that has not changed differ by √2.
    /// </summary>
    internal const double GainDeviations = 2;

    /// <summary>
    /// Deviations that are enough when there are twice the windows that the version in force knew: waiting to be sure costs more than
    /// believing what is more likely than not, and a number doubles too seldom for versions to go to and fro.
    /// </summary>
    internal const double GainDeviationsWhenDoubled = 0.5;

    /// <summary>
    /// Standard deviations that the breach of a limit must exceed, and what a limit that binds lends to a gain: both grow with the move
    /// itself, so that 4 deviations are 4, a false alarm in 400.
    /// </summary>
    internal const double LimitDeviations = 4;

    /// <summary>Seconds from a solve to one that comes before its time, at least: windows come in batches, and more than one may tell the same.</summary>
    internal const int LeastSpacingSeconds = 5;

    /// <summary>
    /// The part of the period that lies between two solves that both come before their time: the estimate follows a change more slowly than
    /// the windows show it, and until it has, every solve is followed by an alarm.
    /// </summary>
    internal const int SpacingsInPeriod = 10;

    /// <summary>
    /// When a fleet may be solved before its time: 5 seconds after its last solve, or a tenth of its period where that
    /// came before its time too. Servers that cannot keep up do not wait for the tenth.
    /// </summary>
    /// <param name="solvedAt">Its last solve.</param>
    /// <param name="last">Why that came, or null when it is not known.</param>
    /// <param name="next">Why the next one is to come.</param>
    /// <param name="solving">The fleet's own policy.</param>
    public static DateTimeOffset EarliestNext(
        DateTimeOffset solvedAt, SolveReason? last, SolveReason next, SolvingPolicy solving)
    {
        var mayWait = next != SolveReason.Instability && last is SolveReason.Drift or SolveReason.Instability;
        var tenth = (double)solving.EverySeconds / SpacingsInPeriod;
        return solvedAt.AddSeconds(mayWait ? Math.Max(tenth, LeastSpacingSeconds) : LeastSpacingSeconds);
    }

    /// <summary>
    /// Solves. There is a new version when there was none, when the last one was proposed and has lapsed, when the definition was revised, when the one in force breaks a limit of the
    /// problem as it is now, or when the gain exceeds the definition's minimum; the last two by more than the chance in the windows
    /// explains, so that a fleet that does not change keeps its version. Where there are twice the windows, a gain that is likely is
    /// enough. Else the one in force is confirmed.
    /// </summary>
    /// <param name="inputs">What to solve on.</param>
    /// <param name="previous">The allocation in force, or null.</param>
    public static SolveOutcome Solve(SnapshotInputs inputs, PreviousAllocation? previous) =>
        Solve(inputs, previous, DerivationVersions.Current);

    /// <summary>The same by other arithmetic, to hold one method against another.</summary>
    /// <param name="inputs">What to solve on.</param>
    /// <param name="previous">The allocation in force, or null.</param>
    /// <param name="versions">The arithmetic.</param>
    public static SolveOutcome Solve(
        SnapshotInputs inputs, PreviousAllocation? previous, DerivationVersions versions)
    {
        var link = previous is null ? null : new SnapshotLink(previous.Version, previous.Hash);
        var derived = SnapshotDerivation.Derive(inputs, link, versions);
        var tokens = TokensOf(derived.Problem, previous?.Summary.Tokens);
        SolveOutcome outcome = derived.Solution.Status == SolutionStatus.Infeasible ? new SolveOutcome.Infeasible(Reason(derived.Solution))
            : IsWorthANewVersion(inputs, previous, tokens, derived) ? new SolveOutcome.Published(derived.Snapshot!)
            : new SolveOutcome.Confirmed();
        var isReleased = outcome is SolveOutcome.Published && inputs.Definition.Solving.ApprovalSeconds is null && previous?.IsPinned != true;
        var inForce = isReleased ? derived.Snapshot!.Sent is { } sent ? [.. sent.Allocation.Select(type => type.Tokens)] : [.. derived.Solution.Allocation!.Select(type => type.Tokens)]
            : TokensOf(derived.Problem, previous?.TokensInForce ?? previous?.Summary.Given);
        return outcome with
        {
            Expectation = WorkloadExpectation.Of(inputs, derived, inForce),
            Alarm = derived.Alarm,
            Concerns =
            [
                .. FleetConcerns.Of(derived.Estimate),
                .. SolveConcerns.Of(inputs.Definition, derived.Estimate, inForce),
            ],
            Overload = Overload.Find(inputs, derived),
        };
    }

    /// <summary>Tokens in the order of the problem's task types; null when there are none, or they are of other types.</summary>
    private static long[]? TokensOf(AllocationProblem problem, IReadOnlyDictionary<string, long>? tokens) =>
        tokens is not null && problem.TaskTypes.Count == tokens.Count && problem.TaskTypes.All(type => tokens.ContainsKey(type.Id))
            ? [.. problem.TaskTypes.Select(type => tokens[type.Id])]
            : null;

    private static bool IsWorthANewVersion(SnapshotInputs inputs, PreviousAllocation? previous, long[]? tokens, DerivedAllocation derived)
    {
        if (previous is null or { HasLapsed: true } || tokens is null || previous.Summary.DefinitionRevision != inputs.DefinitionRevision)
            return true;
        var deviations = inputs.WorkloadVersion >= 2 * previous.Summary.WorkloadVersion ? GainDeviationsWhenDoubled : GainDeviations;
        var inForce = new AllocationInForce(inputs, derived, tokens);
        var least = inputs.Definition.Solving.MinimumGain;

        // A gain that is too small as it stands need not be held against chance.
        return inForce.BreaksALimit || (!(inForce.Gain <= least) && !(inForce.Gain - inForce.GainByChance(deviations) <= least));
    }

    private static string Reason(AllocationSolution solution) => solution.Reason switch
    {
        InfeasibilityReason.Unstable => string.Create(
            CultureInfo.InvariantCulture, $"unstable: the fewest tokens allowed carry at most {solution.MaxArrivalRate} arrivals per second"),
        InfeasibilityReason.AccuracyFloor => $"accuracyFloor: out of reach for {string.Join(", ", solution.TaskTypes!)}",
        InfeasibilityReason.MeanTokenBudget => string.Create(
            CultureInfo.InvariantCulture, $"meanTokenBudget: the fewest tokens allowed have a mean of {solution.MinMeanTokenBudget}"),
        InfeasibilityReason.MaxMeanSystemTime => string.Create(
            CultureInfo.InvariantCulture,
            $"maxMeanSystemTime: the fewest tokens allowed take {solution.MinMeanSystemTimeSeconds} seconds in the mean"),
        InfeasibilityReason.MaxInterTokenSeconds => string.Create(
            CultureInfo.InvariantCulture,
            $"maxInterTokenSeconds: the fewest tokens allowed take {solution.MinInterTokenSeconds} seconds between two tokens"),
        InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds => string.Create(
            CultureInfo.InvariantCulture,
            $"maxTimeToFirstAnswerTokenSeconds: the fewest tokens allowed take {solution.MinTimeToFirstAnswerTokenSeconds} "
                + $"seconds to the first token of the answer"),
        var other => throw new InvalidOperationException($"An infeasible solution has the reason {other}."),
    };
}
