using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// Proves how good a point is. By concavity J* − J(l) is at most the largest rise of the Lagrangian's tangent over the bounds (the gap of
/// Frank and Wolfe), plus what the prices charge for limits that are not met with equality.
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
        CompensatedSum gap = default, accuracy = default;
        var residual = 0.0;

        // κ is formed anew, and so is 1 − ρ where a double can hold it: the certificate then does not take the solver's word.
        var idle = newton.Idle > 1e-3 && model.Lambda > 0 ? model.IdleAtLower - (model.Lambda * newton.Sums.Seconds) : newton.Idle;
        var s = model.Lambda / idle;
        var kappa = 1 + (s * s * newton.Sums.Square / 2) + newton.Theta;
        for (var k = 0; k < tokens.Length; k++)
        {
            var (lower, upper) = (model.Lower[k], model.Upper[k]);
            var l = tokens[k] = Math.Min(upper, lower + newton.Excess[k]);
            var gain = alpha * model.Weight[k] * model.Gain[k] * model.Rate[k] * Math.Exp(-model.Rate[k] * l);
            var price = (model.Cost[k] * (kappa + (s * model.Service(k, l)))) + nu;
            var gradient = gain - price;
            var excess = newton.Excess[k];
            gap.Add(model.Share[k] * Math.Max(gradient * Math.Max(0, upper - l), -gradient * excess));
            accuracy.Add(model.Share[k] * model.Weight[k] * model.Accuracy(k, l));
            var against = (excess > 0 || gradient > 0) && (l < upper || gradient < 0) ? Math.Abs(gradient) : 0;
            residual = against > 0 ? Math.Max(residual, against / Math.Max(gain, price)) : residual;
        }

        return Assemble(model, newton, tokens, accuracy.Value, gap.Value, residual, eta, nu);
    }

    private static ContinuousPoint Assemble(
        AllocationModel model, DualNewton newton, double[] tokens, double accuracy, double gap, double residual, double eta, double nu)
    {
        var problem = model.Problem;
        var theta = newton.Theta;
        if (nu > 0)
            gap += nu * Math.Abs(problem.MeanTokenBudget!.Value - newton.MeanTokens);
        if (eta > 0)
            gap += eta / (1 + eta) * Math.Abs(problem.MaxMeanSystemTimeSeconds!.Value - newton.MeanSystemTime);
        if (theta > 0)
            gap += theta * Math.Abs(model.MaxUtilization - 1 + model.IdleAtLower - (model.Lambda * newton.Sums.Seconds)) / model.Lambda;
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
