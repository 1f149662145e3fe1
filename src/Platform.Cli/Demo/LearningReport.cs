using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Cli.Demo;

/// <summary>What came of a fleet's loop, held against what the platform was never told.</summary>
internal sealed record LearningReport
{
    /// <summary>
    /// What errors of estimation may cost is second order in them, hence goes as one over the number of queries, and as
    /// the accuracy weight; the factor is beyond the worst of 20 seeds of every demo fleet.
    /// </summary>
    private const double NoiseOfOneQuery = 100;

    /// <summary>The best objective that anybody could reach who knew the truth.</summary>
    public required double BestObjective { get; init; }

    /// <summary>How far an objective may lie below another by noise.</summary>
    public required double Noise { get; init; }

    /// <summary>Hidden figures with what the platform makes of them.</summary>
    public required IReadOnlyList<TruthLine> Truth { get; init; }

    /// <summary>Every policy's figures; the first is that of the servers as they went.</summary>
    public required IReadOnlyList<PolicyLine> Policies { get; init; }

    /// <summary>The versions that the gateway served by.</summary>
    public required IReadOnlyList<VersionLine> Versions { get; init; }

    /// <summary>
    /// The learned allocation against the best single budget and against the prior's allocation, on the same queries.
    /// </summary>
    public required ServedComparison AgainstUniform { get; init; }

    public required ServedComparison AgainstPrior { get; init; }

    /// <summary>
    /// The learned allocation against what split would grant that takes each slot of a server which batches for a
    /// server with a queue, on the same queries; null where servers have queues.
    /// </summary>
    public required ServedComparison? AgainstSplit { get; init; }

    /// <summary>What the platform says does not fit its model.</summary>
    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>The policies by what they do.</summary>
    public PolicyLine Live => Policies[0];

    public PolicyLine Prior => Policies[1];

    public PolicyLine Uniform => Policies[2];

    public PolicyLine Learned => Policies[3];

    /// <summary>What split would grant; null where servers have queues.</summary>
    public PolicyLine? Split => Policies.Count > 5 ? Policies[4] : null;

    /// <summary>What of the promise is not kept, or null.</summary>
    public string? Fault =>
        Learned.Objective is not { } learned
            ? $"in truth the learned allocation, {string.Join(", ", Learned.Tokens!)} tokens, overloads the fleet"
        : new[] { Prior, Uniform, Split }.FirstOrDefault(other => learned < other?.Objective - Noise) is { } better
            ? FormattableString.Invariant(
                $"in truth the learned allocation, {learned:0.000}, is worse than {better.Policy}, {better.Objective:0.000}, by more than noise, {Noise:0.000}"
            )
        : null;

    /// <summary>Puts it together.</summary>
    /// <param name="live">The fleet as it went.</param>
    /// <param name="length">Length of the trace.</param>
    /// <param name="learned">The allocation in force at the end.</param>
    /// <param name="estimate">What the platform believes at the end.</param>
    /// <param name="rate">The true arrival rate, where it is known and not only counted.</param>
    public static LearningReport Create(
        LiveFleet live,
        TimeSpan length,
        IReadOnlyList<TaskAllocation> learned,
        FleetEstimate estimate,
        double? rate
    )
    {
        var plan = live.Workload.Plan;
        var best = AllocationSolver.Solve(plan.TrueProblem);
        var prior = live.History[0].Tokens;
        IReadOnlyList<long> uniform = [.. prior.Select(_ => best.Uniform!.Tokens)];
        var now = plan.TokensOf(learned);
        IReadOnlyList<long> optimum = [.. best.Allocation!.Select(task => task.Tokens)];
        var logs = new[] { prior, uniform, now, optimum }.Select(Serve).ToArray();
        var split = plan.TokensBySplit();
        var splitLog = split is null ? null : Serve(split);
        PolicyLine[] bySplit = splitLog is null
            ? []
            : [PolicyLine.Create("as split would, a server a slot", split, splitLog, plan)];
        return new LearningReport
        {
            BestObjective = best.Objective!.Value,
            Noise = NoiseOfOneQuery * plan.TrueProblem.AccuracyWeight / Math.Max(live.Workload.Requests.Count, 1),
            Truth = TruthLine.Of(plan, estimate, now, rate ?? plan.TrueProblem.ArrivalRate),
            Policies =
            [
                PolicyLine.Create("as it went, exploring", null, live.Log, null),
                PolicyLine.Create("the prior's allocation", prior, logs[0], plan),
                PolicyLine.Create("the best single budget", uniform, logs[1], plan),
                PolicyLine.Create("the learned allocation", now, logs[2], plan),
                .. bySplit,
                PolicyLine.Create("the optimum in truth", optimum, logs[3], plan),
            ],
            Versions =
            [
                .. live.History.Select(it => new VersionLine(
                    it.Version,
                    it.From.TotalSeconds,
                    plan.TrueObjective(it.Tokens)
                )),
            ],
            AgainstUniform = logs[2].Against(logs[1]),
            AgainstPrior = logs[2].Against(logs[0]),
            AgainstSplit = splitLog is null ? null : logs[2].Against(splitLog),
            Flags = ValidityFlags.Of(estimate),
        };

        ServedLog Serve(IReadOnlyList<long> tokens) => ServedLog.Of(live.Workload, tokens, length);
    }
}

/// <summary>A version that the gateway served by.</summary>
/// <param name="Version">Its version.</param>
/// <param name="FromSeconds">When it came in force, in simulated seconds since the start of the trace.</param>
/// <param name="Objective">Its objective in truth; null where it would overload the fleet.</param>
internal sealed record VersionLine(int Version, double FromSeconds, double? Objective);

/// <summary>A policy's figures.</summary>
/// <param name="Policy">What it does.</param>
/// <param name="Tokens">Its tokens for a query of each task type; null where they changed.</param>
/// <param name="FirstMinute">What the queries of the trace's first minute had.</param>
/// <param name="LastMinute">And those of its last.</param>
/// <param name="Trace">And all.</param>
/// <param name="Objective">
/// Its objective by the formulas and the hidden truth; null where the tokens changed, or would overload the fleet.
/// </param>
internal sealed record PolicyLine(
    string Policy,
    IReadOnlyList<long>? Tokens,
    ServedFigures FirstMinute,
    ServedFigures LastMinute,
    ServedFigures Trace,
    double? Objective
)
{
    public static PolicyLine Create(string policy, IReadOnlyList<long>? tokens, ServedLog log, FleetPlan? plan) =>
        new(
            policy,
            tokens,
            log.FirstMinute,
            log.LastMinute,
            log.Trace,
            tokens is null ? null : plan?.TrueObjective(tokens)
        );
}

/// <summary>A hidden figure and what the platform makes of it.</summary>
/// <param name="Figure">What it is.</param>
/// <param name="Truth">The hidden figure.</param>
/// <param name="Estimate">The platform's.</param>
/// <param name="Lower">Lower end of its 95 % interval.</param>
/// <param name="Upper">Upper end.</param>
internal sealed record TruthLine(string Figure, double Truth, double Estimate, double Lower, double Upper)
{
    public bool Holds => Truth >= Lower && Truth <= Upper;

    public static IReadOnlyList<TruthLine> Of(
        FleetPlan plan,
        FleetEstimate estimate,
        IReadOnlyList<long> tokens,
        double rate
    ) =>
        [
            Line("arrivals a second", rate, estimate.ArrivalRate),
            .. OverheadLines(plan, estimate),
            .. estimate
                .TaskTypes.Index()
                .SelectMany(type => TypeLines(type.Item, plan.Truth[type.Index], tokens[type.Index])),
        ];

    private static IEnumerable<TruthLine> OverheadLines(FleetPlan plan, FleetEstimate estimate)
    {
        if (plan.Model is { } model && estimate.Sharing is { OverheadSecondsPerToken: var overhead })
            yield return MillisLine("overhead: ms an iteration", model.OverheadSeconds, overhead);
    }

    private static IEnumerable<TruthLine> TypeLines(TaskTypeEstimate type, TaskTruth truth, long tokens)
    {
        yield return Line($"{type.Id}: base seconds", truth.Service.BaseSeconds, type.Service.BaseSeconds);
        yield return MillisLine($"{type.Id}: ms a token", truth.Service.SecondsPerToken, type.Service.SecondsPerToken);
        yield return Line(
            $"{type.Id}: accuracy at {tokens}",
            truth.AccuracyAt(tokens),
            type.Accuracy.AccuracyAt(tokens)
        );
    }

    private static TruthLine MillisLine(string figure, double seconds, IntervalEstimate estimate) =>
        new(figure, seconds * 1e3, estimate.Value * 1e3, estimate.Lower * 1e3, estimate.Upper * 1e3);

    private static TruthLine Line(string figure, double truth, IntervalEstimate estimate) =>
        new(figure, truth, estimate.Value, estimate.Lower, estimate.Upper);
}
