namespace Platform.Domain.Estimation;

/// <summary>Three numbers.</summary>
internal readonly record struct Vector3(double X, double Y, double Z)
{
    public double Dot(Vector3 other) => (X * other.X) + (Y * other.Y) + (Z * other.Z);

    public Vector3 Plus(double factor, Vector3 other) =>
        new(X + (factor * other.X), Y + (factor * other.Y), Z + (factor * other.Z));

    public double LargestMagnitude => Math.Max(Math.Abs(X), Math.Max(Math.Abs(Y), Math.Abs(Z)));
}

/// <summary>The lower triangle of a symmetric matrix of three rows.</summary>
internal record struct Matrix3(double XX, double YX, double YY, double ZX, double ZY, double ZZ)
{
    /// <summary>Adds s·v·vᵀ.</summary>
    public void AddOuter(double s, Vector3 v)
    {
        var (x, y, z) = (s * v.X, s * v.Y, s * v.Z);
        XX += x * v.X;
        YX += y * v.X;
        YY += y * v.Y;
        ZX += z * v.X;
        ZY += z * v.Y;
        ZZ += z * v.Z;
    }

    /// <summary>Adds another matrix times a factor.</summary>
    public void Add(double factor, in Matrix3 other)
    {
        XX += factor * other.XX;
        YX += factor * other.YX;
        YY += factor * other.YY;
        ZX += factor * other.ZX;
        ZY += factor * other.ZY;
        ZZ += factor * other.ZZ;
    }

    /// <summary>With amounts added to the diagonal.</summary>
    public readonly Matrix3 Plus(Vector3 diagonal) =>
        this with
        {
            XX = XX + diagonal.X,
            YY = YY + diagonal.Y,
            ZZ = ZZ + diagonal.Z,
        };

    /// <summary>
    /// Factors the sum of a diagonal matrix and a positive semidefinite one: each pivot is at least the diagonal's
    /// entry (Schur complements are monotone), whatever rounding says.
    /// </summary>
    /// <param name="diagonal">Entries above 0.</param>
    public readonly Factor3 Factor(Vector3 diagonal)
    {
        var dx = Math.Max(XX, diagonal.X);
        var (yx, zx) = (YX / dx, ZX / dx);
        var dy = Math.Max(YY - (yx * YX), diagonal.Y);
        var zy = (ZY - (zx * YX)) / dy;
        return new Factor3(dx, dy, Math.Max(ZZ - (zx * ZX) - (zy * zy * dy), diagonal.Z), yx, zx, zy);
    }

    /// <summary>
    /// The inverse by Cholesky's L·D·Lᵀ (Golub and Van Loan, Matrix Computations, 4th ed., section 4.1), or null when
    /// the matrix is not positive definite.
    /// </summary>
    public readonly Factor3? Factor()
    {
        var (yx, zx) = (YX / XX, ZX / XX);
        var yy = YY - (yx * YX);
        var zy = (ZY - (zx * YX)) / yy;
        var zz = ZZ - (zx * ZX) - (zy * zy * yy);
        return XX > 0 && yy > 0 && zz > 0 ? new Factor3(XX, yy, zz, yx, zx, zy) : null;
    }

    public readonly Vector3 Times(Vector3 v) =>
        new(
            (XX * v.X) + (YX * v.Y) + (ZX * v.Z),
            (YX * v.X) + (YY * v.Y) + (ZY * v.Z),
            (ZX * v.X) + (ZY * v.Y) + (ZZ * v.Z)
        );
}

/// <summary>A factored positive definite matrix L·D·Lᵀ.</summary>
internal readonly record struct Factor3(double Dx, double Dy, double Dz, double Yx, double Zx, double Zy)
{
    /// <summary>Solves M·x = b.</summary>
    public Vector3 Solve(Vector3 b)
    {
        var y = b.Y - (Yx * b.X);
        var z = (b.Z - (Zx * b.X) - (Zy * y)) / Dz;
        y = (y / Dy) - (Zy * z);
        return new Vector3((b.X / Dx) - (Yx * y) - (Zx * z), y, z);
    }
}
