namespace Platform.Domain.Allocation;

/// <summary>
/// Task types whose curve begins below 0. A probability is never below 0, so the accuracy of such a type is 0 up to
/// some number of tokens and rises from there, which is not concave. Each such type is either left (its fewest tokens,
/// accuracy 0) or served (at least the tokens at which its curve reaches 0): between the two it would pay for tokens
/// that bring nothing. Once that is decided for every type the problem is concave. The decisions are searched by branch
/// and bound (Land and Doig 1960): a type that is not yet decided counts with C · (1 − e^(−b(l − lower))), C the
/// ceiling of its curve, which lies above 0 and above the curve and is concave.
/// </summary>
internal sealed class FlatStarts
{
    /// <summary>
    /// Most continuous solves, in types computed; about a second. Beyond, the best found is given with its bound.
    /// </summary>
    private const long MaxWork = 40_000_000;

    /// <summary>A floor that raises the lower bound of a type to where its curve reaches 0, as a real number.</summary>
    private const double LeastAccuracy = 1e-300;

    private readonly AllocationModel _model;
    private readonly SolverOptions _options;
    private readonly List<(int Type, long Rise)> _open = [];
    private readonly TaskType[] _types;
    private readonly long _mostNodes;
    private (AllocationSolution Answer, Func<AllocationSolution> Whole)? _best;
    private double _mostContinuous = double.NegativeInfinity,
        _mostWhole = double.NegativeInfinity;
    private long _nodes;

    private FlatStarts(AllocationModel model, IReadOnlyList<int> starts, SolverOptions options)
    {
        (_model, _options, _types) = (model, options, [.. model.Problem.TaskTypes]);
        _mostNodes = Math.Max(MaxWork / model.Count, 1);
        foreach (var k in starts)
        {
            if (Rise(model, k) is { } rise)
                _open.Add((k, rise));
            else
                _types[k] = Left(k);
        }

        // Those that can gain most are decided first: their bounds are the widest. Equal ones keep their order.
        _open = [.. _open.OrderByDescending(it => Promise(it.Type))];
    }

    private double BestObjective => _best?.Answer.Objective ?? double.NegativeInfinity;

    private double Enough => BestObjective + (BranchAndBound.Tolerance * (1 + Math.Abs(BestObjective)));

    /// <summary>The types whose curve is below 0 at their fewest tokens.</summary>
    public static IReadOnlyList<int> Of(AllocationModel model)
    {
        if (model.TakesRawCurves)
            return [];
        return [.. Enumerable.Range(0, model.Count).Where(BeginsBelowZero)];

        bool BeginsBelowZero(int k) => model.Floor[k] < 0 && model.Curve(k, model.WholeLower[k]) < 0;
    }

    /// <summary>
    /// The fewest tokens at which the curve of a type is at least 0; null where that is more than it may have.
    /// </summary>
    public static long? Rise(AllocationModel model, int k) => Rise(model, k, model.WholeLower[k], model.WholeUpper[k]);

    /// <summary>The same between two numbers of tokens, at the lower of which the curve is below 0.</summary>
    public static long? Rise(AllocationModel model, int k, long low, long high)
    {
        if (!(model.Curve(k, high) > 0))
            return null;
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (model.Curve(k, middle) < 0)
                low = middle;
            else
                high = middle;
        }

        return high;
    }

    /// <summary>Solves a feasible problem with such types.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="starts">The types, at least one: <see cref="Of"/>.</param>
    /// <param name="options">Method and rounding.</param>
    public static (AllocationSolution Answer, Func<AllocationSolution> Whole) Solve(
        AllocationModel model,
        IReadOnlyList<int> starts,
        SolverOptions options
    )
    {
        var search = new FlatStarts(model, starts, options);
        search.Begin();
        search.Explore(0);
        return search.Result();
    }

    /// <summary>
    /// All left and the decisions that the first bound suggests: something to hold the others against.
    /// </summary>
    private void Begin()
    {
        var suggested = Bound(0) is { } relaxed
            ? _open.Select(it => relaxed.Point.Tokens[it.Type] >= it.Rise).ToArray()
            : new bool[_open.Count];
        TakeLeaf(_ => false);
        if (suggested.Contains(true))
            TakeLeaf(i => suggested[i]);
    }

    private void TakeLeaf(Func<int, bool> isServed)
    {
        for (var i = 0; i < _open.Count; i++)
            Decide(i, isServed(i));
        if (Bound(_open.Count) is { } bound)
            Take(bound.Model, bound.Most);
    }

    private void Explore(int decided)
    {
        if (Bound(decided) is not { } bound)
            return;
        if (bound.Most <= Enough || _nodes > _mostNodes)
        {
            Count(bound.Most, bound.Most);
            return;
        }

        if (decided == _open.Count)
        {
            Take(bound.Model, bound.Most);
            return;
        }

        var servedFirst = bound.Point.Tokens[_open[decided].Type] >= _open[decided].Rise;
        foreach (var isServed in new[] { servedFirst, !servedFirst })
        {
            Decide(decided, isServed);
            Explore(decided + 1);
        }
    }

    private void Decide(int i, bool isServed)
    {
        var k = _open[i].Type;
        _types[k] = isServed ? _model.Problem.TaskTypes[k] with { AccuracyFloor = LeastAccuracy } : Left(k);
    }

    private TaskType Left(int k) =>
        _model.Problem.TaskTypes[k] with
        {
            MaxTokens = _model.WholeLower[k],
            Accuracy = new AccuracyCurve(0, 0, _model.Rate[k]),
        };

    /// <summary>
    /// A bound on what the types from <paramref name="decided"/> on can bring, and exact where all are decided; null
    /// where none is feasible.
    /// </summary>
    private (AllocationModel Model, ContinuousPoint Point, double Most)? Bound(int decided)
    {
        _nodes++;
        TaskType[] types = [.. _types];
        foreach (var (k, _) in _open.Skip(decided))
            types[k] = Relaxed(k);
        var model = new AllocationModel(_model.Problem with { TaskTypes = types });
        if (AllocationSolver.Infeasibility(model) is not null)
            return null;
        var point = model.Method().Solve();
        return (model, point, point.Objective + point.Gap);
    }

    private TaskType Relaxed(int k)
    {
        var ceiling = Math.Max(_model.Floor[k] + _model.Gain[k], 0);

        // Below the curve's own gain, as the curve is below 0 at the lower bound: no overflow.
        var gain = ceiling * Elementary.Exp(_model.Rate[k] * _model.WholeLower[k]);
        return _model.Problem.TaskTypes[k] with { Accuracy = new AccuracyCurve(ceiling - gain, gain, _model.Rate[k]) };
    }

    private void Take(AllocationModel model, double mostContinuous)
    {
        var found = AllocationSolver.SolveConcave(model, _options);
        var isProven = found.Answer.Rounding!.ProvenOptimal;
        Count(mostContinuous, isProven ? found.Answer.Objective!.Value : mostContinuous);
        if (_best is null || found.Answer.Objective > BestObjective)
            _best = found;
    }

    private void Count(double mostContinuous, double mostWhole) =>
        (_mostContinuous, _mostWhole) = (Math.Max(_mostContinuous, mostContinuous), Math.Max(_mostWhole, mostWhole));

    private (AllocationSolution Answer, Func<AllocationSolution> Whole) Result()
    {
        var (found, whole) = _best!.Value;
        var continuous = found.Continuous!;
        var gap = Math.Max(continuous.OptimalityGap, _mostContinuous - continuous.Objective);
        var answer = found with
        {
            Continuous = continuous with { OptimalityGap = gap },
            Rounding = found.Rounding! with
            {
                LossBound = found.Rounding.Loss + gap,
                ProvenOptimal = _mostWhole <= Enough,
            },
        };
        return (answer, () => answer with { Uniform = UniformBudget.Find(_model), Diagnostics = whole().Diagnostics });
    }

    private double Promise(int k) => _model.Share[k] * _model.Weight[k] * (_model.Floor[k] + _model.Gain[k]);
}
