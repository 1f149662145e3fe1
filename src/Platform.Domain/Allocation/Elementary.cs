namespace Platform.Domain.Allocation;

/// <summary>
/// ln(1 + x) and e^x − 1 without cancellation, after Kahan (in Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1). The
/// runtime's <c>double.LogP1</c> and <c>double.ExpM1</c> are not these: they form 1 + x and lose small arguments.
/// </summary>
internal static class Elementary
{
    /// <summary>ln(1 + x), x > −1.</summary>
    public static double LogOnePlus(double x)
    {
        var u = 1 + x;
        if (u == 1)
            return x;
        return double.IsPositiveInfinity(u) ? u : Math.Log(u) * (x / (u - 1));
    }

    /// <summary>e^x − 1.</summary>
    public static double ExpMinusOne(double x)
    {
        // Far from 0 nothing cancels; this also keeps clear of overflow in the quotient.
        if (Math.Abs(x) > 1)
            return Math.Exp(x) - 1;
        var u = Math.Exp(x);
        return u == 1 ? x : (u - 1) * (x / Math.Log(u));
    }
}
