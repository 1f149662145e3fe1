namespace Platform.Domain.Allocation;

/// <summary>
/// The coupled projected fixed point of Ozbas and Bastopcu (arXiv 2601.10274): Φ takes each type to the tokens that its
/// optimality condition asks for at the present κ and x = λ/(1 − ρ). Fixed points are optima. Φ falls in every token,
/// so that the plain iteration often swings between two points; but Φ(l) − l has the signs of the gradient, and steps
/// along it that Armijo's rule accepts converge from anywhere.
/// </summary>
internal sealed class FixedPoint
{
    private const int MaxHalvings = 60;
    private const int MaxPlainIterations = 1_000;
    private const double PlainTolerance = 1e-10;

    // The part of the promised rise that a step must bring (Armijo 1966).
    private const double EnoughRise = 1e-4;

    private readonly AllocationModel _model;
    private readonly PrimalPoint _point;
    private readonly double[] _from,
        _direction;
    private readonly double _logAlpha;

    public FixedPoint(AllocationModel model)
    {
        _model = model;
        _point = new PrimalPoint(model);
        (_from, _direction) = (new double[model.Count], new double[model.Count]);
        _logAlpha = Elementary.Log(model.Problem.AccuracyWeight);
    }

    /// <summary>Steps so far.</summary>
    public int Iterations { get; private set; }

    /// <summary>Iterates with the safeguard, from the lower bounds.</summary>
    public (ContinuousPoint Point, SolverExit Exit) Solve(SolverOptions options)
    {
        _model.Lower.AsSpan(0, _model.Count).CopyTo(_point.Tokens);
        _point.Evaluate();
        var exit = SolverExit.IterationLimit;
        for (; Iterations < options.MaxIterations; Iterations++)
        {
            _point.Differentiate();
            if (_point.Satisfies(options.Tolerance))
                exit = SolverExit.Converged;
            else if (!Step())
                exit = SolverExit.Stalled;
            if (exit != SolverExit.IterationLimit)
                break;
        }

        _point.Differentiate();
        return (_point.ToContinuous(), exit);
    }

    /// <summary>
    /// What is known of the plain iteration. Φ maps [lower, Φ(lower)] into itself where the queue is stable at
    /// Φ(lower), since it falls in every token; with a modulus below 1 there it contracts to the optimum (Banach). The
    /// even iterates from the lower bounds rise and the odd ones fall, towards one point or the two of a cycle.
    /// </summary>
    public FixedPointReport Report()
    {
        var (even, odd, last) = (_model.Lower[.._model.Count], new double[_model.Count], new double[_model.Count]);
        Map(even, odd);
        var idle = _model.Idle<double>(odd, static l => l);
        var modulus = idle > 0 ? AprioriBounds.ContractionModulus(_model, idle) : null;
        for (var n = 1; n < MaxPlainIterations; n += 2)
        {
            even.CopyTo(last, 0);
            Map(odd, even);
            var (width, change) = (Distance(even, odd), Distance(even, last));
            if (width <= PlainTolerance)
                return new(modulus < 1, modulus, PlainIteration.Converged, n);
            if (change <= PlainTolerance * PlainTolerance)
                return new(modulus < 1, modulus, PlainIteration.Cycle, n);
            Map(even, odd);
        }

        return new(modulus < 1, modulus, PlainIteration.IterationLimit, MaxPlainIterations);
    }

    private static double Distance(double[] a, double[] b)
    {
        var most = 0.0;
        for (var k = 0; k < a.Length; k++)
            most = Math.Max(most, Math.Abs(a[k] - b[k]) / (1 + Math.Abs(a[k])));
        return most;
    }

    // Φ, extended by the lower bounds to where the queue is unstable.
    private void Map(double[] from, double[] to)
    {
        from.CopyTo(_point.Tokens, 0);
        _point.Evaluate();
        for (var k = 0; k < to.Length; k++)
            to[k] = _point.Idle > 0 ? Image(k) : _model.Lower[k];
    }

    private double Image(int k)
    {
        var (cost, logValue) = (_model.Cost[k], _model.LogValue[k] + _logAlpha);
        if (cost == 0)
            return logValue > double.NegativeInfinity ? _model.Upper[k] : _model.Lower[k];
        var price = Elementary.Log(_point.Kappa + (_point.X * _model.Service(k, _point.Tokens[k])));
        return Math.Clamp((logValue - price) / _model.Rate[k], _model.Lower[k], _model.Upper[k]);
    }

    private bool Step()
    {
        _point.Tokens.CopyTo(_from, 0);
        var (objective, rise) = (_point.Objective, 0.0);
        for (var k = 0; k < _from.Length; k++)
        {
            _direction[k] = Image(k) - _from[k];
            rise += _point.Gradient[k] * _direction[k];
        }

        var length = 1.0;
        for (var halving = 0; halving < MaxHalvings; halving++, length /= 2)
        {
            for (var k = 0; k < _from.Length; k++)
                _point.Tokens[k] = Math.Clamp(_from[k] + (length * _direction[k]), _model.Lower[k], _model.Upper[k]);
            _point.Evaluate();
            if (rise > 0 && _point.Objective >= objective + (EnoughRise * length * rise))
                return true;
        }

        // Nothing is gained any more, to the precision of J: the best point known is the one we came from.
        _from.CopyTo(_point.Tokens, 0);
        _point.Evaluate();
        return false;
    }
}
