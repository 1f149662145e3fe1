namespace Platform.Domain.Allocation;

/// <summary>The bound for servers that share: φ(l) = α π w (p − p°) − π ((l − l°) Φ + (w − w°) Ψ).</summary>
internal sealed class SharingTangentBound : TangentBound
{
    /// <summary>η beyond which the bound leaves too much to look at.</summary>
    public const double MostBending = 0.9;

    private readonly SharingColumns _columns;
    private readonly SharingOptimum _optimum;

    private SharingTangentBound(AllocationModel model, ContinuousPoint point, double bending)
        : base(model, point)
    {
        _columns = model.Sharing!;
        _optimum = point.Sharing!;
        Part = 1 - bending;
    }

    /// <inheritdoc/>
    public override double Part { get; }

    /// <summary>
    /// The bound for allocations that are as good as a known one; null where E[T] bends too much among those.
    /// </summary>
    /// <param name="model">The problem.</param>
    /// <param name="point">Its continuous optimum.</param>
    /// <param name="known">Whole tokens that keep the limits.</param>
    public static SharingTangentBound? AsGoodAs(AllocationModel model, ContinuousPoint point, ReadOnlySpan<long> known)
    {
        var bending = 0.0;
        if (!model.Sharing!.HasCommonCost)
        {
            var loss = Math.Max(point.Objective - WholeTokenFigures.Of(model, known).Objective, 0);
            bending = SharingBending.Of(model, point.Sharing!.At, point.Tokens, point.Prices, (1.01 * loss) + point.Gap);
        }

        return bending < MostBending ? new SharingTangentBound(model, point, bending) : null;
    }

    /// <summary>
    /// Where tokens cost the same whatever their type, each limit is one on the mean tokens. Where not, the limits bend,
    /// and there is none to search by.
    /// </summary>
    public override IEnumerable<TangentLimit> Limits
    {
        get
        {
            if (!_columns.HasCommonCost)
                yield break;
            var n = Enumerable.Range(0, Model.Count);
            var time = _optimum.At.SystemTime;
            var price = _optimum.PerOutput - time.PerOutput + (_columns.PerToken[0] * (_optimum.PerWork - time.PerWork));
            var used = n.Sum(k => Model.Share[k] * Point.Tokens[k]);
            yield return new(used, price, used, [.. n.Select(k => Model.Share[k])]);
        }
    }

    /// <inheritdoc/>
    protected override TokenMove At(int k, long tokens)
    {
        var (at, share) = (Point.Tokens[k], Model.Share[k]);
        var more = tokens - at;
        var value = Value(k, more);
        var work = share * more * (_columns.PerToken[k] + (_columns.Square[k] * (tokens + at)));
        return new(tokens, value, work, share * more)
        {
            Phi = value - (_optimum.PerOutput * share * more) - (_optimum.PerWork * work),
        };
    }

    /// <inheritdoc/>
    public override double Gain(in TokenMove sum)
    {
        var (at, work, output) = (_optimum.At, sum.Seconds, sum.Square);
        var used = at.Rate * (work + (_columns.OverheadOfSlot * output));
        var idle = at.Idle - used;
        if (!(idle > 0))
            return double.NegativeInfinity;
        if (_columns.Cap is not null)
        {
            var then = new SharingPoint(_columns, at.Rate, at.Output + output, at.Work + work, idle);
            return sum.Value - (then.Means.SystemSeconds - at.Means.SystemSeconds);
        }

        // (U + ΔU)/(r − x) − U/r, without what both have in common.
        var lone = (_columns.Overhead * output) + work;
        return sum.Value - (((lone * at.Idle) + (at.Lone * used)) / (at.Idle * idle));
    }
}
