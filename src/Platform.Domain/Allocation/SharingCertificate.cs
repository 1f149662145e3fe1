using System.Runtime.Intrinsics;
using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>
/// Proves how good a point is where servers share. Where tokens cost the same whatever their type, E[T] is convex in
/// the tokens, and the largest rise of the tangent is what J can gain. Where not, <see cref="SharingBending"/> says
/// whether that still holds, and <see cref="SharingProof"/> bounds J where it does not.
/// </summary>
internal static class SharingCertificate
{
    /// <summary>Builds the point that the solver stands at.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="at">The point's sums.</param>
    /// <param name="tokens">The tokens, a multiple of four long.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="multipliers">Their multipliers.</param>
    /// <param name="isQuick">Whether a point that the tangent does not prove is left without a bound.</param>
    public static ContinuousPoint Of(
        AllocationModel model,
        in SharingPoint at,
        ReadOnlySpan<double> tokens,
        SharingLimits limits,
        ReadOnlySpan<double> multipliers,
        bool isQuick
    )
    {
        var charges = Charges.Of(at, limits, multipliers);
        var (gap, residual, weighted) = Measure(model, charges, tokens);
        for (var i = 0; i < limits.Count; i++)
            gap += multipliers[i] * Math.Abs(limits.Most(i) - limits.Use(i, at).Value);
        var prices = limits.Prices(multipliers);
        var granted = tokens[..model.Count].ToArray();
        var bending = SharingBending.Of(model, at, granted, prices);
        var point = new ContinuousPoint
        {
            Tokens = granted,
            Idle = at.Idle,
            MeanService = at.Lone,
            Square = 0,
            WeightedAccuracy = weighted,
            Objective = (model.Problem.AccuracyWeight * weighted) - at.Means.SystemSeconds,
            KktResidual = residual,
            Gap = gap,
            Prices = prices,
            Sharing = new SharingOptimum(at, charges.PerOutput, charges.PerWork, bending),
        };
        if (bending < 1)
            return point;
        return isQuick ? point.Beyond(double.PositiveInfinity, bending) : Proven(model, point);
    }

    private static ContinuousPoint Proven(AllocationModel model, ContinuousPoint point)
    {
        var (bending, bound) = SharingProof.Of(model, point);
        return point.Beyond(Math.Max(point.Gap, bound - point.Objective), bending);
    }

    private static (double Gap, double Residual, double Weighted) Measure(
        AllocationModel model,
        in Charges charges,
        ReadOnlySpan<double> tokens
    )
    {
        LaneSum gap = default,
            weighted = default;
        var residual = Vector256<double>.Zero;
        var (zero, one) = (Vector256<double>.Zero, Vector256<double>.One);
        for (var k = 0; k < model.Padded; k += 4)
        {
            var (l, rate) = (Vector256.Create(tokens[k..]), Load(model.Rate, k));
            var (above, below) = (Load(model.Upper, k) - l, l - Load(model.Lower, k));
            var (share, weight, most) = (Load(model.Share, k), Load(model.Weight, k), Load(model.Gain, k));
            var (exp, minusOne) = Elementary.ExpBoth(-rate * l);
            var gain = model.Problem.AccuracyWeight * weight * most * rate * exp;
            var perWork = Load(model.Sharing!.PerToken, k) + (2 * Load(model.Sharing.Square, k) * l);
            var price = Vector256.Create(charges.PerOutput) + (charges.PerWork * perWork);
            var slope = gain - price;
            gap.Add(share * Vector256.MaxNative(slope * above, -slope * below));
            var curve = Load(model.Floor, k) - (most * minusOne);
            var accuracy = model.TakesRawCurves ? curve : Vector256.MinNative(one, Vector256.MaxNative(zero, curve));
            weighted.Add(share * weight * accuracy);

            var canRise = Vector256.GreaterThan(slope, zero) & Vector256.GreaterThan(above, zero);
            var canFall = Vector256.LessThan(slope, zero) & Vector256.GreaterThan(below, zero);
            var against = Vector256.ConditionalSelect(canRise | canFall, Vector256.Abs(slope), zero);
            var scale = Vector256.MaxNative(Vector256.MaxNative(gain, price), Vector256.Create(double.Epsilon));
            residual = Vector256.MaxNative(residual, against / scale);
        }

        var largest = Math.Max(Math.Max(residual[0], residual[1]), Math.Max(residual[2], residual[3]));
        return (gap.Value, largest, weighted.Value);
    }

    private static Vector256<double> Load(double[] column, int k) => Vector256.Create(column, k);

    /// <summary>α w p′(l), seconds a token.</summary>
    public static double Gain(AllocationModel model, int k, double tokens)
    {
        var most = model.Problem.AccuracyWeight * model.Weight[k] * model.Gain[k] * model.Rate[k];
        return most > 0 ? most * Elementary.Exp(-model.Rate[k] * tokens) : 0;
    }

    /// <summary>What E[T] and the limits charge for an output token and for a second of work.</summary>
    private readonly record struct Charges(double PerOutput, double PerWork)
    {
        public static Charges Of(in SharingPoint at, SharingLimits limits, ReadOnlySpan<double> multipliers)
        {
            var time = at.SystemTime;
            var (perOutput, perWork) = (time.PerOutput, time.PerWork);
            for (var i = 0; i < multipliers.Length; i++)
            {
                if (multipliers[i] == 0)
                    continue;
                var use = limits.Use(i, at);
                perOutput += multipliers[i] * use.PerOutput;
                perWork += multipliers[i] * use.PerWork;
            }

            return new Charges(perOutput, perWork);
        }
    }
}

/// <summary>What more is known of an optimum where servers share.</summary>
/// <param name="At">The optimum's sums.</param>
/// <param name="PerOutput">φ, seconds an output token: what E[T] and the limits charge for it.</param>
/// <param name="PerWork">ψ, the same for a second of work.</param>
/// <param name="Bending">η of <see cref="SharingCertificate"/>: below 1 the point is the best of all, to its
/// gap.</param>
internal sealed record SharingOptimum(SharingPoint At, double PerOutput, double PerWork, double Bending);
