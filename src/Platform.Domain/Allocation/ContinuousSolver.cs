namespace Platform.Domain.Allocation;

/// <summary>An optimum over real numbers of tokens, with the multipliers that prove it.</summary>
internal sealed class ContinuousPoint
{
    /// <summary>l.</summary>
    public required double[] Tokens { get; init; }

    /// <summary>1 − ρ as the method knows it: better than the tokens tell where it is small.</summary>
    public required double Idle { get; init; }

    /// <summary>E[S], seconds, and E[S²], seconds squared.</summary>
    public required double MeanService { get; init; }

    /// <inheritdoc cref="MeanService"/>
    public required double Square { get; init; }

    /// <summary>Σ π w p.</summary>
    public required double WeightedAccuracy { get; init; }

    /// <summary>J at the point, seconds.</summary>
    public required double Objective { get; init; }

    /// <summary>Largest relative violation of the optimality conditions.</summary>
    public required double KktResidual { get; init; }

    /// <summary>Upper bound on J* − J.</summary>
    public required double Gap { get; init; }

    /// <summary>Price of the mean tokens (ν), of the mean system time (η) and of utilization.</summary>
    public required ShadowPrices Prices { get; init; }

    /// <summary>What more is known where servers share; null where they do not.</summary>
    public SharingOptimum? Sharing { get; init; }

    /// <summary>The same point with another upper bound on J* − J, and another η, where servers share.</summary>
    public ContinuousPoint Beyond(double gap, double bending) =>
        new()
        {
            Tokens = Tokens,
            Idle = Idle,
            MeanService = MeanService,
            Square = Square,
            WeightedAccuracy = WeightedAccuracy,
            Objective = Objective,
            KktResidual = KktResidual,
            Gap = gap,
            Prices = Prices,
            Sharing = Sharing! with { Bending = bending },
        };

    /// <summary>
    /// x = λ/(1 − ρ) and κ = 1 + x² E[S²]/2: one second more of a service of t seconds costs all queries κ + x t.
    /// </summary>
    public (double X, double Kappa) SystemTimeSlope(double lambda)
    {
        var x = lambda / Idle;
        return (x, 1 + (x * x * Square / 2));
    }
}

/// <summary>
/// Adds the limits to <see cref="DualNewton"/>. The cap on ρ lies inside it. The mean token budget has a price ν, and Σ
/// π l falls with it. The cap on E[T] has a price η, and the problem with it is the problem without it at the weight
/// α/(1 + η): E[T] rises with that weight.
/// </summary>
internal sealed class ContinuousSolver : IContinuousMethod
{
    private readonly AllocationModel _model;
    private readonly DualNewton _newton;
    private readonly Func<double, double> _tokensOver,
        _timeOver;
    private readonly double _budget,
        _time;
    private readonly double _tolerance,
        _alphaTime;
    private double _logAlpha,
        _nu;
    private double _lastTime = double.NegativeInfinity,
        _lastBudget = double.PositiveInfinity;

    /// <summary>Prepares a solver; its arrays are allocated here and not while it solves.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="tolerance">How much of a limit that binds may be left unused, relative to it.</param>
    public ContinuousSolver(AllocationModel model, double tolerance = 1e-15)
    {
        _tolerance = tolerance;
        _alphaTime = -Elementary.Log(model.Problem.AccuracyWeight);
        _model = model;
        _newton = new DualNewton(model);
        _budget = model.Problem.MeanTokenBudget ?? double.PositiveInfinity;
        _time = model.Problem.MaxMeanSystemTimeSeconds ?? double.PositiveInfinity;
        _tokensOver = TokensOver;
        _timeOver = TimeOver;
    }

    /// <summary>Sweeps over the types since the beginning.</summary>
    public int Sweeps => _newton.Sweeps;

    /// <summary>Whether every solve so far converged.</summary>
    public bool Converged => _newton.Converged;

    /// <summary>
    /// Solves within the model's present bounds, which must keep within the limits at their lower ends.
    /// </summary>
    public ContinuousPoint Solve()
    {
        var alpha = _model.Problem.AccuracyWeight;
        var over = TimeOver(_alphaTime);
        if (over > 0)
            KeepTime(_alphaTime, over);
        var eta = over > 0 ? Math.Max(0, (alpha / Elementary.Exp(_logAlpha)) - 1) : 0;
        return Certificate.Of(_model, _newton, eta > 0 ? Elementary.Exp(_logAlpha) : alpha, eta, _nu);
    }

    /// <summary>
    /// Upper bound on J within the model's present bounds and the limits, from the prices of the last solution: the
    /// dual function, one solve without any search for prices.
    /// </summary>
    public double DualBound()
    {
        var timed = -_logAlpha > _alphaTime;
        if (_nu <= 0 && !timed)
            return double.PositiveInfinity;
        var alpha = timed ? Elementary.Exp(_logAlpha) : _model.Problem.AccuracyWeight;
        var eta = timed ? Math.Max(0, (_model.Problem.AccuracyWeight / alpha) - 1) : 0;
        _newton.Solve(_logAlpha, _nu);
        var point = Certificate.Of(_model, _newton, alpha, eta, _nu);
        var slack =
            (_nu > 0 ? _nu * (1 + eta) * (_budget - _newton.MeanTokens) : 0)
            + (eta > 0 ? eta * (_time - _newton.MeanSystemTime) : 0);

        // The certificate counts what limits leave unused as a loss either way; here a limit that is broken lowers the
        // bound.
        return point.Objective + point.Gap - Math.Abs(slack) + slack;
    }

    private void KeepTime(double left, double over)
    {
        // Less and less weight on accuracy, until the time is kept or every type is at its lower bound, which keeps it.
        var warm = _lastTime > left;
        _lastTime = MonotoneRoot.Find(
            _timeOver,
            (left, over),
            warm ? _lastTime : left + 0.5,
            warm ? 0.02 : 0.5,
            TimeOfNothing(),
            10 * _tolerance * _time
        );
    }

    /// <summary>E[T] above its cap, at the weight e^−x of accuracy and within the token budget.</summary>
    private double TimeOver(double x)
    {
        (_logAlpha, _nu) = (-x, 0);
        _newton.Solve(_logAlpha, 0);
        if (_newton.MeanTokens > _budget)
            KeepBudget(_newton.MeanTokens - _budget);
        var over = _newton.MeanSystemTime - _time;

        // Where every type is at its lower bound the limit is kept, as was checked; rounding must not say otherwise.
        return _newton.Sums.Seconds > 0 ? over : Math.Min(0, over);
    }

    private void KeepBudget(double overAtZero)
    {
        var most = LogPriceOfNothing();
        var warm = _lastBudget < most;
        _lastBudget = MonotoneRoot.Find(
            _tokensOver,
            (-650, overAtZero),
            warm ? _lastBudget : most - 2,
            warm ? 0.02 : 2,
            most,
            _tolerance * _budget
        );
        _tokensOver(_lastBudget);
    }

    private double TokensOver(double logNu)
    {
        _nu = Elementary.Exp(logNu);
        _newton.Solve(_logAlpha, _nu);
        return _newton.MeanTokens - _budget;
    }

    // The least prices at which every type is at its lower bound: with κ and s there, a type's first token is worth at
    // most its charge.
    private double LogPriceOfNothing()
    {
        var most = 0.0;
        for (var k = 0; k < _model.Count; k++)
        {
            var cost = _model.Cost[k];
            var gain = Elementary.Exp(_model.LogValueAtLower[k] + _logAlpha) * (cost > 0 ? cost : 1);
            most = Math.Max(most, gain - (cost * SecondAtLower(k)));
        }

        return Math.Clamp(Elementary.Log(most), -600, 600);
    }

    private double TimeOfNothing()
    {
        var most = _alphaTime;
        for (var k = 0; k < _model.Count; k++)
            most =
                _model.Cost[k] > 0
                    ? Math.Max(most, _model.LogValueAtLower[k] - Elementary.Log(SecondAtLower(k)))
                    : most;
        return most;
    }

    // κ + s t: what one more second of service of this type costs all queries, every type being at its lower bound.
    private double SecondAtLower(int k)
    {
        var s = _model.Lambda / _model.IdleAtLower;
        return 1 + (s * s * _model.SquareAtLower / 2) + (s * _model.ServiceAtLower[k]);
    }
}
