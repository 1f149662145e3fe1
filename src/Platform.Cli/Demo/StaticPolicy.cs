namespace Platform.Cli.Demo;

/// <summary>
/// How the demo's fleets granted tokens before there was a platform: one budget for all task types, tried at several sizes. Without the
/// spread neither the slope of the service line nor the accuracy curve could be told from the windows.
/// </summary>
internal static class StaticPolicy
{
    /// <summary>Sizes relative to the fleet's policy budget, with their part of the queries.</summary>
    private static readonly (double Size, double Part)[] Budgets = [(0.25, 0.15), (0.5, 0.2), (1.0, 0.3), (1.5, 0.2), (2.5, 0.15)];

    /// <summary>Part of the queries that stop thinking before their budget is used up.</summary>
    private const double StopsEarly = 0.1;

    /// <summary>Least part of its budget that a query uses.</summary>
    private const double LeastUse = 0.7;

    /// <summary>Mean number of tokens used, relative to the policy budget.</summary>
    public static double MeanUse { get; } = Budgets.Sum(budget => budget.Size * budget.Part) * (1 - (StopsEarly * (1 - LeastUse) / 2));

    /// <summary>Tokens granted to the next query.</summary>
    public static long Grant(int policyTokens, Random random)
    {
        var draw = random.NextDouble();
        var i = 0;
        for (; i < Budgets.Length - 1 && draw >= Budgets[i].Part; i++)
            draw -= Budgets[i].Part;
        return (long)Math.Round(policyTokens * Budgets[i].Size);
    }

    /// <summary>Tokens really used of those granted.</summary>
    public static long Use(long granted, Random random)
    {
        var (stops, part) = (random.NextDouble() < StopsEarly, LeastUse + ((1 - LeastUse) * random.NextDouble()));
        return stops ? (long)Math.Round(granted * part) : granted;
    }
}
