namespace Platform.Domain.Allocation;

/// <summary>
/// The best whole tokens where no limit binds, by looking at all that could be: what falls short of the best of each
/// type's φ by more than a known allocation does in all is out (<see cref="TangentBound"/>), and the combinations of
/// the rest, mostly some ten, are computed one by one. An answer takes a tenth of <see cref="BranchAndBound"/>'s time
/// and is the same: where that might see a difference, there is none from here.
/// </summary>
internal sealed class TangentSearch
{
    private const int MaxMoves = 8;
    private const int MaxVisits = 2_000;

    private readonly AllocationModel _model;
    private readonly TangentBound _bound;
    private readonly List<TokenMove>[] _moves;
    private readonly long[] _chosen,
        _best;
    private double _bestGain = double.NegativeInfinity,
        _secondGain = double.NegativeInfinity;
    private int _visits;

    private TangentSearch(AllocationModel model, TangentBound bound)
    {
        (_model, _bound) = (model, bound);
        _moves = new List<TokenMove>[model.Count];
        (_chosen, _best) = (new long[model.Count], new long[model.Count]);
    }

    /// <summary>
    /// The allocation that is better than all others: by more than rounding if it is the known one, else by more than
    /// the tolerance of a proof.
    /// </summary>
    /// <param name="model">The problem, of servers that share no queue.</param>
    /// <param name="point">Its continuous optimum.</param>
    /// <param name="known">An allocation that keeps the limits: the better, the less there is to look at.</param>
    /// <returns>Null where two are about equal, a limit is in the way, or there is too much to look at.</returns>
    public static long[]? Best(AllocationModel model, ContinuousPoint point, long[] known)
    {
        if (point.Prices.Bind || TangentBound.At(model, point, known) is not { } bound)
            return null;
        var search = new TangentSearch(model, bound);
        return
            search.Collect(known) is { } left
            && search.Visit(0, left, default)
            && search._bestGain - search._secondGain > search.Margin(point, search._best.AsSpan().SequenceEqual(known))
            && WholeTokenFigures.Of(model, search._best).KeepsLimits(model.Problem)
            ? search._best
            : null;
    }

    private double Margin(ContinuousPoint point, bool known) =>
        known ? _bound.Noise : (1.1 * BranchAndBound.Tolerance * (1 + Math.Abs(point.Objective))) + _bound.Noise;

    /// <summary>
    /// Finds the numbers of tokens of each type that could be part of something as good as what is known.
    /// </summary>
    /// <returns>How far a combination may fall short of the bound in all; null when there are too many.</returns>
    private double? Collect(long[] known)
    {
        var left = _bound.Noise;
        var peaks = new TokenMove[_model.Count];
        if (!_bound.TryFindPeaks(peaks))
            return null;
        foreach (var peak in peaks)
            left += peak.Phi;
        left -= _bound.Gain(known) / _bound.Part;
        for (var k = 0; k < _model.Count; k++)
        {
            if (!_bound.TryCollect(k, peaks[k], left, MaxMoves, _moves[k] = new(MaxMoves)))
                return null;
        }

        return left;
    }

    /// <summary>
    /// Tries every combination of the types from <paramref name="k"/> on that does not fall short by more than is left.
    /// </summary>
    /// <returns>False when there are too many.</returns>
    private bool Visit(int k, double left, in TokenMove sum)
    {
        if (++_visits > MaxVisits)
            return false;
        if (k == _model.Count)
        {
            Take(_bound.Gain(sum));
            return true;
        }

        foreach (var move in _moves[k])
        {
            _chosen[k] = move.Tokens;
            if (move.Short <= left && !Visit(k + 1, left - move.Short, sum + move))
                return false;
        }

        return true;
    }

    private void Take(double gain)
    {
        if (!(gain > _bestGain))
        {
            _secondGain = Math.Max(_secondGain, gain);
            return;
        }

        (_bestGain, _secondGain) = (gain, _bestGain);
        _chosen.CopyTo(_best, 0);
    }
}
