using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>The sums that one sweep leaves behind; <c>D</c> is b (κ + ν/c + s t) + s c over the types strictly between their bounds.</summary>
internal struct SweepSums
{
    /// <summary>Σ π c (l − lower).</summary>
    public double Seconds;

    /// <summary>E[S²] = Σ π t².</summary>
    public double Square;

    /// <summary>Σ π (l − lower).</summary>
    public double Tokens;

    /// <summary>Σ π c t^n / D for n = 0, 1, 2.</summary>
    public double Slope0, Slope1, Slope2;
}

/// <summary>
/// The tokens that each type takes at given prices. With s = λ/(1 − ρ), κ the multiplier of E[S] and ν that of the mean tokens, the
/// optimality condition of type k holds that type alone: α w A b e^(−b l) = c (κ + s t) + ν, clipped to its bounds.
/// </summary>
internal static class TokenResponse
{
    /// <summary>Finds all tokens, as excess over the lower bounds, and the sums that the outer equations need. O(N), allocates nothing.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="logAlpha">ln α.</param>
    /// <param name="s">λ/(1 − ρ) ≥ 0.</param>
    /// <param name="kappa">κ ≥ 1.</param>
    /// <param name="nu">ν ≥ 0.</param>
    /// <param name="excess">Receives l − lower.</param>
    public static SweepSums Sweep(AllocationModel model, double logAlpha, double s, double kappa, double nu, double[] excess)
    {
        CompensatedSum seconds = default, square = default, tokens = default;
        var sums = default(SweepSums);
        for (var k = 0; k < excess.Length; k++)
        {
            var (cost, share, service) = (model.Cost[k], model.Share[k], model.ServiceAtLower[k]);
            var price = cost > 0 ? kappa + (nu / cost) + (s * service) : nu;
            var delta = Excess(model, k, model.LogValueAtLower[k] + logAlpha, price, s * cost);
            excess[k] = delta;
            service += cost * delta;
            var used = share * cost;
            seconds.Add(used * delta);
            square.Add(share * service * service);
            tokens.Add(share * delta);
            if (!(used > 0) || !(delta > 0) || delta >= model.Upper[k] - model.Lower[k])
                continue;
            var slope = used / ((model.Rate[k] * (price + (s * cost * delta))) + (s * cost));
            sums.Slope0 += slope;
            sums.Slope1 += slope * service;
            sums.Slope2 += slope * service * service;
        }

        (sums.Seconds, sums.Square, sums.Tokens) = (seconds.Value, square.Value, tokens.Value);
        return sums;
    }

    private static double Excess(AllocationModel model, int k, double logValue, double price, double steepness)
    {
        // Without a cost and a price more tokens are free: all of them where they bring something, none where they do not.
        var room = model.Upper[k] - model.Lower[k];
        if (price <= 0)
            return logValue > double.NegativeInfinity ? room : 0;
        var d = logValue - Math.Log(price);
        if (!(d > 0) || !(room > 0))
            return 0;
        var rate = model.Rate[k];
        var beta = steepness > 0 ? rate * price / steepness : double.PositiveInfinity;
        var full = rate * room;
        if (!(beta < 1e18))
            return full <= d ? room : Math.Min(d / rate, room);
        beta = Math.Max(beta, 1e-290);
        return full + Elementary.LogOnePlus(full / beta) <= d ? room : Math.Min(WrightOmegaExcess(d, beta) / rate, room);
    }

    /// <summary>
    /// The root ξ > 0 of ξ + ln(1 + ξ/β) = d, which is ω(d + β + ln β) − β with ω the Wright omega function, formed without the
    /// cancellation of the difference and without e^z. Iteration of the fourth order: Fritsch, Shafer and Crowley, CACM 16 (1973) 123.
    /// </summary>
    private static double WrightOmegaExcess(double d, double beta)
    {
        // Two Newton steps of the convex equation y + β(e^y − 1) = d, from ln(1 + d/β) and from 0; both are above the root, so the lower.
        var y1 = Elementary.LogOnePlus(d / beta) * (beta + d) / (1 + beta + d);
        var y0 = d / (1 + beta);
        var xi = y0 < y1 ? beta * Elementary.ExpMinusOne(y0) : d - y1;
        for (var step = 0; step < 12; step++)
        {
            var residual = d - xi - Elementary.LogOnePlus(xi / beta);
            var z = xi + beta;
            var y = 1 + z;
            var q = 2 * y * (y + (2 * residual / 3));
            var change = z * (residual / y) * ((q - residual) / (q - (2 * residual)));
            var next = xi + change;
            if (!(next > 0))
                next = xi / 2;
            xi = next;

            // A relative step of 1e-4 leaves an error of its fourth power.
            if (Math.Abs(change) <= 1e-4 * xi)
                break;
        }

        return xi;
    }
}
