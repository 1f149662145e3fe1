using Platform.Domain.Estimation;

namespace Platform.Api.Dashboard;

/// <summary>A figure that says whether the model fits.</summary>
/// <param name="Of">The task type, or null for the fleet as a whole.</param>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">What a flag on it means.</param>
/// <param name="Check">The figure.</param>
internal sealed record Flag(string? Of, string Name, string Meaning, ValidityCheck Check)
{
    /// <summary>All of an estimate; formulas are in docs/estimation.md.</summary>
    public static IEnumerable<Flag> All(FleetEstimate estimate) =>
        [
            new(
                null,
                "Burstiness",
                "Arrivals come in bursts: waits are longer than predicted.",
                estimate.Validity.Burstiness
            ),
            new(
                null,
                "Arrival drift",
                "The arrival rate has moved within the horizon.",
                estimate.Validity.ArrivalDrift
            ),
            new(
                null,
                "Adherence",
                "Tokens used are not those granted: the servers do not keep to budgets.",
                estimate.Validity.Adherence
            ),
            new(null, "Staleness", "No window has come for long.", estimate.Validity.Staleness),
            .. Known(
                null,
                (
                    "System time",
                    "Queries take longer, or less long, than the queue predicts.",
                    estimate.Validity.SystemTime
                ),
                (
                    "Concurrency",
                    "More queries are in service than servers. These servers batch: dispatch should be sharing.",
                    estimate.Validity.Concurrency
                ),
                (
                    "Rate against definition",
                    "The arrival rate is far from the definition's: revise it if it is right.",
                    estimate.Validity.RateAgainstDefinition
                ),
                (
                    "System time",
                    "Queries take longer, or less long, than servers that share would at the loads seen.",
                    estimate.Validity.SharingSystemTime
                ),
                (
                    "Saturation",
                    "Queries wait for a place in service, or as many are in service as may be.",
                    estimate.Validity.Saturation
                ),
                (
                    "Memory",
                    "The servers complete less, the more are in service: their memory is full.",
                    estimate.Validity.MemoryCollapse
                )
            ),
            .. estimate.TaskTypes.SelectMany(OfType),
        ];

    private static Flag[] OfType(TaskTypeEstimate type) =>
        [
            new(type.Id, "Share dispersion", "Its part of the traffic comes in bursts.", type.Validity.ShareDispersion),
            new(
                type.Id,
                "Service spread",
                "Service times scatter widely around the line.",
                type.Validity.ServiceSpread
            ),
            new(type.Id, "Adherence", "Tokens used are not those granted.", type.Validity.Adherence),
            new(
                type.Id,
                "Curve misfit",
                "The accuracy curve does not go through the verdicts.",
                type.Validity.CurveMisfit
            ),
            new(
                type.Id,
                "Convexity",
                "More tokens gain more, not less, somewhere: the curve is not concave.",
                type.Validity.Convexity
            ),
            new(type.Id, "Arrival drift", "Its arrival rate has moved within the horizon.", type.Validity.ArrivalDrift),
            new(
                type.Id,
                "Service drift",
                "Its service times have moved within the horizon.",
                type.Validity.ServiceDrift
            ),
            new(type.Id, "Accuracy drift", "Its accuracy has moved within the horizon.", type.Validity.AccuracyDrift),
            .. Known(
                type.Id,
                (
                    "Held by the prior",
                    "Its curve is the definition's: verdicts at budgets that differ would tell it.",
                    type.Validity.CurveIdentifiability
                ),
                (
                    "Falling accuracy",
                    "More tokens make it worse somewhere, which the curve cannot follow.",
                    type.Validity.FallingAccuracy
                ),
                (
                    "One-sided verdicts",
                    "All its verdicts are alike: does the grader work?",
                    type.Validity.OneSidedVerdicts
                ),
                (
                    "Service against definition",
                    Guess(type.Validity.ServiceAgainstDefinition),
                    type.Validity.ServiceAgainstDefinition
                ),
                (
                    "Response to load",
                    "At high loads its times in service are not those of the line that was learnt.",
                    type.Validity.LoadResponse
                ),
                (
                    "Ungranted tokens",
                    "It uses tokens though none are granted: the servers ignore that thinking is off.",
                    type.Validity.UngrantedTokens
                )
            ),
        ];

    /// <summary>Those that the estimator knows: older ones leave some out.</summary>
    private static IEnumerable<Flag> Known(
        string? taskType,
        params (string Name, string Meaning, ValidityCheck? Check)[] flags
    )
    {
        foreach (var (name, meaning, check) in flags)
        {
            if (check is not null)
                yield return new Flag(taskType, name, meaning, check);
        }
    }

    private static string Guess(ValidityCheck? check)
    {
        const string Meaning = "Its service times are far from the definition's";
        var isSuspect = check is { Flagged: true, Value: > 0 };
        return isSuspect ? $"{Meaning}: {WrongUnit.GuessOfTimes(check!.Value!.Value)}" : $"{Meaning}.";
    }
}
