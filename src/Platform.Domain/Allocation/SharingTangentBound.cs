namespace Platform.Domain.Allocation;

/// <summary>The bound for servers that share: φ(l) = α π w (p − p°) − π ((l − l°) Φ + (w − w°) Ψ).</summary>
internal sealed class SharingTangentBound : TangentBound
{
    /// <summary>η beyond which the bound leaves too much to look at.</summary>
    public const double MostBending = 0.9;

    // The same where a limit binds.
    private const double MostBendingOfLimits = 0.3;

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
            bending = SharingBending.Of(
                model,
                point.Sharing!.At,
                point.Tokens,
                point.Prices,
                (1.01 * loss) + point.Gap
            );
        }

        return bending < MostBending ? new SharingTangentBound(model, point, bending) : null;
    }

    /// <inheritdoc/>
    public override double Bend => 1 - Part;

    /// <summary>
    /// Where tokens cost the same whatever their type, each limit is one on the mean tokens. Where not, the one that
    /// binds is taken by its tangent, which lies above it by no more than E[T] bends. There is none to search by where
    /// that is much, where a token costs the more, the more went before, and where two bind.
    /// </summary>
    public override IEnumerable<TangentLimit> Limits
    {
        get
        {
            if (_columns.HasCommonCost)
                return [OfMeanTokens()];
            return _columns.HasSquares || Bend > MostBendingOfLimits || !IsKnownToBend ? [] : Tangent();
        }
    }

    /// <summary>Nothing is known of how the time to the first answer token bends with a cap.</summary>
    private bool IsKnownToBend => _columns.Cap is null || !(Point.Prices.MaxTimeToFirstAnswerTokenSeconds > 0);

    private TangentLimit OfMeanTokens()
    {
        var n = Enumerable.Range(0, Model.Count);
        var time = _optimum.At.SystemTime;
        var price = _optimum.PerOutput - time.PerOutput + (_columns.PerToken[0] * (_optimum.PerWork - time.PerWork));
        var used = n.Sum(k => Model.Share[k] * Point.Tokens[k]);
        return new(used, price, used, [.. n.Select(k => Model.Share[k])]);
    }

    private TangentLimit[] Tangent()
    {
        var limits = new SharingLimits(Model.Problem);
        var prices = limits.MultipliersOf(Point.Prices);
        var binding = Enumerable.Range(0, limits.Count).Where(i => prices[i] > 0).ToArray();
        if (binding is not [var only])
            return [];
        var use = limits.Use(only, _optimum.At);
        var perToken = Enumerable
            .Range(0, Model.Count)
            .Select(k => Model.Share[k] * (use.PerOutput + (use.PerWork * _columns.PerToken[k])));
        return [new(limits.Most(only), prices[only] / Part, use.Value, [.. perToken])];
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
            var then = _columns.SystemSeconds(at.Rate, at.Output + output, at.Work + work, idle);
            return sum.Value - (then - at.Means.SystemSeconds);
        }

        // (U + ΔU)/(r − x) − U/r, without what both have in common.
        var lone = (_columns.Overhead * output) + work;
        return sum.Value - (((lone * at.Idle) + (at.Lone * used)) / (at.Idle * idle));
    }
}
