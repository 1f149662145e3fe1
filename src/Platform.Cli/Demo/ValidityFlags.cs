using Platform.Domain.Estimation;

namespace Platform.Cli.Demo;

/// <summary>The flags that an estimate raises, in words.</summary>
internal static class ValidityFlags
{
    /// <summary>One phrase for each flag that is raised, the fleet's first.</summary>
    public static IReadOnlyList<string> Of(FleetEstimate estimate)
    {
        var fleet = estimate.Validity;
        return
        [
            .. Raised(
                "",
                ("arrivals are bursty, dispersion", fleet.Burstiness),
                ("arrival rate drifts, new over old", fleet.ArrivalDrift),
                ("budgets are not used up, part used", fleet.Adherence),
                ("windows are stale, seconds", fleet.Staleness),
                ("system times are not as predicted, seen over predicted", fleet.SystemTime),
                ("these servers batch: dispatch should be sharing, queries in service", fleet.Concurrency),
                ("system times are not those of servers that share, seen over predicted", fleet.SharingSystemTime),
                ("queries wait for a place in service, part of their time", fleet.Saturation),
                ("servers complete less with more in service, part", fleet.MemoryCollapse),
                ("arrival rate is far from the definition's, times", fleet.RateAgainstDefinition)
            ),
            .. estimate.TaskTypes.SelectMany(type =>
                Raised(
                    $"{type.Id}: ",
                    ("share is bursty, dispersion", type.Validity.ShareDispersion),
                    ("service times scatter, part of E[S²]", type.Validity.ServiceSpread),
                    ("budgets are not used up, part used", type.Validity.Adherence),
                    ("curve does not fit, χ² a degree of freedom", type.Validity.CurveMisfit),
                    ("accuracy is not concave, by", type.Validity.Convexity),
                    ("arrival rate drifts, new over old", type.Validity.ArrivalDrift),
                    ("service time drifts, seconds", type.Validity.ServiceDrift),
                    ("accuracy drifts, by", type.Validity.AccuracyDrift),
                    ("curve is held by the prior, doubt left", type.Validity.CurveIdentifiability),
                    ("accuracy falls with tokens, by", type.Validity.FallingAccuracy),
                    ("verdicts are all alike, part right", type.Validity.OneSidedVerdicts),
                    ("service times are far from the definition's, times", type.Validity.ServiceAgainstDefinition),
                    ("times at high loads are not those of the line, seen over line", type.Validity.LoadResponse),
                    ("tokens are used that were not granted", type.Validity.UngrantedTokens)
                )
            ),
        ];
    }

    private static IEnumerable<string> Raised(string of, params (string What, ValidityCheck? Check)[] checks) =>
        checks
            .Where(it => it.Check is { Flagged: true })
            .Select(it => FormattableString.Invariant($"{of}{it.What} {it.Check!.Value:0.###}"));
}
