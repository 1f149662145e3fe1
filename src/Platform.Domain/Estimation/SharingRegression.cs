namespace Platform.Domain.Estimation;

/// <summary>
/// The maximum of prior and likelihood of servers that share. A query of l tokens with N in service at its server takes
/// <code>y = (β + δ·l)·(1 + N) + b + α·l</code> seconds in the mean: β and δ are its work, which others and it slow
/// down, b = α·m and α·l the overhead of its answer and reasoning tokens. α is common to all task types.
/// </summary>
/// <remarks>
/// The normal equations have the form of an arrow: three unknowns for each task type, which know each other and α.
/// Eliminating them leaves one equation for α, so the work grows with the number of task types and no faster. All
/// unknowns are positive by their gamma priors: a primal-dual interior point method (Wright, Primal-Dual Interior-Point
/// Methods, 1997) whose barrier is the prior itself, so that nothing is projected. Fixed order, no library function but
/// the square root.
/// </remarks>
internal sealed class SharingRegression
{
    private const int MostSteps = 200;
    private const double ToBoundary = 0.99;
    private const double Converged = 1e-13;

    private readonly SharingTypePrior[] _priors;
    private readonly PositivePrior _overheadPrior;
    private readonly ArrowEquations[] _data;
    private readonly Vector3[] _inner;
    private readonly Vector3[] _innerDual;
    private readonly Vector3[] _innerStep;
    private readonly Factor3[] _factors;
    private readonly Vector3[] _borders;
    private double _overheadDual;
    private double _pivot;

    /// <param name="overhead">Prior of α.</param>
    /// <param name="priors">Priors of the task types.</param>
    public SharingRegression(PositivePrior overhead, SharingTypePrior[] priors)
    {
        _priors = priors;
        _overheadPrior = overhead;
        var count = priors.Length;
        _data = new ArrowEquations[count];
        _inner = new Vector3[count];
        _innerDual = new Vector3[count];
        _innerStep = new Vector3[count];
        _factors = new Factor3[count];
        _borders = new Vector3[count];
        Begin();
    }

    /// <summary>α.</summary>
    public double Overhead { get; private set; }

    /// <summary>(β, b, δ) of a task type.</summary>
    public Vector3 Inner(int k) => _inner[k];

    /// <summary>1/S, the variance of α if the information were all that the estimate varies by.</summary>
    public double OverheadVariance => 1 / _pivot;

    /// <summary>Finds the maximum.</summary>
    /// <param name="data">The task types' equations, each over its variance.</param>
    public void Solve(ReadOnlySpan<ArrowEquations> data)
    {
        for (var k = 0; k < _data.Length; k++)
        {
            _data[k] = _priors[k].Told;
            _data[k].Add(1, data[k]);
        }

        Begin();
        for (var step = 0; step < MostSteps && Advance() > Converged; step++) { }

        FactorAtMaximum();
    }

    /// <summary>A linear figure of a type's unknowns and α, in the terms in which its variance is a sum.</summary>
    /// <param name="k">The task type.</param>
    /// <param name="inner">Coefficients of (β, b, δ).</param>
    /// <param name="outer">Coefficient of α.</param>
    public LinearFigure Figure(int k, Vector3 inner, double outer) =>
        new(_factors[k].Solve(inner), outer - inner.Dot(_borders[k]));

    /// <summary>How a type's part of the score moves α: by ∂α = (outer − inner·D)/S.</summary>
    public double OverheadOf(int k, Vector3 innerScore, double outerScore) =>
        (outerScore - _borders[k].Dot(innerScore)) / _pivot;

    /// <summary>The variance of α that scores with these covariances make, as a sum over the task types.</summary>
    /// <param name="k">The task type.</param>
    /// <param name="scores">Covariances of its score.</param>
    public double OverheadVarianceOf(int k, in ArrowEquations scores)
    {
        var border = _borders[k];
        var form = scores.Outer - (2 * border.Dot(scores.Border)) + border.Dot(scores.Inner.Times(border));
        return Math.Max(form, 0) / (_pivot * _pivot);
    }

    /// <summary>The covariance of a type's score with α.</summary>
    public Vector3 ScoreWithOverhead(int k, in ArrowEquations scores)
    {
        var rest = scores.Border.Plus(-1, scores.Inner.Times(_borders[k]));
        return new Vector3(rest.X / _pivot, rest.Y / _pivot, rest.Z / _pivot);
    }

    /// <summary>
    /// What the prior's doubt of a type adds to the covariances of its score: its curvature at the maximum, and that of
    /// what is told of answer tokens.
    /// </summary>
    public ArrowEquations PriorScores(int k)
    {
        var scores = _priors[k].Told;
        var precision = PriorPrecision(k);
        scores.AddRow(precision.X, new Vector3(1, 0, 0), 0, 0);
        scores.AddRow(precision.Y, new Vector3(0, 1, 0), 0, 0);
        scores.AddRow(precision.Z, new Vector3(0, 0, 1), 0, 0);
        return scores;
    }

    /// <summary>The variance of α that its own prior's doubt makes.</summary>
    public double OverheadVarianceOfPrior() => Curvature(_overheadPrior, Overhead) / (_pivot * _pivot);

    private static double Curvature(PositivePrior prior, double value) => prior.Shape / (value * value);

    private Vector3 PriorPrecision(int k)
    {
        var prior = _priors[k];
        return new Vector3(
            Curvature(prior.BaseWork, _inner[k].X),
            Curvature(prior.AnswerSeconds, _inner[k].Y),
            Curvature(prior.WorkPerToken, _inner[k].Z)
        );
    }

    private void Begin()
    {
        Overhead = _overheadPrior.Start;
        _overheadDual = _overheadPrior.Pull;
        for (var k = 0; k < _inner.Length; k++)
        {
            var prior = _priors[k];
            _inner[k] = new Vector3(prior.BaseWork.Start, prior.AnswerSeconds.Start, prior.WorkPerToken.Start);
            _innerDual[k] = new Vector3(prior.BaseWork.Pull, prior.AnswerSeconds.Pull, prior.WorkPerToken.Pull);
        }
    }

    /// <summary>One step of Newton's method on the optimality conditions, short of the boundary.</summary>
    /// <returns>The greatest relative change of an unknown.</returns>
    private double Advance()
    {
        var overheadDiagonal = _overheadDual / Overhead;
        var pivot = overheadDiagonal;
        var right = -_overheadPrior.Pull + (_overheadPrior.Shape / Overhead);
        for (var k = 0; k < _inner.Length; k++)
        {
            var diagonal = Divide(_innerDual[k], _inner[k]);
            var ascent = Ascent(k);
            Eliminate(k, diagonal);
            _innerStep[k] = ascent;
            pivot += Math.Max(_data[k].Outer - _borders[k].Dot(_data[k].Border), 0);
            right += _data[k].OuterRight - _data[k].Border.Dot(_inner[k]) - (_data[k].Outer * Overhead);
            right -= _borders[k].Dot(ascent);
        }

        var overheadStep = right / pivot;
        for (var k = 0; k < _inner.Length; k++)
            _innerStep[k] = _factors[k].Solve(_innerStep[k].Plus(-overheadStep, _data[k].Border));
        return Move(overheadStep);
    }

    /// <summary>The gradient of the logarithm of the posterior by a type's own unknowns.</summary>
    private Vector3 Ascent(int k)
    {
        var prior = _priors[k];
        var at = _inner[k];
        var byData = _data[k].InnerRight.Plus(-1, _data[k].Inner.Times(at)).Plus(-Overhead, _data[k].Border);
        var byPrior = new Vector3(
            (prior.BaseWork.Shape / at.X) - prior.BaseWork.Pull,
            (prior.AnswerSeconds.Shape / at.Y) - prior.AnswerSeconds.Pull,
            (prior.WorkPerToken.Shape / at.Z) - prior.WorkPerToken.Pull
        );
        return byData.Plus(1, byPrior);
    }

    private void Eliminate(int k, Vector3 diagonal)
    {
        _factors[k] = _data[k].Inner.Plus(diagonal).Factor(diagonal);
        _borders[k] = _factors[k].Solve(_data[k].Border);
    }

    private double Move(double overheadStep)
    {
        var (primal, dual) = (new StepLength(ToBoundary), new StepLength(ToBoundary));
        primal.Keep(Overhead, overheadStep);
        var overheadDualStep = DualStep(Overhead, _overheadDual, overheadStep, _overheadPrior.Shape);
        dual.Keep(_overheadDual, overheadDualStep);
        for (var k = 0; k < _inner.Length; k++)
        {
            primal.Keep(_inner[k], _innerStep[k]);
            dual.Keep(_innerDual[k], DualStep(k));
        }

        var change = Math.Abs(overheadStep) / Overhead;
        for (var k = 0; k < _inner.Length; k++)
        {
            var (at, step) = (_inner[k], _innerStep[k]);
            change = Math.Max(change, Divide(step, at).LargestMagnitude);
            _innerDual[k] = _innerDual[k].Plus(dual.Length, DualStep(k));
            _inner[k] = at.Plus(primal.Length, step);
        }

        Overhead += primal.Length * overheadStep;
        _overheadDual += dual.Length * overheadDualStep;
        return change;
    }

    private Vector3 DualStep(int k)
    {
        var (prior, at, dual, step) = (_priors[k], _inner[k], _innerDual[k], _innerStep[k]);
        return new Vector3(
            DualStep(at.X, dual.X, step.X, prior.BaseWork.Shape),
            DualStep(at.Y, dual.Y, step.Y, prior.AnswerSeconds.Shape),
            DualStep(at.Z, dual.Z, step.Z, prior.WorkPerToken.Shape)
        );
    }

    private static double DualStep(double at, double dual, double step, double shape) =>
        ((shape - (dual * step)) / at) - dual;

    private void FactorAtMaximum()
    {
        _pivot = Curvature(_overheadPrior, Overhead);
        for (var k = 0; k < _inner.Length; k++)
        {
            Eliminate(k, PriorPrecision(k));
            _pivot += Math.Max(_data[k].Outer - _borders[k].Dot(_data[k].Border), 0);
        }
    }

    private static Vector3 Divide(Vector3 a, Vector3 b) => new(a.X / b.X, a.Y / b.Y, a.Z / b.Z);

    /// <summary>How far a step may go so that everything stays above 0.</summary>
    private struct StepLength(double toBoundary)
    {
        public double Length { get; private set; } = 1;

        public void Keep(Vector3 at, Vector3 step)
        {
            Keep(at.X, step.X);
            Keep(at.Y, step.Y);
            Keep(at.Z, step.Z);
        }

        public void Keep(double at, double step)
        {
            if (step < 0)
                Length = Math.Min(Length, -toBoundary * at / step);
        }
    }
}

/// <summary>A figure f = p·z + t·α with z the score of a type's own unknowns: its variance is made of theirs.</summary>
/// <param name="Scores">p.</param>
/// <param name="Overhead">t.</param>
internal readonly record struct LinearFigure(Vector3 Scores, double Overhead)
{
    /// <summary>How far a score and the change of α that goes with it move the figure.</summary>
    public double Moved(Vector3 innerScore, double overhead) => Scores.Dot(innerScore) + (Overhead * overhead);

    /// <summary>The covariance of two figures of one task type.</summary>
    /// <param name="other">The other.</param>
    /// <param name="scores">Covariances of the type's score.</param>
    /// <param name="withOverhead">Its covariance with α.</param>
    /// <param name="overheadVariance">The variance of α.</param>
    public double Covariance(LinearFigure other, in Matrix3 scores, Vector3 withOverhead, double overheadVariance) =>
        Scores.Dot(scores.Times(other.Scores))
        + (Overhead * other.Scores.Dot(withOverhead))
        + (other.Overhead * Scores.Dot(withOverhead))
        + (Overhead * other.Overhead * overheadVariance);
}
