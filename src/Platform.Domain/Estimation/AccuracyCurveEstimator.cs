using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The curve p(l) = D + A·(1 − e^(−b·l)) by maximum a posteriori: binomial verdicts at l granted tokens, and a normal
/// prior around the definition's curve in free parameters θ = (logit C, ln g, ln b) with the ceiling C = D + A and the
/// part g = A/C of it that reasoning makes: p = C·(1 − g·e^(−b·l)). The ceiling is a probability whatever θ. g is at
/// most 1, so that p is a probability too, unless the definition's floor is below 0 (up to estimator/3: always up to
/// 2); p is then clamped above 0.
/// </summary>
/// <remarks>
/// Newton's method with step halving; where the Hessian is not negative definite, Fisher scoring (McCullagh and Nelder,
/// Generalized Linear Models, 2nd ed., section 2.5), whose matrix Σ n/(p(1 − p))·∇p∇pᵀ + prior precision is positive
/// definite also where the data say nothing of a parameter, as at a single number of tokens. θ is held in a box far
/// wider than any honest data ask for. The covariance is H⁻¹JH⁻¹ with Fisher's information weighted by w in H and by w²
/// in J, the prior's precision in both.
/// </remarks>
internal static class AccuracyCurveEstimator
{
    /// <summary>
    /// Precision of the prior of the ceiling's logit (standard deviation 0.71): a logit is worth 1/(p(1 − p)) a
    /// verdict, so eight or more.
    /// </summary>
    internal const double CeilingPrecision = 2;

    /// <summary>
    /// Precision of the prior of ln g: a standard deviation of a half, which lets a floor guessed as 0 come out well
    /// below or above.
    /// </summary>
    internal const double PartPrecision = 4;

    /// <summary>
    /// Precision of the prior of ln b (standard deviation 0.71): the rate is believed to within a factor of two, more
    /// or less.
    /// </summary>
    internal const double RatePrecision = 2;

    /// <summary>Most steps.</summary>
    internal const int MaxIterations = 200;

    private const int MaxHalvings = 40;
    private const double LogitBound = 16;

    private static readonly Vector3 PriorPrecision = new(CeilingPrecision, PartPrecision, RatePrecision);

    /// <summary>Below every precision of the prior, and what a parameter that is held has on the diagonal.</summary>
    private static readonly Vector3 Unit = new(1, 1, 1);

    /// <summary>
    /// Where p/C runs out, the likelihood takes τ·ln(1 + e^(v/τ)) in place of v = p/C: never 0 and smooth, within
    /// τ·e^(−v/τ) of v.
    /// </summary>
    private const double ClampWidth = 0.01;

    /// <summary>A prior without gain would otherwise be certain for ever.</summary>
    private const double LeastPart = 0.05;

    // ln 1e-6 and 0: floors reach from nearly the ceiling down to 0.
    private static readonly Vector3 Least = new(-LogitBound, -13.815510557964274, -20.72326583694641);
    private static readonly Vector3 Most = new(LogitBound, 0, 4.605170185988092);

    // ln 2: down to minus the ceiling.
    private static readonly Vector3 MostBelowZero = Most with { Y = 0.6931471805599453 };

    /// <summary>Fits the curve of one task type.</summary>
    /// <param name="prior">The definition's curve; its edges (0, 1) are taken a little inside.</param>
    /// <param name="cells">What was seen; without a verdict the prior is given as it is.</param>
    /// <param name="arithmetic">The version of the estimator.</param>
    public static AccuracyEstimate Estimate(
        AccuracyCurve prior,
        ReadOnlySpan<WeightedVerdicts> cells,
        EstimatorArithmetic arithmetic
    )
    {
        var most = arithmetic.TakesFloorsBelowZero ? MostBelowZero : MostOf(prior);
        var centre = Free(prior, most);
        if (cells.IsEmpty)
            return Result(new Posterior(centre, centre, [], most), FitExit.Prior, 0, prior, null);
        var here = new Posterior(centre, centre, cells, most);
        for (var iteration = 0; ; iteration++)
        {
            var step = here.Step();
            var exit =
                here.Converged(step) ? FitExit.Converged
                : iteration == MaxIterations ? FitExit.IterationCap
                : Ascend(ref here, step, centre, cells, most) ? (FitExit?)null
                : FitExit.Stalled;
            if (exit is not { } end)
                continue;
            var fit = CurveFit.Of(here.Curve, cells, judgesFew: !arithmetic.HasOldChecksOnly);
            var result = Result(here, end, iteration, here.Curve, fit);
            return arithmetic.HasOldChecksOnly ? result : WithEvidence(result, here, cells);
        }
    }

    /// <summary>
    /// What the verdicts add to the prior's knowledge of the slope, ln p′ = ln C + ln g + ln b − b·x at the mean budget
    /// x. Verdicts that are all wrong, and many, leave a curve without gain.
    /// </summary>
    private static AccuracyEstimate WithEvidence(
        AccuracyEstimate result,
        in Posterior at,
        ReadOnlySpan<WeightedVerdicts> cells
    )
    {
        var (trials, tokens) = (0.0, 0.0);
        foreach (var cell in cells)
        {
            trials += cell.Trials;
            tokens += cell.Trials * cell.Tokens;
        }

        var mean = tokens / trials;
        var slope = new Vector3(at.NotCeiling, 1, 1 - (Elementary.Exp(at.Theta.Z) * mean));
        var before =
            (slope.X * slope.X / CeilingPrecision)
            + (slope.Y * slope.Y / PartPrecision)
            + (slope.Z * slope.Z / RatePrecision);
        var left = slope.Dot(at.Expected.Factor(PriorPrecision).Solve(slope)) / before;
        var flat = new AccuracyCurve(CurveFit.At(result.Curve, mean), 0, result.Curve.RatePerToken);
        var totals = VerdictTotals.Of(cells);
        var isNeverRight = totals.AreMany && totals.AreAllWrong;
        return result with
        {
            Curve = isNeverRight ? flat : result.Curve,
            DoubtLeft = left,
            Identifiable = cells.Length > 1 && left <= ValidityThresholds.CurveDoubt,
        };
    }

    /// <summary>
    /// A floor is below 0 only where the definition says so: the accuracy is then 0 up to some number of tokens, and
    /// verdicts at fewer say nothing of it.
    /// </summary>
    private static Vector3 MostOf(AccuracyCurve prior)
    {
        var ceiling = prior.Floor + prior.Gain;
        var isBelowZero = prior.Floor < 0 && ceiling > 0;
        return isBelowZero ? Most with { Y = Math.Min(Elementary.Log(prior.Gain / ceiling), MostBelowZero.Y) } : Most;
    }

    private static bool Ascend(
        ref Posterior here,
        Vector3 step,
        Vector3 centre,
        ReadOnlySpan<WeightedVerdicts> cells,
        Vector3 most
    )
    {
        // A step of more than 2 in a logit or a logarithm leaves the region that the second derivatives describe.
        var length = Math.Min(1, 2 / step.LargestMagnitude);
        for (var halving = 0; halving < MaxHalvings; halving++, length /= 2)
        {
            var next = new Posterior(
                new Vector3(
                    Math.Clamp(here.Theta.X + (length * step.X), Least.X, most.X),
                    Math.Clamp(here.Theta.Y + (length * step.Y), Least.Y, most.Y),
                    Math.Clamp(here.Theta.Z + (length * step.Z), Least.Z, most.Z)
                ),
                centre,
                cells,
                most
            );
            if (next.Value > here.Value)
            {
                here = next;
                return true;
            }
        }

        return false;
    }

    private static Vector3 Free(AccuracyCurve curve, Vector3 most)
    {
        var ceiling = Math.Clamp(curve.Floor + curve.Gain, 1e-3, 1 - 1e-3);
        var part = Math.Max(curve.Gain / ceiling, LeastPart);
        var rate = curve.RatePerToken > 0 ? Elementary.Log(curve.RatePerToken) : Least.Z;
        return new Vector3(
            Elementary.Log(ceiling / (1 - ceiling)),
            Math.Min(Elementary.Log(part), most.Y),
            Math.Clamp(rate, Least.Z, most.Z)
        );
    }

    /// <summary>∂D = (1 − C)D·∂θ₁ − A·∂θ₂, ∂A = (1 − C)A·∂θ₁ + A·∂θ₂, ∂b = b·∂θ₃.</summary>
    private static AccuracyEstimate Result(
        in Posterior at,
        FitExit exit,
        int iterations,
        AccuracyCurve curve,
        GoodnessOfFit? fit
    )
    {
        var (ceiling, part) = (at.Ceiling, Elementary.Exp(at.Theta.Y));
        var gain = ceiling * part;
        var notCeiling = 1 - ceiling;
        var factor = at.Expected.Factor(PriorPrecision);
        var floorDirection = factor.Solve(new Vector3(notCeiling * ceiling * (1 - part), -gain, 0));
        var gainDirection = factor.Solve(new Vector3(notCeiling * gain, gain, 0));
        var rateDirection = factor.Solve(new Vector3(0, 0, Elementary.Exp(at.Theta.Z)));
        var (floorScatter, gainScatter) = (at.Scatter.Times(floorDirection), at.Scatter.Times(gainDirection));
        return new AccuracyEstimate
        {
            Curve = curve,
            Covariance = new AccuracyCurveCovariance(
                floorDirection.Dot(floorScatter),
                gainDirection.Dot(floorScatter),
                rateDirection.Dot(floorScatter),
                gainDirection.Dot(gainScatter),
                rateDirection.Dot(gainScatter),
                rateDirection.Dot(at.Scatter.Times(rateDirection))
            ),
            Fit = fit,
            Exit = exit,
            Iterations = iterations,
        };
    }

    /// <summary>
    /// The logarithm of the posterior density at one θ, up to a constant, with its gradient, its negative Hessian (the
    /// observed information), the mean of that (Fisher's information), and what the weighted score scatters by.
    /// </summary>
    private struct Posterior
    {
        private readonly Vector3 _most;
        private Vector3 _gradient;
        private Matrix3 _observed;
        private Matrix3 _expected;
        private Matrix3 _scatter;
        private double _trials;

        public Posterior(Vector3 theta, Vector3 centre, ReadOnlySpan<WeightedVerdicts> cells, Vector3 most)
        {
            (Theta, _most) = (theta, most);
            NotCeiling = 1 / (1 + Elementary.Exp(theta.X));
            Ceiling = 1 / (1 + Elementary.Exp(-theta.X));
            var off = new Vector3(theta.X - centre.X, theta.Y - centre.Y, theta.Z - centre.Z);
            _gradient = new Vector3(-CeilingPrecision * off.X, -PartPrecision * off.Y, -RatePrecision * off.Z);
            Value = _gradient.Dot(off) / 2;
            _observed = _expected = _scatter = new Matrix3(CeilingPrecision, 0, PartPrecision, 0, 0, RatePrecision);
            var rate = Elementary.Exp(theta.Z);
            foreach (var cell in cells)
                Add(cell, rate * cell.Tokens);
        }

        public Vector3 Theta { get; }

        public double Value { get; private set; }

        public double Ceiling { get; }

        /// <summary>1 − C without cancellation.</summary>
        public double NotCeiling { get; }

        public readonly Matrix3 Expected => _expected;

        public readonly Matrix3 Scatter => _scatter;

        public readonly AccuracyCurve Curve
        {
            get
            {
                var part = Elementary.Exp(Theta.Y);
                return new AccuracyCurve(Ceiling * (1 - part), Ceiling * part, Elementary.Exp(Theta.Z));
            }
        }

        /// <summary>The direction of ascent; a parameter that leans on the edge of its box stays there.</summary>
        public readonly Vector3 Step()
        {
            var (x, y, z) = (
                IsFree(_gradient.X, Theta.X, Least.X, _most.X),
                IsFree(_gradient.Y, Theta.Y, Least.Y, _most.Y),
                IsFree(_gradient.Z, Theta.Z, Least.Z, _most.Z)
            );
            var right = new Vector3(x ? _gradient.X : 0, y ? _gradient.Y : 0, z ? _gradient.Z : 0);
            return (Reduced(_observed, x, y, z).Factor() ?? Reduced(_expected, x, y, z).Factor(Unit)).Solve(right);
        }

        /// <summary>
        /// Whether gradient · step, twice the gain that the step promises, is below 1e-12 (a millionth of a posterior
        /// standard deviation) or below what the sum of logarithms can resolve: of each, the rounding of its argument
        /// near 1.
        /// </summary>
        public readonly bool Converged(Vector3 step) =>
            _gradient.Dot(step) <= 1e-12 + (1e-15 * Math.Abs(Value)) + (2e-16 * _trials);

        private static bool IsFree(double slope, double at, double least, double most) =>
            slope > 0 ? at < most : at > least;

        /// <summary>The matrix with the rows and columns of what is not free taken from the unit matrix.</summary>
        private static Matrix3 Reduced(Matrix3 m, bool x, bool y, bool z) =>
            new(x ? m.XX : 1, x && y ? m.YX : 0, y ? m.YY : 1, x && z ? m.ZX : 0, y && z ? m.ZY : 0, z ? m.ZZ : 1);

        /// <summary>
        /// With u = g·e^(−x), x = b·l, v = 1 − u and the smooth clamp s(v): p = C·s, ∇v = (0, −u, u·x), ∇p = ((1 − C)p,
        /// C·s′∇v); the score of p is c/p − (n − c)/(1 − p), the observed information (c/p² + (n − c)/(1 − p)²)·∇p∇pᵀ −
        /// score·∇²p, the expected one n/(p(1 − p))·∇p∇pᵀ.
        /// </summary>
        private void Add(in WeightedVerdicts cell, double x)
        {
            var lack = Elementary.ExpMinusOne(Theta.Y - x);
            var (u, s) = (1 + lack, SmoothClamp.Of(-lack));
            var (right, wrong, wrongs) = (
                Ceiling * s.Value,
                NotCeiling + (Ceiling * s.Complement),
                cell.Trials - cell.Correct
            );
            _trials += cell.Trials;
            if (cell.Correct > 0)
                Value += cell.Correct * Elementary.Log(right);
            if (wrongs > 0)
                Value += wrongs * Elementary.Log(wrong);
            var (first, second) = (Ceiling * s.First * u, Ceiling * s.Second * u * u);
            var slope = new Vector3(NotCeiling * right, -first, first * x);
            var score = (cell.Correct / right) - (wrongs / wrong);
            _gradient = new Vector3(
                _gradient.X + (score * slope.X),
                _gradient.Y + (score * slope.Y),
                _gradient.Z + (score * slope.Z)
            );
            _observed.AddOuter((cell.Correct / (right * right)) + (wrongs / (wrong * wrong)), slope);
            _observed.XX -= score * slope.X * (1 - (2 * Ceiling));
            _observed.YX -= score * slope.Y * NotCeiling;
            _observed.YY -= score * (second - first);
            _observed.ZX -= score * slope.Z * NotCeiling;
            _observed.ZY -= score * (first - second) * x;
            _observed.ZZ -= score * ((first * (1 - x)) + (second * x)) * x;
            _expected.AddOuter(cell.Trials / (right * wrong), slope);
            _scatter.AddOuter(cell.SquaredTrials / (right * wrong), slope);
        }
    }

    /// <summary>
    /// s(v) = τ·ln(1 + e^(v/τ)), 1 − s without cancellation where it matters, and the first two derivatives.
    /// </summary>
    private readonly record struct SmoothClamp(double Value, double Complement, double First, double Second)
    {
        public static SmoothClamp Of(double v)
        {
            // Beyond 36 widths the clamp is v to the last bit.
            if (v > 36 * ClampWidth)
                return new SmoothClamp(v, 1 - v, 1, 0);
            var e = Elementary.Exp(v / ClampWidth);
            var (value, first) = (ClampWidth * Elementary.LogOnePlus(e), e / (1 + e));
            return new SmoothClamp(value, 1 - value, first, first / (1 + e) / ClampWidth);
        }
    }
}
