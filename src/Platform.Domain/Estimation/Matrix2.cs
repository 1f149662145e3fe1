namespace Platform.Domain.Estimation;

/// <summary>A symmetric matrix of two rows.</summary>
internal readonly record struct Matrix2(double First, double Off, double Second)
{
    /// <summary>With an amount added to the last entry of the diagonal.</summary>
    public Matrix2 Plus(double second) => this with { Second = Second + second };

    /// <summary>M⁻¹·b of a positive definite matrix, by Cholesky.</summary>
    public (double First, double Second) Solve(double b1, double b2)
    {
        var ratio = Off / First;
        var second = (b2 - (ratio * b1)) / (Second - (ratio * Off));
        return ((b1 / First) - (ratio * second), second);
    }

    /// <summary>M⁻¹·S·M⁻¹.</summary>
    public Matrix2 Sandwich(Matrix2 inside)
    {
        var (a1, a2) = Solve(inside.First, inside.Off);
        var (b1, b2) = Solve(inside.Off, inside.Second);
        var (first, off) = Solve(a1, b1);
        return new Matrix2(first, off, Solve(a2, b2).Second);
    }
}
