namespace Platform.Domain.Queueing;

/// <summary>Neumaier's compensated sum: the error does not grow with the number of terms.</summary>
internal struct CompensatedSum
{
    private double _sum;
    private double _lost;

    public readonly double Value => _sum + _lost;

    public void Add(double term)
    {
        var total = _sum + term;
        _lost += Math.Abs(_sum) >= Math.Abs(term) ? _sum - total + term : term - total + _sum;
        _sum = total;
    }
}

/// <summary>
/// An unevaluated sum of two doubles, about 31 decimal digits (Dekker 1971, Knuth's TwoSum, TwoProd by fused
/// multiply-add). Needed for the idle part 1 − ρ of a nearly saturated queue, which a double loses to cancellation.
/// </summary>
internal readonly record struct DoubleDouble(double High, double Low)
{
    public double Value => High + Low;

    public static DoubleDouble Product(double a, double b)
    {
        var high = a * b;
        return new(high, Math.FusedMultiplyAdd(a, b, -high));
    }

    public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
    {
        var (high, error) = TwoSum(a.High, b.High);
        var (low, rest) = TwoSum(a.Low, b.Low);
        (high, error) = FastTwoSum(high, error + low);
        (high, error) = FastTwoSum(high, error + rest);
        return new(high, error);
    }

    public static DoubleDouble operator *(DoubleDouble a, double b)
    {
        var product = Product(a.High, b);
        var (high, low) = FastTwoSum(product.High, Math.FusedMultiplyAdd(a.Low, b, product.Low));
        return new(high, low);
    }

    private static (double Sum, double Error) TwoSum(double a, double b)
    {
        var sum = a + b;
        var part = sum - a;
        return (sum, a - (sum - part) + (b - part));
    }

    private static (double Sum, double Error) FastTwoSum(double a, double b)
    {
        var sum = a + b;
        return (sum, b - (sum - a));
    }
}
