using System.Text.Json.Serialization;
using Platform.Domain.Allocation;

namespace Platform.Domain.Snapshots;

/// <summary>A figure before and after.</summary>
/// <param name="From">What it was.</param>
/// <param name="To">What it is.</param>
/// <param name="Change">Their difference.</param>
public sealed record FigureChange(double From, double To, double Change);

/// <summary>Whether both allocations have a task type.</summary>
public enum TaskTypePresence
{
    /// <summary>Both have it.</summary>
    Kept,

    /// <summary>Only the later one has it.</summary>
    Added,

    /// <summary>Only the earlier one has it.</summary>
    Removed,
}

/// <summary>Tokens of a task type before and after.</summary>
/// <param name="TaskType">The task type's id.</param>
/// <param name="Presence">Whether both have it.</param>
/// <param name="From">Tokens in the earlier allocation; null when it does not have the type.</param>
/// <param name="To">Tokens in the later allocation; null likewise.</param>
/// <param name="Change">Their difference, none counting as 0.</param>
public sealed record TokenChange(string TaskType, TaskTypePresence Presence, long? From, long? To, long Change);

/// <summary>The part of a change that an input explains.</summary>
/// <param name="Change">In the unit of what has changed.</param>
/// <param name="Share">The same over the whole change; below 0 where the input worked against it, null where there is
/// no change in all.</param>
public sealed record Contribution(double Change, double? Share);

/// <summary>What an input explains.</summary>
/// <param name="Figures">Of each figure's change.</param>
/// <param name="TaskTypes">Of each task type's tokens, by id; those of which it explains nothing are left out.</param>
public sealed record InputContributions(
    Figures<Contribution> Figures,
    IReadOnlyDictionary<string, Contribution> TaskTypes
);

/// <summary>An input that has moved.</summary>
/// <param name="Input">Which.</param>
/// <param name="Differing">How many of its parameters differ; 0 for the solver.</param>
/// <param name="Largest">The parameter that has moved most, relative to its size; null for the solver.</param>
/// <param name="Explains">What it explains; null when nothing can be said.</param>
public sealed record InputChange(
    ProblemInput Input,
    int Differing,
    ParameterChange? Largest,
    InputContributions? Explains
)
{
    /// <summary>Every parameter that differs; null when they were not asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ParameterChange>? Parameters { get; init; }
}

/// <summary>A cause that has moved inputs.</summary>
/// <param name="Cause">Which.</param>
/// <param name="Inputs">The inputs that it moved, in their order.</param>
/// <param name="Explains">The sum of what they explain; null when nothing can be said.</param>
public sealed record CauseChange(ChangeCause Cause, IReadOnlyList<ProblemInput> Inputs, InputContributions? Explains);

/// <summary>What the explanation rests on.</summary>
/// <param name="Orders">Orders in which the inputs can have moved one after another.</param>
/// <param name="FeasibleOrders">Those at whose every step there is an allocation: the contributions are means over
/// them.</param>
public sealed record Explanation(long Orders, long FeasibleOrders);

/// <summary>
/// What changed from one allocation to another, and why: an allocation is a function of its problem, so that its change
/// can be put down to the inputs that moved. Method and meaning: docs/comparing.md.
/// </summary>
public sealed record AllocationDifference
{
    /// <summary>
    /// Tokens of the later allocation's task types in its order, then of those that only the earlier one has.
    /// </summary>
    public required IReadOnlyList<TokenChange> TaskTypes { get; init; }

    /// <summary>The figures.</summary>
    public required Figures<FigureChange> Figures { get; init; }

    /// <summary>The inputs that moved.</summary>
    public required IReadOnlyList<InputChange> Inputs { get; init; }

    /// <summary>
    /// The same inputs put together by their causes: what traffic explains, what the definition, and so on.
    /// </summary>
    public required IReadOnlyList<CauseChange> Causes { get; init; }

    /// <summary>What the explanation rests on; null when there is none.</summary>
    public required Explanation? Explained { get; init; }

    /// <summary>Why there is no explanation; null when there is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NotExplained { get; init; }

    /// <summary>Compares two allocations.</summary>
    /// <param name="from">The earlier one.</param>
    /// <param name="to">The later one.</param>
    /// <param name="everyParameter">Whether to list every parameter that differs.</param>
    /// <param name="solve">Solves a problem: at most 2 to the power of the number of inputs that moved are asked
    /// for.</param>
    public static AllocationDifference Between(
        SolvedProblem from,
        SolvedProblem to,
        bool everyParameter,
        Func<AllocationProblem, SolverOptions, AllocationSolution> solve
    ) => new DifferenceBuilder(from, to, solve).Build(everyParameter);
}

/// <summary>Puts a difference together.</summary>
internal sealed class DifferenceBuilder
{
    private static readonly SolverOptions AsASolve = new();

    private readonly SolvedProblem _from,
        _to;
    private readonly Func<AllocationProblem, SolverOptions, AllocationSolution> _solve;
    private readonly string[] _types;
    private readonly double[] _before,
        _after;
    private readonly (ProblemInput Input, ParameterChange[] Parameters)[] _moved;

    public DifferenceBuilder(
        SolvedProblem from,
        SolvedProblem to,
        Func<AllocationProblem, SolverOptions, AllocationSolution> solve
    )
    {
        (_from, _to, _solve) = (from, to, solve);
        _types =
        [
            .. to
                .Problem.TaskTypes.Concat(from.Problem.TaskTypes)
                .Select(type => type.Id)
                .Distinct(StringComparer.Ordinal),
        ];
        (_before, _after) = (from.Components(_types), to.Components(_types));
        _moved =
        [
            .. ProblemParameters
                .Differences(from.Problem, to.Problem)
                .GroupBy(change => change.Input)
                .OrderBy(group => group.Key)
                .Select(group => (group.Key, group.ToArray())),
        ];
    }

    public AllocationDifference Build(bool everyParameter)
    {
        var values = new Dictionary<int, double[]?>();
        var explained = ShapleyValues.Of(_moved.Length, coalition => values[coalition] = ValueOf(coalition));
        var parts = _moved.Select((it, i) => new InputPart(it.Input, explained?.Contributions[i])).ToList();
        var inputs = _moved.Zip(parts, (it, part) => Input(it.Parameters, part, everyParameter)).ToList();
        if (explained is not null && BySolver(values[0]!, values[(1 << _moved.Length) - 1]!) is { } bySolver)
        {
            parts.Add(new InputPart(ProblemInput.Solver, bySolver));
            inputs.Add(new InputChange(ProblemInput.Solver, 0, null, Contributions(bySolver)));
        }

        return new AllocationDifference
        {
            TaskTypes = [.. _types.Select(Tokens)],
            Figures = Figures(c => new FigureChange(_before[c], _after[c], _after[c] - _before[c])),
            Inputs = inputs,
            Causes =
            [
                .. parts.GroupBy(part => ChangeCauses.Find(part.Input)).OrderBy(cause => cause.Key).Select(Cause),
            ],
            Explained = explained is null ? null : new Explanation(Factorial(_moved.Length), explained.Orders),
            NotExplained = explained is null
                ? "in whatever order the inputs move, there is a step without an allocation that keeps the limits"
                : null,
        };
    }

    /// <summary>
    /// What an input explains of each figure, then of each task type's tokens; null when nothing can be said.
    /// </summary>
    private sealed record InputPart(ProblemInput Input, double[]? Part);

    private InputChange Input(ParameterChange[] parameters, InputPart part, bool everyParameter)
    {
        var largest = parameters.MaxBy(change => change.Relative);
        var explains = part.Part is { } explained ? Contributions(explained) : null;
        return new InputChange(part.Input, parameters.Length, largest, explains)
        {
            Parameters = everyParameter ? parameters : null,
        };
    }

    private CauseChange Cause(IGrouping<ChangeCause, InputPart> parts)
    {
        var inputs = parts.Select(part => part.Input).ToArray();
        var explained = parts.Select(part => part.Part).OfType<double[]>().ToArray();
        if (explained.Length == 0)
            return new CauseChange(parts.Key, inputs, null);
        double[] sum = [.. explained[0].Select((_, c) => explained.Sum(part => part[c]))];
        return new CauseChange(parts.Key, inputs, Contributions(sum));
    }

    /// <summary>
    /// What the solver makes of the problem in which those inputs have moved; null when it is infeasible, or none that
    /// there can be.
    /// </summary>
    private double[]? ValueOf(int coalition)
    {
        var all = (1 << _moved.Length) - 1;
        var problem =
            coalition == 0 ? _from.Problem
            : coalition == all ? _to.Problem
            : Hybrids.Take(Inputs(coalition));
        var options = coalition == 0 || coalition == all ? AsASolve : AllocationSolver.ForMany;
        return ProblemValidation.Validate(problem).Count > 0
            ? null
            : SolvedProblem.Of(problem, _solve(problem, options))?.Components(_types);
    }

    private HybridProblems Hybrids => field ??= new HybridProblems(_from.Problem, _to.Problem);

    private HashSet<ProblemInput> Inputs(int coalition) =>
        [.. _moved.Where((_, i) => (coalition & (1 << i)) != 0).Select(it => it.Input)];

    /// <summary>What is stored may come from another solver; null when that makes no difference.</summary>
    private double[]? BySolver(double[] before, double[] after)
    {
        double[] part = [.. _after.Select((value, c) => value - after[c] - (_before[c] - before[c]))];
        return part.All(value => value == 0) ? null : part;
    }

    private InputContributions Contributions(double[] part) =>
        new(
            Figures(c => Contribution(part, c)),
            _types
                .Select((type, k) => (type, Part: Contribution(part, FigureCount + k)))
                .Where(it => it.Part.Change != 0)
                .ToDictionary(it => it.type, it => it.Part, StringComparer.Ordinal)
        );

    private Contribution Contribution(double[] part, int c) =>
        new(part[c], _after[c] == _before[c] ? null : part[c] / (_after[c] - _before[c]));

    private TokenChange Tokens(string type)
    {
        long? from = _from.Tokens.TryGetValue(type, out var before) ? before : null;
        long? to = _to.Tokens.TryGetValue(type, out var after) ? after : null;
        var presence =
            from is null ? TaskTypePresence.Added
            : to is null ? TaskTypePresence.Removed
            : TaskTypePresence.Kept;
        return new TokenChange(type, presence, from, to, (to ?? 0) - (from ?? 0));
    }

    private const int FigureCount = 5;

    private static Figures<T> Figures<T>(Func<int, T> of) => new(of(0), of(1), of(2), of(3), of(4));

    private static long Factorial(int n) => n <= 1 ? 1 : n * Factorial(n - 1);
}
