namespace Platform.Domain.Allocation;

/// <summary>
/// Depth-first branch and bound over whole tokens (Land and Doig 1960). A node is a box; its bound is the continuous
/// optimum in the box plus that optimum's certificate; the branching type is the one whose fraction costs most.
/// </summary>
internal sealed class BranchAndBound
{
    /// <summary>Most types for which a proof is sought.</summary>
    public const int MaxTypes = 16;

    /// <summary>A node that promises no more than this part of the objective above the best known is closed.</summary>
    public const double Tolerance = 1e-11;

    /// <summary>
    /// Most tokens of single types that are computed: some tenths of a second, and the same on every machine.
    /// </summary>
    public const long MaxWork = 4_000_000;

    private readonly AllocationModel _box;
    private readonly WholeTokens _rounding;
    private readonly IContinuousMethod _solver;
    private readonly long[] _lower,
        _upper;
    private readonly long _mostWork;
    private readonly bool _thorough;
    private bool _hasLeftBoxes;
    private int _nodes;

    private BranchAndBound(AllocationModel model, long[] start, long mostWork, bool thorough)
    {
        (_mostWork, _thorough) = (mostWork, thorough);
        _box = new AllocationModel(model.Problem, model.TakesRawCurves);
        _rounding = new WholeTokens(_box);

        // The bound errs by the square of this: prices need not be exact to prove something.
        _solver = model.Sharing is null ? new ContinuousSolver(_box, 1e-7) : new SharingSolver(_box, isQuick: true);
        (_lower, _upper) = (_box.WholeLower, _box.WholeUpper);
        Best = (long[])start.Clone();
        BestObjective = WholeTokenFigures.Of(_box, Best).Objective;
    }

    private long[] Best { get; set; }

    private double BestObjective { get; set; }

    /// <summary>Searches from an allocation that keeps the limits.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="start">The allocation.</param>
    /// <param name="mostWork">Most tokens of single types that are computed.</param>
    /// <param name="asBefore"> As dual-newton/3 did: a box whose optimum is whole is left. Where a limit binds, that is
    /// only near the one of the box, and what was said to be proven has been a millionth of a second short. Now all is
    /// searched once more when boxes were left.
    /// </param>
    /// <returns>The best allocation, and whether it is proven to be so.</returns>
    public static (long[] Tokens, bool Proven) Search(
        AllocationModel model,
        long[] start,
        long mostWork = MaxWork,
        bool asBefore = false
    )
    {
        var search = new BranchAndBound(model, start, mostWork, thorough: false);
        var proven = search.Explore();
        if (search._hasLeftBoxes && !asBefore)
        {
            search = new BranchAndBound(model, search.Best, mostWork, thorough: true);
            proven = search.Explore();
        }

        return (search.Best, proven);
    }

    private double Enough => BestObjective + (Tolerance * (1 + Math.Abs(BestObjective)));

    private bool Explore()
    {
        _nodes++;
        if (!WholeTokenFigures.Of(_box, _lower).KeepsLimits(_box.Problem))
            return true;
        if ((long)_solver.Sweeps * _box.Count > _mostWork || _nodes > _mostWork)
            return false;
        for (var k = 0; k < _box.Count; k++)
            _box.SetBounds(k, _lower[k], _upper[k]);
        _box.Refresh();
        if (_nodes > 1 && _solver.DualBound() <= Enough)
            return true;
        var point = _solver.Solve();
        if (point.Objective + point.Gap <= Enough)
            return true;
        Take(_rounding.Nearest(point.Tokens));
        if (point.Objective + point.Gap <= Enough)
            return true;
        var branch = Branch(point.Tokens);
        if (branch < 0 && !_thorough)
        {
            _hasLeftBoxes = true;
            return point.Objective <= Enough;
        }

        branch = branch < 0 ? Widest() : branch;

        // The one allocation that is left in the box has been taken.
        return branch < 0 || Split(branch, point.Tokens[branch]);
    }

    private int Widest()
    {
        var widest = -1;
        for (var k = 0; k < _box.Count; k++)
        {
            if (_upper[k] > _lower[k] && (widest < 0 || _upper[k] - _lower[k] > _upper[widest] - _lower[widest]))
                widest = k;
        }

        return widest;
    }

    private bool Split(int k, double at)
    {
        var floor = Math.Clamp((long)Math.Floor(at), _lower[k], _upper[k] - 1);
        var (lower, upper, first) = (_lower[k], _upper[k], at - floor < 0.5);
        var proven = true;
        for (var side = 0; side < 2; side++)
        {
            if (first == (side == 0))
                _upper[k] = floor;
            else
                _lower[k] = floor + 1;
            proven &= Explore();
            (_lower[k], _upper[k]) = (lower, upper);
        }

        return proven;
    }

    private void Take(long[] tokens)
    {
        var figures = WholeTokenFigures.Of(_box, tokens);
        if (figures.KeepsLimits(_box.Problem) && figures.Objective > BestObjective)
            (Best, BestObjective) = (tokens, figures.Objective);
    }

    // The curvature of the objective in l is near share · cost · rate at an optimum inside the bounds.
    private int Branch(double[] tokens)
    {
        var (best, most) = (-1, 0.0);
        for (var k = 0; k < tokens.Length; k++)
        {
            var part = tokens[k] - Math.Floor(tokens[k]);
            var score = _box.Share[k] * Math.Max(_box.Cost[k] * _box.Rate[k], 1e-100) * part * (1 - part);
            if (score > most && _lower[k] < _upper[k])
                (best, most) = (k, score);
        }

        return best;
    }
}
