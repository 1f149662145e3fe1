namespace Platform.Domain.Allocation;

/// <summary>
/// The bounds and the half-space Σ π c l ≤ h of a utilization that leaves some idle time; Euclid's projection on both
/// at once.
/// </summary>
internal sealed class StableBox
{
    private readonly AllocationModel _model;
    private readonly double[] _used,
        _breaks;
    private readonly double _most;

    /// <summary>
    /// The tokens within the bounds that leave a part <paramref name="leastIdle"/> > 0 of the time idle.
    /// </summary>
    public StableBox(AllocationModel model, double leastIdle)
    {
        _model = model;
        (_used, _breaks) = (new double[model.Count], new double[2 * model.Count]);
        _most = model.Lambda > 0 ? (1 - leastIdle) / model.Lambda : double.PositiveInfinity;
        for (var k = 0; k < model.Count; k++)
        {
            _used[k] = model.Share[k] * model.Cost[k];
            _most -= model.Share[k] * model.Base[k];
        }
    }

    /// <summary>
    /// Moves a point to the nearest one of the set. That is clip(y − τ u) with the least τ ≥ 0 that keeps the
    /// half-space: Σ u l falls with τ along straight lines between the values where a type meets a bound, so that
    /// sorting those finds τ exactly. O(N log N), O(N) within the half-space.
    /// </summary>
    public void Project(double[] point)
    {
        if (Used(point, 0) > _most)
            Clip(point, Multiplier(point));
        else
            Clip(point, 0);
    }

    private double Multiplier(double[] point)
    {
        var count = 0;
        for (var k = 0; k < point.Length; k++)
        {
            if (!(_used[k] > 0))
                continue;
            _breaks[count++] = Math.Max(0, (point[k] - _model.Upper[k]) / _used[k]);
            _breaks[count++] = Math.Max(0, (point[k] - _model.Lower[k]) / _used[k]);
        }

        Array.Sort(_breaks, 0, count);
        var (low, high) = (-1, count - 1);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = Used(point, _breaks[middle]) > _most ? (middle, high) : (low, middle);
        }

        // Rounding may leave even the last break, where every type is at its lower bound, a little over.
        var (left, right) = (low < 0 ? 0 : _breaks[low], _breaks[high]);
        var (over, under) = (Used(point, left) - _most, Used(point, right) - _most);
        return under < 0 && over > under ? left + ((right - left) * (over / (over - under))) : right;
    }

    private double Used(double[] point, double multiplier)
    {
        var sum = 0.0;
        for (var k = 0; k < point.Length; k++)
            sum += _used[k] * Math.Clamp(point[k] - (multiplier * _used[k]), _model.Lower[k], _model.Upper[k]);
        return sum;
    }

    private void Clip(double[] point, double multiplier)
    {
        for (var k = 0; k < point.Length; k++)
            point[k] = Math.Clamp(point[k] - (multiplier * _used[k]), _model.Lower[k], _model.Upper[k]);
    }
}
