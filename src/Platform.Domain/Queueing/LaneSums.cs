using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Platform.Domain.Queueing;

/// <summary>
/// Compensated sums (Knuth's TwoSum) of terms dealt to four lanes in turn. Four on every machine, whatever its vectors:
/// the order of the additions, and so every bit, is then the same.
/// </summary>
internal struct LaneSum
{
    private Vector256<double> _sum,
        _lost;

    public readonly double Value
    {
        get
        {
            var (left, leftLost) = TwoSum(_sum[0], _sum[1]);
            var (right, rightLost) = TwoSum(_sum[2], _sum[3]);
            var (sum, lost) = TwoSum(left, right);
            return sum + (lost + leftLost + rightLost + Vector256.Sum(_lost));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Vector256<double> terms)
    {
        var total = _sum + terms;
        var part = total - _sum;
        _lost += _sum - (total - part) + (terms - part);
        _sum = total;
    }

    private static (double Sum, double Lost) TwoSum(double a, double b)
    {
        var sum = a + b;
        var part = sum - a;
        return (sum, a - (sum - part) + (b - part));
    }
}

/// <summary>The same in twice the precision, for terms that are products of two doubles, or of three.</summary>
internal struct LaneDoubleDoubleSum
{
    private Vector256<double> _high,
        _low;

    public readonly DoubleDouble Value
    {
        get
        {
            var total = default(DoubleDouble);
            for (var lane = 0; lane < 4; lane++)
                total += new DoubleDouble(_high[lane], _low[lane]);
            return total;
        }
    }

    /// <summary>Adds a · b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Vector256<double> a, Vector256<double> b)
    {
        var high = a * b;
        Add(high, Vector256.FusedMultiplyAdd(a, b, -high));
    }

    /// <summary>Adds a · b · c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Vector256<double> a, Vector256<double> b, Vector256<double> c)
    {
        var product = a * b;
        var rest = Vector256.FusedMultiplyAdd(a, b, -product);
        var high = product * c;
        Add(high, Vector256.FusedMultiplyAdd(product, c, -high) + (rest * c));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(Vector256<double> high, Vector256<double> low)
    {
        var total = _high + high;
        var part = total - _high;
        var error = _high - (total - part) + (high - part) + (_low + low);
        _high = total + error;
        _low = error - (_high - total);
    }
}
