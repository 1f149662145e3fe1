namespace Platform.Domain.Allocation;

/// <summary>The bound for servers that serve one query at a time and share no queue.</summary>
internal sealed class QueueTangentBound : TangentBound
{
    private readonly double _x,
        _kappa;

    public QueueTangentBound(AllocationModel model, ContinuousPoint point)
        : base(model, point) => (_x, _kappa) = point.SystemTimeSlope(model.Lambda);

    /// <inheritdoc/>
    public override IEnumerable<TangentLimit> Limits
    {
        get
        {
            var (problem, prices, n) = (Model.Problem, Point.Prices, Enumerable.Range(0, Model.Count));
            if (prices.MeanTokenBudget > 0)
            {
                var used = n.Sum(k => Model.Share[k] * Point.Tokens[k]);
                double[] perToken = [.. n.Select(k => Model.Share[k])];
                yield return new(problem.MeanTokenBudget!.Value, prices.MeanTokenBudget, used, perToken);
            }

            if (prices.MaxUtilization > 0)
            {
                double[] perToken = [.. n.Select(k => Model.Lambda * Model.Share[k] * Model.Cost[k])];
                yield return new(Model.MaxUtilization, prices.MaxUtilization, 1 - Point.Idle, perToken);
            }

            if (prices.MaxMeanSystemTime > 0)
            {
                var used = Point.MeanService + (Model.Lambda * Point.Square / (2 * Point.Idle));
                double[] perToken = [.. n.Select(k => Model.Share[k] * Model.Cost[k] * SystemTime(k))];
                yield return new(problem.MaxMeanSystemTimeSeconds!.Value, prices.MaxMeanSystemTime, used, perToken);
            }
        }
    }

    /// <inheritdoc/>
    protected override TokenMove At(int k, long tokens)
    {
        var (at, share, cost) = (Point.Tokens[k], Model.Share[k], Model.Cost[k]);
        var more = tokens - at;
        var value = Value(k, more);
        var (seconds, time, prices) = (share * cost * more, Model.Service(k, at), Point.Prices);
        var ofTime = seconds * ((1 + prices.MaxMeanSystemTime) * SystemTime(k));
        var ofTokens = prices.MeanTokenBudget * share * more;
        var ofUtilization = prices.MaxUtilization * Model.Lambda * seconds;
        return new(tokens, value, seconds, seconds * ((2 * time) + (cost * more)))
        {
            Phi = value - ofTime - ofTokens - ofUtilization,
        };
    }

    /// <inheritdoc/>
    public override double Gain(in TokenMove sum)
    {
        var idle = Point.Idle - (Model.Lambda * sum.Seconds);
        return idle > 0
            ? sum.Value - sum.Seconds - (Model.Lambda * (sum.Square + (Point.Square * _x * sum.Seconds)) / (2 * idle))
            : double.NegativeInfinity;
    }

    /// <summary>∂E[T]/∂E[S] of a type at l°: what one second more of its service costs all queries.</summary>
    private double SystemTime(int k) => _kappa + (_x * Model.Service(k, Point.Tokens[k]));
}
