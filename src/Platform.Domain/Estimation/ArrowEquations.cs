namespace Platform.Domain.Estimation;

/// <summary>
/// The normal equations of one task type's three unknowns and the one that all task types share: sums of weighted
/// products of rows (inner, outer) with each other and with the value seen.
/// </summary>
internal struct ArrowEquations
{
    // A pivot below this part of its entry is what rounding leaves of a column that others make up.
    private const double Negligible = 1e-9;

    private Matrix3 _inner;
    private Vector3 _border;
    private Vector3 _innerRight;

    /// <summary>Products of the inner unknowns.</summary>
    public readonly Matrix3 Inner => _inner;

    /// <summary>Products of the inner unknowns with the shared one.</summary>
    public readonly Vector3 Border => _border;

    /// <summary>Squares of the shared one.</summary>
    public double Outer { get; private set; }

    /// <summary>Products of the inner unknowns with what was seen.</summary>
    public readonly Vector3 InnerRight => _innerRight;

    /// <summary>Products of the shared one with what was seen.</summary>
    public double OuterRight { get; private set; }

    /// <summary>
    /// What the rows tell of the shared unknown when the type's own are free: 0 where its column is made up of theirs.
    /// </summary>
    public readonly double SharedInformation
    {
        get
        {
            var (xx, yx, zx, ox) = (_inner.XX, _inner.YX, _inner.ZX, _border.X);
            var (ry, rz, ro) = (Over(yx, xx), Over(zx, xx), Over(ox, xx));
            var yy = Pivot(_inner.YY - (ry * yx), _inner.YY);
            var zy = _inner.ZY - (rz * yx);
            var oy = _border.Y - (ro * yx);
            var sz = Over(zy, yy);
            var so = Over(oy, yy);
            var zz = Pivot(_inner.ZZ - (rz * zx) - (sz * zy), _inner.ZZ);
            var oz = _border.Z - (ro * zx) - (so * zy);
            var left = Outer - (ro * ox) - (so * oy) - (Over(oz, zz) * oz);
            return Pivot(left, Outer);
        }
    }

    /// <summary>Adds a row.</summary>
    /// <param name="weight">How much it counts, at least 0.</param>
    /// <param name="inner">Its coefficients of the inner unknowns.</param>
    /// <param name="outer">Its coefficient of the shared one.</param>
    /// <param name="value">What was seen.</param>
    public void AddRow(double weight, Vector3 inner, double outer, double value)
    {
        _inner.AddOuter(weight, inner);
        _border = _border.Plus(weight * outer, inner);
        Outer += weight * outer * outer;
        _innerRight = _innerRight.Plus(weight * value, inner);
        OuterRight += weight * value * outer;
    }

    /// <summary>Adds others times a factor.</summary>
    public void Add(double factor, in ArrowEquations other)
    {
        _inner.Add(factor, other._inner);
        _border = _border.Plus(factor, other._border);
        Outer += factor * other.Outer;
        _innerRight = _innerRight.Plus(factor, other._innerRight);
        OuterRight += factor * other.OuterRight;
    }

    private static double Over(double part, double pivot) => pivot > 0 ? part / pivot : 0;

    private static double Pivot(double left, double entry) => left > Negligible * entry ? left : 0;
}
