using System.Globalization;

namespace Platform.Domain.Allocation;

/// <summary>
/// Solves the token allocation problem of Ozbas and Bastopcu (arXiv 2601.10274) with limits: the continuous optimum
/// with its certificate, whole tokens, prices of the limits, and the best uniform budget to compare with. Pure and
/// sequential: equal problems give equal bits.
/// </summary>
public static class AllocationSolver
{
    /// <summary>Names the method and its arithmetic. Changes whenever the answer to any problem can change.</summary>
    public const string Version = "dual-newton/6";

    private static readonly SolverOptions Defaults = new();

    /// <summary>
    /// The options that answer as each version did. dual-newton/5 knew no servers that share and gave no figures of the
    /// queue beside the mean system time; dual-newton/4 took a curve below 0 as it is, so that tokens that
    /// bring nothing seemed to heal a harm; dual-newton/3 could moreover give up the search for the best whole tokens,
    /// or end it too early, where a limit binds.
    /// </summary>
    internal static IReadOnlyDictionary<string, SolverOptions> Versions { get; } =
        new Dictionary<string, SolverOptions>(StringComparer.Ordinal)
        {
            [Version] = Defaults,
            ["dual-newton/5"] = new() { OmitsQueueFigures = true },
            ["dual-newton/4"] = new() { OmitsQueueFigures = true, TakesRawCurves = true },
            ["dual-newton/3"] = new()
            {
                OmitsQueueFigures = true,
                TakesRawCurves = true,
                LimitsByBranching = true,
            },
        };

    /// <summary>
    /// Options for a hundred solves in a row: each costs some milliseconds at most, and the odd one has whole tokens
    /// that are not proven the best.
    /// </summary>
    internal static SolverOptions ForMany { get; } = new() { BranchingWork = BranchAndBound.MaxWork / 40 };

    /// <summary>Solves a problem by the default method, with proven whole tokens.</summary>
    /// <exception cref="ArgumentException">The problem is not valid; the message is its first
    /// <see cref="Contracts.InputError"/>.</exception>
    public static AllocationSolution Solve(AllocationProblem problem) => Solve(problem, Defaults);

    /// <summary>Solves a problem.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="options">Method and rounding.</param>
    /// <exception cref="ArgumentException"> The problem or the options are not valid, or do not fit each other
    /// (<see cref="ProblemValidation.Validate(AllocationProblem, SolverOptions)"/>); the message is the first
    /// <see cref="Contracts.InputError"/>.
    /// </exception>
    public static AllocationSolution Solve(AllocationProblem problem, SolverOptions options) =>
        SolveInSteps(problem, options).Whole();

    /// <summary>
    /// Solves a problem as far as a decision needs it: all but the best uniform budget and the diagnostics, which take
    /// as long again and are for those who look at the answer.
    /// </summary>
    /// <inheritdoc cref="Solve(AllocationProblem, SolverOptions)" path="/exception"/>
    /// <param name="problem">The problem.</param>
    /// <param name="options">Method and rounding; null for the default method, with proven whole tokens.</param>
    /// <returns>The answer without them, and what makes it whole.</returns>
    public static (AllocationSolution Answer, Func<AllocationSolution> Whole) SolveInSteps(
        AllocationProblem problem,
        SolverOptions? options = null
    )
    {
        options ??= Defaults;
        return SolveInSteps(ValidModel(problem, options), options);
    }

    /// <inheritdoc cref="SolveInSteps(AllocationProblem, SolverOptions?)"/>
    internal static (AllocationSolution Answer, Func<AllocationSolution> Whole) SolveInSteps(
        AllocationModel model,
        SolverOptions options
    )
    {
        if (Infeasibility(model) is { } infeasible)
            return (infeasible, () => infeasible);
        var starts = FlatStarts.Of(model);
        return starts.Count > 0 ? FlatStarts.Solve(model, starts, options) : SolveConcave(model, options);
    }

    /// <summary>Solves a feasible problem in which no curve is below 0 within its bounds.</summary>
    internal static (AllocationSolution Answer, Func<AllocationSolution> Whole) SolveConcave(
        AllocationModel model,
        SolverOptions options
    )
    {
        var (point, diagnostics) = SolveContinuous(model, options);
        var (tokens, rounding) = RoundWhole(model, point, options);
        var figures = WholeTokenFigures.Of(model, tokens);
        var answer = Figures(figures) with
        {
            Allocation = Allocate(model, tokens, point),
            Continuous = new(point.Objective, point.KktResidual, point.Gap),
            Rounding = rounding,
            ShadowPrices = point.Prices,
        };
        answer = options.OmitsQueueFigures ? answer : QueueFigures.AddTo(answer, model, figures);
        return (
            answer,
            () => answer with { Uniform = UniformBudget.Find(model), Diagnostics = Analyse(model, point, diagnostics) }
        );
    }

    private static (ContinuousPoint Point, SolverDiagnostics Diagnostics) SolveContinuous(
        AllocationModel model,
        SolverOptions options
    )
    {
        if (model.Sharing is not null)
            return SolveWithoutBounds(
                model,
                options,
                model.Sharing.Cap is null ? null : QueueingApproximation.BirthDeath
            );
        return model.SharedQueue
            ? SolveWithoutBounds(model, options, QueueingApproximation.LeeLongton)
            : SolveSplit(model, options);
    }

    /// <summary>J of a given allocation, formed with 1 − ρ in twice the precision of a double.</summary>
    /// <param name="problem">A valid problem.</param>
    /// <param name="tokens">Tokens of each type, in the problem's order.</param>
    /// <returns>Seconds; −∞ where the queue is unstable, or a bound, an accuracy floor or a limit is broken.</returns>
    /// <exception cref="ArgumentException">The problem is not valid, or the tokens are not one for each
    /// type.</exception>
    public static double Objective(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        var model = ValidModel(problem, Defaults);
        if (tokens.Length != model.Count)
            throw new ArgumentException(
                $"There are {model.Count} task types and {tokens.Length} numbers of tokens.",
                nameof(tokens)
            );
        if (model.UnreachableFloors.Count > 0)
            return double.NegativeInfinity;
        for (var k = 0; k < tokens.Length; k++)
        {
            if (tokens[k] < model.WholeLower[k] || tokens[k] > model.WholeUpper[k])
                return double.NegativeInfinity;
        }

        var figures = WholeTokenFigures.Of(model, tokens);
        return figures.KeepsLimits(problem) ? figures.Objective : double.NegativeInfinity;
    }

    private static (ContinuousPoint Point, SolverDiagnostics Diagnostics) SolveSplit(
        AllocationModel model,
        SolverOptions options
    )
    {
        var leastIdle = AprioriBounds.LeastIdle(
            model,
            model.Problem.AccuracyWeight,
            AprioriBounds.AccuracyRange(model)
        );
        var (point, iterations, exit, report) = Continuous(model, options);
        var (modulus, lipschitz) = (
            AprioriBounds.ContractionModulus(model, leastIdle),
            AprioriBounds.GradientLipschitz(model, leastIdle)
        );
        return (point, new(options.Method, iterations, modulus, lipschitz, exit) { FixedPoint = report });
    }

    private static (ContinuousPoint Point, int Iterations, SolverExit Exit, FixedPointReport? Report) Continuous(
        AllocationModel model,
        SolverOptions options
    )
    {
        switch (options.Method)
        {
            case SolverMethod.Newton:
                var newton = new ContinuousSolver(model);
                var optimum = newton.Solve();
                return (
                    optimum,
                    newton.Sweeps,
                    newton.Converged ? SolverExit.Converged : SolverExit.IterationLimit,
                    null
                );
            case SolverMethod.FixedPoint:
                var fixedPoint = new FixedPoint(model);
                var report = fixedPoint.Report();
                var (limit, why) = fixedPoint.Solve(options);
                return (limit, fixedPoint.Iterations, why, report);
            default:
                var gradient = new ProjectedGradient(model);
                var (point, exit) = gradient.Solve(options);
                return (point, gradient.Iterations, exit, null);
        }
    }

    /// <summary>Adds what the derivatives at the optimum say.</summary>
    private static SolverDiagnostics Analyse(
        AllocationModel model,
        ContinuousPoint point,
        SolverDiagnostics diagnostics
    )
    {
        if (model.SharedQueue)
            return diagnostics;
        if (model.Sharing is not null)
        {
            return diagnostics with
            {
                Sensitivities = SharingAnalysis.Sensitivities(model, point),
                LeastCurvature = SharingAnalysis.LeastCurvature(model, point),
            };
        }

        var (problem, analysis) = (model.Problem, new OptimumAnalysis(model, point));
        var limited = problem is not { MeanTokenBudget: null, MaxMeanSystemTimeSeconds: null, MaxUtilization: null };

        // The envelope theorem: at an optimum only what stands in the Lagrangian explicitly counts.
        var wait = point.Square / (2 * point.Idle * point.Idle) * (1 + point.Prices.MaxMeanSystemTime);
        var perRate = -(wait + (point.Prices.MaxUtilization * point.MeanService)) / problem.Servers;
        return diagnostics with
        {
            Sensitivities = new(perRate, point.WeightedAccuracy),
            LeastCurvature = analysis.LeastCurvature(),
            NearestLossBefore = limited ? null : analysis.LossBeforeRounding(),
            NearestLossAfter = analysis.LossAfterRounding(new WholeTokens(model).Nearest(point.Tokens)),
        };
    }

    /// <summary>Solves where the paper's bounds on its methods have no meaning.</summary>
    private static (ContinuousPoint Point, SolverDiagnostics Diagnostics) SolveWithoutBounds(
        AllocationModel model,
        SolverOptions options,
        QueueingApproximation? approximation
    )
    {
        var method = model.Method(options.OmitsProof);
        var point = method.Solve();
        var exit = method.Converged ? SolverExit.Converged : SolverExit.IterationLimit;
        return (point, new(SolverMethod.Newton, method.Sweeps, null, null, exit) { Approximation = approximation });
    }

    private static AllocationModel ValidModel(AllocationProblem problem, SolverOptions options)
    {
        var errors = ProblemValidation.Validate(problem, options);
        return errors.Count == 0
            ? new AllocationModel(problem, options.TakesRawCurves)
            : throw new ArgumentException(errors[0].ToString(), nameof(problem));
    }

    /// <summary>
    /// Every limit tightens with every token, so that whole lower bounds within the limits are both needed and enough.
    /// </summary>
    internal static AllocationSolution? Infeasibility(AllocationModel model)
    {
        var problem = model.Problem;
        if (model.UnreachableFloors.Count > 0)
            return No(InfeasibilityReason.AccuracyFloor) with
            {
                TaskTypes = [.. model.UnreachableFloors.Select(k => problem.TaskTypes[k].Id)],
            };
        var least = WholeTokenFigures.Of(model, model.WholeLower);
        if (!least.Stable(problem))
            return Unstable(model, least);
        if (WholeTokenFigures.IsOver(least.MeanTokens, problem.MeanTokenBudget))
            return No(InfeasibilityReason.MeanTokenBudget) with { MinMeanTokenBudget = least.MeanTokens };
        if (WholeTokenFigures.IsOver(least.MeanSystemTime, problem.MaxMeanSystemTimeSeconds))
            return No(InfeasibilityReason.MaxMeanSystemTime) with { MinMeanSystemTimeSeconds = least.MeanSystemTime };
        if (WholeTokenFigures.IsOver(least.InterToken, problem.MaxInterTokenSeconds))
            return No(InfeasibilityReason.MaxInterTokenSeconds) with { MinInterTokenSeconds = least.InterToken };
        return least.KeepsLimits(problem)
            ? null
            : No(InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds) with
            {
                MinTimeToFirstAnswerTokenSeconds = least.FirstAnswer,
            };
    }

    /// <summary>
    /// Servers that would have to be busy much more than all the time are more often servers that serve many queries at
    /// once.
    /// </summary>
    private static AllocationSolution Unstable(AllocationModel model, WholeTokenFigures least)
    {
        const double ManyAtOnce = 2;
        if (model.Sharing is not null)
            return Saturated(model, least);
        var busy = model.Problem.ArrivalRate * least.Service.MeanSeconds / model.Problem.Servers;
        var servers = EachServer(model.Problem);
        var detail = string.Create(
            CultureInfo.InvariantCulture,
            $"With the fewest tokens {servers} would have to be busy {busy:0.##} s of every second."
        );
        var guess =
            busy < ManyAtOnce
                ? ""
                : " If more queries are in service than servers, these servers batch: dispatch should be sharing. If they serve "
                    + "one query at a time, look at the unit of the service times.";
        return No(InfeasibilityReason.Unstable) with
        {
            MaxArrivalRate = model.MaxUtilization * model.Problem.Servers / least.Service.MeanSeconds,
            Detail = detail + guess,
        };
    }

    private static string EachServer(AllocationProblem problem) =>
        problem.Servers == 1 ? "the server" : $"each of the {problem.Servers} servers";

    /// <summary>
    /// Servers that share are saturated by marginal work, and with a cap by slots. Answers that are not told are often
    /// why.
    /// </summary>
    private static AllocationSolution Saturated(AllocationModel model, WholeTokenFigures least)
    {
        var load = 1 - least.Idle;
        var rate = model.Problem.ArrivalRate;
        var detail = string.Create(
            CultureInfo.InvariantCulture,
            $"With the fewest tokens {EachServer(model.Problem)} is asked for {load:0.##} times the work that it can do with all "
                + $"that it may have in service."
        );
        var lacksAnswers = model.Problem.TaskTypes.Any(type => type is { AnswerTokens: 0, Service.BaseSeconds: > 0 });
        var guess = lacksAnswers
            ? " Where answerTokens is left out, all of baseSeconds counts as work that the others wait for: tell it if the servers answer."
            : "";
        return No(InfeasibilityReason.Unstable) with
        {
            MaxArrivalRate = load > 0 ? model.MaxUtilization * rate / load : null,
            Detail = detail + guess,
        };
    }

    private static AllocationSolution No(InfeasibilityReason reason) =>
        new() { Status = SolutionStatus.Infeasible, Reason = reason };

    private static AllocationSolution Figures(WholeTokenFigures figures) =>
        new()
        {
            Status = SolutionStatus.Optimal,
            Objective = figures.Objective,
            MeanAccuracy = figures.MeanAccuracy,
            WeightedAccuracy = figures.WeightedAccuracy,
            MeanSystemTimeSeconds = figures.MeanSystemTime,
            Utilization = 1 - figures.Idle,
            MeanServiceSeconds = figures.Service.MeanSeconds,
            MeanServiceSecondsSquared = figures.Service.MeanSecondsSquared,
            MeanTokens = figures.MeanTokens,
        };

    private static TaskAllocation[] Allocate(AllocationModel model, long[] tokens, ContinuousPoint point)
    {
        var allocation = new TaskAllocation[tokens.Length];
        for (var k = 0; k < tokens.Length; k++)
        {
            var l = point.Tokens[k];
            var bound =
                l <= model.Lower[k] ? TokenBound.Lower
                : l >= model.Upper[k] ? TokenBound.Max
                : TokenBound.None;
            allocation[k] = new(
                model.Problem.TaskTypes[k].Id,
                tokens[k],
                l,
                Math.Max(model.Accuracy(k, tokens[k]), 0),
                model.Service(k, tokens[k]),
                bound
            );
        }

        return allocation;
    }

    private static (long[] Tokens, Rounding Rounding) RoundWhole(
        AllocationModel model,
        ContinuousPoint point,
        SolverOptions options
    )
    {
        var whole = new WholeTokens(model);
        var nearest = whole.Nearest(point.Tokens);
        var nearestObjective = WholeTokenFigures.Of(model, nearest).Objective;
        var best = (Tokens: nearest, Objective: nearestObjective, Method: RoundingMethod.Nearest);
        if (options.Rounding >= RoundingMethod.Exchange)
        {
            var improved = (long[])nearest.Clone();
            whole.Improve(improved);
            Offer(improved, RoundingMethod.Exchange);
        }

        var proven =
            point.Objective + point.Gap <= best.Objective + (BranchAndBound.Tolerance * (1 + Math.Abs(best.Objective)));
        if (options.Rounding == RoundingMethod.Exact && model.Count <= BranchAndBound.MaxTypes && !model.SharedQueue)
        {
            (var exact, proven) = Prove(model, point, best.Tokens, options);
            Offer(exact, RoundingMethod.Exact);
            best.Method = proven ? RoundingMethod.Exact : best.Method;
        }

        var loss = Math.Max(0, point.Objective - best.Objective);
        return (best.Tokens, new(best.Method, loss, loss + point.Gap, proven, nearestObjective));

        // Only figures formed afresh decide, so that the answer is never worse than plain rounding.
        void Offer(long[] tokens, RoundingMethod method)
        {
            var figures = WholeTokenFigures.Of(model, tokens);
            if (figures.KeepsLimits(model.Problem) && figures.Objective > best.Objective)
                best = (tokens, figures.Objective, method);
        }
    }

    /// <summary>
    /// The best whole tokens, by the first search that finds them, and whether they are proven to be so.
    /// </summary>
    private static (long[] Tokens, bool Proven) Prove(
        AllocationModel model,
        ContinuousPoint point,
        long[] known,
        SolverOptions options
    )
    {
        var found =
            TangentSearch.Best(model, point, known)
            ?? (options.LimitsByBranching ? null : LimitedSearch.Best(model, point, known));
        return found is null
            ? BranchAndBound.Search(model, known, options.BranchingWork, options.LimitsByBranching)
            : (found, true);
    }
}
