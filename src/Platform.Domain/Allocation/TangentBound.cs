namespace Platform.Domain.Allocation;

/// <summary>A number of tokens of one type, or a sum over some types; all against the continuous optimum l°.</summary>
/// <param name="Tokens">Tokens; without a meaning in a sum.</param>
/// <param name="Value">α π w (p − p°), seconds.</param>
/// <param name="Seconds">π (t − t°).</param>
/// <param name="Square">π (t² − t°²), seconds squared.</param>
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
/// A bound on J that is a sum over the types. E[T] is convex and lies above its tangent at the continuous optimum l°, and what the prices ν, η and θ charge
/// for limits that are not used up is not negative where the limits are kept. Hence J(l) ≤ J(l°) + Σ φ(l) + what they charge at l°, with each type's
/// φ(l) = α π w (p(l) − p(l°)) − (l − l°) ((1 + η) ∂E[T]/∂l + ν π + θ λ π c), which is concave and largest next to l°.
/// </summary>
internal sealed class TangentBound
{
    // Below this 1 − ρ, rounding would have a say in what is small here.
    private const double LeastIdle = 1e-4;

    private const int MaxStepsToPeak = 8;

    private readonly AllocationModel _model;
    private readonly ContinuousPoint _point;
    private readonly double _x, _kappa;

    /// <summary>Prepares for a problem with servers that share no queue and its continuous optimum.</summary>
    public TangentBound(AllocationModel model, ContinuousPoint point)
    {
        (_model, _point) = (model, point);
        (_x, _kappa) = point.SystemTimeSlope(model.Lambda);
        var value = Math.Abs(model.Problem.AccuracyWeight * point.WeightedAccuracy);
        Noise = 1e-14 * (1 + value + Math.Abs(value - point.Objective));
    }

    /// <summary>More than rounding takes from J, seconds.</summary>
    public double Noise { get; }

    /// <summary>Whether the bound is good for something at an optimum.</summary>
    public static bool Serves(ContinuousPoint point) => point.Idle > LeastIdle;

    /// <summary>Some tokens of a type.</summary>
    private TokenMove At(int k, long tokens)
    {
        var (at, share, cost) = (_point.Tokens[k], _model.Share[k], _model.Cost[k]);
        var more = tokens - at;
        var value = -_model.Problem.AccuracyWeight * share * _model.Weight[k] * _model.Gain[k]
            * Elementary.Exp(-_model.Rate[k] * at) * Elementary.ExpMinusOne(-_model.Rate[k] * more);
        var (seconds, time, prices) = (share * cost * more, _model.Service(k, at), _point.Prices);
        return new(tokens, value, seconds, seconds * ((2 * time) + (cost * more)))
        {
            Phi = value - (seconds * ((1 + prices.MaxMeanSystemTime) * SystemTime(k))) - (prices.MeanTokenBudget * share * more)
                - (prices.MaxUtilization * _model.Lambda * seconds),
        };
    }

    /// <summary>∂E[T]/∂E[S] of a type at l°: what one second more of its service costs all queries, seconds.</summary>
    public double SystemTime(int k) => _kappa + (_x * _model.Service(k, _point.Tokens[k]));

    /// <summary>The same with some tokens more or less; null beyond the bounds.</summary>
    private TokenMove? Beside(int k, long tokens, int by) =>
        tokens + by >= _model.WholeLower[k] && tokens + by <= _model.WholeUpper[k] ? At(k, tokens + by) : null;

    /// <summary>Where φ of a type is largest over whole tokens; null where that is not near l°.</summary>
    private TokenMove? Peak(int k)
    {
        var best = At(k, Math.Clamp((long)Math.Floor(_point.Tokens[k]), _model.WholeLower[k], _model.WholeUpper[k]));
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
        for (var k = 0; k < _model.Count; k++)
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
            for (var next = Beside(k, peak.Tokens, by); peak.Phi - next?.Phi <= left; next = Beside(k, next!.Value.Tokens, by))
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

    /// <summary>J above J(l°), seconds, of a sum over all types; formed without what both have in common.</summary>
    public double Gain(in TokenMove sum)
    {
        var idle = _point.Idle - (_model.Lambda * sum.Seconds);
        return idle > 0
            ? sum.Value - sum.Seconds - (_model.Lambda * (sum.Square + (_point.Square * _x * sum.Seconds)) / (2 * idle))
            : double.NegativeInfinity;
    }
}
