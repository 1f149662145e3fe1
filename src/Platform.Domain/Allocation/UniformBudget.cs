namespace Platform.Domain.Allocation;

/// <summary>
/// The best single budget for all types, clipped to each type's bounds. Between two neighbouring bounds the clipped
/// allocation moves along a straight line, on which J is concave; over such kinks it need not be. The range is halved
/// at its kinks, an interval being dropped when α · (accuracy at its right end) − E[T] at its left end, an upper bound
/// since both rise, is no better than what is known.
/// </summary>
internal sealed class UniformBudget
{
    // Types evaluated: about a second. Only some 10^4 distinct bounds and more come near; the best found is then
    // returned.
    private const long MaxWork = 40_000_000;

    // With more, the work could come near its limit, and an answer cut short depends on what was looked at first.
    private const int MaxTypesForSlopes = 500;

    private readonly AllocationModel _model;
    private readonly UniformSlope? _slope;
    private readonly long[] _tokens,
        _kinks;
    private long _work;
    private (long Budget, double Objective) _best = (0, double.NegativeInfinity);

    private UniformBudget(AllocationModel model, UniformSlope? slope)
    {
        (_model, _slope) = (model, slope);
        _tokens = new long[model.Count];
        _kinks = [.. Kinks(model).Distinct().Order()];
    }

    /// <summary>Finds the best budget, or null when none keeps within the limits.</summary>
    public static UniformAllocation? Find(AllocationModel model)
    {
        if (!model.SharedQueue && model.Count <= MaxTypesForSlopes && FlatStarts.Of(model).Count == 0)
        {
            var quick = new UniformBudget(model, UniformSlope.Of(model));
            var found = quick.Search();
            if (found is null || quick.IsPeak(found))
                return found;
        }

        // On a plateau it matters which budgets were looked at: there the slopes, which spare most of them, have no
        // part.
        return FindByFigures(model);
    }

    /// <summary>The same, found without slopes.</summary>
    public static UniformAllocation? FindByFigures(AllocationModel model) => new UniformBudget(model, null).Search();

    /// <summary>
    /// The bounds of all types, and for a curve that begins below 0 the budgets between which it reaches 0.
    /// </summary>
    private static IEnumerable<long> Kinks(AllocationModel model)
    {
        var rises = FlatStarts.Of(model).Select(k => FlatStarts.Rise(model, k)).OfType<long>();
        return [.. model.WholeLower, .. model.WholeUpper, .. rises.SelectMany(rise => new[] { rise - 1, rise })];
    }

    private UniformAllocation? Search()
    {
        var (least, most) = (_kinks[0], _kinks[^1]);
        if (!Keeps(least))
            return null;

        // Every limit tightens with the budget, so that what can be kept is an interval from the least.
        while (!Keeps(most))
            most = LargestKept(least, most);
        Climb(least, most);

        // Where J is concave all the way, the climb has found its maximum, if that is one that can be told.
        if (_slope is null || MiddleKink(least, most) is not null)
            Explore(least, most);
        return new(_best.Budget, _best.Objective);
    }

    /// <summary>Whether the neighbours are worse, by more than rounding.</summary>
    private bool IsPeak(UniformAllocation found) =>
        IsBetterThan(found, found.Tokens - 1) && IsBetterThan(found, found.Tokens + 1);

    private bool IsBetterThan(UniformAllocation found, long budget)
    {
        if (budget < _kinks[0] || budget > _kinks[^1])
            return true;
        var other = At(budget);
        return other.Objective < found.Objective - _slope!.NoiseAt(other.MeanSystemTime)
            || !other.KeepsLimits(_model.Problem);
    }

    private WholeTokenFigures At(long budget)
    {
        _work += _model.Count;
        for (var k = 0; k < _tokens.Length; k++)
            _tokens[k] = Math.Clamp(budget, _model.WholeLower[k], _model.WholeUpper[k]);
        var figures = WholeTokenFigures.Of(_model, _tokens);
        if (
            figures.KeepsLimits(_model.Problem)
            && (figures.Objective > _best.Objective || (figures.Objective == _best.Objective && budget < _best.Budget))
        )
            _best = (budget, figures.Objective);
        return figures;
    }

    private bool Keeps(long budget) => At(budget).KeepsLimits(_model.Problem);

    private long LargestKept(long keeps, long breaks)
    {
        while (breaks - keeps > 1)
        {
            var middle = keeps + ((breaks - keeps) / 2);
            (keeps, breaks) = _slope?.Keeps(middle) ?? Keeps(middle) ? (middle, breaks) : (keeps, middle);
        }

        return keeps;
    }

    private void Explore(long left, long right)
    {
        if (right - left < 2 || _work > MaxWork)
        {
            At(left);
            At(right);
            return;
        }

        var promise = (_model.Problem.AccuracyWeight * At(right).WeightedAccuracy) - At(left).MeanSystemTime;
        if (promise <= _best.Objective)
            return;

        // A shared queue of several servers is not concave even between kinks: it is halved everywhere.
        var kink = _model.SharedQueue ? left + ((right - left) / 2) : MiddleKink(left, right);
        if (kink is null)
        {
            if (Promise(left, right) > _best.Objective)
                Climb(left, right);
            return;
        }

        Explore(left, kink.Value);
        Explore(kink.Value, right);
    }

    /// <summary>
    /// Upper bound on J inside an interval without kinks, by its tangents at the ends; at most the best known where an
    /// end is best.
    /// </summary>
    private double Promise(long left, long right)
    {
        var (first, last) = (At(left).Objective, At(right).Objective);
        var rise = At(left + 1).Objective - first;
        var fall = At(right - 1).Objective - last;
        return rise <= 0 || fall <= 0
            ? _best.Objective
            : Math.Min(first + (rise * (right - left)), last + (fall * (right - left)));
    }

    private long? MiddleKink(long left, long right)
    {
        var first = Array.BinarySearch(_kinks, left + 1);
        var last = Array.BinarySearch(_kinks, right - 1);
        first = first < 0 ? ~first : first;
        last = last < 0 ? ~last - 1 : last;
        return first <= last ? _kinks[first + ((last - first) / 2)] : null;
    }

    /// <summary>
    /// Bisection on the sign of the slope: the maximum where J is concave, a good start where it is not.
    /// </summary>
    private void Climb(long left, long right)
    {
        while (right - left > 1)
        {
            var middle = left + ((right - left) / 2);
            (left, right) =
                _slope?.Rises(middle) ?? (At(middle).Objective < At(middle + 1).Objective)
                    ? (middle, right)
                    : (left, middle);
        }

        At(left);
        At(right);
    }
}
