namespace Platform.Domain.Allocation;

/// <summary>A number of tokens of one type, or a sum over some types; all against the continuous optimum l°.</summary>
/// <param name="Tokens">Tokens; without a meaning in a sum.</param>
/// <param name="Value">α π w (p − p°), seconds.</param>
/// <param name="Seconds">π (t − t°); where servers share, π (w − w°).</param>
/// <param name="Square">π (t² − t°²), seconds squared; where servers share, π (l − l°).</param>
internal readonly record struct TokenMove(long Tokens, double Value, double Seconds, double Square)
{
    /// <summary>φ, seconds: see <see cref="TangentBound"/>.</summary>
    public double Phi { get; init; }

    /// <summary>What φ is below the largest of its type.</summary>
    public double Short { get; init; }

    public static TokenMove operator +(in TokenMove a, in TokenMove b) =>
        new(0, a.Value + b.Value, a.Seconds + b.Seconds, a.Square + b.Square) { Short = a.Short + b.Short };
}

/// <summary>
/// A bound on J that is a sum over the types. E[T] is convex and lies above its tangent at the continuous optimum l°,
/// and what the prices ν, η and θ charge for limits that are not used up is not negative where the limits are kept.
/// Hence J(l) ≤ J(l°) + Σ φ(l) + what they charge at l°, with each type's φ(l) = α π w (p(l) − p(l°)) − (l − l°) ((1 +
/// η) ∂E[T]/∂l + ν π + θ λ π c), which is concave and largest next to l°.
/// </summary>
internal abstract class TangentBound
{
    // Below this 1 − ρ, rounding would have a say in what is small here.
    private const double LeastIdle = 1e-4;

    private const int MaxStepsToPeak = 8;

    /// <summary>Prepares for a problem with servers that share no queue and its continuous optimum.</summary>
    protected TangentBound(AllocationModel model, ContinuousPoint point)
    {
        (Model, Point) = (model, point);
        var value = Math.Abs(model.Problem.AccuracyWeight * point.WeightedAccuracy);
        Noise = 1e-14 * (1 + value + Math.Abs(value - point.Objective));
    }

    /// <summary>The problem.</summary>
    protected AllocationModel Model { get; }

    /// <summary>l° with its prices.</summary>
    protected ContinuousPoint Point { get; }

    /// <summary>The limits that have a price.</summary>
    public abstract IEnumerable<TangentLimit> Limits { get; }

    /// <summary>The part of Σ φ by which J is bounded: 1 where E[T] is convex.</summary>
    public virtual double Part => 1;

    /// <summary>
    /// How far E[T] or a limit may lie below its tangent: at most this part of what the curves of the types bend by,
    /// and so of −Σ φ; 0 where E[T] is convex.
    /// </summary>
    public virtual double Bend => 0;

    /// <summary>More than rounding takes from J, seconds.</summary>
    public double Noise { get; }

    /// <summary>The bound at an optimum; null where it is good for nothing there.</summary>
    /// <param name="model">The problem.</param>
    /// <param name="point">Its continuous optimum.</param>
    /// <param name="known">Whole tokens that keep the limits: only what is as good is looked at.</param>
    public static TangentBound? At(AllocationModel model, ContinuousPoint point, ReadOnlySpan<long> known)
    {
        if (!(point.Idle > LeastIdle))
            return null;
        if (point.Sharing is null)
            return new QueueTangentBound(model, point);
        return SharingTangentBound.AsGoodAs(model, point, known);
    }

    /// <summary>Some tokens of a type.</summary>
    protected abstract TokenMove At(int k, long tokens);

    /// <summary>J above J(l°), seconds, of a sum over all types; formed without what both have in common.</summary>
    public abstract double Gain(in TokenMove sum);

    /// <summary>α π w (p(tokens) − p°) of a type.</summary>
    protected double Value(int k, double more) =>
        -Model.Problem.AccuracyWeight
        * Model.Share[k]
        * Model.Weight[k]
        * Model.Gain[k]
        * Elementary.Exp(-Model.Rate[k] * Point.Tokens[k])
        * Elementary.ExpMinusOne(-Model.Rate[k] * more);

    /// <summary>The same with some tokens more or less; null beyond the bounds.</summary>
    private TokenMove? Beside(int k, long tokens, int by) =>
        tokens + by >= Model.WholeLower[k] && tokens + by <= Model.WholeUpper[k] ? At(k, tokens + by) : null;

    /// <summary>Where φ of a type is largest over whole tokens; null where that is not near l°.</summary>
    private TokenMove? Peak(int k)
    {
        var best = At(k, Math.Clamp((long)Math.Floor(Point.Tokens[k]), Model.WholeLower[k], Model.WholeUpper[k]));
        for (var step = 0; step < MaxStepsToPeak; step++)
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

    /// <summary>Finds the peaks of all types.</summary>
    /// <returns>False when one is not near l°.</returns>
    public bool TryFindPeaks(Span<TokenMove> peaks)
    {
        for (var k = 0; k < Model.Count; k++)
        {
            if (Peak(k) is not { } peak)
                return false;
            peaks[k] = peak;
        }

        return true;
    }

    /// <summary>
    /// Adds to a list all whole tokens of a type whose φ is at most so far below the largest, which comes first.
    /// </summary>
    /// <returns>False when there are more than may be.</returns>
    public bool TryCollect(int k, in TokenMove peak, double left, int most, List<TokenMove> moves)
    {
        moves.Clear();
        moves.Add(peak);
        for (var by = -1; by <= 1; by += 2)
        {
            for (
                var next = Beside(k, peak.Tokens, by);
                peak.Phi - next?.Phi <= left;
                next = Beside(k, next!.Value.Tokens, by)
            )
            {
                if (moves.Count == most)
                    return false;
                moves.Add(next!.Value with { Short = peak.Phi - next.Value.Phi });
            }
        }

        return true;
    }

    /// <summary>J of an allocation above J(l°), seconds.</summary>
    public double Gain(long[] tokens)
    {
        TokenMove sum = default;
        for (var k = 0; k < tokens.Length; k++)
            sum += At(k, tokens[k]);
        return Gain(sum);
    }
}

/// <summary>A limit that binds, by the tangent at the continuous optimum.</summary>
/// <param name="Most">The limit.</param>
/// <param name="Price">Seconds for each unit of it.</param>
/// <param name="Used">What of it the optimum uses.</param>
/// <param name="PerToken">What one token more of each type uses.</param>
internal sealed record TangentLimit(double Most, double Price, double Used, double[] PerToken)
{
    public double Unused => Most - Used;

    public double Tolerance => 4 * WholeTokenFigures.LimitTolerance * Most;
}
