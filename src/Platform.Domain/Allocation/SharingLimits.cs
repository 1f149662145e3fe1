namespace Platform.Domain.Allocation;

/// <summary>The limits of a problem whose servers share. Each is used the more, the more tokens are granted.</summary>
internal sealed class SharingLimits
{
    private readonly Limit[] _limits;

    public SharingLimits(AllocationProblem problem) => _limits = [.. Of(problem)];

    /// <summary>How many limits are set.</summary>
    public int Count => _limits.Length;

    /// <summary>The most of a limit, in its unit.</summary>
    public double Most(int i) => _limits[i].Most;

    /// <summary>How much of a limit is used at a point.</summary>
    public LimitUse Use(int i, in SharingPoint point) => _limits[i].Use(point);

    /// <summary>Multipliers of the limits as prices for people.</summary>
    public ShadowPrices Prices(ReadOnlySpan<double> multipliers)
    {
        var prices = new ShadowPrices(0, 0, 0) { MaxInterTokenSeconds = 0, MaxTimeToFirstAnswerTokenSeconds = 0 };
        for (var i = 0; i < _limits.Length; i++)
            prices = _limits[i].Priced(prices, multipliers[i]);
        return prices;
    }

    /// <summary>The prices of the limits, in their order.</summary>
    public double[] MultipliersOf(ShadowPrices prices) => [.. _limits.Select(limit => limit.Price(prices))];

    private static IEnumerable<Limit> Of(AllocationProblem problem)
    {
        if (problem.MeanTokenBudget is { } tokens)
        {
            yield return new(
                tokens,
                point => point.MeanTokens,
                prices => prices.MeanTokenBudget,
                (prices, it) => prices with { MeanTokenBudget = it }
            );
        }

        if (problem.MaxMeanSystemTimeSeconds is { } time)
        {
            yield return new(
                time,
                point => point.SystemTime,
                prices => prices.MaxMeanSystemTime,
                (prices, it) => prices with { MaxMeanSystemTime = it }
            );
        }

        if (problem.MaxUtilization is { } utilization)
        {
            yield return new(
                utilization,
                point => point.Utilization,
                prices => prices.MaxUtilization,
                (prices, it) => prices with { MaxUtilization = it }
            );
        }

        if (problem.MaxInterTokenSeconds is { } interToken)
        {
            yield return new(
                interToken,
                point => point.SlowestInterToken,
                prices => prices.MaxInterTokenSeconds ?? 0,
                (prices, it) => prices with { MaxInterTokenSeconds = it }
            );
        }

        if (problem.MaxTimeToFirstAnswerTokenSeconds is { } first)
        {
            yield return new(
                first,
                point => point.FirstAnswer,
                prices => prices.MaxTimeToFirstAnswerTokenSeconds ?? 0,
                (prices, it) => prices with { MaxTimeToFirstAnswerTokenSeconds = it }
            );
        }
    }

    private sealed record Limit(
        double Most,
        Func<SharingPoint, LimitUse> Use,
        Func<ShadowPrices, double> Price,
        Func<ShadowPrices, double, ShadowPrices> Priced
    );
}
