using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// The sums that one sweep leaves behind; <c>D</c> is b (κ + ν/c + s t) + s c over the types strictly between their
/// bounds.
/// </summary>
internal struct SweepSums
{
    /// <summary>Σ π c (l − lower).</summary>
    public double Seconds;

    /// <summary>E[S²] = Σ π (t² + v).</summary>
    public double Square;

    /// <summary>Σ π (l − lower).</summary>
    public double Tokens;

    /// <summary>Σ π c t^n / D for n = 0, 1, 2.</summary>
    public double Slope0,
        Slope1,
        Slope2;
}

/// <summary>What is the same for all types in one sweep.</summary>
/// <param name="LogAlpha">ln α.</param>
/// <param name="Alpha">α.</param>
/// <param name="S">s = λ/(1 − ρ) ≥ 0.</param>
/// <param name="Kappa">κ ≥ 1.</param>
/// <param name="Nu">ν ≥ 0.</param>
/// <param name="Near">Relative length of a type's last step: <see cref="TokenResponse.Fine"/> or
/// <see cref="TokenResponse.Coarse"/>.</param>
internal readonly record struct Prices(double LogAlpha, double Alpha, double S, double Kappa, double Nu, double Near);

/// <summary>
/// Four types' ln(α w A b e^(−b lower)/c), price a = κ + ν/c + s t(lower), s c/b, β = b a/(s c), b (upper − lower), and
/// whether any token is wanted.
/// </summary>
internal readonly record struct Four(
    Vector256<double> LogValue,
    Vector256<double> Price,
    Vector256<double> Growth,
    Vector256<double> Beta,
    Vector256<double> Full,
    Vector256<double> Wanted,
    Vector256<double> Common
);

/// <summary>
/// The tokens that each type takes at given prices. With s = λ/(1 − ρ), κ the multiplier of E[S] and ν that of the mean
/// tokens, the optimality condition of type k holds that type alone: α w A b e^(−b l) = c (κ + s t) + ν, clipped to its
/// bounds.
/// </summary>
internal static class TokenResponse
{
    private const int MaxColdSteps = 12;

    private const int MaxWarmSteps = 5;

    /// <summary>
    /// A step leaves an error of less than its fourth power: after one of this length no digit is missing.
    /// </summary>
    public const double Fine = 3e-4;

    /// <summary>For a sweep that another one follows, which starts nearer.</summary>
    public const double Coarse = 0.5;

    /// <summary>
    /// Finds all tokens, as excess over the lower bounds, and the sums that the outer equations need. O(N), allocates
    /// nothing.
    /// </summary>
    /// <param name="model">The problem.</param>
    /// <param name="prices">What couples the types.</param>
    /// <param name="excess">l − lower of the last sweep, or zeros; receives the new.</param>
    public static SweepSums Sweep(TypeColumns model, in Prices prices, double[] excess)
    {
        LaneSum seconds = default,
            square = default,
            tokens = default;
        Vector256<double> slope0 = default,
            slope1 = default,
            slope2 = default;
        for (var k = 0; k < model.Padded; k += 4)
        {
            var (delta, bend) = Excess(model, k, prices, excess);
            delta.CopyTo(excess, k);
            var (share, cost) = (Load(model.Share, k), Load(model.Cost, k));
            var used = share * cost;
            var service = Load(model.ServiceAtLower, k) + (cost * delta);
            seconds.Add(used * delta);
            square.Add(share * service * service);
            if (model.CountsTokens)
                tokens.Add(share * delta);
            var free =
                Vector256.GreaterThan(delta, Vector256<double>.Zero)
                & Vector256.LessThan(delta, Room(model, k))
                & Vector256.GreaterThan(used, Vector256<double>.Zero);
            var slope = Vector256.ConditionalSelect(free, share / bend, default);
            slope0 += slope;
            slope1 += slope * service;
            slope2 += slope * service * service;
        }

        // Copies, because taking a sum's lanes would keep the sum itself out of the registers.
        var (allSeconds, allSquares, allTokens) = (seconds, square, tokens);
        return new()
        {
            Seconds = allSeconds.Value,
            Square = allSquares.Value + model.Scatter,
            Tokens = allTokens.Value,
            Slope0 = Vector256.Sum(slope0),
            Slope1 = Vector256.Sum(slope1),
            Slope2 = Vector256.Sum(slope2),
        };
    }

    /// <summary>
    /// Moves the tokens of the last sweep by the linear part of small changes of s and κ, and forms the sums anew,
    /// without the slopes.
    /// </summary>
    public static SweepSums Shift(TypeColumns model, in Prices prices, double ds, double dKappa, double[] excess)
    {
        LaneSum seconds = default,
            square = default,
            tokens = default;
        var zero = Vector256<double>.Zero;
        for (var k = 0; k < model.Padded; k += 4)
        {
            var (share, cost, delta, room) = (
                Load(model.Share, k),
                Load(model.Cost, k),
                Load(excess, k),
                Room(model, k)
            );
            var service = Load(model.ServiceAtLower, k) + (cost * delta);

            // dl/dκ = −1/D, dl/ds = −t/D.
            var bend =
                (Load(model.Rate, k) * (Price(model, k, prices) + (prices.S * cost * delta))) + (prices.S * cost);
            var change = (Vector256.Create(dKappa) + (ds * service)) / bend;
            var free =
                Vector256.GreaterThan(delta, zero)
                & Vector256.LessThan(delta, room)
                & Vector256.GreaterThan(cost, zero);
            var moved = Vector256.MinNative(room, Vector256.MaxNative(zero, delta - change));
            delta = Vector256.ConditionalSelect(free, moved, delta);
            delta.CopyTo(excess, k);
            service = Load(model.ServiceAtLower, k) + (cost * delta);
            seconds.Add(share * cost * delta);
            square.Add(share * service * service);
            if (model.CountsTokens)
                tokens.Add(share * delta);
        }

        var (allSeconds, allSquares, allTokens) = (seconds, square, tokens);
        return new()
        {
            Seconds = allSeconds.Value,
            Square = allSquares.Value + model.Scatter,
            Tokens = allTokens.Value,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Load(double[] column, int k) =>
        Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(column), (nuint)k);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Room(TypeColumns model, int k) => Load(model.Upper, k) - Load(model.Lower, k);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool All(Vector256<double> mask) => Vector256.EqualsAll(mask.AsInt64(), Vector256<long>.AllBitsSet);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Price(TypeColumns model, int k, in Prices prices)
    {
        var price = Vector256.Create(prices.Kappa) + (prices.S * Load(model.ServiceAtLower, k));
        return prices.Nu > 0 ? price + (Vector256.Create(prices.Nu) / Load(model.Cost, k)) : price;
    }

    /// <summary>
    /// l − lower of four types, and their D/c. What is common, one step for all four from where the last sweep left
    /// them, stands here, and all else apart.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<double> Delta, Vector256<double> Bend) Excess(
        TypeColumns model,
        int k,
        in Prices prices,
        double[] last
    )
    {
        var four = Form(model, k, prices);
        var xi = Load(model.Rate, k) * Load(last, k);
        if (!All(four.Common & (Vector256.GreaterThan(xi, Vector256<double>.Zero) | ~four.Wanted)))
            return Rare(model, k, prices, xi);
        var settled = Advance(four, prices.Near, ref xi);
        return All(settled) ? Answer(model, k, prices, four, xi) : Rare(model, k, prices, xi);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Four Form(TypeColumns model, int k, in Prices prices)
    {
        var (price, room) = (Price(model, k, prices), Room(model, k));
        var growth = prices.S * Load(model.CostOverRate, k);
        var beta = price / growth;
        return new(
            Load(model.LogValueAtLower, k) + Vector256.Create(prices.LogAlpha),
            price,
            growth,
            beta,
            Load(model.Rate, k) * room,
            Vector256.GreaterThan(Load(model.ValueAtLower, k) * prices.Alpha, price)
                & Vector256.GreaterThan(room, Vector256<double>.Zero),
            Vector256.GreaterThan(Load(model.Cost, k), Vector256<double>.Zero)
                & Vector256.GreaterThan(beta, Vector256.Create(1e-12))
                & Vector256.LessThan(beta, Vector256.Create(1e12))
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<double> Delta, Vector256<double> Bend) Answer(
        TypeColumns model,
        int k,
        in Prices prices,
        in Four four,
        Vector256<double> xi
    )
    {
        var room = Room(model, k);
        var delta = Vector256.ConditionalSelect(
            Vector256.GreaterThanOrEqual(xi, four.Full),
            room,
            Vector256.MinNative(xi / Load(model.Rate, k), room)
        );

        // b (κ + ν/c + s t) is s c (β + ξ).
        return (
            Vector256.ConditionalSelect(four.Wanted, delta, default),
            prices.S * (Vector256<double>.One + four.Beta + xi)
        );
    }

    /// <summary>
    /// The same where a first token is wanted, where one step is not enough, and where a number is at an end of its
    /// range.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (Vector256<double> Delta, Vector256<double> Bend) Rare(
        TypeColumns model,
        int k,
        in Prices prices,
        Vector256<double> xi
    )
    {
        var four = Form(model, k, prices);
        if (!All(four.Common))
            return OneByOne(model, k, prices);
        if ((four.Wanted & Vector256.LessThanOrEqual(xi, Vector256<double>.Zero)) != default)
            xi = FromAfar(four);
        else if (!Settle(four, prices.Near, MaxWarmSteps, ref xi))
            xi = FromAfar(four);
        else
            return Answer(model, k, prices, four, xi);
        if (prices.Near < Coarse)
            Settle(four, prices.Near, MaxColdSteps, ref xi);
        return Answer(model, k, prices, four, xi);
    }

    private static bool Settle(in Four four, double near, int steps, ref Vector256<double> xi)
    {
        for (var step = 0; step < steps; step++)
        {
            if (All(Advance(four, near, ref xi)))
                return true;
        }

        return false;
    }

    private static (Vector256<double> Delta, Vector256<double> Bend) OneByOne(
        TypeColumns model,
        int first,
        in Prices prices
    )
    {
        var (result, bend) = (Vector256<double>.Zero, Vector256<double>.Zero);
        for (var k = first; k < first + 4; k++)
        {
            var cost = model.Cost[k];
            var price = cost > 0 ? prices.Kappa + (prices.Nu / cost) + (prices.S * model.ServiceAtLower[k]) : prices.Nu;
            var delta = Excess(model, k, model.LogValueAtLower[k] + prices.LogAlpha, price, prices.S * cost);
            var steepness = prices.S * cost;
            result = result.WithElement(k - first, delta);
            bend = bend.WithElement(k - first, (model.Rate[k] * (price + (steepness * delta)) / cost) + prices.S);
        }

        return (result, bend);
    }

    // Two Newton steps of the convex equation y + β(e^y − 1) = d, from ln(1 + d/β) and from 0; both are above the root,
    // so the lower. The slope at 0 bounds ξ from below.
    private static Vector256<double> FromAfar(in Four four)
    {
        var (beta, one) = (four.Beta, Vector256<double>.One);
        var d = Vector256.Max(four.LogValue - Elementary.Log(four.Price), Vector256<double>.Zero);
        d = Vector256.ConditionalSelect(four.Wanted, d, one);
        var y1 = Elementary.Log(one + (d / beta)) * (beta + d) / (one + beta + d);
        var y0 = d / (one + beta);
        var xi = Vector256.ConditionalSelect(Vector256.LessThan(y0, y1), beta * Elementary.ExpMinusOne(y0), d - y1);
        return Vector256.MaxNative(xi, beta * y0);
    }

    /// <summary>One step of Fritsch, Shafer and Crowley for four types; returns which of them have settled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Advance(in Four four, double near, ref Vector256<double> xi)
    {
        // d − ξ − ln(1 + ξ/β) with one logarithm.
        var residual = four.LogValue - xi - Elementary.Log(four.Price + (four.Growth * xi));
        var z = xi + four.Beta;
        var y = z + Vector256<double>.One;
        var q = 2 * y * (y + (residual * (2.0 / 3)));

        // Far from the root the fraction has poles, and Newton's step none.
        var far = Vector256.GreaterThan(Vector256.Abs(residual), y + y);
        var upper = Vector256.ConditionalSelect(far, Vector256<double>.One, q - residual);
        var lower = Vector256.ConditionalSelect(far, Vector256<double>.One, q - (2 * residual));
        var change = z * residual * upper / (y * lower);
        var next = xi + change;
        next = Vector256.ConditionalSelect(Vector256.GreaterThan(next, Vector256<double>.Zero), next, xi * 0.5);

        // A type at its upper bound that wants more stays there.
        var stays =
            (
                Vector256.GreaterThanOrEqual(xi, four.Full)
                & Vector256.GreaterThanOrEqual(residual, Vector256<double>.Zero)
            ) | ~four.Wanted;
        xi = Vector256.ConditionalSelect(stays, xi, next);
        var enough = (next + (Vector256.MinNative(z, Vector256<double>.One) * 1e-11)) * near;
        return stays | Vector256.LessThanOrEqual(Vector256.Abs(change), enough);
    }

    private static double Excess(TypeColumns model, int k, double logValue, double price, double steepness)
    {
        // Without a cost and a price more tokens are free: all of them where they bring something, none where they do
        // not.
        var room = model.Upper[k] - model.Lower[k];
        if (price <= 0)
            return logValue > double.NegativeInfinity ? room : 0;
        var d = logValue - Elementary.Log(price);
        if (!(d > 0) || !(room > 0))
            return 0;
        var rate = model.Rate[k];
        var beta = steepness > 0 ? rate * price / steepness : double.PositiveInfinity;
        var full = rate * room;
        if (!(beta < 1e18))
            return full <= d ? room : Math.Min(d / rate, room);
        beta = Math.Max(beta, 1e-290);
        return full + Elementary.LogOnePlus(full / beta) <= d
            ? room
            : Math.Min(WrightOmegaExcess(d, beta) / rate, room);
    }

    /// <summary>
    /// The root ξ > 0 of ξ + ln(1 + ξ/β) = d, which is ω(d + β + ln β) − β with ω the Wright omega function, formed
    /// without the cancellation of the difference and without e^z. Iteration of the fourth order: Fritsch, Shafer and
    /// Crowley, CACM 16 (1973) 123.
    /// </summary>
    private static double WrightOmegaExcess(double d, double beta)
    {
        // Two Newton steps of the convex equation y + β(e^y − 1) = d, from ln(1 + d/β) and from 0; both are above the
        // root, so the lower.
        var y1 = Elementary.LogOnePlus(d / beta) * (beta + d) / (1 + beta + d);
        var y0 = d / (1 + beta);
        var xi = y0 < y1 ? beta * Elementary.ExpMinusOne(y0) : d - y1;
        for (var step = 0; step < 12; step++)
        {
            var residual = d - xi - Elementary.LogOnePlus(xi / beta);
            var z = xi + beta;
            var y = 1 + z;
            var q = 2 * y * (y + (2 * residual / 3));
            var factor = Math.Abs(residual) > 2 * y ? 1 : (q - residual) / (q - (2 * residual));
            var change = z * (residual / y) * factor;
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
