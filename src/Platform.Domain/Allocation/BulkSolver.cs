using System.Runtime.Intrinsics;

namespace Platform.Domain.Allocation;

/// <summary>
/// One plain problem of many, as columns with a number for each task type, in the caller's memory. Ranges are those of
/// <see cref="ProblemValidation"/>.
/// </summary>
public ref struct BulkProblem
{
    /// <summary>λ ≥ 0 at one server, per second.</summary>
    public double ArrivalRate { get; set; }

    /// <summary>α ≥ 0, seconds of mean system time that one unit of accuracy is worth.</summary>
    public double AccuracyWeight { get; set; }

    /// <summary>π, 0 to 1, summing to 1.</summary>
    public ReadOnlySpan<double> Share { get; set; }

    /// <summary>t⁰ ≥ 0, seconds.</summary>
    public ReadOnlySpan<double> BaseSeconds { get; set; }

    /// <summary>c ≥ 0, seconds for each token.</summary>
    public ReadOnlySpan<double> SecondsPerToken { get; set; }

    /// <summary>v ≥ 0, variance around the line, seconds squared; empty where all are 0.</summary>
    public ReadOnlySpan<double> VarianceSecondsSquared { get; set; }

    /// <summary>
    /// D, accuracy without reasoning, −1 to 1, and such that the curve is not below 0 at the fewest tokens.
    /// </summary>
    public ReadOnlySpan<double> Floor { get; set; }

    /// <summary>A, what endless reasoning adds, −D to 1 − D and at least 0.</summary>
    public ReadOnlySpan<double> Gain { get; set; }

    /// <summary>b ≥ 0, per token.</summary>
    public ReadOnlySpan<double> RatePerToken { get; set; }

    /// <summary>w > 0; empty where all are 1.</summary>
    public ReadOnlySpan<double> Weight { get; set; }

    /// <summary>Fewest tokens, at least 0; empty where all are 0.</summary>
    public ReadOnlySpan<double> MinTokens { get; set; }

    /// <summary>Most tokens, at least the fewest.</summary>
    public ReadOnlySpan<double> MaxTokens { get; set; }
}

/// <summary>The continuous optimum of one problem of many.</summary>
/// <param name="Status">Whether the lower bounds leave the queue stable; the rest is 0 where not.</param>
/// <param name="Exit">Why the method stopped.</param>
/// <param name="Iterations">Sweeps over the task types.</param>
/// <param name="Objective">J, seconds.</param>
/// <param name="OptimalityGap">Certified upper bound on what any allocation can gain over this one, seconds.</param>
/// <param name="KktResidual">Largest relative violation of the optimality conditions.</param>
/// <param name="Idle">1 − ρ, to full relative precision however small.</param>
public readonly record struct BulkOptimum(
    SolutionStatus Status,
    SolverExit Exit,
    int Iterations,
    double Objective,
    double OptimalityGap,
    double KktResidual,
    double Idle
);

/// <summary>
/// Solves plain problems (bounds and weights, no limits) by the default method, one after another, and allocates
/// nothing after its creation. One instance for each thread. Its answers are those of <see cref="AllocationSolver"/> to
/// the bit.
/// </summary>
public sealed class BulkSolver
{
    private readonly BulkColumns _columns;
    private readonly DualNewton _newton;

    /// <summary>Makes room.</summary>
    /// <param name="capacity">Most task types of a problem, 1 to <see cref="ProblemValidation.MaxTaskTypes"/>.</param>
    public BulkSolver(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, ProblemValidation.MaxTaskTypes);
        _columns = new BulkColumns(capacity);
        _newton = new DualNewton(_columns);
    }

    /// <summary>Finds the continuous optimum and its certificate.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="tokens">Receives l, one number for each task type.</param>
    /// <exception cref="ArgumentException">Columns differ in length or exceed the capacity, or a number is out of its
    /// range.</exception>
    public BulkOptimum Solve(in BulkProblem problem, Span<double> tokens)
    {
        if (tokens.Length != problem.Share.Length)
            throw new ArgumentException(
                $"There are {problem.Share.Length} task types and room for {tokens.Length}.",
                nameof(tokens)
            );
        _columns.Fill(problem);
        if (!(_columns.IdleAtLower > 0))
            return new(SolutionStatus.Infeasible, SolverExit.Converged, 0, 0, 0, 0, 0);
        _newton.Restart();
        _newton.Solve(Elementary.Log(problem.AccuracyWeight), 0);
        var (gap, residual, accuracy) = Certificate.Measure(_columns, _newton, problem.AccuracyWeight, 0, tokens);
        var objective = (problem.AccuracyWeight * accuracy) - _newton.MeanSystemTime;
        var exit = _newton.Converged ? SolverExit.Converged : SolverExit.IterationLimit;
        return new(SolutionStatus.Optimal, exit, _newton.Sweeps, objective, gap, residual, _newton.Idle);
    }

    private sealed class BulkColumns(int capacity) : TypeColumns(capacity)
    {
        private readonly int _capacity = capacity;

        public void Fill(in BulkProblem problem)
        {
            var count = problem.Share.Length;
            if (count < 1 || count > _capacity)
                throw new ArgumentException($"There are {count} task types, not 1 to {_capacity}.", nameof(problem));
            Resize(count);
            Require(
                problem.ArrivalRate >= 0 && problem.ArrivalRate <= ProblemValidation.Largest,
                nameof(problem.ArrivalRate)
            );
            Require(
                problem.AccuracyWeight >= 0 && problem.AccuracyWeight <= ProblemValidation.LargestAccuracyWeight,
                nameof(problem.AccuracyWeight)
            );
            (Lambda, ArrivalRate) = (problem.ArrivalRate, problem.ArrivalRate);
            Copy(problem.Share, Share, 0, 1, nameof(problem.Share));
            Copy(problem.BaseSeconds, Base, 0, ProblemValidation.Largest, nameof(problem.BaseSeconds));
            Copy(problem.SecondsPerToken, Cost, 0, ProblemValidation.Largest, nameof(problem.SecondsPerToken));
            Copy(problem.Floor, Floor, -1, 1, nameof(problem.Floor));
            Copy(problem.Gain, Gain, 0, 2, nameof(problem.Gain));
            Copy(problem.RatePerToken, Rate, 0, ProblemValidation.Largest, nameof(problem.RatePerToken));
            Copy(problem.MaxTokens, Upper, 0, ProblemValidation.MaxTokens, nameof(problem.MaxTokens));
            CopyOr(
                0,
                problem.VarianceSecondsSquared,
                Variance,
                0,
                ProblemValidation.Largest,
                nameof(problem.VarianceSecondsSquared)
            );
            CopyOr(1, problem.Weight, Weight, double.Epsilon, ProblemValidation.Largest, nameof(problem.Weight));
            CopyOr(0, problem.MinTokens, Lower, 0, ProblemValidation.MaxTokens, nameof(problem.MinTokens));
            RequireConsistent();
            Prepare();
        }

        private void RequireConsistent()
        {
            var (shares, most) = (Vector256<double>.Zero, Vector256.Create(1 + 1e-12));
            var (ordered, probable) = (Vector256<double>.AllBitsSet, Vector256<double>.AllBitsSet);
            for (var k = 0; k < Padded; k += 4)
            {
                shares += Vector256.Create(Share, k);
                ordered &= Vector256.LessThanOrEqual(Vector256.Create(Lower, k), Vector256.Create(Upper, k));
                var sum = Vector256.Create(Floor, k) + Vector256.Create(Gain, k);
                probable &=
                    Vector256.LessThanOrEqual(sum, most) & Vector256.GreaterThanOrEqual(sum, Vector256.Create(-1e-12));
            }

            Require(AllSet(probable), nameof(BulkProblem.Gain));
            for (var k = 0; k < Count; k++)
                Require(!(Floor[k] < 0) || !(Curve(k, Lower[k]) < 0), nameof(BulkProblem.Floor));
            Require(AllSet(ordered), nameof(BulkProblem.MinTokens));
            Require(Math.Abs(Vector256.Sum(shares) - 1) <= ProblemValidation.ShareTolerance, nameof(BulkProblem.Share));
        }

        private static bool AllSet(Vector256<double> mask) =>
            Vector256.EqualsAll(mask.AsInt64(), Vector256<long>.AllBitsSet);

        private static void Require(bool holds, string name)
        {
            if (!holds)
                throw new ArgumentException($"{name} is out of its range.", name);
        }

        private void CopyOr(
            double otherwise,
            ReadOnlySpan<double> from,
            double[] to,
            double least,
            double most,
            string name
        )
        {
            if (from.Length == 0)
                to.AsSpan(0, Count).Fill(otherwise);
            else
                Copy(from, to, least, most, name);
        }

        private void Copy(ReadOnlySpan<double> from, double[] to, double least, double most, string name)
        {
            Require(from.Length == Count, name);
            var (within, k) = (Vector256<double>.AllBitsSet, 0);
            var (low, high) = (Vector256.Create(least), Vector256.Create(most));
            for (; k <= from.Length - 4; k += 4)
            {
                var four = Vector256.Create(from[k..]);
                within &= Vector256.GreaterThanOrEqual(four, low) & Vector256.LessThanOrEqual(four, high);
                four.CopyTo(to, k);
            }

            var all = AllSet(within);
            for (; k < from.Length; k++)
            {
                all &= from[k] >= least && from[k] <= most;
                to[k] = from[k];
            }

            Require(all, name);
        }
    }
}
