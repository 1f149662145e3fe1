namespace Platform.Domain.Allocation;

/// <summary>
/// A bound on J where servers share and tokens cost differently, so that J need not be concave. Where the idle part r
/// lies in [a, b], E[T] = U/r is at least U/b and the work at most (1 − a)/λ: a concave problem with one constraint,
/// whose dual bounds J, and each type's tokens in whatever is better than the known point. Intervals of r are halved
/// until <see cref="SharingBending"/> proves the point among the tokens that are left, or nothing is left. With a cap
/// E[T] is longer than without, so that the bound holds there too.
/// </summary>
internal sealed class SharingProof
{
    // What a global proof is worth its time for, relative to the objective.
    private const double Tolerance = 1e-7;

    // Tokens of single types computed: some hundredths of a second.
    private const long MaxWork = 400_000;

    private readonly AllocationModel _model;
    private readonly SharingColumns _columns;
    private readonly ContinuousPoint _point;
    private readonly double[] _worth,
        _tokens;
    private readonly Func<double, double> _over;
    private double _perLone,
        _perOutput,
        _perWork,
        _room;
    private long _work;

    private SharingProof(AllocationModel model, ContinuousPoint point)
    {
        _model = model;
        _columns = model.Sharing!;
        _point = point;
        _worth = new double[model.Count];
        _tokens = new double[model.Count];
        _over = Over;
        for (var k = 0; k < model.Count; k++)
            _worth[k] = model.Problem.AccuracyWeight * model.Weight[k] * model.Gain[k] * model.Rate[k];
    }

    /// <summary>Proves a point as well as it can be.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="point">The best point known.</param>
    /// <returns>
    /// η of <see cref="SharingBending"/> among the tokens that a better point can have, and an upper bound on J.
    /// </returns>
    public static (double Bending, double Bound) Of(AllocationModel model, ContinuousPoint point) =>
        new SharingProof(model, point).Search();

    private (double Bending, double Bound) Search()
    {
        List<Interval> open = [new(LeastIdle(), 1 - (_model.Lambda * WorkAt(_model.Lower)), double.PositiveInfinity)];
        var bound = _point.Objective;
        while (open.Count > 0 && _work < MaxWork)
        {
            var (lower, upper) = (_model.Upper[.._model.Count], _model.Lower[.._model.Count]);
            List<Interval> left = [];
            foreach (var interval in open.Where(interval => interval.Least < interval.Most))
            {
                var promise = Promise(interval.Least, interval.Most);
                if (promise <= _point.Objective)
                    continue;
                left.Add(interval with { Promise = promise });
                Include(promise - _point.Objective, lower, upper);
            }

            open = left;
            bound = Math.Max(_point.Objective, open.Select(interval => interval.Promise).DefaultIfEmpty(bound).Max());
            if (SharingBending.Within(_model, _point, lower, upper) is var bending && bending < 1)
                return (bending, _point.Objective + _point.Gap);
            if (bound <= _point.Objective + (Tolerance * (1 + Math.Abs(_point.Objective))))
                break;
            open = [.. open.SelectMany(interval => interval.Halves())];
        }

        return (double.PositiveInfinity, bound);
    }

    /// <summary>
    /// Widens ranges to the tokens of each type in whatever is better than the known point by this interval's dual:
    /// no type may fall short of its best by more than the dual promises.
    /// </summary>
    private void Include(double promised, double[] lower, double[] upper)
    {
        for (var k = 0; k < _tokens.Length; k++)
        {
            lower[k] = Math.Min(lower[k], Farthest(k, _model.Lower[k], promised));
            upper[k] = Math.Max(upper[k], Farthest(k, _model.Upper[k], promised));
        }
    }

    /// <summary>How far towards a bound the tokens of a type can lie.</summary>
    private double Farthest(int k, double bound, double promised)
    {
        const int Halvings = 30;
        var least = Value(k, _tokens[k]) - promised;
        if (Value(k, bound) >= least)
            return bound;
        var (inside, outside) = (_tokens[k], bound);
        for (var step = 0; step < Halvings; step++)
        {
            var middle = (inside + outside) / 2;
            if (Value(k, middle) >= least)
                inside = middle;
            else
                outside = middle;
        }

        _work += Halvings;
        return outside;
    }

    /// <summary>What a type's tokens are worth less all that is charged for them.</summary>
    private double Value(int k, double tokens)
    {
        var accuracy = _model.Problem.AccuracyWeight * _model.Weight[k] * _model.Accuracy(k, tokens);
        var charges =
            (_perLone * _model.Service(k, tokens)) + (_perOutput * tokens) + (_perWork * _columns.WorkOf(k, tokens));
        return _model.Share[k] * (accuracy - charges);
    }

    /// <summary>No better allocation leaves less idle: E[T] = U/r would outweigh all accuracy.</summary>
    private double LeastIdle()
    {
        double most = 0,
            lone = 0;
        for (var k = 0; k < _model.Count; k++)
        {
            most += _model.Share[k] * _model.Weight[k] * _model.Accuracy(k, _model.Upper[k]);
            lone += _model.Share[k] * _model.Service(k, _model.Lower[k]);
        }

        var longest = (_model.Problem.AccuracyWeight * most) - _point.Objective;
        var least = longest > 0 ? lone / longest : 1;
        return Math.Max(least, 1 - _model.MaxUtilization);
    }

    private double WorkAt(ReadOnlySpan<double> tokens)
    {
        var work = 0.0;
        for (var k = 0; k < _model.Count; k++)
            work += _model.Share[k] * _columns.WorkOf(k, tokens[k]);
        return work;
    }

    /// <summary>
    /// The dual function for r in an interval, at the prices of the known point and the best price of the work.
    /// </summary>
    private double Promise(double least, double most)
    {
        var prices = _point.Prices;
        var first = prices.MaxTimeToFirstAnswerTokenSeconds ?? 0;
        _perLone = (1 + prices.MaxMeanSystemTime + first) / most;
        _perOutput = prices.MeanTokenBudget;
        _room = (1 - least) / _model.Lambda;
        var over = Over(0);
        if (over > 0)
            PriceWork(over);
        var limits =
            (prices.MaxMeanSystemTime * (_model.Problem.MaxMeanSystemTimeSeconds ?? 0))
            + (prices.MeanTokenBudget * (_model.Problem.MeanTokenBudget ?? 0))
            + (first * ((_model.Problem.MaxTimeToFirstAnswerTokenSeconds ?? 0) + (_columns.LaterSeconds / most)));
        return Value() + limits + (_perWork * _room);
    }

    /// <summary>
    /// The price at which the work fits the room; any price gives a bound, so that it need not be exact.
    /// </summary>
    private void PriceWork(double over)
    {
        const double Most = 1e30;
        var price = 1.0;
        while (price < Most && Over(price) > 0)
            price *= 8;
        if (price < Most)
            Over(MonotoneRoot.Decreasing(_over, (0, over), (price, Over(price)), 1e-9 * _room));
    }

    /// <summary>What the tokens at a price of work use of it beyond the room.</summary>
    private double Over(double perWork)
    {
        _perWork = perWork;
        _work += _model.Count;
        for (var k = 0; k < _tokens.Length; k++)
            _tokens[k] = Best(k);
        return WorkAt(_tokens) - _room;
    }

    private double Value()
    {
        var value = 0.0;
        for (var k = 0; k < _tokens.Length; k++)
            value += Value(k, _tokens[k]);
        return value;
    }

    /// <summary>Where α w p − charges of a type is greatest; it is concave.</summary>
    private double Best(int k)
    {
        var (lower, upper) = (_model.Lower[k], _model.Upper[k]);
        if (!(Slope(k, lower) > 0))
            return lower;
        if (Slope(k, upper) >= 0)
            return upper;
        var square = 2 * _columns.Square[k] * (_perLone + _perWork);
        var plain = ((_model.Cost[k] * _perLone) + _perOutput + (_columns.PerToken[k] * _perWork));
        if (square == 0)
            return Math.Clamp(Elementary.Log(_worth[k] / plain) / _model.Rate[k], lower, upper);
        var tokens = lower;
        for (var step = 0; step < 100; step++)
        {
            var cost = plain + (square * tokens);
            var more =
                (Elementary.Log(_worth[k] / cost) - (_model.Rate[k] * tokens)) / (_model.Rate[k] + (square / cost));
            if (!(more > 1e-14 * tokens))
                break;
            tokens = Math.Min(tokens + more, upper);
        }

        return tokens;
    }

    private double Slope(int k, double tokens)
    {
        var gain = _worth[k] > 0 ? _worth[k] * Elementary.Exp(-_model.Rate[k] * tokens) : 0;
        var lone = _model.Cost[k] + (2 * _columns.Square[k] * tokens);
        return gain - (_perLone * lone) - _perOutput - (_perWork * _columns.WorkSlope(k, tokens));
    }

    /// <summary>A range of the idle part, and what J can be there at most.</summary>
    private readonly record struct Interval(double Least, double Most, double Promise)
    {
        public IEnumerable<Interval> Halves()
        {
            var middle = Math.Sqrt(Least * Most);
            return [this with { Most = middle }, this with { Least = middle }];
        }
    }
}
