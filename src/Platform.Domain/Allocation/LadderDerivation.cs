namespace Platform.Domain.Allocation;

/// <summary>
/// Makes a ladder from a solved problem: the same problem at loads that rise to where even the fewest tokens reach a
/// limit, by equal steps of the odds ρ/(1 − ρ) at the fewest tokens, which is equal steps of the load while it is small
/// and of the idle time while that is. In none may a type have more than in the one below.
/// </summary>
public static class LadderDerivation
{
    /// <summary>Names the method. Changes whenever the ladder of any problem can change.</summary>
    public const string Version = "loads/1";

    /// <summary>
    /// A rung begins where so many standard deviations more are in flight than the load of the rung below it makes in
    /// the mean: the warning limit of control charts (Shewhart 1931). Whatever the law, at most a fifth of the queries
    /// of steady traffic find so many (Cantelli 1928), a twentieth where the tail is geometric. By simulation 3 are
    /// slower in a surge, and 1 costs steady traffic some of its objective: docs/ladder.md.
    /// </summary>
    public const double Deviations = 2;

    /// <summary>
    /// The greatest load over the least that is told from none: below it the servers are idle nearly always. Where no
    /// load is too much, the greatest surge that has rungs, as a multiple of the arrival rate.
    /// </summary>
    private const double Span = 100;

    /// <summary>Part of the greatest load that the last rung but one is solved for.</summary>
    private const double NearlyAll = 0.98;

    private const int BisectionSteps = 30;

    /// <summary>The ladder of an allocation.</summary>
    /// <param name="problem">A valid problem.</param>
    /// <param name="granted">The tokens of its first rung, in the problem's order.</param>
    /// <param name="actuator">What can be sent; null where every number can.</param>
    /// <param name="rungs">Most rungs, 2 to <see cref="SurgeLadder.MostRungs"/>.</param>
    /// <param name="deviations">In place of <see cref="Deviations"/>, to compare with.</param>
    public static SurgeLadder Of(
        AllocationProblem problem,
        IReadOnlyList<SentTokens> granted,
        Actuator? actuator,
        int rungs,
        double deviations = Deviations
    ) => Of(problem, granted, actuator, rungs, new SolverOptions(), deviations);

    /// <inheritdoc cref="Of(AllocationProblem, IReadOnlyList{SentTokens}, Actuator?, int, double)"/>
    /// <param name="problem">A valid problem.</param>
    /// <param name="granted">The tokens of its first rung, in the problem's order.</param>
    /// <param name="actuator">What can be sent; null where every number can.</param>
    /// <param name="rungs">Most rungs, 2 to <see cref="SurgeLadder.MostRungs"/>.</param>
    /// <param name="options">The solver's version.</param>
    /// <param name="deviations">In place of <see cref="Deviations"/>, to compare with.</param>
    internal static SurgeLadder Of(
        AllocationProblem problem,
        IReadOnlyList<SentTokens> granted,
        Actuator? actuator,
        int rungs,
        SolverOptions options,
        double deviations = Deviations
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rungs, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rungs, SurgeLadder.MostRungs);
        var quick = options with { Rounding = RoundingMethod.Nearest, OmitsProof = true, OmitsQueueFigures = true };
        var builder = new LadderBuilder(problem, granted, actuator, quick, deviations);
        return new SurgeLadder { Method = Version, Rungs = builder.Build(rungs) };
    }

    /// <summary>
    /// The load that the first rung answers for: the problem's own, and no less than is told from none.
    /// </summary>
    internal static double FirstRate(double present, double greatest) =>
        double.IsFinite(greatest) ? Math.Max(present, greatest / Span) : present;

    /// <summary>
    /// The arrival rates to solve for, rising; none where the fewest tokens are at their limit already, or no rate
    /// brings them there.
    /// </summary>
    internal static IEnumerable<double> Rates(double first, double greatest, int count)
    {
        var part = first / greatest;
        if (!(part > 0 && part < NearlyAll))
            yield break;
        var from = Elementary.Log(part / (1 - part));
        var to = Elementary.Log(NearlyAll / (1 - NearlyAll));
        for (var i = 1; i <= count; i++)
        {
            var odds = Elementary.Exp(from + ((to - from) * i / count));
            yield return greatest * (odds / (1 + odds));
        }
    }

    /// <summary>
    /// The greatest arrival rate at which tokens keep every limit; a hundred times the problem's where every rate does.
    /// </summary>
    internal static double GreatestRate(AllocationProblem problem, long[] tokens)
    {
        var atOne = WholeTokenFigures.Of(new AllocationModel(problem with { ArrivalRate = 1 }), tokens);
        var stable = (problem.MaxUtilization ?? 1) / (1 - atOne.Idle);
        var most = double.IsFinite(stable) ? stable : Span * problem.ArrivalRate;
        var hasTimeLimit =
            problem.MaxMeanSystemTimeSeconds is not null
            || problem.MaxInterTokenSeconds is not null
            || problem.MaxTimeToFirstAnswerTokenSeconds is not null;
        if (!hasTimeLimit)
            return most;
        var keeps = 0.0;
        var breaks = most;
        for (var step = 0; step < BisectionSteps; step++)
        {
            var middle = (keeps + breaks) / 2;
            var model = new AllocationModel(problem with { ArrivalRate = middle });
            if (WholeTokenFigures.Of(model, tokens).KeepsLimits(problem))
                keeps = middle;
            else
                breaks = middle;
        }

        return keeps;
    }
}

/// <summary>Puts a ladder together.</summary>
internal sealed class LadderBuilder
{
    private readonly AllocationProblem _problem;
    private readonly Actuator? _actuator;
    private readonly SolverOptions _options;
    private readonly double _deviations;
    private readonly long[] _granted,
        _fewest;
    private readonly List<LadderRung> _rungs = [];

    public LadderBuilder(
        AllocationProblem problem,
        IReadOnlyList<SentTokens> granted,
        Actuator? actuator,
        SolverOptions options,
        double deviations
    )
    {
        _deviations = deviations;
        _problem = problem;
        _actuator = actuator;
        _options = options;
        _granted = [.. granted.Select(type => type.Tokens)];
        var model = new AllocationModel(problem, options.TakesRawCurves);
        var fewest = actuator is null ? model.WholeLower : Actuation.Fewest(model, actuator);
        _fewest = [.. fewest.Zip(_granted, Math.Min)];
        _rungs.Add(new LadderRung(0, granted, problem.ArrivalRate));
    }

    public IReadOnlyList<LadderRung> Build(int rungs)
    {
        var greatest = LadderDerivation.GreatestRate(_problem, _fewest);
        var first = LadderDerivation.FirstRate(_problem.ArrivalRate, greatest);
        var below = _granted;
        var begins = FirstNumber(first);
        foreach (var rate in LadderDerivation.Rates(first, greatest, rungs - 2))
        {
            var model = ModelAt(rate, below);
            var tokens = Solve(model, below);
            var isTheEnd = tokens is null || tokens.AsSpan().SequenceEqual(_fewest);
            if (isTheEnd)
                break;
            Add(begins, below, rate, tokens!);
            below = tokens!;
            begins = NumberBeyond(model, below);
        }

        Add(begins, below, null, _fewest);
        return _rungs;
    }

    /// <summary>
    /// The number at which the first rung ends: that of the first load, or of the problem's own where what is granted
    /// there is too much for it.
    /// </summary>
    private double FirstNumber(double first)
    {
        var beyond = NumberBeyond(ModelAt(first, _granted), _granted);
        return double.IsFinite(beyond) ? beyond : NumberBeyond(ModelAt(_problem.ArrivalRate, _granted), _granted);
    }

    /// <summary>The problem at a rate, with no more tokens than the rung below has.</summary>
    private AllocationModel ModelAt(double rate, long[] below)
    {
        var types = new TaskType[below.Length];
        for (var k = 0; k < types.Length; k++)
        {
            types[k] = _problem.TaskTypes[k] with
            {
                AccuracyFloor = null,
                MinTokens = _fewest[k],
                MaxTokens = below[k],
            };
        }

        return new AllocationModel(_problem with { ArrivalRate = rate, TaskTypes = types }, _options.TakesRawCurves);
    }

    /// <summary>The optimum, or what is sent in its place; null where nothing keeps the limits.</summary>
    private long[]? Solve(AllocationModel model, long[] below)
    {
        var answer = AllocationSolver.SolveInSteps(model, _options).Answer;
        if (answer.Status == SolutionStatus.Infeasible)
            return null;
        if (_actuator is null)
            return [.. answer.Allocation!.Select(type => type.Tokens)];
        var sent = Actuation.Choose(model, answer, _actuator);
        return [.. sent.Allocation.Select((type, k) => Math.Min(type.Tokens, below[k]))];
    }

    private void Add(double begins, long[] below, double? rate, long[] tokens)
    {
        var isTheSame = tokens.AsSpan().SequenceEqual(below);
        if (isTheSame)
            return;
        var last = _rungs[^1];
        var isNoHigher = begins <= last.InFlightPerServer && _rungs.Count > 1;
        if (isNoHigher)
        {
            // The rung before would never be seen: at its number this one applies already.
            begins = last.InFlightPerServer;
            _rungs.RemoveAt(_rungs.Count - 1);
        }

        _rungs.Add(new LadderRung(begins, [.. tokens.Select(Sent)], rate));
    }

    private SentTokens Sent(long tokens, int k)
    {
        var name = _actuator?.Allowed.FirstOrDefault(range => tokens >= range.Min && tokens <= range.Max)?.Name;
        return new SentTokens(_problem.TaskTypes[k].Id, tokens, name);
    }

    /// <summary>
    /// What is more in flight for each server than a load makes under some tokens: one query at least in the fleet.
    /// </summary>
    private double NumberBeyond(AllocationModel model, long[] tokens)
    {
        var figures = WholeTokenFigures.Of(model, tokens);
        var number = model.InFlight(tokens, figures);
        var beyond = number.Mean + (_deviations * Math.Sqrt(number.Variance));
        return Math.Max(beyond, 1.0 / _problem.Servers);
    }
}
