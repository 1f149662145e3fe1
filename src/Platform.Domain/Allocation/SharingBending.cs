using System.Runtime.Intrinsics;

namespace Platform.Domain.Allocation;

/// <summary>
/// How far E[T] bends the wrong way where tokens cost differently. With r = 1 − ρ, ΔU = β ΔW + e and x = λ ΔW,
/// E[T] = U/r lies above its tangent less x (|e| r − x Q)/(r² (r − x)), Q = β r/λ + U, at most e²/(4 Q r (1 − κ)) where
/// |e| ≤ κ Q. And e² is at most Σ π e′²/μ times what the curves of the types bend by, so that J lies below its tangent
/// scaled by 1 − η everywhere if η is below 1. All is bounded over the tokens that a better allocation can have; what
/// the first bound leaves narrows them, and so on.
/// </summary>
internal sealed class SharingBending
{
    private const int MostRounds = 12;

    private readonly AllocationModel _model;
    private readonly SharingColumns _columns;
    private readonly double[] _tokens,
        _lower,
        _upper,
        _gain,
        _bend;
    private readonly double _weight,
        _idle,
        _lone,
        _loss;

    private SharingBending(
        AllocationModel model,
        in SharingPoint at,
        ReadOnlySpan<double> tokens,
        ShadowPrices prices,
        double loss
    )
    {
        _model = model;
        _loss = loss;
        _columns = model.Sharing!;
        _tokens = new double[model.Padded];
        tokens.CopyTo(_tokens);
        _lower = model.Lower[..model.Padded];
        _upper = new double[model.Padded];
        _gain = new double[model.Padded];
        _bend = new double[model.Padded];
        for (var k = 0; k < model.Padded; k += 4)
            Prepare(k);

        // With a cap the marginal work alone saturates later than the slots do.
        _idle = _columns.Cap is null ? at.Idle : 1 - (model.Lambda * at.Work);
        var first = prices.MaxTimeToFirstAnswerTokenSeconds ?? 0;
        _lone = at.Lone - (first > 0 ? _columns.LaterSeconds : 0);
        _weight = 1 + prices.MaxMeanSystemTime + first;
    }

    /// <summary>η: 0 where tokens cost the same whatever their type, +∞ where nothing is proven.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="at">The sums of the point.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="prices">Its prices.</param>
    /// <param name="loss">
    /// How far below the point's J the allocations may be that are looked at: 0 for those that are better than the
    /// point, more for whole tokens, the best of which are not.
    /// </param>
    public static double Of(
        AllocationModel model,
        in SharingPoint at,
        ReadOnlySpan<double> tokens,
        ShadowPrices prices,
        double loss = 0
    )
    {
        if (model.Sharing!.HasCommonCost || !(model.Lambda > 0))
            return 0;
        return new SharingBending(model, at, tokens, prices, loss).Narrowed();
    }

    /// <summary>The same where a better allocation is known to have tokens within these bounds.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="point">The point.</param>
    /// <param name="lower">Fewest tokens of each type.</param>
    /// <param name="upper">Most tokens of each type.</param>
    public static double Within(
        AllocationModel model,
        ContinuousPoint point,
        ReadOnlySpan<double> lower,
        ReadOnlySpan<double> upper
    )
    {
        var bending = new SharingBending(model, point.Sharing!.At, point.Tokens, point.Prices, 0);
        for (var k = 0; k < point.Tokens.Length; k++)
        {
            bending._lower[k] = Math.Min(Math.Max(bending._lower[k], lower[k]), point.Tokens[k]);
            bending._upper[k] = Math.Max(Math.Min(bending._upper[k], upper[k]), point.Tokens[k]);
        }

        return bending.Narrowed();
    }

    private double Narrowed()
    {
        var least = double.PositiveInfinity;
        for (var round = 0; round < MostRounds; round++)
        {
            var beta = SetBends();
            var (squares, farthest) = Off(beta);
            var scale = (beta * _idle / _model.Lambda) + _lone;
            var kappa = farthest / scale;
            if (!(kappa < 1))
                return least;
            var room = 4 * scale * _idle * (1 - kappa) / _weight;
            var bending = 2 * squares / room;
            if (bending >= 0.9 * least)
                return Math.Min(least, bending);
            least = bending;
            if (least < 0.1)
                return least;
            Narrow((farthest * farthest / room) + _loss);
        }

        return least;
    }

    /// <summary>
    /// What the next token of four types is worth, and the most tokens of theirs: <see cref="MostTokens"/>, at once
    /// where nothing is out of the common.
    /// </summary>
    private void Prepare(int k)
    {
        var (rate, tokens) = (Load(_model.Rate, k), Load(_tokens, k));
        var worth = _model.Problem.AccuracyWeight * Load(_model.Weight, k) * Load(_model.Gain, k) * rate;
        var gain = worth * Elementary.Exp(-rate * tokens);
        var cost = Load(_model.Cost, k) + (2 * Load(_columns.Square, k) * tokens);
        var over = gain / cost;
        var isCommon =
            Vector256.GreaterThan(over, Vector256.Create(1e-200))
            & Vector256.LessThan(over, Vector256.Create(1e200))
            & Vector256.GreaterThan(gain, Vector256<double>.Zero)
            & Vector256.GreaterThan(Load(_model.Share, k), Vector256<double>.Zero);
        gain.CopyTo(_gain, k);
        if (Vector256.EqualsAll(isCommon.AsInt64(), Vector256<long>.AllBitsSet))
        {
            var whole = Vector256.Create(_loss > 0 ? 1.0 : 0);
            var more = Vector256.MaxNative(Elementary.Log(over), Vector256<double>.Zero) / rate;
            Vector256.MinNative(tokens + more + whole, Load(_model.Upper, k)).CopyTo(_upper, k);
            return;
        }

        for (var i = k; i < Math.Min(k + 4, _model.Count); i++)
            _upper[i] = MostTokens(i);
    }

    private static Vector256<double> Load(double[] column, int k) => Vector256.Create(column, k);

    /// <summary>
    /// Tokens beyond which no type is in any better allocation: one more is worth less there than the lone seconds that
    /// it costs, and E[T] rises by those at least. The best whole tokens may be the next ones above.
    /// </summary>
    private double MostTokens(int k)
    {
        var whole = _loss > 0 ? 1 : 0;
        if (!(_gain[k] > 0) || _model.Share[k] == 0)
            return Math.Min(_tokens[k] + whole, _model.Upper[k]);
        var cost = _model.Cost[k] + (2 * _columns.Square[k] * _tokens[k]);
        var more = cost > 0 ? Math.Max(Elementary.Log(_gain[k] / cost), 0) / _model.Rate[k] : double.PositiveInfinity;
        return Math.Min(_tokens[k] + more + whole, _model.Upper[k]);
    }

    /// <summary>
    /// μ of each type: A w (p(l + Δ) − p(l)) ≤ A w p′(l) Δ − μ Δ²/2 within its tokens, as e^(−y) − 1 + y is at least
    /// y²/(2 (1 + y/3)) above 0, and y²/2 below. Gives the β for which the types go off least.
    /// </summary>
    private double SetBends()
    {
        double workBySquare = 0,
            work = 0;
        for (var k = 0; k < _model.Count; k++)
        {
            var rise = Math.Max(_model.Rate[k] * (_upper[k] - _tokens[k]), 0);
            _bend[k] = _gain[k] * _model.Rate[k] / (1 + (rise / 3));
            if (!(_bend[k] > 0))
                continue;
            var slope = _columns.WorkSlope(k, _tokens[k]);
            work += _model.Share[k] * slope / _bend[k];
            workBySquare += _model.Share[k] * slope * slope / _bend[k];
        }

        // U is α o + w: what w has of it counts once more.
        return 1 + (workBySquare > 0 ? _columns.Overhead * work / workBySquare : 0);
    }

    /// <summary>Σ π e′²/μ, and the most that e can be.</summary>
    private (double Squares, double Farthest) Off(double beta)
    {
        double squares = 0,
            farthest = 0;
        for (var k = 0; k < _model.Count; k++)
        {
            var (below, above) = (_tokens[k] - _lower[k], _upper[k] - _tokens[k]);
            if (!(below > 0 || above > 0) || _model.Share[k] == 0)
                continue;
            var (slope, square) = (_columns.WorkSlope(k, _tokens[k]), _columns.Square[k]);
            var atLower = Math.Abs(_columns.Overhead - ((beta - 1) * (slope - (square * below))));
            var atUpper = Math.Abs(_columns.Overhead - ((beta - 1) * (slope + (square * above))));
            var off = Math.Max(atLower, atUpper);
            squares += off > 0 ? _model.Share[k] * off * off / _bend[k] : 0;
            farthest += _model.Share[k] * off * Math.Max(below, above);
        }

        return (squares, farthest);
    }

    /// <summary>
    /// An allocation that is looked at gains at most so much by bending, the loss that it may have included, so that no
    /// type may lose more against its tangent.
    /// </summary>
    private void Narrow(double most)
    {
        for (var k = 0; k < _model.Count; k++)
        {
            var unit = _model.Share[k] * _gain[k] / _model.Rate[k];
            if (!(unit > 0))
                continue;
            var loss = most / unit;
            _lower[k] = Math.Max(_lower[k], _tokens[k] - (Math.Sqrt(2 * loss) / _model.Rate[k]));
            _upper[k] = Math.Min(_upper[k], _tokens[k] + (Rise(loss) / _model.Rate[k]));
        }
    }

    /// <summary>At least the y above 0 with e^(−y) − 1 + y = loss.</summary>
    private static double Rise(double loss)
    {
        // y² ≤ 2 loss (1 + y/3), and y − 1 < loss.
        var third = loss / 3;
        return Math.Min(third + Math.Sqrt((third * third) + (2 * loss)), loss + 1);
    }
}
