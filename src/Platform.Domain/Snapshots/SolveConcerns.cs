using System.Globalization;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;

namespace Platform.Domain.Snapshots;

/// <summary>
/// Finds where the figures that a fleet was solved on are more likely a fault than a fact: of a grader, a unit, a
/// setting. Each says what was seen, what it means and what to do.
/// </summary>
public static class SolveConcerns
{
    /// <summary>Windows bring more work than the servers can do under the allocation that was in force.</summary>
    public const string LoadAlarm = "loadAlarm";

    /// <summary>Hundreds of verdicts of a task type, none of them right.</summary>
    public const string NeverRight = "neverRight";

    /// <summary>Hundreds of verdicts of a task type, all of them right.</summary>
    public const string AlwaysRight = "alwaysRight";

    /// <summary>More tokens make a task type less accurate.</summary>
    public const string FallingAccuracy = "fallingAccuracy";

    /// <summary>A task type at 0 tokens of which no verdict tells what tokens would bring.</summary>
    public const string CannotLearn = "cannotLearn";

    /// <summary>Service times far from the definition's.</summary>
    public const string ServiceTime = "serviceTime";

    /// <summary>Queries use tokens though none are granted.</summary>
    public const string UngrantedTokens = "ungrantedTokens";

    /// <summary>Servers do more work at once than a server that serves one query at a time can.</summary>
    public const string Concurrency = "concurrency";

    /// <summary>System times far from what the queue predicts.</summary>
    public const string SystemTime = "systemTime";

    /// <summary>Queries wait for a place in service at servers that share, or the cap is reached.</summary>
    public const string Saturation = "saturation";

    /// <summary>Servers that share complete less, the more are in service.</summary>
    public const string MemoryCollapse = "memoryCollapse";

    /// <summary>Times in service at the highest loads are not those of the line that was learnt.</summary>
    public const string LoadResponse = "loadResponse";

    /// <summary>The concerns of a solve, in a fixed order; empty when there is none.</summary>
    /// <param name="definition">The definition that was solved for.</param>
    /// <param name="estimate">The estimate that was solved on.</param>
    /// <param name="tokens">Tokens in force, in the definition's order; null when there are none.</param>
    public static IReadOnlyList<FleetConcern> Of(
        FleetDefinition definition,
        FleetEstimate estimate,
        IReadOnlyList<long>? tokens
    )
    {
        List<FleetConcern?> concerns =
        [
            OfConcurrency(definition, estimate),
            OfSystemTime(estimate),
            OfSharingSystemTime(estimate),
            OfSaturation(definition, estimate),
            OfMemory(estimate),
        ];
        for (var k = 0; k < estimate.TaskTypes.Count; k++)
        {
            var type = estimate.TaskTypes[k];
            concerns.Add(OfServiceTime(type));
            concerns.Add(OfLoadResponse(type));
            concerns.Add(OfVerdicts(type));
            concerns.Add(OfFall(type));
            concerns.Add(OfLearning(type, tokens?[k]));
            concerns.Add(OfUngranted(type));
        }

        return [.. concerns.OfType<FleetConcern>()];
    }

    /// <summary>The concern of an alarm that stands.</summary>
    /// <param name="alarm">The alarm.</param>
    public static FleetConcern Of(LoadAlarm alarm)
    {
        var seen = new List<string>();
        if (alarm.ArrivalRate > 0)
            seen.Add(Text($"{alarm.ArrivalRate:0.####} arrivals a second"));
        if (alarm.ServiceFactor > 1)
            seen.Add(Text($"service times {alarm.ServiceFactor:0.##} times as long as estimated"));
        var since = Text($"Since {alarm.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC ");
        return new FleetConcern(
            LoadAlarm,
            since
                + "windows bring more work than the servers could do under the allocation then in force: "
                + $"{string.Join(" and ", seen)}. Allocations count with that until the estimate has followed or the windows "
                + "fall again."
        );
    }

    private static FleetConcern? OfConcurrency(FleetDefinition definition, FleetEstimate estimate)
    {
        if (estimate.Validity.Concurrency is not { Flagged: true, Value: { } inService })
            return null;
        var servers = definition.Servers == 1 ? "the server" : Text($"each of the {definition.Servers} servers");
        return new FleetConcern(
            Concurrency,
            Text(
                $"By the windows {servers} works on {inService:0.#} queries at once, and a server of this fleet serves one at a time. "
            )
                + "Then these servers batch: dispatch should be sharing. If they do serve one at a time, the time on the "
                + "server that is sent holds the wait."
        );
    }

    private static FleetConcern? OfSystemTime(FleetEstimate estimate)
    {
        var check = estimate.Validity.SystemTime;
        if (check is not { Flagged: true, Value: { } ratio } || estimate.MeanSystemTimeSeconds is not { } seen)
            return null;
        var predicted = ratio > 0 ? Text($"{seen / ratio:0.###} s") : "that the queue grows for ever";
        var guess =
            ratio > 1
                ? "Do arrivals come in bursts, do queries wait elsewhere too, or are there fewer servers than servers says?"
                : "Are there more servers than servers says, does dispatch name the right queue, or do they serve many at once?";
        return new FleetConcern(
            SystemTime,
            Text($"Queries take {seen:0.###} s from arrival to end in the mean, and the queue predicts {predicted} ")
                + $"from the same arrivals and service times: the allocation rests on waits that are not these. {guess}"
        );
    }

    private static FleetConcern? OfSharingSystemTime(FleetEstimate estimate)
    {
        if (estimate.Validity.SharingSystemTime is not { Flagged: true, Value: { } ratio })
            return null;
        var guess =
            ratio > 1
                ? "Do queries wait elsewhere too, is maxInService lower than the definition says, or are servers fewer?"
                : "Are there more servers than servers says, or does the time on the server that is sent hold the wait?";
        return new FleetConcern(
            SystemTime,
            Text($"Queries take {ratio:0.##} times as long from arrival to end as servers that share would ")
                + "at the loads that were seen: "
                + $"the allocation rests on times that are not these. {guess}"
        );
    }

    private static FleetConcern? OfSaturation(FleetDefinition definition, FleetEstimate estimate)
    {
        if (estimate.Validity.Saturation is not { Flagged: true } check)
            return null;
        var wait =
            check.Value > ValidityThresholds.Waiting
                ? Text($"Queries wait {check.Value.Value * 100:0} % of their time for a place in service. ")
                : Text(
                    $"Up to {check.Score * 100:0} % of maxInService were in service in the mean of a stretch of time. "
                );
        var advice = definition.Sharing?.MaxInService is null
            ? "Say in sharing.maxInService how many a server takes at once, so that the wait is counted with."
            : "More servers, or a higher cap where memory allows it, would end the wait.";
        return new FleetConcern(Saturation, wait + advice);
    }

    private static FleetConcern? OfMemory(FleetEstimate estimate)
    {
        if (estimate.Validity.MemoryCollapse is not { Flagged: true, Value: { } ratio })
            return null;
        return new FleetConcern(
            MemoryCollapse,
            Text($"With most queries in service the servers complete {ratio * 100:0} % of the tokens a second ")
                + "that they complete with fewer: "
                + "their memory is full, and queries are put off or begun again. Lower max_num_seqs, and say it in "
                + "sharing.maxInService; or set maxUtilization."
        );
    }

    private static FleetConcern? OfLoadResponse(TaskTypeEstimate type)
    {
        if (type.Validity.LoadResponse is not { Flagged: true, Value: { } ratio })
            return null;
        return new FleetConcern(
            LoadResponse,
            Text($"At its highest loads {type.Id} takes {ratio:0.##} times as long in service as the line that was ")
                + "learnt says: its times do not rise in proportion to the queries in service, and predictions at high loads "
                + "are off by as much."
        );
    }

    private static FleetConcern? OfServiceTime(TaskTypeEstimate type)
    {
        if (type.Validity.ServiceAgainstDefinition is not { Flagged: true, Value: { } ratio })
            return null;
        var held = ratio < 1 ? " Until then the definition's line is solved with." : "";
        return new FleetConcern(
            ServiceTime,
            Text(
                $"The service times of {type.Id} are {ratio:0.####} times those of the definition's line at the same tokens: "
            ) + $"{WrongUnit.GuessOfTimes(ratio)} If they are right, revise its service line.{held}"
        );
    }

    private static FleetConcern? OfVerdicts(TaskTypeEstimate type)
    {
        if (type.Validity.OneSidedVerdicts is not { Flagged: true, Value: { } right })
            return null;
        return right > 0
            ? new FleetConcern(
                AlwaysRight,
                Text($"All {type.Trials} verdicts of {type.Id} are right: does the grader tell right from wrong? ")
                    + "If it does, fewer tokens may do: lower maxTokens for a part of its queries to learn."
            )
            : new FleetConcern(
                NeverRight,
                Text(
                    $"None of {type.Trials} verdicts of {type.Id} is right, at any budget: it gets its fewest tokens. "
                ) + "Does the grader work, and is this a task that the model can do?"
            );
    }

    private static FleetConcern? OfFall(TaskTypeEstimate type)
    {
        if (type.Validity.FallingAccuracy is not { Flagged: true, Value: { } fall })
            return null;
        return new FleetConcern(
            FallingAccuracy,
            Text($"The accuracy of {type.Id} falls by {fall:0.###} from one budget to a larger one: ")
                + "the curve that is solved with cannot fall, and promises more there than is seen. "
                + "Lower its maxTokens to where it is best."
        );
    }

    private static FleetConcern? OfLearning(TaskTypeEstimate type, long? tokens)
    {
        if (tokens != 0 || type.LargestBudgetTried != 0)
            return null;
        return new FleetConcern(
            CannotLearn,
            $"{type.Id} gets 0 tokens and all its verdicts are at 0: they can never tell what tokens would bring. "
                + "Grant a part of its queries some, or set its minTokens for a time."
        );
    }

    private static FleetConcern? OfUngranted(TaskTypeEstimate type)
    {
        if (type.Validity.UngrantedTokens is not { Flagged: true, Value: { } used })
            return null;
        return new FleetConcern(
            UngrantedTokens,
            Text($"Queries of {type.Id} are granted 0 tokens and use {used:0} in the mean: ")
                + "the servers ignore that thinking is off. Look at what the gateway sends, or name in actuator what they can be told."
        );
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
