namespace Platform.Domain.Allocation;

/// <summary>
/// The best whole tokens where a limit binds. Then it counts how little of the limit is left unused, at its price, and
/// as in a knapsack the best is one of thousands that are nearly as good, which no tree of boxes tells apart. By
/// <see cref="TangentBound"/> an allocation is short of the bound by no less than what each φ is below its largest, and
/// price · what is left of the limit by the tangent. All combinations of one half of the types that are not too short
/// are held against those of the other half, in the order of what they use (Horowitz and Sahni 1974); what is too short
/// grows until the best found is not.
/// </summary>
internal sealed class LimitedSearch
{
    // With more than these the time would be felt.
    private const int MaxParts = 40_000;
    private const int MaxPairs = 1_000_000;

    // A part holds the tokens of its types as steps from the peak, a byte each.
    private const int MaxTypesInHalf = 8;
    private const int MaxMoves = 127;
    private const int StepBits = 8;

    private const double FirstPart = 1e-3;
    private const double Growth = 2;

    private readonly AllocationModel _model;
    private readonly ContinuousPoint _point;
    private readonly TangentBound _bound;
    private readonly TangentLimit _limit;
    private readonly TokenMove[] _peaks;
    private readonly List<TokenMove>[] _moves;
    private readonly Half _first = new(),
        _second = new();
    private readonly double _most,
        _part,
        _bend,
        _peak;
    private List<Part> _spare = [];
    private long[] _best;
    private double _bestGain;
    private int _pairs;

    private LimitedSearch(
        AllocationModel model,
        ContinuousPoint point,
        TangentBound bound,
        TokenMove[] peaks,
        long[] known
    )
    {
        (_model, _point, _bound, _peaks, _best) = (model, point, bound, peaks, known);
        _moves = [.. peaks.Select(_ => new List<TokenMove>())];
        var limits = bound.Limits.ToArray();
        _limit = limits.MaxBy(limit => limit.Price * limit.PerToken.Sum())!;
        _bestGain = bound.Gain(known);
        _part = bound.Part;
        _bend = bound.Bend / bound.Part;
        _peak = -peaks.Sum(peak => peak.Phi);
        _most = peaks.Sum(peak => peak.Phi) + limits.Sum(limit => limit.Price * limit.Unused);
    }

    /// <summary>The best allocation, to rounding.</summary>
    /// <param name="model">The problem, of servers that share no queue.</param>
    /// <param name="point">Its continuous optimum.</param>
    /// <param name="known">An allocation that keeps the limits.</param>
    /// <returns>Null where no limit binds, or there is too much to look at.</returns>
    public static long[]? Best(AllocationModel model, ContinuousPoint point, long[] known)
    {
        if (!point.Prices.Bind || TangentBound.At(model, point, known) is not { } bound || !bound.Limits.Any())
            return null;
        var peaks = new TokenMove[model.Count];
        if (!bound.TryFindPeaks(peaks))
            return null;
        var search = new LimitedSearch(model, point, bound, peaks, known);
        return search.TryFind() ? search._best : null;
    }

    private bool TryFind()
    {
        // A rate so high that the known tokens are beyond what exponents can hold against l°.
        if (!double.IsFinite(Lacking))
            return false;
        for (var left = FirstPart * Lacking; ; left *= Growth)
        {
            // A little more than the best known is short, and that is found again.
            left = Math.Min(left, Lacking + _bound.Noise);
            if (!TryCollect(Widened(left)) || !TryMatch(left))
                return false;
            if (Lacking <= left)
                return true;
        }
    }

    /// <summary>What the best known is short of the bound.</summary>
    private double Lacking => _most - (_bestGain / _part);

    /// <summary>
    /// What the types may be short of their peaks where all is short by so much: a limit that bends may seem broken by
    /// its tangent, and that is then charged less than nothing.
    /// </summary>
    private double Widened(double left) => (left + (_bend * _peak)) / (1 - _bend);

    /// <summary>How far a limit that is kept may seem broken by its tangent.</summary>
    private double Bent(double left) => _bend > 0 ? _bend * (Widened(left) + _peak) / _limit.Price : 0;

    /// <summary>Collects the combinations of either half of the types that are short by at most so much.</summary>
    private bool TryCollect(double left)
    {
        for (var k = 0; k < _model.Count; k++)
        {
            if (!_bound.TryCollect(k, _peaks[k], left, MaxMoves, _moves[k]))
                return false;
        }

        _first.Clear();
        _second.Clear();
        foreach (var k in Enumerable.Range(0, _model.Count).OrderByDescending(k => _moves[k].Count))
        {
            var isFirst =
                _second.Types.Count == MaxTypesInHalf
                || (_first.Types.Count < MaxTypesInHalf && _first.Parts.Count <= _second.Parts.Count);
            if (!TryExtend(isFirst ? _first : _second, k, left))
                return false;
        }

        return true;
    }

    private bool TryExtend(Half half, int k, double left)
    {
        var place = StepBits * half.Types.Count;
        half.Types.Add(k);
        _spare.Clear();
        foreach (var part in half.Parts)
        {
            foreach (var move in _moves[k])
            {
                if (part.Sum.Short + move.Short > left)
                    continue;
                if (_spare.Count == MaxParts)
                    return false;
                var steps = (ulong)(byte)(sbyte)(move.Tokens - _peaks[k].Tokens) << place;
                _spare.Add(
                    new(
                        part.Sum + move,
                        part.Used + (_limit.PerToken[k] * (move.Tokens - _point.Tokens[k])),
                        part.Steps | steps
                    )
                );
            }
        }

        (half.Parts, _spare) = (_spare, half.Parts);
        return true;
    }

    /// <summary>Offers all pairs that keep the limit, by the tangent, and are short by at most so much.</summary>
    private bool TryMatch(double left)
    {
        Part[] others = [.. _second.Parts];
        double[] used = [.. others.Select(part => part.Used)];
        Array.Sort(used, others);
        var broken = _limit.Tolerance + Bent(left);
        foreach (var part in _first.Parts)
        {
            var unused = _limit.Unused - part.Used;
            var least = unused - ((left - part.Sum.Short) / _limit.Price);
            for (var i = LastUpTo(used, unused + broken); i >= 0 && used[i] >= least; i--)
            {
                if (++_pairs > MaxPairs)
                    return false;
                if (part.Sum.Short + others[i].Sum.Short + (_limit.Price * (unused - used[i])) <= left)
                    Offer(part, others[i]);
            }
        }

        return true;
    }

    private static int LastUpTo(double[] sorted, double most)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = sorted[middle] <= most ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private void Offer(in Part first, in Part second)
    {
        var gain = _bound.Gain(first.Sum + second.Sum);
        if (!(gain >= _bestGain))
            return;
        var tokens = new long[_model.Count];
        _first.Write(first.Steps, _peaks, tokens);
        _second.Write(second.Steps, _peaks, tokens);

        // Of two that are equal to the last bit the order of the search must not choose.
        if (
            (gain > _bestGain || tokens.AsSpan().SequenceCompareTo(_best) < 0)
            && WholeTokenFigures.Of(_model, tokens).KeepsLimits(_model.Problem)
        )
            (_best, _bestGain) = (tokens, gain);
    }

    /// <summary>Tokens of the types of a half, as steps from the peaks, and what they come to.</summary>
    private readonly record struct Part(TokenMove Sum, double Used, ulong Steps);

    private sealed class Half
    {
        public List<int> Types { get; } = [];

        public List<Part> Parts { get; set; } = [];

        public void Clear()
        {
            Types.Clear();
            Parts.Clear();
            Parts.Add(default);
        }

        public void Write(ulong steps, TokenMove[] peaks, long[] tokens)
        {
            for (var i = 0; i < Types.Count; i++)
                tokens[Types[i]] = peaks[Types[i]].Tokens + (sbyte)(steps >> (StepBits * i));
        }
    }
}
