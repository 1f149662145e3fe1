namespace Platform.Domain.Estimation;

/// <summary>
/// What differs between the versions of the estimator: stored snapshots are derived again by the one that made them.
/// </summary>
internal sealed record EstimatorArithmetic
{
    /// <summary>Its name.</summary>
    public required string Version { get; init; }

    /// <summary>
    /// Whether the floor of an accuracy curve may be below 0, as it might up to estimator/3: tokens that bring nothing
    /// then seemed to heal a harm.
    /// </summary>
    public bool TakesFloorsBelowZero { get; init; }

    /// <summary>
    /// Whether the checks are those of estimator/3 alone: nothing of verdicts that are all alike, of curves that the
    /// prior holds, of falling accuracy, of system times and servers that serve many at once, or of figures far from
    /// the definition's.
    /// </summary>
    public bool HasOldChecksOnly { get; init; }

    /// <summary>
    /// Whether budgets go as far beyond the evidence as the prior's curve says, and service times as far below the
    /// definition's as windows say.
    /// </summary>
    public bool HasNoStepLimit { get; init; }

    /// <summary>
    /// Whether servers that share are taken for servers that serve one query at a time, as up to estimator/4: no fleet
    /// had them then.
    /// </summary>
    public bool KnowsNoSharing { get; init; }

    /// <summary>
    /// Whether the arrival rate and the shares are averages over the horizon, as up to estimator/5, and a problem that
    /// no allocation solves is given none.
    /// </summary>
    public bool HasAverageTraffic { get; init; }

    /// <summary>Whether the hours of the days before say nothing of the coming one, as up to estimator/6.</summary>
    public bool HasNoForecast { get; init; }

    /// <summary>
    /// Whether the rate is the definition's until it is seen to change, as in estimator/6: a single stretch of windows
    /// could not say otherwise.
    /// </summary>
    public bool TrustsDefinedRate { get; init; }

    /// <summary>The one that new snapshots are derived with.</summary>
    public static EstimatorArithmetic Current { get; } = new() { Version = "estimator/7" };

    /// <summary>All that are known, by name.</summary>
    public static IReadOnlyDictionary<string, EstimatorArithmetic> Versions { get; } =
        new[]
        {
            Current,
            new EstimatorArithmetic
            {
                Version = "estimator/6",
                HasNoForecast = true,
                TrustsDefinedRate = true,
            },
            new EstimatorArithmetic
            {
                Version = "estimator/5",
                HasNoForecast = true,
                HasAverageTraffic = true,
            },
            new EstimatorArithmetic
            {
                Version = "estimator/4",
                HasNoForecast = true,
                HasAverageTraffic = true,
                KnowsNoSharing = true,
            },
            new EstimatorArithmetic
            {
                Version = "estimator/3",
                TakesFloorsBelowZero = true,
                HasOldChecksOnly = true,
                HasNoStepLimit = true,
                HasNoForecast = true,
                HasAverageTraffic = true,
                KnowsNoSharing = true,
            },
        }.ToDictionary(it => it.Version, StringComparer.Ordinal);
}
