using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Platform.Domain.Allocation;

/// <summary>
/// e^x, ln x and their like, four at a time and one at a time. Built of additions, multiplications and divisions alone,
/// after Sun's fdlibm (error below one unit in the last place), so that every bit is the same on every machine, which
/// the runtime's own do not promise.
/// </summary>
internal static class Elementary
{
    // ln 2 in two parts: the first has trailing zeros, so that its multiples by an exponent are exact.
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;

    // 1.5 · 2^52: adding it rounds to a whole number, which then stands in the last bits.
    private const double Rounder = 6755399441055744.0;

    /// <summary>ln x, x > 0; −∞ at 0 and +∞ at +∞.</summary>
    public static double Log(double x)
    {
        if (!double.IsNormal(x) || x < 0)
            return x > 0 && x < 1 ? Log(x * 18014398509481984.0) - (54 * 0.69314718055994530942) : Math.Log(x);
        return Log(Vector256.Create(x)).ToScalar();
    }

    /// <summary>e^x; 0 below −708, where doubles lose digits, and +∞ above 709.4.</summary>
    public static double Exp(double x) => Exp(Vector256.Create(x)).ToScalar();

    /// <summary>e^x − 1 without cancellation.</summary>
    public static double ExpMinusOne(double x) => ExpMinusOne(Vector256.Create(x)).ToScalar();

    /// <summary>
    /// ln(1 + x), x > −1, without cancellation: Kahan's form (Higham, Accuracy and Stability of Numerical Algorithms,
    /// 1.14.1).
    /// </summary>
    public static double LogOnePlus(double x)
    {
        var u = 1 + x;
        if (u == 1)
            return x;
        return double.IsPositiveInfinity(u) ? u : Log(u) * (x / (u - 1));
    }

    /// <summary>ln x of positive, normal, finite numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Log(Vector256<double> x)
    {
        // x = 2^k (1 + f) with 1 + f in [√½, √2); the bias keeps the shifted number positive, so that its exponent
        // field is k + 1023.
        var shifted = x.AsInt64() - Vector256.Create(0x3FE6A09E667F3BCDL) + Vector256.Create(1023L << 52);
        var biased = Vector256.ShiftRightLogical(shifted, 52);
        var exponent =
            (biased | Vector256.Create(0x4330000000000000L)).AsDouble() - Vector256.Create(4503599627370496.0 + 1023.0);
        var f =
            (x.AsInt64() - Vector256.ShiftLeft(biased - Vector256.Create(1023L), 52)).AsDouble()
            - Vector256<double>.One;

        var s = f / (f + Vector256.Create(2.0));
        var z = s * s;
        var w = z * z;
        var even =
            w
            * (
                Vector256.Create(3.999999999940941908e-01)
                + (w * (Vector256.Create(2.222219843214978396e-01) + (w * Vector256.Create(1.531383769920937332e-01))))
            );
        var odd =
            z
            * (
                Vector256.Create(6.666666666666735130e-01)
                + (
                    w
                    * (
                        Vector256.Create(2.857142874366239149e-01)
                        + (
                            w
                            * (
                                Vector256.Create(1.818357216161805012e-01)
                                + (w * Vector256.Create(1.479819860511658591e-01))
                            )
                        )
                    )
                )
            );
        var half = Vector256.Create(0.5) * f * f;
        return (exponent * Vector256.Create(Ln2High))
            - (half - ((s * (half + even + odd)) + (exponent * Vector256.Create(Ln2Low))) - f);
    }

    /// <summary>e^x; 0 below −708 and +∞ above 709.4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Exp(Vector256<double> x)
    {
        var (rest, scale, _) = Reduce(x);
        var y = (Vector256<double>.One + rest) * scale;
        y = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-708.0)), Vector256<double>.Zero, y);
        return Vector256.ConditionalSelect(
            Vector256.GreaterThan(x, Vector256.Create(709.4)),
            Vector256.Create(double.PositiveInfinity),
            y
        );
    }

    /// <summary>e^x − 1 without cancellation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> ExpMinusOne(Vector256<double> x)
    {
        var (rest, scale, small) = Reduce(x);
        var y = Vector256.ConditionalSelect(
            small,
            rest,
            ((Vector256<double>.One + rest) * scale) - Vector256<double>.One
        );
        return Vector256.ConditionalSelect(
            Vector256.GreaterThan(x, Vector256.Create(709.4)),
            Vector256.Create(double.PositiveInfinity),
            y
        );
    }

    /// <summary>e^x and e^x − 1 of x ≤ 0 at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<double> Exp, Vector256<double> MinusOne) ExpBoth(Vector256<double> x)
    {
        var (part, scale, small) = Reduce(x);
        var y = (Vector256<double>.One + part) * scale;
        y = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-708.0)), Vector256<double>.Zero, y);
        return (y, Vector256.ConditionalSelect(small, part, y - Vector256<double>.One));
    }

    /// <summary>e^x = 2^k (1 + rest), |rest| below 0.42, for x within the range of doubles; and where k = 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<double> Part, Vector256<double> Scale, Vector256<double> Small) Reduce(
        Vector256<double> x
    )
    {
        // The argument comes second: what is not a number then stays so on every machine.
        x = Vector256.MinNative(Vector256.Create(709.4), Vector256.MaxNative(Vector256.Create(-708.0), x));
        var rounded = (x * Vector256.Create(1.44269504088896338700)) + Vector256.Create(Rounder);
        var k = rounded - Vector256.Create(Rounder);
        var scale = Vector256.ShiftLeft(rounded.AsInt64() + Vector256.Create(1023L), 52).AsDouble();
        var high = x - (k * Vector256.Create(Ln2High));
        var low = k * Vector256.Create(Ln2Low);
        var r = high - low;
        var t = r * r;
        var c =
            r
            - (
                t
                * (
                    Vector256.Create(1.66666666666666019037e-01)
                    + (
                        t
                        * (
                            Vector256.Create(-2.77777777770155933842e-03)
                            + (
                                t
                                * (
                                    Vector256.Create(6.61375632143793436117e-05)
                                    + (
                                        t
                                        * (
                                            Vector256.Create(-1.65339022054652515390e-06)
                                            + (t * Vector256.Create(4.13813679705723846039e-08))
                                        )
                                    )
                                )
                            )
                        )
                    )
                )
            );
        var rest = high - (low - (r * c / (Vector256.Create(2.0) - c)));
        return (rest, scale, Vector256.Equals(k, Vector256<double>.Zero));
    }
}
