using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// One queue for k ≥ 2 servers, with the mean wait E[S²] h(E[S]) of Lee and Longton. J is not concave in general, but h
/// increases, so that max J = max over m of F(m), the largest α · accuracy − E[S] − h(m) E[S²] within E[S] ≤ m: a
/// concave problem for each m, whose only unknown is the multiplier κ of E[S]. F is searched on a grid and polished;
/// then intervals [a, b] of m are halved until α · accuracy − E[S] − h(a) E[S²] within E[S] ≤ b, which bounds F on all
/// of it, leaves nothing to find.
/// </summary>
internal sealed class SharedQueueSolver : IContinuousMethod
{
    private const int GridPoints = 64;

    // What a global proof is worth its time for, relative to the objective.
    private const double ProofTolerance = 1e-6;

    // Tokens of single types computed: some tenths of a second.
    private const long MaxWork = 4_000_000;

    private readonly AllocationModel _model;
    private readonly bool _isQuick;
    private readonly double[] _excess;
    private readonly double _logAlpha,
        _alpha,
        _least,
        _most;
    private readonly Func<double, double> _over;
    private double _s,
        _room,
        _logKappa;
    private SweepSums _sums;

    /// <param name="model">The problem.</param>
    /// <param name="isQuick">Whether the best point found is left without a bound.</param>
    public SharedQueueSolver(AllocationModel model, bool isQuick = false)
    {
        _isQuick = isQuick;
        _model = model;
        _excess = new double[model.Padded];
        _logAlpha = Elementary.Log(model.Problem.AccuracyWeight);
        _alpha = Elementary.Exp(_logAlpha);
        _over = Over;
        _least = model.MeanAtLower;
        var mean = 0.0;
        for (var k = 0; k < model.Count; k++)
            mean += model.Share[k] * model.Service(k, model.Upper[k]);
        _most = model.Lambda > 0 ? Math.Min(mean, model.MaxUtilization * model.Problem.Servers / model.Lambda) : mean;
    }

    /// <summary>Sweeps over the types since the beginning.</summary>
    public int Sweeps { get; private set; }

    /// <summary>Whether the point is proven to be within the proof's tolerance of the best one.</summary>
    public bool Converged { get; private set; }

    /// <summary>Finds the best point and the bound that proves it.</summary>
    public ContinuousPoint Solve()
    {
        var (best, at) = (double.NegativeInfinity, _least);
        for (var i = 0; i <= GridPoints; i++)
        {
            var m = Grid(i);
            var value = F(m);
            (best, at) = value > best ? (value, m) : (best, at);
        }

        (best, at) = Polish(best, at, Grid(1) - Grid(0));
        var bound = _isQuick ? double.PositiveInfinity : Prove(ref best, ref at);
        return Point(at, bound);
    }

    private double Grid(int i) => i == GridPoints ? _most : _least + ((_most - _least) * i / GridPoints);

    private double Idle(double m) => 1 - (_model.Lambda * m / _model.Problem.Servers);

    private double F(double m) => Idle(m) > 0 ? Inner(Factor(m), m) : double.NegativeInfinity;

    private double Factor(double m) => MGk.WaitFactor(_model.Lambda, _model.Problem.Servers, m, Idle(m));

    /// <summary>F's slope, (κ − 1) − h′ E[S²].</summary>
    private double Slope(double m)
    {
        if (F(m) == double.NegativeInfinity)
            return double.NegativeInfinity;
        return Elementary.Exp(_logKappa)
            - 1
            - (MGk.WaitFactorSlope(_model.Lambda, _model.Problem.Servers, m, Idle(m)) * _sums.Square);
    }

    /// <summary>
    /// The concave problem at h within E[S] ≤ m; returns its value by duality, an upper bound whatever the error in κ.
    /// </summary>
    private double Inner(double h, double m)
    {
        (_s, _room) = (2 * h, Math.Max(0, m - _least));
        var over = Over(0);
        if (over > 0)
        {
            var most = LogPriceOfNothing();
            if (_room > 0)
                MonotoneRoot.Find(
                    _over,
                    (0, over),
                    Math.Min(Math.Max(_logKappa, 1e-9), most),
                    0.05,
                    most,
                    1e-15 * _room
                );
            else
                Over(most);
        }

        CompensatedSum accuracy = default;
        for (var k = 0; k < _excess.Length; k++)
            accuracy.Add(_model.Share[k] * _model.Weight[k] * _model.Accuracy(k, _model.Lower[k] + _excess[k]));
        var slack = (Elementary.Exp(_logKappa) - 1) * (_room - _sums.Seconds);
        return (_model.Problem.AccuracyWeight * accuracy.Value) - (_least + _sums.Seconds) - (h * _sums.Square) + slack;
    }

    private double Over(double logKappa)
    {
        _logKappa = logKappa;
        _sums = TokenResponse.Sweep(
            _model,
            new(_logAlpha, _alpha, _s, Elementary.Exp(logKappa), 0, TokenResponse.Fine),
            _excess
        );
        Sweeps++;
        return _sums.Seconds - _room;
    }

    private double LogPriceOfNothing()
    {
        var most = 1.0;
        for (var k = 0; k < _model.Count; k++)
        {
            if (_model.Cost[k] > 0)
                most = Math.Max(
                    most,
                    Elementary.Exp(_model.LogValueAtLower[k] + _logAlpha) - (_s * _model.ServiceAtLower[k])
                );
        }

        return Elementary.Log(most);
    }

    // The root of the slope around the best point of a grid, to the last digits.
    private (double Best, double At) Polish(double best, double at, double step)
    {
        var (left, right) = (Math.Max(_least, at - step), Math.Min(_most, at + step));
        var (leftSlope, rightSlope) = (Slope(left), Slope(right));
        if (!(leftSlope > 0) || !(rightSlope < 0))
            return (best, at);
        var root = MonotoneRoot.Decreasing(Slope, (left, leftSlope), (right, Math.Max(rightSlope, -1e300)), 0);
        var value = F(root);
        return value >= best - (1e-12 * Math.Abs(best)) ? (value, root) : (best, at);
    }

    /// <summary>Halves intervals of m until none can hold anything better; returns an upper bound on every F.</summary>
    private double Prove(ref double best, ref double at)
    {
        var open = new Stack<(double A, double B)>();
        for (var i = GridPoints - 1; i >= 0; i--)
            open.Push((Grid(i), Grid(i + 1)));
        var bound = best;
        Converged = true;
        while (open.TryPop(out var interval))
        {
            var (a, b) = interval;
            if (!(Idle(a) > 0) || b <= a)
                continue;
            var promise = Inner(Factor(a), b);
            var middle = a + ((b - a) / 2);
            if (
                promise <= best + (ProofTolerance * (1 + Math.Abs(best)))
                || middle <= a
                || middle >= b
                || (long)Sweeps * _model.Count > MaxWork
            )
            {
                Converged &= promise <= best + (ProofTolerance * (1 + Math.Abs(best)));
                bound = Math.Max(bound, promise);
                continue;
            }

            if (F(middle) > best + (1e-9 * (1 + Math.Abs(best))))
                (best, at) = Polish(F(middle), middle, b - a);
            open.Push((middle, b));
            open.Push((a, middle));
        }

        return bound;
    }

    private ContinuousPoint Point(double at, double bound)
    {
        F(at);
        var servers = _model.Problem.Servers;
        var mean = _least + _sums.Seconds;
        var price = MGk.WaitFactorSlope(_model.Lambda, servers, mean, Idle(mean)) * _sums.Square;

        // At the cap on ρ the multiplier of E[S] is more than the wait's own, and the rest is the cap's price.
        var capped = _model.MaxUtilization < 1 && at >= _most * (1 - 1e-12) && _model.Lambda > 0;
        var theta = capped ? Math.Max(0, Elementary.Exp(_logKappa) - 1 - price) : 0;
        var (tokens, weighted, residual) = Check(1 + price + theta);
        var objective = (_model.Problem.AccuracyWeight * weighted) - mean - (Factor(mean) * _sums.Square);
        return new()
        {
            Tokens = tokens,
            Idle = Idle(mean),
            MeanService = mean,
            Square = _sums.Square,
            WeightedAccuracy = weighted,
            Objective = objective,
            KktResidual = residual,
            Gap = Math.Max(0, bound - objective),
            Prices = new(0, 0, theta > 0 ? theta * servers / _model.Lambda : 0),
        };
    }

    /// <summary>
    /// The tokens of the last sweep, their weighted accuracy, and the largest relative violation of the optimality
    /// conditions.
    /// </summary>
    private (double[] Tokens, double Weighted, double Residual) Check(double kappa)
    {
        var (tokens, residual) = (new double[_model.Count], 0.0);
        var weighted = default(CompensatedSum);
        for (var k = 0; k < tokens.Length; k++)
        {
            var l = tokens[k] = Math.Min(_model.Upper[k], _model.Lower[k] + _excess[k]);
            weighted.Add(_model.Share[k] * _model.Weight[k] * _model.Accuracy(k, l));
            var gain =
                Elementary.Exp(_logAlpha + _model.LogValue[k] - (_model.Rate[k] * l))
                * (_model.Cost[k] > 0 ? _model.Cost[k] : 1);
            var charge = _model.Cost[k] * (kappa + (_s * _model.Service(k, l)));
            var against =
                (_excess[k] > 0 || gain > charge) && (l < _model.Upper[k] || gain < charge)
                    ? Math.Abs(gain - charge)
                    : 0;
            residual = against > 0 ? Math.Max(residual, against / Math.Max(gain, charge)) : residual;
        }

        return (tokens, weighted.Value, residual);
    }
}
