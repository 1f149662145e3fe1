namespace Platform.Domain.Allocation;

/// <summary>
/// The best whole tokens, by looking at all that could be. E[T] is convex and lies above its tangent at the continuous optimum l°, so that
/// J(l) ≤ J(l°) + Σ φ(l) with φ(l) = α π w (p(l) − p(l°)) − (l − l°) ∂E[T]/∂l of each type, which is concave. What falls short of the best of
/// each φ by more than a known allocation does in all is out; the combinations of the rest, mostly some ten, are computed one by one. An answer
/// takes a tenth of <see cref="BranchAndBound"/>'s time and is the same: where that might see a difference, there is none from here.
/// </summary>
internal sealed class TangentSearch
{
    private const int MaxCandidates = 8;
    private const int MaxVisits = 2_000;

    // Below this 1 − ρ, rounding would have a say in what is small here.
    private const double LeastIdle = 1e-4;

    private readonly AllocationModel _model;
    private readonly ContinuousPoint _point;
    private readonly double _perSecond, _perSecondSquared, _margin, _noise;
    private readonly Candidate[] _candidates;
    private readonly int[] _counts, _chosen;
    private readonly long[] _best;
    private double _bestGain = double.NegativeInfinity, _secondGain = double.NegativeInfinity;
    private int _visits;

    private TangentSearch(AllocationModel model, ContinuousPoint point)
    {
        (_model, _point) = (model, point);
        _perSecondSquared = model.Lambda / point.Idle;
        _perSecond = 1 + (_perSecondSquared * _perSecondSquared * point.Square / 2);
        var value = Math.Abs(model.Problem.AccuracyWeight * point.WeightedAccuracy);
        _noise = 1e-14 * (1 + value + Math.Abs(value - point.Objective));
        _margin = (1.1 * BranchAndBound.Tolerance * (1 + Math.Abs(point.Objective))) + _noise;
        _candidates = new Candidate[model.Count * MaxCandidates];
        (_counts, _chosen, _best) = (new int[model.Count], new int[model.Count], new long[model.Count]);
    }

    /// <summary>The allocation that is better than all others: by more than rounding if it is the known one, else by more than the tolerance of a proof.</summary>
    /// <param name="model">The problem, of servers that share no queue.</param>
    /// <param name="point">Its continuous optimum.</param>
    /// <param name="known">An allocation that keeps the limits: the better, the less there is to look at.</param>
    /// <returns>Null where two are about equal, a limit is in the way, or there is too much to look at.</returns>
    public static long[]? Best(AllocationModel model, ContinuousPoint point, long[] known)
    {
        var prices = point.Prices;
        if (!(point.Idle > LeastIdle) || prices.MeanTokenBudget > 0 || prices.MaxMeanSystemTime > 0 || prices.MaxUtilization > 0)
            return null;
        var search = new TangentSearch(model, point);
        return search.Collect(known) is { } left && search.Visit(0, left, default)
            && search._bestGain - search._secondGain > (search._best.AsSpan().SequenceEqual(known) ? search._noise : search._margin)
            && WholeTokenFigures.Of(model, search._best).KeepsLimits(model.Problem)
            ? search._best
            : null;
    }

    /// <summary>Finds the numbers of tokens of each type that could be part of something as good as what is known.</summary>
    /// <returns>How far a combination may fall short of the bound in all; null when there are too many.</returns>
    private double? Collect(long[] known)
    {
        var left = _noise;
        Candidate sum = default;
        Span<Candidate> peaks = stackalloc Candidate[BranchAndBound.MaxTypes];
        for (var k = 0; k < _model.Count; k++)
        {
            if (Peak(k) is not { } peak)
                return null;
            peaks[k] = peak;
            left += peak.Phi;
            sum += At(k, known[k]);
        }

        left -= Gain(sum);
        for (var k = 0; k < _model.Count; k++)
        {
            if (!CollectAround(k, peaks[k], left))
                return null;
        }

        return left;
    }

    /// <summary>The largest φ of a type: next to its optimum over the real numbers.</summary>
    private Candidate? Peak(int k)
    {
        var best = At(k, Math.Clamp((long)Math.Floor(_point.Tokens[k]), _model.WholeLower[k], _model.WholeUpper[k]));
        for (var step = 0; step < MaxCandidates; step++)
        {
            var (up, down) = (Beside(k, best.Tokens, 1), Beside(k, best.Tokens, -1));
            if (up?.Phi > best.Phi)
                best = up.Value;
            else if (down?.Phi > best.Phi)
                best = down.Value;
            else
                return best;
        }

        return null;
    }

    private bool CollectAround(int k, Candidate peak, double left)
    {
        Keep(peak);
        for (var by = -1; by <= 1; by += 2)
        {
            for (var next = Beside(k, peak.Tokens, by); peak.Phi - next?.Phi <= left; next = Beside(k, next!.Value.Tokens, by))
            {
                if (_counts[k] == MaxCandidates)
                    return false;
                Keep(next!.Value);
            }
        }

        return true;

        void Keep(Candidate it) => _candidates[(k * MaxCandidates) + _counts[k]++] = it with { Short = peak.Phi - it.Phi };
    }

    private Candidate? Beside(int k, long tokens, int by) =>
        tokens + by >= _model.WholeLower[k] && tokens + by <= _model.WholeUpper[k] ? At(k, tokens + by) : null;

    private Candidate At(int k, long tokens)
    {
        var (at, share, cost) = (_point.Tokens[k], _model.Share[k], _model.Cost[k]);
        var more = tokens - at;
        var value = -_model.Problem.AccuracyWeight * share * _model.Weight[k] * _model.Gain[k]
            * Elementary.Exp(-_model.Rate[k] * at) * Elementary.ExpMinusOne(-_model.Rate[k] * more);
        var (seconds, time) = (share * cost * more, _model.Service(k, at));
        return new(tokens, value, seconds, seconds * ((2 * time) + (cost * more)))
        {
            Phi = value - (seconds * (_perSecond + (_perSecondSquared * time))),
        };
    }

    /// <summary>J above J(l°), seconds, with all that both have in common left out.</summary>
    private double Gain(in Candidate sum)
    {
        var idle = _point.Idle - (_model.Lambda * sum.Seconds);
        return idle > 0
            ? sum.Value - sum.Seconds - (_model.Lambda * (sum.Square + (_point.Square * _perSecondSquared * sum.Seconds)) / (2 * idle))
            : double.NegativeInfinity;
    }

    /// <summary>Tries every combination of the types from <paramref name="k"/> on that does not fall short by more than is left.</summary>
    /// <returns>False when there are too many.</returns>
    private bool Visit(int k, double left, in Candidate sum)
    {
        if (++_visits > MaxVisits)
            return false;
        if (k == _model.Count)
        {
            Take(Gain(sum));
            return true;
        }

        for (var i = 0; i < _counts[k]; i++)
        {
            ref readonly var it = ref _candidates[(k * MaxCandidates) + i];
            _chosen[k] = i;
            if (it.Short <= left && !Visit(k + 1, left - it.Short, sum + it))
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
        for (var k = 0; k < _best.Length; k++)
            _best[k] = _candidates[(k * MaxCandidates) + _chosen[k]].Tokens;
    }

    /// <summary>A number of tokens of one type, or the sum over some types; all against l°.</summary>
    /// <param name="Tokens">Tokens; without a meaning in a sum.</param>
    /// <param name="Value">α π w (p − p°).</param>
    /// <param name="Seconds">π (t − t°).</param>
    /// <param name="Square">π (t² − t°²).</param>
    private readonly record struct Candidate(long Tokens, double Value, double Seconds, double Square)
    {
        /// <summary>φ.</summary>
        public double Phi { get; init; }

        /// <summary>What φ is below the largest of its type.</summary>
        public double Short { get; init; }

        public static Candidate operator +(in Candidate a, in Candidate b) => new(0, a.Value + b.Value, a.Seconds + b.Seconds, a.Square + b.Square);
    }
}
