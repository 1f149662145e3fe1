using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;

namespace Platform.Benchmarks;

/// <summary>
/// What a .NET developer would reach for: the bounded BFGS of MathNet.Numerics, given the exact gradient.
/// </summary>
internal static class BoundedBfgs
{
    /// <summary>Most types: it holds a dense matrix of N² numbers.</summary>
    public const int MostTypes = 1_000;

    // Stands for −J = +∞ where the queue is unstable: its line search cannot calculate with infinity.
    private const double Barrier = 1e12;

    /// <summary>Maximises J from no tokens at all.</summary>
    /// <returns>
    /// The best J that it came across before it ended, failed or ran out of time, and whether it ended by itself.
    /// </returns>
    public static (double Objective, bool Ended) Maximise(GeneratedFleet fleet, TimeSpan limit)
    {
        var (best, start) = (double.NegativeInfinity, System.Diagnostics.Stopwatch.GetTimestamp());
        double Value(Vector<double> tokens)
        {
            if (System.Diagnostics.Stopwatch.GetElapsedTime(start) > limit)
                throw new TimeoutException();
            var value = fleet.Evaluate(tokens.AsArray(), fleet.Gradient);
            best = Math.Max(best, value);
            return double.IsFinite(value) ? -value : Barrier;
        }

        Vector<double> Gradient(Vector<double> tokens)
        {
            fleet.Evaluate(tokens.AsArray(), fleet.Gradient);
            return Vector<double>.Build.Dense([.. fleet.Gradient.Select(g => -g)]);
        }

        try
        {
            var none = Vector<double>.Build.Dense(fleet.Count);
            var minimizer = new BfgsBMinimizer(1e-10, 1e-10, 1e-12, 100_000);
            minimizer.FindMinimum(
                ObjectiveFunction.Gradient(Value, Gradient),
                none,
                Vector<double>.Build.Dense(fleet.Upper),
                none.Clone()
            );
            return (best, true);
        }
        catch (TimeoutException)
        {
            return (best, false);
        }
        catch (Exception fault) when (fault is OptimizationException or NonConvergenceException or ArithmeticException)
        {
            return (best, true);
        }
    }
}
