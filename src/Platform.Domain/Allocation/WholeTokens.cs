namespace Platform.Domain.Allocation;

/// <summary>
/// Whole tokens near a continuous optimum: plain rounding, then improvement by single tokens and by pairs.
/// </summary>
internal sealed class WholeTokens
{
    private const int MaxPasses = 50;

    // Pairs cost N² a pass; beyond this many types single tokens lose less than 1e-7 of the objective to the best.
    private const int MaxTypesForPairs = 256;

    private readonly AllocationModel _model;
    private readonly double[] _up,
        _down;
    private readonly double _lambda;
    private long[] _tokens = [];
    private WholeTokenFigures _now;

    public WholeTokens(AllocationModel model)
    {
        _model = model;
        (_up, _down) = (new double[model.Count], new double[model.Count]);
        _lambda = model.Problem.ArrivalRate / model.Problem.Servers;
    }

    /// <summary>
    /// Nearest whole tokens within the whole bounds; rounded down where that breaks a limit, and lower still where that
    /// does.
    /// </summary>
    public long[] Nearest(ReadOnlySpan<double> continuous)
    {
        var tokens = Round(continuous, 0.5);
        if (Keeps(tokens))
            return tokens;
        tokens = Round(continuous, 0);
        if (Keeps(tokens))
            return tokens;

        // Whole lower bounds above a fractional optimum can still be too much: shrink towards them, where the limits
        // are kept.
        double keeps = 0,
            breaks = 1;
        var best = Shrink(tokens, 0);
        for (var step = 0; step < 53; step++)
        {
            var part = (keeps + breaks) / 2;
            var shrunk = Shrink(tokens, part);
            (best, keeps, breaks) = Keeps(shrunk) ? (shrunk, part, breaks) : (best, keeps, part);
        }

        return best;
    }

    /// <summary>
    /// Improves an allocation that keeps the limits, in place, until no token more, token less or token moved helps.
    /// </summary>
    public void Improve(long[] tokens)
    {
        _tokens = tokens;
        _now = WholeTokenFigures.Of(_model, tokens);
        for (var k = 0; k < tokens.Length; k++)
            Price(k);
        var order = ByWorth();
        var pairs = tokens.Length <= (_model.Problem.Dispatch == Dispatch.Shared ? 32 : MaxTypesForPairs);
        for (var pass = 0; pass < MaxPasses; pass++)
        {
            var moved = false;
            foreach (var k in order)
                moved |= TryMove(k, 1) || TryMove(k, -1);
            if (!moved && !(pairs && TryPairs()))
                return;
        }
    }

    private bool Keeps(long[] tokens) => WholeTokenFigures.Of(_model, tokens).KeepsLimits(_model.Problem);

    private long[] Round(ReadOnlySpan<double> continuous, double up)
    {
        var tokens = new long[continuous.Length];
        for (var k = 0; k < tokens.Length; k++)
            tokens[k] = Math.Clamp((long)Math.Floor(continuous[k] + up), _model.WholeLower[k], _model.WholeUpper[k]);
        return tokens;
    }

    private long[] Shrink(long[] tokens, double part)
    {
        var shrunk = new long[tokens.Length];
        for (var k = 0; k < tokens.Length; k++)
            shrunk[k] = _model.WholeLower[k] + (long)(part * (tokens[k] - _model.WholeLower[k]));
        return shrunk;
    }

    // The types whose next token is worth most for each mean token come first: a tight limit then goes to them.
    private int[] ByWorth()
    {
        var order = new int[_tokens.Length];
        var worth = new double[_tokens.Length];
        for (var k = 0; k < order.Length; k++)
            (order[k], worth[k]) = (k, -(_model.Problem.AccuracyWeight * _up[k] / Math.Max(_model.Share[k], 1e-300)));
        Array.Sort(worth, order);
        return order;
    }

    /// <summary>Weighted accuracy that one token more and one token less of a type bring.</summary>
    private void Price(int k)
    {
        var scale = _model.Share[k] * _model.Weight[k] * _model.Gain[k] * Elementary.Exp(-_model.Rate[k] * _tokens[k]);
        _up[k] = -scale * Elementary.ExpMinusOne(-_model.Rate[k]);

        // Written so that e^(b) cannot overflow where the scale has underflowed.
        _down[k] =
            _tokens[k] > 0
                ? _model.Share[k]
                    * _model.Weight[k]
                    * (_model.Accuracy(k, _tokens[k] - 1) - _model.Accuracy(k, _tokens[k]))
                : 0;
    }

    private bool TryPairs()
    {
        var moved = false;
        for (var i = 0; i < _tokens.Length; i++)
        {
            for (var j = 0; j < _tokens.Length; j++)
            {
                if (i != j && Allowed(i, 1) && Allowed(j, -1))
                    moved |= TryTake(After(After(_now, i, 1), j, -1), i, 1, j);
            }
        }

        return moved;
    }

    private bool TryMove(int k, int by) => Allowed(k, by) && TryTake(After(_now, k, by), k, by, -1);

    private bool Allowed(int k, int by) =>
        _model.Share[k] > 0 && _tokens[k] + by >= _model.WholeLower[k] && _tokens[k] + by <= _model.WholeUpper[k];

    /// <summary>The figures after one move, in O(1); the time and the objective are left as they were.</summary>
    private WholeTokenFigures After(in WholeTokenFigures now, int k, int by)
    {
        if (_model.Sharing is not null)
            return AfterSharing(_model.Sharing, now, k, by);
        var used = _model.Share[k] * _model.Cost[k] * by;
        var time = _model.Service(k, _tokens[k]);
        return now with
        {
            Idle = now.Idle - (_lambda * used),
            Service = new(
                now.Service.MeanSeconds + used,
                now.Service.MeanSecondsSquared + (used * ((2 * time) + (_model.Cost[k] * by)))
            ),
            WeightedAccuracy = now.WeightedAccuracy + (by > 0 ? _up[k] : _down[k]),
            MeanTokens = now.MeanTokens + (_model.Share[k] * by),
        };
    }

    private WholeTokenFigures AfterSharing(SharingColumns sharing, in WholeTokenFigures now, int k, int by)
    {
        var (share, tokens) = (_model.Share[k], _tokens[k]);
        var work = share * by * (sharing.PerToken[k] + (sharing.Square[k] * ((2 * tokens) + by)));
        return now with
        {
            Idle = now.Idle - (_lambda * (work + (share * by * sharing.OverheadOfSlot))),
            Work = now.Work + work,
            WeightedAccuracy = now.WeightedAccuracy + (by > 0 ? _up[k] : _down[k]),
            MeanTokens = now.MeanTokens + (share * by),
        };
    }

    private bool TryTake(WholeTokenFigures then, int k, int by, int other)
    {
        if (!(then.Idle > 0))
            return false;
        then = then.TimedForLimits(_model);
        var slower = then.MeanSystemTime - _now.MeanSystemTime;
        var gain = (_model.Problem.AccuracyWeight * (then.WeightedAccuracy - _now.WeightedAccuracy)) - slower;
        then = then with { Objective = _now.Objective + gain };

        // The threshold is above what rounding can feign, so that no two moves undo each other for ever.
        if (!(gain > 1e-13 * Math.Abs(_now.Objective) + 1e-300) || !then.KeepsLimits(_model.Problem))
            return false;
        _now = then;
        _tokens[k] += by;
        Price(k);
        if (other >= 0)
        {
            _tokens[other]--;
            Price(other);
        }

        return true;
    }
}
