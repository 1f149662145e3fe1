namespace Platform.Domain.Allocation;

/// <summary>
/// What the second derivatives say at a continuous point of an M/G/1 problem: strict concavity, and what rounding can
/// cost.
/// </summary>
internal sealed class OptimumAnalysis
{
    private const int MostHalvings = 60;

    // Above what the sums of a million terms can be wrong by.
    private const double Margin = 1e-12;

    private readonly AllocationModel _model;
    private readonly ContinuousPoint _point;
    private readonly double _x,
        _kappa;

    public OptimumAnalysis(AllocationModel model, ContinuousPoint point)
    {
        (_model, _point) = (model, point);
        (_x, _kappa) = point.SystemTimeSlope(model.Lambda);
    }

    /// <summary>
    /// A number μ ≥ 0 with −Hess J ⪰ μ I at the point, proven in O(N) a try: with u = πc, w = u (t + λE[S²]/(2r)), x =
    /// λ/r, −Hess J is a positive diagonal D plus x² (uwᵀ + wuᵀ). By Haynsworth's inertia formula D − μI plus that is
    /// positive definite if and only if the 2 × 2 matrix of the sums a = Σu²/(D − μ), b = Σuw/(D − μ), c = Σw²/(D − μ)
    /// has ac &lt; (1/x² + b)². Tried at half the least of D, a quarter, and so on; 0 where none passes. Types that J
    /// does not depend on are left out.
    /// </summary>
    public double LeastCurvature()
    {
        var least = double.PositiveInfinity;
        for (var k = 0; k < _model.Count; k++)
        {
            var own = Diagonal(k, _point.Tokens[k], _x);
            least = own > 0 ? Math.Min(least, own) : least;
        }

        for (var halving = 1; halving <= MostHalvings && double.IsFinite(least); halving++)
        {
            var mu = least * Math.ScaleB(1, -halving);
            if (IsConvexAbove(mu))
                return mu;
        }

        return 0;
    }

    /// <summary>
    /// Upper bound on what rounding each type to the nearest whole number within its bounds loses, known before
    /// rounding; null where rounding might make the queue unstable. Taylor's formula, its second derivatives bounded
    /// over all that rounding can do.
    /// </summary>
    public double? LossBeforeRounding()
    {
        var (change, spread) = (0.0, new double[_model.Count]);
        for (var k = 0; k < spread.Length; k++)
        {
            var l = _point.Tokens[k];
            var beyond = Math.Max(_model.WholeLower[k] - l, l - _model.WholeUpper[k]);
            spread[k] = beyond == 0 ? 0 : Math.Max(0.5, beyond);
            change += _model.Share[k] * _model.Cost[k] * spread[k];
        }

        var idle = _point.Idle - (_model.Lambda * change);
        return idle > 0 ? Loss(idle, change, spread, spread, -1) : null;
    }

    /// <summary>
    /// Upper bound on what an allocation loses against the point, by the same formula with the changes made; null where
    /// it is unstable.
    /// </summary>
    public double? LossAfterRounding(ReadOnlySpan<long> tokens)
    {
        var (change, moves, spread) = (0.0, new double[_model.Count], new double[_model.Count]);
        for (var k = 0; k < moves.Length; k++)
        {
            moves[k] = tokens[k] - _point.Tokens[k];
            spread[k] = Math.Abs(moves[k]);
            change += _model.Share[k] * _model.Cost[k] * moves[k];
        }

        var idle = Math.Min(_point.Idle, _point.Idle - (_model.Lambda * change));
        return idle > 0 ? Loss(idle, Math.Abs(change), spread, moves, 1) : null;
    }

    // π (α w A b² e^(−bl) + λ c²/r): the diagonal of −Hess J without the two outer products.
    private double Diagonal(int k, double tokens, double x)
    {
        var rate = _model.Rate[k];
        var bend =
            _model.Problem.AccuracyWeight
            * _model.Weight[k]
            * _model.Gain[k]
            * rate
            * rate
            * Elementary.Exp(-rate * tokens);
        return _model.Share[k] * (bend + (x * _model.Cost[k] * _model.Cost[k]));
    }

    private bool IsConvexAbove(double mu)
    {
        double a = 0,
            b = 0,
            c = 0;
        for (var k = 0; k < _model.Count; k++)
        {
            var own = Diagonal(k, _point.Tokens[k], _x);
            if (!(own > 0))
                continue;
            var u = _model.Share[k] * _model.Cost[k];
            var w = u * (_model.Service(k, _point.Tokens[k]) + (_x * _point.Square / 2));
            (a, b, c) = (a + (u * u / (own - mu)), b + (u * w / (own - mu)), c + (w * w / (own - mu)));
        }

        // √(ac) rather than ac: neither overflows nor underflows where the sums do not.
        return _x == 0 || Math.Sqrt(a) * Math.Sqrt(c) < ((1 / (_x * _x)) + b) * (1 - Margin);
    }

    /// <summary>
    /// −g·moves (or Σ|g| moves, with sign −1) + ½ {Σ D spread² + x² [2 U V + x E[S²] U²]}, each at its largest, and the
    /// point's own gap.
    /// </summary>
    private double Loss(double idle, double change, double[] spread, double[] moves, double sign)
    {
        var x = _model.Lambda / idle;
        double linear = 0,
            own = 0,
            mixed = 0,
            square = 0;
        for (var k = 0; k < spread.Length; k++)
        {
            var (l, share, cost) = (_point.Tokens[k], _model.Share[k], _model.Cost[k]);
            var gain =
                _model.Problem.AccuracyWeight
                * _model.Weight[k]
                * _model.Gain[k]
                * _model.Rate[k]
                * Elementary.Exp(-_model.Rate[k] * l);
            var slope = share * (gain - (cost * (_kappa + (_x * _model.Service(k, l)))));
            linear += sign > 0 ? -slope * moves[k] : Math.Abs(slope) * moves[k];
            own += Diagonal(k, l - spread[k], x) * spread[k] * spread[k];
            var longest = _model.Service(k, l + spread[k]);
            mixed += share * cost * longest * spread[k];
            square += share * ((longest * longest) + _model.Variance[k]);
        }

        var coupled = x * x * ((2 * change * mixed) + (x * square * change * change));
        return Math.Max(0, linear + ((own + coupled) / 2)) + _point.Gap;
    }
}
