namespace Platform.Domain.Allocation;

/// <summary>An optimum over real numbers of tokens, with the multipliers that prove it.</summary>
internal sealed class ContinuousPoint
{
    /// <summary>l.</summary>
    public required double[] Tokens { get; init; }

    /// <summary>J at the point, seconds.</summary>
    public required double Objective { get; init; }

    /// <summary>Largest relative violation of the optimality conditions.</summary>
    public required double KktResidual { get; init; }

    /// <summary>Upper bound on J* − J.</summary>
    public required double Gap { get; init; }

    /// <summary>Price of the mean tokens (ν), of the mean system time (η) and of utilization.</summary>
    public required ShadowPrices Prices { get; init; }

    /// <summary>Weights of the gap's branching rule: 1 − ρ.</summary>
    public required double Idle { get; init; }
}

/// <summary>
/// Adds the limits to <see cref="DualNewton"/>. The cap on ρ lies inside it. The mean token budget has a price ν, and Σ π l falls with it.
/// The cap on E[T] has a price η, and the problem with it is the problem without it at the weight α/(1 + η): E[T] rises with that weight.
/// </summary>
internal sealed class ContinuousSolver
{
    private readonly AllocationModel _model;
    private readonly DualNewton _newton;
    private readonly Func<double, double> _tokensOver, _timeOver;
    private readonly double _budget, _time;
    private double _logAlpha, _nu;

    public ContinuousSolver(AllocationModel model)
    {
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

    /// <summary>Solves within the model's present bounds, which must keep within the limits at their lower ends.</summary>
    public ContinuousPoint Solve()
    {
        var alpha = _model.Problem.AccuracyWeight;
        var over = TimeOver(-Math.Log(alpha));
        if (over > 0)
            KeepTime(-Math.Log(alpha), over);
        var eta = over > 0 ? Math.Max(0, (alpha / Math.Exp(_logAlpha)) - 1) : 0;
        return Certificate.Of(_model, _newton, Math.Min(alpha, Math.Exp(_logAlpha)), eta, _nu);
    }

    private void KeepTime(double left, double over)
    {
        // Less and less weight on accuracy, until the time is kept or every type is at its lower bound, which keeps it.
        var step = 0.5;
        var right = left;
        for (var value = over; ; step *= 2)
        {
            right += step;
            value = _timeOver(right);
            if (value <= 0 || _newton.Sums.Seconds <= 0)
            {
                if (value < 0)
                    _timeOver(MonotoneRoot.Decreasing(_timeOver, (left, over), (right, value), 1e-14 * _time));
                return;
            }

            (left, over) = (right, value);
        }
    }

    /// <summary>E[T] above its cap, at the weight e^−x of accuracy and within the token budget.</summary>
    private double TimeOver(double x)
    {
        (_logAlpha, _nu) = (-x, 0);
        _newton.Solve(_logAlpha, 0);
        if (_newton.MeanTokens > _budget)
            KeepBudget();
        return _newton.MeanSystemTime - _time;
    }

    private void KeepBudget()
    {
        var right = LogPriceOfNothing();
        var valueAtRight = _model.TokensAtLower - _budget;
        if (valueAtRight >= 0)
        {
            _tokensOver(right);
            return;
        }

        var (left, over, step) = (right, 0.0, 2.0);
        while (over <= 0 && step < 1e4)
        {
            left -= step;
            step *= 2;
            over = _tokensOver(left);
            (right, valueAtRight) = over <= 0 ? (left, over) : (right, valueAtRight);
        }

        // The price is then too small to be told from none, though the tokens without it are over by less than a rounding.
        if (over > 0)
            _tokensOver(MonotoneRoot.Decreasing(_tokensOver, (left, over), (right, valueAtRight), 1e-14 * _budget));
    }

    private double TokensOver(double logNu)
    {
        _nu = Math.Exp(logNu);
        _newton.Solve(_logAlpha, _nu);
        return _newton.MeanTokens - _budget;
    }

    // ln of a ν at which every type is at its lower bound: the largest marginal accuracy there.
    private double LogPriceOfNothing()
    {
        var most = double.NegativeInfinity;
        for (var k = 0; k < _model.Count; k++)
            most = Math.Max(most, _model.LogValueAtLower[k] + _logAlpha + (_model.Cost[k] > 0 ? Math.Log(_model.Cost[k]) : 0));
        return Math.Clamp(most + 1e-9, -600, 600);
    }
}
