using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// Bounds that hold at the optimum of an M/G/1 problem and can be had before solving. They bear on the methods, not on
/// the answer.
/// </summary>
internal static class AprioriBounds
{
    /// <summary>
    /// A positive lower bound on 1 − ρ at the optimum. J(l) ≥ J(lower) implies E[T](l) ≤ K = α Σ π w (p(upper) −
    /// p(lower)) + E[T](lower); with E[S²] ≥ E[S]² + V, V = Σ π v, ρ + (ρ² + λ²V)/(2(1 − ρ)) ≤ λK, hence 1 − ρ ≥ √(1 +
    /// λ²V + (λK)²) − λK, formed here without cancellation.
    /// </summary>
    /// <param name="model">The problem.</param>
    /// <param name="alpha">α.</param>
    /// <param name="accuracyRange">Σ π w (p(upper) − p(lower)), or something above it.</param>
    public static double LeastIdle(TypeColumns model, double alpha, double accuracyRange)
    {
        var wait = model.Lambda * model.SquareAtLower / (2 * model.IdleAtLower);
        var x = model.Lambda * ((alpha * accuracyRange) + model.MeanAtLower + wait);
        var spread = 1 + (model.Lambda * model.Lambda * model.Scatter);
        return Math.Max(spread / (x + Math.Sqrt(spread + (x * x))), model.LeastIdleAtUpper);
    }

    /// <summary>Σ π w (p(upper) − p(lower)), what all tokens together can add to the weighted accuracy.</summary>
    public static double AccuracyRange(TypeColumns model)
    {
        var range = default(CompensatedSum);
        for (var k = 0; k < model.Count; k++)
            range.Add(
                model.Share[k]
                    * model.Weight[k]
                    * (model.Accuracy(k, model.Upper[k]) - model.Accuracy(k, model.Lower[k]))
            );
        return range.Value;
    }

    /// <summary>
    /// q = λ/(1 − ρ̄) · max (c + 2 Σπc + √(Σπc²/2)) / b over the types: bounds the Jacobian of the fixed-point map in
    /// the maximum norm on ρ ≤ ρ̄, by Cauchy-Schwarz on Σ π c t and M ≥ λ √(2 E[S²])/(1 − ρ).
    /// </summary>
    public static double? ContractionModulus(TypeColumns model, double leastIdle)
    {
        double cost = 0,
            costSquared = 0,
            most = 0;
        for (var k = 0; k < model.Count; k++)
        {
            cost += model.Share[k] * model.Cost[k];
            costSquared += model.Share[k] * model.Cost[k] * model.Cost[k];
        }

        for (var k = 0; k < model.Count; k++)
            most = Math.Max(most, (model.Cost[k] + (2 * cost) + Math.Sqrt(costSquared / 2)) / model.Rate[k]);
        return Finite(model.Lambda / leastIdle * most);
    }

    /// <summary>
    /// L: bounds the norm of the Hessian of J on ρ ≤ ρ̄. The Hessian is minus a diagonal and minus x² (uvᵀ + vuᵀ +
    /// (λE[S²]/r) uuᵀ) with u = πc, v = ut, x = λ/r; the largest eigenvalue of uvᵀ + vuᵀ is u·v + |u||v|, and every
    /// term is largest at r = 1 − ρ̄, at the longest service times that ρ ≤ ρ̄ lets through, and at the lower bounds.
    /// </summary>
    public static double? GradientLipschitz(AllocationModel model, double leastIdle)
    {
        var x = model.Lambda / leastIdle;
        var most = (1 - leastIdle) / model.Lambda;
        double diagonal = 0,
            square = 0,
            longest = 0,
            uu = 0,
            uv = 0,
            vv = 0;
        for (var k = 0; k < model.Count; k++)
        {
            var (share, cost, rate) = (model.Share[k], model.Cost[k], model.Rate[k]);
            var time = model.Service(k, model.Upper[k]);
            if (model.Lambda > 0 && share > 0)
                time = Math.Min(time, model.ServiceAtLower[k] + Math.Max(0, (most - model.MeanAtLower) / share));
            var bend =
                model.Problem.AccuracyWeight
                * model.Weight[k]
                * model.Gain[k]
                * rate
                * rate
                * Elementary.Exp(-rate * model.Lower[k]);
            diagonal = Math.Max(diagonal, share * (bend + (x * cost * cost)));
            longest = share > 0 ? Math.Max(longest, time) : longest;
            square += share * time * time;
            var u = share * cost;
            (uu, uv, vv) = (uu + (u * u), uv + (u * u * time), vv + (u * u * time * time));
        }

        square = model.Scatter + (model.Lambda > 0 ? Math.Min(square, longest * most) : square);
        return Finite(diagonal + (x * x * (uv + Math.Sqrt(uu * vv))) + (x * x * x * square * uu));
    }

    // JSON has no infinity; a modulus that is not finite says nothing.
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
