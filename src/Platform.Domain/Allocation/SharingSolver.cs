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

    // In place of an infinite charge, where no server would be idle.
    private const double Saturated = 1e3;

    private readonly AllocationModel _model;
    private readonly SharingColumns _columns;
    private readonly SharingLimits _limits;
    private readonly SharingResponse _response;
    private readonly SharingNewton _newton;
    private readonly double[] _multipliers;
    private readonly double _meanCost;
    private readonly bool _isQuick;
    private double _part;
    private SharingPoint _point;
    private SharingSums _sums;
    private int _sweeps;
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
        _response = new SharingResponse(model);
        _newton = new SharingNewton(model, _response);
        _multipliers = new double[_limits.Count];
        _meanCost = _response.MeanCost;
    }

    /// <inheritdoc/>
    public int Sweeps => _sweeps + _newton.Sweeps;

    /// <inheritdoc/>
    public bool Converged { get; private set; } = true;

    /// <inheritdoc/>
    public ContinuousPoint Solve()
    {
        if (!TrySettle())
            return Bracketed();
        if (!KeepsLimits())
        {
            _isWarm = true;
            return Bracketed();
        }

        _multipliers.AsSpan().Clear();
        var point = Certified(isQuick: true);
        if (point.Sharing!.Bending < 1)
            return point;

        // Several points may be stationary. The brackets find the one that they always find.
        _isWarm = false;
        _part = 0;
        return Bracketed();
    }

    /// <summary>Solves without limits.</summary>
    private bool TrySettle()
    {
        _newton.Charge = _charge;
        _newton.Part = _part;
        var hasSettled = _newton.TrySolve(_isWarm) || (_isWarm && _newton.TrySolve(isWarm: false));
        if (!hasSettled)
            return false;
        _charge = _newton.Charge;
        _part = _newton.Part;
        _point = _newton.Point;
        _isWarm = true;
        return true;
    }

    private bool KeepsLimits()
    {
        for (var i = 0; i < _limits.Count; i++)
        {
            if (_limits.Use(i, _point).Value > _limits.Most(i))
                return false;
        }

        return true;
    }

    private ContinuousPoint Bracketed()
    {
        var asked = SolveAt(_part);
        if (!_columns.HasCommonCost)
            FindPart(asked);
        return Certified(_isQuick);
    }

    private ContinuousPoint Certified(bool isQuick) =>
        SharingCertificate.Of(_model, _point, _response.Tokens, _limits, _multipliers, isQuick);

    /// <summary>Closes in on the part t that is asked for, by secants within a bracket.</summary>
    private void FindPart(double asked)
    {
        var (left, right) = (Bracket.At(0), Bracket.At(1));
        var last = (X: _part, Value: asked - _part);
        var next = asked;
        for (
            var step = 0;
            step < MostParts && Math.Abs(last.Value) > PartTolerance && right.X - left.X > PartTolerance;
            step++
        )
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
        else
            Settle(asked);
    }

    /// <summary>
    /// A limit that hardly changes with the charge leaves the charge to rounding, and so what is asked for. At the
    /// charge that was found last the part follows.
    /// </summary>
    private void Settle(double asked)
    {
        const int MostSettling = 4;
        for (var step = 0; step < MostSettling && Math.Abs(asked - _part) > PartTolerance; step++)
        {
            var before = _part;
            var then = AskedAtPart(asked);
            if (Math.Abs(then - asked) > Math.Abs(asked - before))
            {
                AskedAtPart(before);
                return;
            }

            asked = then;
        }
    }

    /// <summary>What is asked for at a part, the charge staying as it is.</summary>
    private double AskedAtPart(double part)
    {
        _part = part;
        _response.SetPart(part);
        ExcessAt(_charge);
        return AskedPart();
    }

    /// <summary>
    /// Solves with the part t of the charge for work.
    /// </summary>
    /// <returns>The part that the charges at the solution ask for.</returns>
    private double SolveAt(double part)
    {
        _part = part;
        _response.SetPart(part);
        var (least, most) = _response.Charges();
        Converge(least, most);
        return AskedPart();
    }

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
            var slope = (use.PerOutput * _sums.OutputPerCharge) + (use.PerWork * _sums.WorkPerCharge);
            return slope / (most > 0 ? most : 1);
        }

        // φ + δ̄ ψ = (α + δ̄)/r + δ̄ λ U/r².
        var rate = _point.Rate / _point.Idle;
        var lone = (_columns.Overhead * _sums.OutputPerCharge) + _sums.WorkPerCharge;
        var charge = _columns.Overhead + (_meanCost * (1 + (rate * _point.Lone)));
        var idleSlope = rate * _sums.WorkPerCharge * (_columns.Overhead + (_meanCost * (1 + (2 * rate * _point.Lone))));
        return ((idleSlope + (_meanCost * rate * lone)) / charge) - 1;
    }

    /// <summary>
    /// How far the charge asked for at the tokens of a charge is above it, or a limit is broken, whichever is more: it
    /// falls with the charge.
    /// </summary>
    private double ExcessAt(double charge)
    {
        _sweeps++;
        _charge = charge;
        _sums = _response.Sweep(charge);
        _point = new SharingPoint(_columns, _model.Lambda, _sums.Output, _sums.Work, 1 - (_model.Lambda * _sums.Load));
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
