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

    /// <summary>
    /// Tokens by task type that are sent for the version in force where that is another one; null where it is this one.
    /// </summary>
    public IReadOnlyDictionary<string, long>? TokensInForce { get; init; }

    /// <summary>The version in force, 0 where none is; null where it is this one.</summary>
    public int? VersionInForce { get; init; }

    /// <summary>
    /// Since when solves have found that the version in force gives the servers more work than they can do, UTC; null
    /// where the last one did not.
    /// </summary>
    public DateTimeOffset? UnstableSince { get; init; }

    /// <summary>Whether the last solve knew every window that there is.</summary>
    public bool KnowsAllWindows { get; init; }

    /// <summary>The version in force; 0 for none.</summary>
    internal int InForce => VersionInForce ?? Version;

    /// <summary>Tokens by task type that are sent for the version in force; null where none is.</summary>
    internal IReadOnlyDictionary<string, long>? GivenInForce => InForce == 0 ? null : TokensInForce ?? Summary.Given;
}

/// <summary>Solves a fleet's problem and decides what becomes of the answer.</summary>
public static class SolvePolicy
{
    /// <summary>
    /// Standard deviations that a gain must exceed of what chance makes of it. A gain grows with the square of the
    /// optimum's move, its noise with the move: 2 deviations of the gain are 4 of the optimum, and two estimates of a
    /// fleet that has not changed differ by √2.
    /// </summary>
    internal const double GainDeviations = 2;

    /// <summary>
    /// Deviations that are enough when the horizon holds twice the windows that the version in force knew, or the
    /// traffic has moved: waiting to be sure costs more than believing what is likely, and both come too seldom for
    /// versions to go to and fro.
    /// </summary>
    internal const double GainDeviationsWhenLikely = 0.5;

    /// <summary>
    /// The most that the doubt about the arrival rate excuses, as a part of what tokens bring: the rate that is solved
    /// for is the upper end of that doubt, so that it excuses gains only that are too small to be worth versions.
    /// </summary>
    internal const double MostExcusedByRate = 0.002;

    /// <summary>
    /// Standard errors of the arrival rate by which the rate to carry must differ from that which the version in force
    /// was made for: the traffic has moved then. Two estimates of a steady rate differ by √2 errors, so that 4 are 2.8
    /// of their deviations, and a solve comes every few minutes.
    /// </summary>
    internal const double MovedErrors = 4;

    /// <summary>
    /// Standard deviations that the breach of a limit must exceed, and what a limit that binds lends to a gain: both
    /// grow with the move itself, so that 4 deviations are 4, a false alarm in 400.
    /// </summary>
    internal const double LimitDeviations = 4;

    /// <summary>
    /// Seconds from a solve to one that comes before its time, at least: windows come in batches, and more than one may
    /// tell the same.
    /// </summary>
    internal const int LeastSpacingSeconds = 5;

    /// <summary>
    /// The part of the period that lies between two solves that both come before their time: the estimate follows a
    /// change more slowly than the windows show it, and until it has, every solve is followed by an alarm.
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
        DateTimeOffset solvedAt,
        SolveReason? last,
        SolveReason next,
        SolvingPolicy solving
    )
    {
        var mayWait = next != SolveReason.Instability && last is SolveReason.Drift or SolveReason.Instability;
        var tenth = (double)solving.EverySeconds / SpacingsInPeriod;
        return solvedAt.AddSeconds(mayWait ? Math.Max(tenth, LeastSpacingSeconds) : LeastSpacingSeconds);
    }

    /// <summary>
    /// Solves. There is a new version when there was none, when the last one was proposed and has lapsed, when the
    /// definition was revised, when the one in force breaks a limit of the problem as it is now, or when the gain
    /// exceeds the definition's minimum; the last two by more than the chance in the windows explains, so that a fleet
    /// that does not change keeps its version. Where the traffic has moved, a gain that is likely is enough, and
    /// servers that are nearly saturated are no chance. Where there are twice the windows, a gain that is likely is
    /// enough. Else the one in force is confirmed. Where no allocation keeps the limits, the fewest tokens are
    /// published, once. Tokens in force that give the servers more work than they can do never stay while fewer are
    /// allowed, unless a person holds them: a version that would wait for approval is then released as an emergency.
    /// </summary>
    /// <param name="inputs">What to solve on.</param>
    /// <param name="previous">The allocation in force, or null.</param>
    public static SolveOutcome Solve(SnapshotInputs inputs, PreviousAllocation? previous) =>
        Solve(inputs, previous, DerivationVersions.Current);

    /// <summary>The same by other arithmetic, to hold one method against another.</summary>
    /// <param name="inputs">What to solve on.</param>
    /// <param name="previous">The allocation in force, or null.</param>
    /// <param name="versions">The arithmetic.</param>
    public static SolveOutcome Solve(SnapshotInputs inputs, PreviousAllocation? previous, DerivationVersions versions)
    {
        var link = previous is null ? null : new SnapshotLink(previous.Version, previous.Hash);
        var derived = SnapshotDerivation.Derive(inputs, link, versions);
        var load = LoadInForce.Of(derived.AsOfNow, previous);
        var outcome = Decide(inputs, previous, derived, load);
        var inForce = InForceAfter(inputs, previous, derived, outcome);
        var concern = IsReleased(inputs, previous, outcome)
            ? null
            : UnstableConcern.Find(inputs, previous, load, outcome);
        return outcome with
        {
            Expectation = WorkloadExpectation.Of(inputs, derived, inForce),
            Alarm = derived.Alarm,
            Concerns =
            [
                .. FleetConcerns.Of(derived.Estimate),
                .. SolveConcerns.Of(inputs.Definition, derived.Estimate, inForce),
                .. concern is null ? Array.Empty<FleetConcern>() : [concern],
            ],
            Overload = Overload.Find(inputs, derived),
            Fault = derived.HasSnapshot ? derived.Shortfall?.Describe() : Reason(derived.Solution),
            Warning = previous?.UnstableSince is null ? concern?.Message : null,
        };
    }

    private static SolveOutcome Decide(
        SnapshotInputs inputs,
        PreviousAllocation? previous,
        DerivedAllocation derived,
        LoadInForce? load
    )
    {
        if (!derived.HasSnapshot)
            return new SolveOutcome.Infeasible();
        if (IsSilent(inputs, previous, derived))
            return derived.Shortfall is null ? new SolveOutcome.Confirmed() : new SolveOutcome.Infeasible();
        var emergency = EmergencyOf(inputs, previous, derived, load);

        // What waits for approval does not wait any longer: it is solved anew, for the rate as it is now.
        var isWaiting = previous is not null && previous.InForce != previous.Version;
        if (IsWorthANewVersion(inputs, previous, derived, load) || (emergency is not null && isWaiting))
            return new SolveOutcome.Published(derived.Snapshot!) { Emergency = emergency };
        return derived.Shortfall is null ? new SolveOutcome.Confirmed() : new SolveOutcome.Infeasible();
    }

    /// <summary>
    /// Whether nobody has told anything for so long that what is known only grows old: what was granted stays until
    /// somebody does. Windows that say that nothing came are another matter.
    /// </summary>
    private static bool IsSilent(SnapshotInputs inputs, PreviousAllocation? previous, DerivedAllocation derived) =>
        previous is { KnowsAllWindows: true, HasLapsed: false }
        && previous.Summary.DefinitionRevision == inputs.DefinitionRevision
        && derived.Alarm is null
        && derived.Estimate is { LastWindowEnd: not null, Validity.Staleness.Flagged: true };

    /// <summary>
    /// Why a new version is to be in force at once although allocations wait for approval; null where they do not,
    /// where a person holds a version, or where nothing presses.
    /// </summary>
    private static string? EmergencyOf(
        SnapshotInputs inputs,
        PreviousAllocation? previous,
        DerivedAllocation derived,
        LoadInForce? load
    )
    {
        var solving = inputs.Definition.Solving;
        var mayBeReleased = solving.ApprovalSeconds is not null && solving.Emergency != EmergencyRelease.Wait;
        if (!mayBeReleased || previous?.IsPinned == true)
            return null;
        if (load is { IsUnstable: true, IsMoreThanFewest: true })
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"version {load.Version} gave the servers {load.Load:0.##} times the work that they can do"
            );
        }

        // Where nothing is in force, gateways grant what they like, and even the fewest tokens are too many.
        var fewest = LoadInForce.OfFewest(derived.AsOfNow);
        return load is null && fewest >= 1
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"nothing was in force, and even the fewest tokens give the servers {fewest:0.##} times the work that they can do"
            )
            : null;
    }

    private static bool IsReleased(SnapshotInputs inputs, PreviousAllocation? previous, SolveOutcome outcome)
    {
        if (outcome is not SolveOutcome.Published published || previous?.IsPinned == true)
            return false;
        return inputs.Definition.Solving.ApprovalSeconds is null || published.Emergency is not null;
    }

    /// <summary>Tokens that are sent from now on, in the order of the problem's task types; null for none.</summary>
    private static long[]? InForceAfter(
        SnapshotInputs inputs,
        PreviousAllocation? previous,
        DerivedAllocation derived,
        SolveOutcome outcome
    )
    {
        if (!IsReleased(inputs, previous, outcome))
            return TokensOf(derived.Problem, previous?.GivenInForce);
        var given = SnapshotDerivation.Given(derived.Snapshot!.Sent, derived.Solution);
        return [.. given.Select(type => type.Tokens)];
    }

    /// <summary>
    /// Tokens in the order of the problem's task types; null when there are none, or they are of other types.
    /// </summary>
    private static long[]? TokensOf(AllocationProblem problem, IReadOnlyDictionary<string, long>? tokens) =>
        tokens is not null
        && problem.TaskTypes.Count == tokens.Count
        && problem.TaskTypes.All(type => tokens.ContainsKey(type.Id))
            ? [.. problem.TaskTypes.Select(type => tokens[type.Id])]
            : null;

    private static bool IsWorthANewVersion(
        SnapshotInputs inputs,
        PreviousAllocation? previous,
        DerivedAllocation derived,
        LoadInForce? load
    )
    {
        var tokens = TokensOf(derived.Problem, previous?.Summary.Tokens);
        if (
            previous is null or { HasLapsed: true }
            || tokens is null
            || previous.Summary.DefinitionRevision != inputs.DefinitionRevision
        )
            return true;
        if (derived.Shortfall is not null)
            return IsNewShortfall(previous, derived);
        var isLatestUnstable = load is { IsUnstable: true } && previous.InForce == previous.Version;
        return (isLatestUnstable && !IsGiven(previous, derived.Snapshot!))
            || IsBetter(inputs, previous, tokens, derived);
    }

    /// <summary>
    /// Whether the fewest tokens were not published yet, or are others by more than each estimate moves them.
    /// </summary>
    private static bool IsNewShortfall(PreviousAllocation previous, DerivedAllocation derived)
    {
        var before = LoadInForce.LoadOf(derived.AsOfNow, previous.Summary.Tokens);
        return previous.Summary.Shortfall is null || !LoadInForce.IsSame(before, LoadInForce.OfFewest(derived.AsOfNow));
    }

    private static bool IsGiven(PreviousAllocation previous, AllocationSnapshot snapshot)
    {
        var given = AllocationSummary.Of(snapshot).Given;
        return given.All(type => previous.Summary.Given.TryGetValue(type.Key, out var tokens) && tokens == type.Value);
    }

    private static bool IsBetter(
        SnapshotInputs inputs,
        PreviousAllocation previous,
        long[] tokens,
        DerivedAllocation derived
    )
    {
        var inForce = new AllocationInForce(inputs, derived, tokens);

        // A fleet leaves the fewest tokens as soon as that is a gain at all.
        var least = previous.Summary.Shortfall is null ? inputs.Definition.Solving.MinimumGain : 0;

        if (inForce.BreaksALimit)
            return true;

        // A gain that is too small as it stands need not be held against chance.
        if (inForce.Gain <= least)
            return false;
        var isLikelyEnough = HasTwiceTheWindows(inputs, previous) || HasTrafficMoved(previous, derived);
        var byChance = inForce.GainByChance(isLikelyEnough ? GainDeviationsWhenLikely : GainDeviations);
        return !(inForce.Gain - byChance <= least);
    }

    /// <summary>Whether the horizon holds twice the windows that the version in force knew.</summary>
    private static bool HasTwiceTheWindows(SnapshotInputs inputs, PreviousAllocation previous)
    {
        var known = (UInt128)Math.Max(previous.Summary.WorkloadVersion, 0);
        return inputs.Sums.Windows >= 2 * known;
    }

    /// <summary>
    /// Whether the rate to carry is another one, beyond chance, than the version in force was made to carry.
    /// </summary>
    private static bool HasTrafficMoved(PreviousAllocation previous, DerivedAllocation derived)
    {
        if (derived.Estimate.Traffic is null || previous.Summary.ArrivalRate is not { } carried)
            return false;
        var moved = Math.Abs(derived.Problem.ArrivalRate - carried);
        return moved > MovedErrors * derived.Estimate.ArrivalRate.StandardError;
    }

    private static string Reason(AllocationSolution solution) =>
        solution.Reason == InfeasibilityReason.AccuracyFloor
            ? $"accuracyFloor: out of reach for {string.Join(", ", solution.TaskTypes!)}"
            : $"{solution.Reason}: no allocation keeps it, and up to estimator/5 none is granted then";
}
