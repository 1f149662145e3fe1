namespace Platform.Domain.Allocation;

/// <summary>
/// Projected gradient ascent with the step 1/L of a bound L on the curvature that can be had before solving, as Ozbas
/// and Bastopcu (arXiv 2601.10274) propose it; J rises monotonically and J* − J ≤ L |l₀ − l*|²/(2n). The accelerated
/// form is that of Beck and Teboulle (FISTA, SIAM J. Imaging Sci. 2 (2009) 183) with their backtracking and the restart
/// of O'Donoghue and Candès (Found. Comput. Math. 15 (2015) 715).
/// </summary>
internal sealed class ProjectedGradient
{
    // Differences of J below this part of it are rounding.
    private const double Noise = 1e-14;

    private readonly AllocationModel _model;
    private readonly PrimalPoint _point,
        _ahead;
    private readonly StableBox _feasible;
    private readonly double? _curvature;

    public ProjectedGradient(AllocationModel model)
    {
        _model = model;
        (_point, _ahead) = (new PrimalPoint(model), new PrimalPoint(model));
        var leastIdle = AprioriBounds.LeastIdle(
            model,
            model.Problem.AccuracyWeight,
            AprioriBounds.AccuracyRange(model)
        );
        _feasible = new StableBox(model, leastIdle);
        _curvature = AprioriBounds.GradientLipschitz(model, leastIdle);
    }

    /// <summary>Steps so far.</summary>
    public int Iterations { get; private set; }

    /// <summary>Iterates from the lower bounds.</summary>
    public (ContinuousPoint Point, SolverExit Exit) Solve(SolverOptions options)
    {
        _point.Evaluate();
        _point.Differentiate();
        var exit = _curvature > 0 ? SolverExit.IterationLimit : SolverExit.Stalled;
        var accelerated = options.Method == SolverMethod.AcceleratedProjectedGradient;
        var momentum = new Momentum(_point.Tokens, _curvature ?? 1);
        while (
            !_point.Satisfies(options.Tolerance)
            && exit == SolverExit.IterationLimit
            && Iterations < options.MaxIterations
        )
        {
            Iterations++;
            if (!(accelerated ? Accelerate(momentum) : Step(_curvature!.Value)))
                exit = SolverExit.Stalled;
        }

        return (_point.ToContinuous(), _point.Satisfies(options.Tolerance) ? SolverExit.Converged : exit);
    }

    /// <summary>One step of 1/L; false when it is too short to change anything.</summary>
    private bool Step(double curvature)
    {
        for (var k = 0; k < _model.Count; k++)
            _ahead.Tokens[k] = _point.Tokens[k] + (_point.Gradient[k] / curvature);
        _feasible.Project(_ahead.Tokens);
        if (_ahead.Tokens.AsSpan().SequenceEqual(_point.Tokens))
            return false;
        _ahead.Tokens.CopyTo(_point.Tokens, 0);
        _point.Evaluate();
        _point.Differentiate();
        return true;
    }

    private bool Accelerate(Momentum momentum)
    {
        var (last, best) = ((double[])_point.Tokens.Clone(), _point.Objective);
        momentum.Extrapolate(last, _ahead.Tokens);
        _feasible.Project(_ahead.Tokens);
        _ahead.Evaluate();
        _ahead.Differentiate();
        if (!Backtrack(momentum))
            return false;
        var restart = !(_point.Objective >= best - (Noise * Math.Abs(best)));
        if (restart)
        {
            if (momentum.Still)
                return false;
            last.CopyTo(_point.Tokens, 0);
            _point.Evaluate();
        }

        momentum.Advance(last, restart);
        _point.Differentiate();
        return true;
    }

    // The least of the curvatures tried that bounds J from below between the two points.
    private bool Backtrack(Momentum momentum)
    {
        for (var halving = 0; halving < 60; halving++)
        {
            for (var k = 0; k < _model.Count; k++)
                _point.Tokens[k] = _ahead.Tokens[k] + (_ahead.Gradient[k] / momentum.Curvature);
            _feasible.Project(_point.Tokens);
            _point.Evaluate();
            var (rise, length) = (0.0, 0.0);
            for (var k = 0; k < _model.Count; k++)
            {
                var step = _point.Tokens[k] - _ahead.Tokens[k];
                rise += _ahead.Gradient[k] * step;
                length += step * step;
            }

            if (
                _point.Objective
                >= _ahead.Objective + rise - (momentum.Curvature * length / 2) - (Noise * Math.Abs(_ahead.Objective))
            )
                return true;
            momentum.Curvature *= 2;
        }

        return false;
    }

    private sealed class Momentum(double[] start, double curvature)
    {
        private readonly double[] _before = (double[])start.Clone();
        private double _t = 1;

        public double Curvature { get; set; } = curvature;

        /// <summary>Whether the last step was one without momentum.</summary>
        public bool Still { get; private set; } = true;

        public void Extrapolate(double[] here, double[] ahead)
        {
            var next = (1 + Math.Sqrt(1 + (4 * _t * _t))) / 2;
            var ratio = (_t - 1) / next;
            Still = ratio == 0;
            for (var k = 0; k < here.Length; k++)
                ahead[k] = here[k] + (ratio * (here[k] - _before[k]));
            _t = next;
        }

        public void Advance(double[] from, bool restart)
        {
            from.CopyTo(_before, 0);
            _t = restart ? 1 : _t;
            Curvature *= 0.9;
        }
    }
}
