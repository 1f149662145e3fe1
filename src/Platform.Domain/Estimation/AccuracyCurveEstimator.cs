using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>
/// The curve p(l) = D + A·(1 − e^(−b·l)) by maximum a posteriori: binomial verdicts at l granted tokens, and a normal prior around the
/// definition's curve in free parameters θ = (logit D, logit(A/(1 − D)), ln b), which keep every value legal.
/// </summary>
/// <remarks>
/// Fisher scoring with step halving (McCullagh and Nelder, Generalized Linear Models, 2nd ed., section 2.5): the step solves
/// (Σ n/(p(1 − p))·∇p∇pᵀ + <see cref="PriorPrecision"/>·I)·δ = gradient; the matrix is positive definite by the prior, also where the
/// data say nothing of a parameter, as at a single number of tokens. θ is held in a box far wider than any data can ask for.
/// </remarks>
internal static class AccuracyCurveEstimator
{
    /// <summary>
    /// Precision of the prior of each free parameter (standard deviation 0.71): a logit is worth about 2/(p(1 − p)), eight or more
    /// verdicts; the rate is believed to within a factor of four.
    /// </summary>
    internal const double PriorPrecision = 2;

    /// <summary>Most steps; well-posed fits take 5 to 20.</summary>
    internal const int MaxIterations = 100;

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
            var step = here.ScoringStep();
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
        // A step of more than 2 in a logit or a logarithm leaves the region that the scoring matrix describes.
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
        var gainPart = curve.Floor < 1 ? curve.Gain / (1 - curve.Floor) : 0;
        return [Logit(curve.Floor), Logit(gainPart), Math.Clamp(Math.Log(curve.RatePerToken), Least[2], Most[2])];
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
        var gain = Math.Min(point.NotFloor * point.Part, 1 - point.Floor);
        return new AccuracyEstimate(new AccuracyCurve(point.Floor, gain, point.Rate), at.StandardError(), exit, iterations);
    }

    /// <summary>D, 1 − D, u = A/(1 − D), 1 − u and b at a θ; the complements are formed without cancellation.</summary>
    private readonly struct Point(double[] theta)
    {
        public double Floor { get; } = Logistic(theta[0]);

        public double NotFloor { get; } = Logistic(-theta[0]);

        public double Part { get; } = Logistic(theta[1]);

        public double NotPart { get; } = Logistic(-theta[1]);

        public double Rate { get; } = Math.Exp(theta[2]);

        /// <summary>1 − p(l) = (1 − D)·(1 − u + u·e^(−b·l)), above 0.</summary>
        public double Wrong(double decay) => NotFloor * (NotPart + (Part * decay));

        /// <summary>p(l) = D + (1 − D)·u·(1 − e^(−b·l)), above 0.</summary>
        public double Right(double decay) => Floor + (NotFloor * Part * (1 - decay));

        private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));
    }

    /// <summary>The logarithm of the posterior density at one θ, up to a constant, with its gradient and Fisher information.</summary>
    private sealed class Posterior
    {
        private readonly double[] _gradient = new double[3];
        private readonly double[,] _information = new double[3, 3];

        public Posterior(double[] theta, double[] centre, IList<WeightedCell> cells)
        {
            Theta = theta;
            Point = new Point(theta);
            Value = LogDensity(theta, centre, cells);
            for (var i = 0; i < 3; i++)
            {
                _gradient[i] = -PriorPrecision * (theta[i] - centre[i]);
                _information[i, i] = PriorPrecision;
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

        /// <summary>The step of Fisher scoring; a parameter that leans on the edge of its box stays there.</summary>
        public double[] ScoringStep()
        {
            var matrix = (double[,])_information.Clone();
            var right = (double[])_gradient.Clone();
            for (var i = 0; i < 3; i++)
            {
                if ((Theta[i] > Least[i] || right[i] > 0) && (Theta[i] < Most[i] || right[i] < 0))
                    continue;
                right[i] = 0;
                for (var k = 0; k < 3; k++)
                    matrix[i, k] = matrix[k, i] = i == k ? 1 : 0;
            }

            return new Cholesky(matrix).Solve(right);
        }

        /// <summary>
        /// Whether gradient · step, twice the gain that the step promises, is below 1e-12 (a millionth of a posterior standard
        /// deviation) or below what the sum of logarithms can resolve.
        /// </summary>
        public bool Converged(double[] step) =>
            _gradient.Zip(step, (slope, move) => slope * move).Sum() <= 1e-12 + (1e-15 * Math.Abs(Value));

        /// <summary>From the inverse information in θ, by ∂D = D(1 − D)∂θ₁, ∂A = −D·A·∂θ₁ + A(1 − u)∂θ₂, ∂b = b·∂θ₃.</summary>
        public AccuracyCurveError StandardError()
        {
            var covariance = new Cholesky(_information);
            var gain = Point.NotFloor * Point.Part;
            return new AccuracyCurveError(
                Math.Sqrt(covariance.InverseForm([Point.Floor * Point.NotFloor, 0, 0])),
                Math.Sqrt(covariance.InverseForm([-Point.Floor * gain, gain * Point.NotPart, 0])),
                Math.Sqrt(covariance.InverseForm([0, 0, Point.Rate])));
        }

        /// <summary>
        /// With g = 1 − e^(−b·l): ∂p/∂θ = (D(1 − p), A·g·(1 − u), A·b·l·e^(−b·l)); the score is (c − n·p)/(p(1 − p)).
        /// </summary>
        private void Add(WeightedCell cell)
        {
            var tokens = cell.TokenTrials / cell.Trials;
            var decay = Math.Exp(-Point.Rate * tokens);
            var (right, wrong) = (Point.Right(decay), Point.Wrong(decay));
            var gain = Point.NotFloor * Point.Part;
            double[] slope = [Point.Floor * wrong, gain * (1 - decay) * Point.NotPart, gain * Point.Rate * tokens * decay];
            var score = (cell.Correct / right) - ((cell.Trials - cell.Correct) / wrong);
            var weight = cell.Trials / (right * wrong);
            for (var i = 0; i < 3; i++)
            {
                _gradient[i] += score * slope[i];
                for (var k = 0; k < 3; k++)
                    _information[i, k] += weight * slope[i] * slope[k];
            }
        }
    }
}
