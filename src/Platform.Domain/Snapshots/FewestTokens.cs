using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>
/// Answers a problem that no allocation solves. Tokens must then fall most: each task type is granted the fewest that
/// its bounds and its accuracy floor allow.
/// </summary>
internal static class FewestTokens
{
    /// <summary>
    /// Part of the greatest stable arrival rate that is solved for where more arrive: every figure of the answer is
    /// finite.
    /// </summary>
    public const double NearlyAll = 0.98;

    /// <summary>
    /// Halvings of the arrival rate until no double is left between what is carried and what is not, or nearly.
    /// </summary>
    private const int MostHalvings = 60;

    /// <summary>What is granted where a step has no answer; the step itself where it has one.</summary>
    /// <param name="step">
    /// The step. An accuracy floor out of reach is a fault of the definition, which no tokens mend: it stays without an
    /// answer.
    /// </param>
    /// <param name="options">The solver's version.</param>
    public static LimitedStep InPlaceOf(LimitedStep step, SolverOptions options)
    {
        var hasNoAnswer = step.Answer.Status == SolutionStatus.Infeasible;
        if (!hasNoAnswer || step.Answer.Reason == InfeasibilityReason.AccuracyFloor)
            return step;
        var asked = step.Problem;
        var model = new AllocationModel(asked, options.TakesRawCurves);
        var least = WholeTokenFigures.Of(model, model.WholeLower);
        var problem = Carried(asked, model.WholeLower, 1 - least.Idle);
        var (answer, whole) = AllocationSolver.SolveInSteps(problem, options);
        return new LimitedStep(problem, answer, whole, [])
        {
            Asked = asked,
            Shortfall = Describe(asked, step.Answer.Reason!.Value, least),
        };
    }

    /// <summary>
    /// The problem that has the fewest tokens for its only answer, at an arrival rate that they carry.
    /// </summary>
    /// <param name="asked">The problem that has none.</param>
    /// <param name="fewest">The fewest tokens, in the order of the task types.</param>
    /// <param name="load">ρ of the fewest tokens, 1 or more where they are unstable.</param>
    private static AllocationProblem Carried(AllocationProblem asked, long[] fewest, double load)
    {
        var problem = asked with
        {
            ArrivalRate = load > NearlyAll ? asked.ArrivalRate * (NearlyAll / load) : asked.ArrivalRate,
            TaskTypes =
            [
                .. asked.TaskTypes.Select(
                    (type, k) =>
                        type with
                        {
                            // The accuracy floor is in the fewest tokens; to the last bit it need not be reached by them.
                            MinTokens = fewest[k],
                            MaxTokens = fewest[k],
                            AccuracyFloor = null,
                        }
                ),
            ],
        };
        var figures = WholeTokenFigures.Of(new AllocationModel(problem), fewest);
        return problem with
        {
            MaxUtilization = Kept(1 - figures.Idle, asked.MaxUtilization),
            MeanTokenBudget = Kept(figures.MeanTokens, asked.MeanTokenBudget),
            MaxMeanSystemTimeSeconds = Kept(figures.MeanSystemTime, asked.MaxMeanSystemTimeSeconds),
            MaxInterTokenSeconds = Kept(figures.InterToken, asked.MaxInterTokenSeconds),
            MaxTimeToFirstAnswerTokenSeconds = Kept(figures.FirstAnswer, asked.MaxTimeToFirstAnswerTokenSeconds),
        };
    }

    /// <summary>A limit where it is kept, else null.</summary>
    private static double? Kept(double value, double? limit) => WholeTokenFigures.IsOver(value, limit) ? null : limit;

    private static Shortfall Describe(AllocationProblem asked, InfeasibilityReason reason, WholeTokenFigures least)
    {
        var (limit, reached) = reason switch
        {
            InfeasibilityReason.Unstable => (asked.MaxUtilization ?? 1, 1 - least.Idle),
            InfeasibilityReason.MeanTokenBudget => (asked.MeanTokenBudget!.Value, least.MeanTokens),
            InfeasibilityReason.MaxMeanSystemTime => (asked.MaxMeanSystemTimeSeconds!.Value, least.MeanSystemTime),
            InfeasibilityReason.MaxInterTokenSeconds => (asked.MaxInterTokenSeconds!.Value, least.InterToken),
            _ => (asked.MaxTimeToFirstAnswerTokenSeconds!.Value, least.FirstAnswer),
        };
        return new Shortfall
        {
            Reason = reason,
            Limit = limit,
            Reached = reached,
            ArrivalRate = asked.ArrivalRate,
            MaxArrivalRate = FindArrivalRate(asked, 1 - least.Idle),
            ServersNeeded = FindServers(asked),
        };
    }

    /// <summary>
    /// The largest arrival rate at which the fewest tokens keep every limit: each tightens as it rises.
    /// </summary>
    private static double? FindArrivalRate(AllocationProblem asked, double load)
    {
        if (!KeepsLimits(asked with { ArrivalRate = 0 }))
            return null;
        var kept = 0.0;

        // A little beyond where the servers saturate, or reach their cap; less than what arrives breaks no limit
        // sooner.
        var saturated = asked.ArrivalRate / load * (asked.MaxUtilization ?? 1) * (1 + 1e-9);
        var broken = Math.Min(asked.ArrivalRate, load > 0 ? saturated : asked.ArrivalRate);
        for (var i = 0; i < MostHalvings; i++)
        {
            var middle = kept + ((broken - kept) / 2);
            if (KeepsLimits(asked with { ArrivalRate = middle }))
                kept = middle;
            else
                broken = middle;
        }

        return kept;
    }

    /// <summary>
    /// The fewest servers with which the fewest tokens keep every limit: each loosens with every server.
    /// </summary>
    private static int? FindServers(AllocationProblem asked)
    {
        if (!KeepsLimits(asked with { Servers = ProblemValidation.MaxServers }))
            return null;
        var few = asked.Servers;
        var enough = ProblemValidation.MaxServers;
        while (enough - few > 1)
        {
            var middle = few + ((enough - few) / 2);
            if (KeepsLimits(asked with { Servers = middle }))
                enough = middle;
            else
                few = middle;
        }

        return enough;
    }

    private static bool KeepsLimits(AllocationProblem problem) =>
        AllocationSolver.Infeasibility(new AllocationModel(problem)) is null;
}
