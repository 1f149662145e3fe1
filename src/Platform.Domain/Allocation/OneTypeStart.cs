namespace Platform.Domain.Allocation;

/// <summary>
/// Where <see cref="DualNewton"/> begins with one type: at the root of ln(α w A b/c) − ξ = ln(κ + s t) in the one
/// unknown ξ = b (l − lower), which is the optimum itself unless it lies at a bound. A step costs a logarithm, and less
/// than half of a sweep.
/// </summary>
internal static class OneTypeStart
{
    private const int MaxSteps = 12;

    /// <summary>Finds the point.</summary>
    /// <param name="model">The problem of one type, with λ and 1 − ρ at the lower bound above 0.</param>
    /// <param name="logAlpha">ln α.</param>
    /// <returns>1 − ρ and E[S²] there; those of the lower bound where no token is wanted.</returns>
    public static (double Idle, double Square) Find(TypeColumns model, double logAlpha)
    {
        // t = atLower + reach ξ, and 1 − ρ = IdleAtLower − used ξ.
        var (atLower, reach, value) = (
            model.ServiceAtLower[0],
            model.CostOverRate[0],
            model.LogValueAtLower[0] + logAlpha
        );
        var used = model.Lambda * model.Share[0] * reach;
        var (low, high) = (0.0, model.IdleAtLower / used);
        var xi = Math.Min(high / 2, value);
        if (!(xi > 0 && double.IsFinite(high)))
            return (model.IdleAtLower, model.SquareAtLower);
        for (var step = 0; step < MaxSteps; step++)
        {
            var (time, s) = (atLower + (reach * xi), model.Lambda / (model.IdleAtLower - (used * xi)));
            var square = (time * time) + model.Scatter;
            var price = 1 + (s * ((s * square / 2) + time));
            var growth = s * ((s * used / model.Lambda * ((s * square) + time)) + (s * time * reach) + reach);
            var over = value - xi - Elementary.Log(price);
            (low, high) = over > 0 ? (xi, high) : (low, xi);
            var next = xi + (over / (1 + (growth / price)));
            next = next > low && next < high ? next : low + ((high - low) / 2);
            var change = Math.Abs(next - xi);
            xi = next;
            if (change <= 1e-5 * xi)
                break;
        }

        var seconds = atLower + (reach * xi);
        return (model.IdleAtLower - (used * xi), (seconds * seconds) + model.Scatter);
    }
}
