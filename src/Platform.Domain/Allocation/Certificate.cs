using System.Runtime.Intrinsics;
using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// Proves how good a point is. By concavity J* − J(l) is at most the largest rise of the Lagrangian's tangent over the
/// bounds (the gap of Frank and Wolfe), plus what the prices charge for limits that are not met with equality.
/// </summary>
internal static class Certificate
{
    /// <summary>Builds the point that the solver stands at.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="newton">The solver, solved at the weight <paramref name="alpha"/>.</param>
    /// <param name="alpha">α/(1 + η).</param>
    /// <param name="eta">η ≥ 0, the price of E[T].</param>
    /// <param name="nu">ν/(1 + η).</param>
    public static ContinuousPoint Of(AllocationModel model, DualNewton newton, double alpha, double eta, double nu)
    {
        var tokens = new double[model.Count];
        var (gap, residual, accuracy) = Measure(model, newton, alpha, nu, tokens);
        return Assemble(model, newton, tokens, accuracy, gap, residual, eta, nu);
    }

    /// <summary>
    /// Forms the tokens, the largest rise of the tangent, the largest relative violation of the optimality conditions,
    /// and Σ π w p. Allocates nothing.
    /// </summary>
    public static (double Gap, double Residual, double Accuracy) Measure(
        TypeColumns model,
        DualNewton newton,
        double alpha,
        double nu,
        Span<double> tokens
    )
    {
        LaneSum gap = default,
            accuracy = default;
        var residual = Vector256<double>.Zero;

        // κ is formed anew, and so is 1 − ρ where a double can hold it: the certificate then does not take the solver's
        // word.
        var idle =
            newton.Idle > 1e-2 && model.Lambda > 0
                ? model.IdleAtLower - (model.Lambda * newton.Sums.Seconds)
                : newton.Idle;
        var s = model.Lambda / idle;
        var kappa = Vector256.Create(1 + (s * s * newton.Sums.Square / 2) + newton.Theta);
        for (var k = 0; k < model.Padded; k += 4)
        {
            var (lower, upper) = (Vector256.Create(model.Lower, k), Vector256.Create(model.Upper, k));
            var (share, weight) = (Vector256.Create(model.Share, k), Vector256.Create(model.Weight, k));
            var (rate, cost, most) = (
                Vector256.Create(model.Rate, k),
                Vector256.Create(model.Cost, k),
                Vector256.Create(model.Gain, k)
            );
            var excess = Vector256.Create(newton.Excess, k);
            var l = Vector256.MinNative(upper, lower + excess);
            var (exp, minusOne) = Elementary.ExpBoth(-rate * l);
            var gain = alpha * weight * most * rate * exp;
            var price = (cost * (kappa + (s * (Vector256.Create(model.Base, k) + (cost * l))))) + Vector256.Create(nu);
            var slope = gain - price;
            gap.Add(
                share
                    * Vector256.MaxNative(
                        slope * Vector256.MaxNative(Vector256<double>.Zero, upper - l),
                        -slope * excess
                    )
            );
            accuracy.Add(share * weight * (Vector256.Create(model.Floor, k) - (most * minusOne)));
            residual = Vector256.MaxNative(
                residual,
                Against(slope, excess, upper - l) / Vector256.MaxNative(Vector256.MaxNative(gain, price), Tiny)
            );
            Store(l, tokens[k..]);
        }

        return (
            gap.Value,
            Math.Max(Math.Max(residual[0], residual[1]), Math.Max(residual[2], residual[3])),
            accuracy.Value
        );
    }

    private static Vector256<double> Tiny => Vector256.Create(double.Epsilon);

    // |slope| where the tokens could follow it: up where there is room above, down where there is room below.
    private static Vector256<double> Against(Vector256<double> slope, Vector256<double> below, Vector256<double> above)
    {
        var zero = Vector256<double>.Zero;
        var down = Vector256.LessThan(slope, zero) & Vector256.GreaterThan(below, zero);
        var up = Vector256.GreaterThan(slope, zero) & Vector256.GreaterThan(above, zero);
        return Vector256.ConditionalSelect(down | up, Vector256.Abs(slope), zero);
    }

    private static void Store(Vector256<double> four, Span<double> tokens)
    {
        if (tokens.Length >= 4)
        {
            four.CopyTo(tokens);
            return;
        }

        for (var lane = 0; lane < tokens.Length; lane++)
            tokens[lane] = four[lane];
    }

    private static ContinuousPoint Assemble(
        AllocationModel model,
        DualNewton newton,
        double[] tokens,
        double accuracy,
        double gap,
        double residual,
        double eta,
        double nu
    )
    {
        var problem = model.Problem;
        var theta = newton.Theta;
        if (nu > 0)
            gap += nu * Math.Abs(problem.MeanTokenBudget!.Value - newton.MeanTokens);
        if (eta > 0)
            gap += eta / (1 + eta) * Math.Abs(problem.MaxMeanSystemTimeSeconds!.Value - newton.MeanSystemTime);
        if (theta > 0)
            gap +=
                theta
                * Math.Abs(model.MaxUtilization - 1 + model.IdleAtLower - (model.Lambda * newton.Sums.Seconds))
                / model.Lambda;
        var scale = 1 + eta;
        return new()
        {
            Tokens = tokens,
            Idle = newton.Idle,
            MeanService = newton.MeanService,
            Square = newton.Sums.Square,
            WeightedAccuracy = accuracy,
            Objective = (problem.AccuracyWeight * accuracy) - newton.MeanSystemTime,
            KktResidual = residual,
            Gap = gap * scale,
            Prices = new(nu * scale, eta, theta > 0 ? theta * scale / model.Lambda : 0),
        };
    }
}
