namespace Platform.Domain.Estimation;

/// <summary>
/// Cholesky factor R of a small symmetric positive definite matrix, A = R·Rᵀ with R lower triangular (Golub and Van Loan, Matrix
/// Computations, 4th ed., algorithm 4.2.1).
/// </summary>
internal sealed class Cholesky
{
    private readonly double[,] _factor;

    private Cholesky(double[,] factor) => _factor = factor;

    /// <summary>Factors a matrix, or gives null when it is not positive definite.</summary>
    /// <param name="matrix">Symmetric; only the lower triangle is read.</param>
    public static Cholesky? Of(double[,] matrix)
    {
        var n = matrix.GetLength(0);
        var factor = new double[n, n];
        for (var column = 0; column < n; column++)
        {
            for (var row = column; row < n; row++)
            {
                var rest = matrix[row, column];
                for (var k = 0; k < column; k++)
                    rest -= factor[row, k] * factor[column, k];
                if (row == column && !(rest > 0))
                    return null;
                factor[row, column] = row == column ? Math.Sqrt(rest) : rest / factor[column, column];
            }
        }

        return new Cholesky(factor);
    }

    /// <summary>Solves A·x = b.</summary>
    public double[] Solve(double[] right)
    {
        var x = (double[])right.Clone();
        for (var row = 0; row < x.Length; row++)
        {
            for (var k = 0; k < row; k++)
                x[row] -= _factor[row, k] * x[k];
            x[row] /= _factor[row, row];
        }

        for (var row = x.Length - 1; row >= 0; row--)
        {
            for (var k = row + 1; k < x.Length; k++)
                x[row] -= _factor[k, row] * x[k];
            x[row] /= _factor[row, row];
        }

        return x;
    }

    /// <summary>vᵀ·A⁻¹·v.</summary>
    public double InverseForm(double[] v) => v.Zip(Solve(v), (a, b) => a * b).Sum();
}
