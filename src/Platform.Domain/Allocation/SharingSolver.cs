using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// The continuous optimum where servers share. E[T] depends on the tokens through two sums alone, the output tokens
/// O = Σ π o and the marginal work W = Σ π w, and so does every limit. At the optimum the next token of each free type
/// is worth φ + ψ ∂w/∂l, φ and ψ being what E[T] and the limits charge for O and W. With the charge ν = φ + δ̄ ψ of a
/// token of mean cost and the part t = δ̄ ψ/ν of it that is for work, each type's tokens follow in closed form:
/// ln ν is the root of a decreasing function, and t that of what the charges at that root ask for less t. Where tokens
/// cost the same whatever their type there is one scalar equation, as t changes nothing. docs/solving.md has the
/// formulas and the certificate.
/// </summary>
internal sealed class SharingSolver : IContinuousMethod
{
    // Beyond these the last bits of t go to and fro.
    private const int MostParts = 80;
    private const double PartTolerance = 4e-15;

    // A limit is kept to this part of it, and the equation for ln ν to this, relative to it.
    private const double Tolerance = 1e-15;

    // Newton's method takes five or so; halving the whole range would take some sixty.
    private const int MostSteps = 200;

    // What the logarithms may be off by, relative to them.
    private const double Rounding = 1e-15;

    // In place of an infinite charge, where no server would be idle.
    private const double Saturated = 1e3;

    private readonly AllocationModel _model;
    private readonly SharingColumns _columns;
    private readonly SharingLimits _limits;
    private readonly double[] _logValue, _logCost, _tokens, _multipliers;
    private readonly double _meanCost;
    private readonly bool _isQuick;
    private double _part;
    private SharingPoint _point;
    private double _outputSlope, _workSlope;
    private int _active;
    private double _charge;
    private bool _isWarm;

    /// <param name="model">The problem.</param>
    /// <param name="isQuick">Whether a point that the tangent does not prove is left without a bound.</param>
    public SharingSolver(AllocationModel model, bool isQuick = false)
    {
        _model = model;
        _isQuick = isQuick;
        _columns = model.Sharing!;
        _limits = new SharingLimits(model.Problem);
        _logValue = new double[model.Count];
        _logCost = new double[model.Count];
        _tokens = new double[model.Count];
        _multipliers = new double[_limits.Count];
        var logWeight = Elementary.Log(model.Problem.AccuracyWeight);
        for (var k = 0; k < model.Count; k++)
            _logValue[k] = logWeight + Elementary.Log(model.Weight[k] * model.Gain[k]) + Elementary.Log(model.Rate[k]);
        _meanCost = MeanCost();
    }

    /// <inheritdoc/>
    public int Sweeps { get; private set; }

    /// <inheritdoc/>
    public bool Converged { get; private set; } = true;

    /// <inheritdoc/>
    public ContinuousPoint Solve()
    {
        var asked = SolveAt(_columns.HasCommonCost ? 1 : _part);
        if (!_columns.HasCommonCost)
            FindPart(asked);
        return SharingCertificate.Of(_model, _point, _tokens, _limits, _multipliers, _isQuick);
    }

    /// <summary>δ̄: the marginal work of a token, in the mean over the types and their bounds.</summary>
    private double MeanCost()
    {
        var mean = 0.0;
        for (var k = 0; k < _model.Count; k++)
            mean += _model.Share[k] * (_columns.PerToken[k] + (_columns.Square[k] * (_model.Lower[k] + _model.Upper[k])));
        return mean > 0 ? mean : 1;
    }

    /// <summary>Closes in on the part t that is asked for, by secants within a bracket.</summary>
    private void FindPart(double asked)
    {
        var (left, right) = (Bracket.At(0), Bracket.At(1));
        var last = (X: _part, Value: asked - _part);
        var next = asked;
        for (var step = 0; step < MostParts && Math.Abs(last.Value) > PartTolerance && right.X - left.X > PartTolerance; step++)
        {
            if (last.Value > 0)
                left = new Bracket(last.X, last.Value, _active);
            else
                right = new Bracket(last.X, last.Value, _active);
            var isInside = next > left.X && next < right.X;
            var at = isInside && step % 4 != 3 ? next : (left.X + right.X) / 2;
            asked = SolveAt(at);
            var slope = (asked - at - last.Value) / (at - last.X);
            last = (at, asked - at);
            next = slope < 0 ? at - (last.Value / slope) : asked;
        }

        var isSettled = Math.Abs(last.Value) <= 1e-9 || right.X - left.X <= 1e-9;
        Converged &= isSettled;
        if (Math.Abs(last.Value) > 1e-9)
            ShareBetween(left.Active, right.Active);
    }

    /// <summary>
    /// Solves with the part t of the charge for work.
    /// </summary>
    /// <returns>The part that the charges at the solution ask for.</returns>
    private double SolveAt(double part)
    {
        _part = part;
        var (least, most) = PrepareCosts();
        Converge(least, most);
        return AskedPart();
    }

    /// <summary>
    /// ln of the cost of each type's token relative to ν, and the charges ln ν at which all types are at their upper
    /// bounds and at their lower ones.
    /// </summary>
    private (double Least, double Most) PrepareCosts()
    {
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        for (var k = 0; k < _model.Count; k++)
        {
            _logCost[k] = Elementary.Log(CostAt(k, 0));
            if (_logValue[k] == double.NegativeInfinity || !(_model.Upper[k] > _model.Lower[k]) || _logCost[k] == double.NegativeInfinity)
                continue;
            least = Math.Min(least, WorthAt(k, _model.Upper[k]));
            most = Math.Max(most, WorthAt(k, _model.Lower[k]));
        }

        return (least, most);
    }

    /// <summary>Cost of a token of a type relative to ν.</summary>
    private double CostAt(int k, double tokens) =>
        1 - _part + (_part / _meanCost * _columns.WorkSlope(k, tokens));

    /// <summary>ln of what a type's token is worth over its cost: where that is ln ν, the type has those tokens.</summary>
    private double WorthAt(int k, double tokens) =>
        _logValue[k] - (_model.Rate[k] * tokens) - (_columns.Square[k] == 0 ? _logCost[k] : Elementary.Log(CostAt(k, tokens)));

    private void Converge(double least, double most)
    {
        if (!(least <= most))
        {
            ExcessAt(0);
            return;
        }

        if (_isWarm)
        {
            FindCharge(least, most, Math.Clamp(_charge, least, most));
            return;
        }

        // What E[T] alone charges at the lower bounds is where to begin: the charge rises with the tokens.
        _isWarm = true;
        var excess = ExcessAt(most);
        if (excess < 0)
            FindCharge(least, most, Math.Max(most + excess, least));
    }

    /// <summary>
    /// Newton's method for ln ν within a bracket, which is halved where a step leaves it or two have not helped.
    /// </summary>
    private void FindCharge(double least, double most, double charge)
    {
        var (left, right, before) = (double.NegativeInfinity, double.PositiveInfinity, double.PositiveInfinity);
        for (var step = 0; step < MostSteps; step++)
        {
            var excess = ExcessAt(charge);
            var room = Tolerance * (1 + Math.Abs(charge));
            if (Math.Abs(excess) <= room || (excess < 0 && charge <= least) || (excess > 0 && charge >= most))
                return;
            if (excess > 0)
                left = charge;
            else
                right = charge;
            var isSlow = step % 3 == 2 && Math.Abs(excess) > before / 4;
            before = step % 3 == 2 ? Math.Abs(excess) : before;
            charge = Next(charge - (excess / ExcessSlope()), isSlow);
            if (charge == left || charge == right)
                break;
        }

        // No double lies between the ends, and the right one keeps the limits.
        if (_charge < right && double.IsFinite(right))
            ExcessAt(right);

        // Newton's value where that lies within the bracket, an end that was not looked at yet, or the middle.
        double Next(double newton, bool isSlow)
        {
            var (low, high) = (Math.Max(left, least), Math.Min(right, most));
            if (newton > low && newton < high && !isSlow)
                return newton;
            if (newton >= high && high < right)
                return high;
            return newton <= low && low > left ? low : low + ((high - low) / 2);
        }
    }

    /// <summary>
    /// The derivative of what <see cref="ExcessAt"/> gave last; with a cap as if there were none, which is near enough
    /// to step by.
    /// </summary>
    private double ExcessSlope()
    {
        if (!(_point.Idle > 0))
            return double.NaN;
        if (_active >= 0)
        {
            var (use, most) = (_limits.Use(_active, _point), _limits.Most(_active));
            return ((use.PerOutput * _outputSlope) + (use.PerWork * _workSlope)) / (most > 0 ? most : 1);
        }

        // φ + δ̄ ψ = (α + δ̄)/r + δ̄ λ U/r².
        var rate = _point.Rate / _point.Idle;
        var lone = (_columns.Overhead * _outputSlope) + _workSlope;
        var charge = _columns.Overhead + (_meanCost * (1 + (rate * _point.Lone)));
        var idleSlope = rate * _workSlope * (_columns.Overhead + (_meanCost * (1 + (2 * rate * _point.Lone))));
        return ((idleSlope + (_meanCost * rate * lone)) / charge) - 1;
    }

    /// <summary>
    /// How far the charge asked for at the tokens of a charge is above it, or a limit is broken, whichever is more: it
    /// falls with the charge.
    /// </summary>
    private double ExcessAt(double charge)
    {
        Sweeps++;
        _charge = charge;
        _point = PointAt(charge);
        _active = -1;
        if (!(_point.Idle > 0))
            return Saturated;
        var time = _point.SystemTime;
        var excess = Elementary.Log(time.PerOutput + (_meanCost * time.PerWork)) - charge;
        for (var i = 0; i < _limits.Count; i++)
        {
            var most = _limits.Most(i);
            var over = (_limits.Use(i, _point).Value - most) / (most > 0 ? most : 1);
            if (over > excess)
            {
                excess = over;
                _active = i;
            }
        }

        return excess;
    }

    private SharingPoint PointAt(double charge)
    {
        CompensatedSum output = default, work = default, load = default;
        _outputSlope = 0;
        _workSlope = 0;
        for (var k = 0; k < _model.Count; k++)
        {
            var (share, tokens) = (_model.Share[k], TokensAt(k, charge));
            _tokens[k] = tokens;
            var perType = _columns.WorkOf(k, tokens);
            output.Add(share * (_columns.Answer[k] + tokens));
            work.Add(share * perType);
            load.Add(share * (perType + (_columns.OverheadOfSlot * (_columns.Answer[k] + tokens))));
            if (tokens > _model.Lower[k] && tokens < _model.Upper[k])
                AddSlope(k, share, tokens);
        }

        return new SharingPoint(_columns, _model.Lambda, output.Value, work.Value, 1 - (_model.Lambda * load.Value));
    }

    /// <summary>Adds how a type's tokens fall with ln ν.</summary>
    private void AddSlope(int k, double share, double tokens)
    {
        var fall = share / (_model.Rate[k] + CostRise(k, tokens));
        _outputSlope -= fall;
        _workSlope -= fall * _columns.WorkSlope(k, tokens);
    }

    /// <summary>∂ ln of a token's cost by the tokens.</summary>
    private double CostRise(int k, double tokens) => _columns.Square[k] == 0
        ? 0
        : 2 * _part / _meanCost * _columns.Square[k] / CostAt(k, tokens);

    private double TokensAt(int k, double charge)
    {
        var (lower, upper) = (_model.Lower[k], _model.Upper[k]);
        if (_logValue[k] == double.NegativeInfinity)
            return lower;
        if (_columns.Square[k] == 0)
            return Snapped(k, (_logValue[k] - _logCost[k] - charge) / _model.Rate[k]);
        if (!(WorthAt(k, lower) > charge))
            return lower;
        return WorthAt(k, upper) >= charge ? upper : TokensBetween(k, lower, upper, charge);
    }

    /// <summary>Tokens within the bounds, and at a bound where rounding alone says otherwise.</summary>
    private double Snapped(int k, double tokens)
    {
        var room = Rounding * (1 + Math.Abs(_logValue[k]) + Math.Abs(_charge)) / _model.Rate[k];
        if (tokens <= _model.Lower[k] + room)
            return _model.Lower[k];
        return tokens >= _model.Upper[k] - room ? _model.Upper[k] : tokens;
    }

    /// <summary>Newton's method from the left: what is left of the worth falls and is convex, so that no step goes too far.</summary>
    private double TokensBetween(int k, double lower, double upper, double charge)
    {
        var tokens = lower;
        for (var step = 0; step < 100; step++)
        {
            var more = (WorthAt(k, tokens) - charge) / (_model.Rate[k] + CostRise(k, tokens));
            if (!(more > 1e-16 * tokens))
                break;
            tokens = Math.Min(tokens + more, upper);
        }

        return Snapped(k, tokens);
    }

    /// <summary>
    /// The part of the charge for work that E[T] asks for together with the limit that binds, whose price is what the
    /// charge is above that of E[T] alone.
    /// </summary>
    private double AskedPart()
    {
        _multipliers.AsSpan().Clear();
        var time = _point.SystemTime;
        var (perOutput, perWork) = (time.PerOutput, time.PerWork);
        if (_active >= 0)
        {
            var use = _limits.Use(_active, _point);
            var beyond = Elementary.Exp(_charge) - perOutput - (_meanCost * perWork);
            var price = Math.Max(beyond, 0) / (use.PerOutput + (_meanCost * use.PerWork));
            _multipliers[_active] = price;
            perOutput += price * use.PerOutput;
            perWork += price * use.PerWork;
        }

        return _meanCost * perWork / (perOutput + (_meanCost * perWork));
    }

    /// <summary>
    /// Two limits bind at once, and the charge lies between what either asks for: their prices follow from both sums.
    /// </summary>
    private void ShareBetween(int one, int other)
    {
        _multipliers.AsSpan().Clear();
        var time = _point.SystemTime;
        var charge = Elementary.Exp(_charge);
        var output = (charge * (1 - _part)) - time.PerOutput;
        var work = (charge * _part / _meanCost) - time.PerWork;
        if (one < 0 || other < 0 || one == other)
            return;
        var (first, second) = (_limits.Use(one, _point), _limits.Use(other, _point));
        var determinant = (first.PerOutput * second.PerWork) - (second.PerOutput * first.PerWork);
        _multipliers[one] = Math.Max(((output * second.PerWork) - (second.PerOutput * work)) / determinant, 0);
        _multipliers[other] = Math.Max(((first.PerOutput * work) - (output * first.PerWork)) / determinant, 0);
    }

    /// <summary>An end of the bracket of t.</summary>
    /// <param name="X">t.</param>
    /// <param name="Value">What is asked for less t.</param>
    /// <param name="Active">The limit that binds there, or −1.</param>
    private readonly record struct Bracket(double X, double Value, int Active)
    {
        public static Bracket At(double x) => new(x, double.NaN, -1);
    }
}
