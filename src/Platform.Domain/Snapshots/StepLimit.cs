using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>Why a task type is held back.</summary>
public enum HoldReason
{
    /// <summary>
    /// More tokens than the step allows beyond the largest budget that has verdicts, or beyond the first allocation
    /// where none has.
    /// </summary>
    Evidence,

    /// <summary>
    /// Its service times are a tenth or less of the definition's, as if a unit were wrong: the definition's line is
    /// used in their place.
    /// </summary>
    [JsonStringEnumMemberName("service-time")]
    ServiceTime,
}

/// <summary>A task type that is granted less than the estimate alone would have.</summary>
/// <param name="TaskType">Its id.</param>
/// <param name="Reason">Why.</param>
/// <param name="TokensWithout">Tokens that it would have.</param>
/// <param name="MostTokens">The step's limit, or null where the service time is the reason.</param>
/// <param name="LargestBudgetTried">The largest budget that has verdicts, or null.</param>
public sealed record HeldBack(
    string TaskType,
    HoldReason Reason,
    long TokensWithout,
    long? MostTokens,
    long? LargestBudgetTried
);

/// <summary>A problem with its answer, and what was held back in it.</summary>
/// <param name="Problem">The problem that was solved last.</param>
/// <param name="Answer">Its answer, without the best uniform budget and the diagnostics.</param>
/// <param name="Whole">Makes the answer whole.</param>
/// <param name="Held">
/// The types that are held back, in the problem's order; empty where the estimate is taken as it is.
/// </param>
internal sealed record LimitedStep(
    AllocationProblem Problem,
    AllocationSolution Answer,
    Func<AllocationSolution> Whole,
    IReadOnlyList<HeldBack> Held
)
{
    /// <summary>The problem as it was, where another one was solved since it has no answer.</summary>
    public AllocationProblem Asked { get; init; } = Problem;

    /// <summary>Why the fewest tokens are the answer; null where they need not be.</summary>
    public Shortfall? Shortfall { get; init; }
}

/// <summary>
/// How far an allocation may go beyond what is known. A curve says what tokens bring that nobody has tried, and where
/// no verdict reaches it is the prior that says so: tokens go up by a step at a time, each followed by verdicts. Down
/// they go at once.
/// </summary>
internal static class StepLimit
{
    /// <summary>Tokens that a step is measured from at least: from 0 no multiple would ever lead away.</summary>
    public const long LeastReference = 64;

    /// <summary>
    /// How far beyond the limit tokens in force may be before that alone is a reason to take them back: the limit moves
    /// as verdicts come and fade, and must not make a new version each time.
    /// </summary>
    public const double Slack = 1.25;

    private static readonly SolverOptions Quick = new() { Rounding = RoundingMethod.Nearest };

    /// <summary>Solves a fleet's problem within its step.</summary>
    /// <param name="definition">The definition.</param>
    /// <param name="estimate">The estimate that was made from it.</param>
    /// <param name="alarm">The alarm that stands, or null.</param>
    /// <param name="options">The solver's version.</param>
    /// <param name="isNearlyAllCarried">
    /// Whether nearly what the fewest tokens carry is answered for where an alarm's arrival rate is beyond it, as up to
    /// estimator/5; later such a problem has no answer here, and is granted the fewest tokens.
    /// </param>
    public static LimitedStep Solve(
        FleetDefinition definition,
        FleetEstimate estimate,
        LoadAlarm? alarm,
        SolverOptions options,
        bool isNearlyAllCarried
    )
    {
        var problem = ProblemBuilder.Build(definition, estimate);
        if (alarm is null)
            return Solve(definition, estimate, problem, options);
        var underAlarm = Solve(definition, estimate, ProblemBuilder.UnderAlarm(problem, alarm), options);
        if (underAlarm.Answer.MaxArrivalRate is not { } most || !isNearlyAllCarried)
            return underAlarm;

        // Not even the fewest tokens carry what the alarm says: what they can carry is answered for, nearly the fewest.
        var carried = Math.Max(problem.ArrivalRate, most * FewestTokens.NearlyAll);
        return Solve(
            definition,
            estimate,
            ProblemBuilder.UnderAlarm(problem, alarm) with
            {
                ArrivalRate = carried,
            },
            options
        );
    }

    private static LimitedStep Solve(
        FleetDefinition definition,
        FleetEstimate estimate,
        AllocationProblem problem,
        SolverOptions options
    )
    {
        var free = AllocationSolver.SolveInSteps(problem, options);
        if (free.Answer.Status == SolutionStatus.Infeasible)
            return new LimitedStep(problem, free.Answer, free.Whole, []);
        long[] tokens = [.. free.Answer.Allocation!.Select(type => type.Tokens)];
        var limits = Limits(definition, estimate, problem);
        var isDoubted = estimate.TaskTypes.Select(IsFasterThanDefined).ToArray();
        var isBeyond = tokens.Where((it, k) => it > limits[k]).Any();
        if (!isBeyond && !isDoubted.Contains(true))
            return new LimitedStep(problem, free.Answer, free.Whole, []);

        var held = Held(definition, problem, limits, isDoubted);
        var (answer, whole) = AllocationSolver.SolveInSteps(held, options);
        if (answer.Status == SolutionStatus.Infeasible)
        {
            // By the definition's lines nothing is stable at the seen rate: the fewest tokens can be answered for.
            held = Fewest(problem, limits, isDoubted);
            (answer, whole) = AllocationSolver.SolveInSteps(held, options);
        }

        return new LimitedStep(held, answer, whole, [.. HeldTypes(estimate, answer, tokens, limits, isDoubted)]);
    }

    private static bool IsFasterThanDefined(TaskTypeEstimate type) =>
        type.Validity.ServiceAgainstDefinition is { Value: <= 1 / ValidityThresholds.WrongUnitRatio };

    /// <summary>The most tokens of each type, at least what its bounds and its accuracy floor ask for.</summary>
    private static long[] Limits(FleetDefinition definition, FleetEstimate estimate, AllocationProblem problem)
    {
        var model = new AllocationModel(problem);
        IReadOnlyList<TaskAllocation>? first = null;
        var limits = new long[problem.TaskTypes.Count];
        for (var k = 0; k < limits.Length; k++)
        {
            var tried = estimate.TaskTypes[k].LargestBudgetTried;
            if (tried is null)
                first ??= FirstAllocation(definition);
            var reference = tried ?? (first is { Count: > 0 } ? first[k].Tokens : null);
            limits[k] = reference is null
                ? problem.TaskTypes[k].MaxTokens
                : Math.Clamp(Step(definition, reference.Value), model.WholeLower[k], problem.TaskTypes[k].MaxTokens);
        }

        return limits;
    }

    /// <summary>The allocation of the definition by itself; empty where it has none.</summary>
    private static IReadOnlyList<TaskAllocation> FirstAllocation(FleetDefinition definition) =>
        AllocationSolver.SolveInSteps(ProblemBuilder.OfDefinition(definition), Quick).Answer.Allocation ?? [];

    private static long Step(FleetDefinition definition, long reference)
    {
        var most = definition.Solving.Step * Math.Max(reference, LeastReference);
        return most < ProblemValidation.MaxTokens ? (long)most : ProblemValidation.MaxTokens;
    }

    private static AllocationProblem Held(
        FleetDefinition definition,
        AllocationProblem problem,
        long[] limits,
        bool[] isDoubted
    )
    {
        var held = problem with
        {
            TaskTypes =
            [
                .. problem.TaskTypes.Select(
                    (type, k) =>
                        type with
                        {
                            MaxTokens = limits[k],
                            Service = isDoubted[k] ? definition.TaskTypes[k].Service : type.Service,
                            AnswerTokens = isDoubted[k] ? definition.TaskTypes[k].AnswerTokens : type.AnswerTokens,
                        }
                ),
            ],
        };
        return held.Dispatch == Dispatch.Sharing ? SharingHybrid.Reconciled(held) : held;
    }

    private static AllocationProblem Fewest(AllocationProblem problem, long[] limits, bool[] isDoubted)
    {
        var model = new AllocationModel(problem);
        return problem with
        {
            TaskTypes = [.. problem.TaskTypes.Select((type, k) => type with { MaxTokens = Most(k) })],
        };

        long Most(int k) => isDoubted[k] ? model.WholeLower[k] : limits[k];
    }

    private static IEnumerable<HeldBack> HeldTypes(
        FleetEstimate estimate,
        AllocationSolution answer,
        long[] without,
        long[] limits,
        bool[] isDoubted
    )
    {
        for (var k = 0; k < without.Length; k++)
        {
            var (type, tokens) = (estimate.TaskTypes[k], answer.Allocation![k].Tokens);
            if (tokens >= without[k])
                continue;
            if (isDoubted[k])
                yield return new HeldBack(type.Id, HoldReason.ServiceTime, without[k], null, type.LargestBudgetTried);
            else if (without[k] > limits[k])
                yield return new HeldBack(type.Id, HoldReason.Evidence, without[k], limits[k], type.LargestBudgetTried);
        }
    }
}
