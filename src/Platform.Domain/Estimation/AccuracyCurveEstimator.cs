using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The curve p(l) = D + A·(1 − e^(−b·l)) by maximum a posteriori: binomial verdicts at l granted tokens, and a normal prior around the
/// definition's curve in free parameters θ = (logit C, logit f, ln b) with the ceiling C = D + A and the part f = D/C of it that needs no
/// reasoning. They keep every value legal, and budgets so large that more tokens gain nothing tell C alone, with no valley to follow.
/// </summary>
/// <remarks>
/// Newton's method with step halving; where the Hessian is not negative definite, Fisher scoring (McCullagh and Nelder, Generalized
/// Linear Models, 2nd ed., section 2.5), whose matrix Σ n/(p(1 − p))·∇p∇pᵀ + <see cref="PriorPrecision"/>·I is positive definite by the
/// prior, also where the data say nothing of a parameter, as at a single number of tokens. θ is held in a box far wider than any
/// honest data ask for.
/// </remarks>
internal static class AccuracyCurveEstimator
{
    /// <summary>
    /// Precision of the prior of each free parameter (standard deviation 0.71): a logit is worth about 2/(p(1 − p)), eight or more
    /// verdicts; the rate is believed to within a factor of four.
    /// </summary>
    internal const double PriorPrecision = 2;

    /// <summary>Most steps; the median of wild fits to 65,000 verdicts a cell takes 6, the worst of 1,500 took 36.</summary>
    internal const int MaxIterations = 200;

    private const int MaxHalvings = 40;
    private const double LogitBound = 16;
    private static readonly double[] Least = [-LogitBound, -LogitBound, Math.Log(1e-9)];
    private static readonly double[] Most = [LogitBound, LogitBound, Math.Log(1e2)];

    /// <summary>Fits the curve of one task type.</summary>
    /// <param name="prior">The definition's curve; its edges (0, 1) are taken a little inside.</param>
    /// <param name="cells">What was seen; without a verdict the prior is given as it is.</param>
    public static AccuracyEstimate Estimate(AccuracyCurve prior, IList<WeightedCell> cells)
    {
        if (cells.Count == 0)
            return new AccuracyEstimate(prior, null, FitExit.Prior, 0);
        var centre = Free(prior);
        var theta = centre;
        for (var iteration = 0; iteration < MaxIterations; iteration++)
        {
            var here = new Posterior(theta, centre, cells);
            var step = here.Step();
            if (here.Converged(step))
                return Result(here, FitExit.Converged, iteration);
            if (Ascend(here, step, centre, cells) is not { } next)
                return Result(here, FitExit.Stalled, iteration);
            theta = next;
        }

        return Result(new Posterior(theta, centre, cells), FitExit.IterationCap, MaxIterations);
    }

    private static double[]? Ascend(Posterior here, double[] step, double[] centre, IList<WeightedCell> cells)
    {
        // A step of more than 2 in a logit or a logarithm leaves the region that the second derivatives describe.
        var length = Math.Min(1, 2 / step.Max(Math.Abs));
        for (var halving = 0; halving < MaxHalvings; halving++, length /= 2)
        {
            var next = here.Theta.Select((value, i) => Math.Clamp(value + (length * step[i]), Least[i], Most[i])).ToArray();
            if (Posterior.LogDensity(next, centre, cells) > here.Value)
                return next;
        }

        return null;
    }

    private static double[] Free(AccuracyCurve curve)
    {
        var ceiling = curve.Floor + curve.Gain;
        var part = ceiling > 0 ? curve.Floor / ceiling : 0;
        return [Logit(ceiling), Logit(part), Math.Clamp(Math.Log(curve.RatePerToken), Least[2], Most[2])];
    }

    /// <summary>Logit of a probability taken to within 0.001 of its ends, where the prior would otherwise be certain for ever.</summary>
    private static double Logit(double probability)
    {
        var inside = Math.Clamp(probability, 1e-3, 1 - 1e-3);
        return Math.Log(inside / (1 - inside));
    }

    private static AccuracyEstimate Result(Posterior at, FitExit exit, int iterations)
    {
        var point = at.Point;
        var curve = new AccuracyCurve(point.Ceiling * point.Part, point.Ceiling * point.NotPart, point.Rate);
        return new AccuracyEstimate(curve, at.StandardError(), exit, iterations);
    }

    /// <summary>C, 1 − C, f, 1 − f and b at a θ; the complements are formed without cancellation.</summary>
    private readonly struct Point(double[] theta)
    {
        public double Ceiling { get; } = Logistic(theta[0]);

        public double NotCeiling { get; } = Logistic(-theta[0]);

        public double Part { get; } = Logistic(theta[1]);

        public double NotPart { get; } = Logistic(-theta[1]);

        public double Rate { get; } = Math.Exp(theta[2]);

        /// <summary>p(l) = C·(f + (1 − f)·(1 − e^(−b·l))), above 0; the decay is e^(−b·l).</summary>
        public double Right(double decay) => Ceiling * (Part + (NotPart * (1 - decay)));

        /// <summary>1 − p(l) = 1 − C + C·(1 − f)·e^(−b·l), above 0.</summary>
        public double Wrong(double decay) => NotCeiling + (Ceiling * NotPart * decay);

        private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));
    }

    /// <summary>
    /// The logarithm of the posterior density at one θ, up to a constant, with its gradient, its negative Hessian (the observed
    /// information) and the mean of that (Fisher's information).
    /// </summary>
    private sealed class Posterior
    {
        private readonly double[] _gradient = new double[3];
        private readonly double[,] _observed = new double[3, 3];
        private readonly double[,] _expected = new double[3, 3];

        public Posterior(double[] theta, double[] centre, IList<WeightedCell> cells)
        {
            Theta = theta;
            Point = new Point(theta);
            Value = LogDensity(theta, centre, cells);
            for (var i = 0; i < 3; i++)
            {
                _gradient[i] = -PriorPrecision * (theta[i] - centre[i]);
                _observed[i, i] = _expected[i, i] = PriorPrecision;
            }

            foreach (var cell in cells)
                Add(cell);
        }

        public double[] Theta { get; }

        public Point Point { get; }

        public double Value { get; }

        /// <summary>Σ c·ln p + (n − c)·ln(1 − p) − <see cref="PriorPrecision"/>/2·|θ − θ₀|².</summary>
        public static double LogDensity(double[] theta, double[] centre, IList<WeightedCell> cells)
        {
            var point = new Point(theta);
            var sum = 0.0;
            foreach (var cell in cells)
            {
                var decay = Math.Exp(-point.Rate * cell.TokenTrials / cell.Trials);
                sum += (cell.Correct * Math.Log(point.Right(decay))) + ((cell.Trials - cell.Correct) * Math.Log(point.Wrong(decay)));
            }

            for (var i = 0; i < theta.Length; i++)
                sum -= PriorPrecision / 2 * (theta[i] - centre[i]) * (theta[i] - centre[i]);
            return sum;
        }

        /// <summary>The direction of ascent; a parameter that leans on the edge of its box stays there.</summary>
        public double[] Step()
        {
            var free = _gradient.Select((slope, i) => slope > 0 ? Theta[i] < Most[i] : Theta[i] > Least[i]).ToArray();
            var right = _gradient.Select((slope, i) => free[i] ? slope : 0).ToArray();
            return (Cholesky.Of(Reduced(_observed, free)) ?? Cholesky.Of(Reduced(_expected, free)))?.Solve(right) ?? right;
        }

        /// <summary>
        /// Whether gradient · step, twice the gain that the step promises, is below 1e-12 (a millionth of a posterior standard
        /// deviation) or below what the sum of logarithms can resolve.
        /// </summary>
        public bool Converged(double[] step) =>
            _gradient.Zip(step, (slope, move) => slope * move).Sum() <= 1e-12 + (1e-15 * Math.Abs(Value));

        /// <summary>
        /// From the inverse information in θ, by ∂D = D(1 − C)∂θ₁ + D(1 − f)∂θ₂, ∂A = A(1 − C)∂θ₁ − A·f·∂θ₂, ∂b = b·∂θ₃.
        /// </summary>
        public AccuracyCurveError StandardError()
        {
            var covariance = Cholesky.Of(_observed) ?? Cholesky.Of(_expected)!;
            var (floor, gain) = (Point.Ceiling * Point.Part, Point.Ceiling * Point.NotPart);
            return new AccuracyCurveError(
                Math.Sqrt(covariance.InverseForm([floor * Point.NotCeiling, floor * Point.NotPart, 0])),
                Math.Sqrt(covariance.InverseForm([gain * Point.NotCeiling, -gain * Point.Part, 0])),
                Math.Sqrt(covariance.InverseForm([0, 0, Point.Rate])));
        }

        /// <summary>
        /// With e = e^(−b·l): ∂p/∂θ = ((1 − C)·p, C·f(1 − f)·e, C(1 − f)·b·l·e); the score of p is s = c/p − (n − c)/(1 − p), the
        /// observed information (c/p² + (n − c)/(1 − p)²)·∇p∇pᵀ − s·∇²p, the expected one n/(p(1 − p))·∇p∇pᵀ.
        /// </summary>
        private void Add(WeightedCell cell)
        {
            var tokens = cell.TokenTrials / cell.Trials;
            var decay = Math.Exp(-Point.Rate * tokens);
            var (right, wrong, wrongs) = (Point.Right(decay), Point.Wrong(decay), cell.Trials - cell.Correct);
            var reasoned = Point.Ceiling * Point.NotPart * decay;
            double[] slope = [Point.NotCeiling * right, reasoned * Point.Part, reasoned * Point.Rate * tokens];
            var score = (cell.Correct / right) - (wrongs / wrong);
            var observed = (cell.Correct / (right * right)) + (wrongs / (wrong * wrong));
            var curvature = Curvature(slope, Point.Rate * tokens);
            for (var i = 0; i < 3; i++)
            {
                _gradient[i] += score * slope[i];
                for (var k = 0; k <= i; k++)
                {
                    _expected[i, k] += cell.Trials / (right * wrong) * slope[i] * slope[k];
                    _observed[i, k] += (observed * slope[i] * slope[k]) - (score * curvature[i, k]);
                }
            }
        }

        /// <summary>The lower triangle of ∇²p; x is b·l.</summary>
        private double[,] Curvature(double[] slope, double x) => new[,]
        {
            { slope[0] * (1 - (2 * Point.Ceiling)), 0, 0 },
            { slope[1] * Point.NotCeiling, slope[1] * (1 - (2 * Point.Part)), 0 },
            { slope[2] * Point.NotCeiling, -slope[2] * Point.Part, slope[2] * (1 - x) },
        };

        /// <summary>The matrix with the rows and columns of what is not free taken from the unit matrix.</summary>
        private static double[,] Reduced(double[,] matrix, bool[] free)
        {
            var reduced = new double[3, 3];
            for (var i = 0; i < 3; i++)
            {
                for (var k = 0; k <= i; k++)
                    reduced[i, k] = free[i] && free[k] ? matrix[i, k] : i == k ? 1 : 0;
            }

            return reduced;
        }
    }
}
