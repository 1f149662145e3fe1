using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>What pages say in words.</summary>
internal static class Words
{
    /// <summary>An input of a problem.</summary>
    public static string Of(ProblemInput input) =>
        input switch
        {
            ProblemInput.ArrivalRate => "Arrival rate",
            ProblemInput.Mix => "Mix of task types",
            ProblemInput.Service => "Service times",
            ProblemInput.Accuracy => "Accuracy curves",
            ProblemInput.Objective => "What is wanted",
            ProblemInput.Servers => "Servers",
            ProblemInput.TaskTypes => "Which task types there are",
            _ => "The solver",
        };

    /// <summary>A cause of a change, with what it is about.</summary>
    public static string Of(ChangeCause cause) =>
        cause switch
        {
            ChangeCause.Traffic => "Traffic",
            ChangeCause.Service => "Service times",
            ChangeCause.Accuracy => "Accuracy",
            ChangeCause.Definition => "The definition",
            _ => "The solver",
        };

    /// <summary>The inputs that a cause moved, in the middle of a sentence.</summary>
    public static string OfInputs(CauseChange cause) =>
        string.Join(
            ", ",
            cause.Inputs.Select(input => Of(input)).Select(words => $"{char.ToLowerInvariant(words[0])}{words[1..]}")
        );

    /// <summary>A parameter's value.</summary>
    public static string Value(object? value) =>
        value switch
        {
            null => "none",
            double number => Show.Number(number),
            long number => Show.Count(number),
            int number => Show.Count(number),
            _ => $"{value}".ToLowerInvariant(),
        };

    /// <summary>What a decision about a fleet says beside its name.</summary>
    public static string Of(FleetEvent happened) =>
        happened switch
        {
            AllocationPublished { ProposedUntil: not null } it =>
                $"version {it.Version}, which waits for approval{Of(it.Emergency, it.Shortfall)}",
            AllocationPublished it => $"version {it.Version}{Of(it.Emergency, it.Shortfall)}",
            AllocationPinned it => $"version {it.Version}, by {it.By}: {it.Reason}",
            AllocationApproved it => $"version {it.Version}, by {it.By}: {it.Reason}",
            AllocationUnpinned it => $"by {it.By}: {it.Reason}",
            WorkloadVoided it =>
                $"{WhatIsVoid(it)}, {Show.Count(it.Windows)} windows with {Show.Count(it.Arrivals)} arrivals, "
                    + $"by {it.By}: {it.Reason}",
            FleetRegistered { By: var by } => $"by {by}",
            FleetRevised { By: var by } => $"by {by}",
            FleetRetired { By: var by } => $"by {by}",
            _ => "",
        };

    /// <summary>Why a version was put in force at once, or grants the fewest tokens; nothing for others.</summary>
    private static string Of(string? emergency, string? shortfall)
    {
        var atOnce = emergency is null ? "" : $", in force at once, as an emergency: {emergency}";
        var fewest = shortfall is null ? "" : $", with the fewest tokens allowed: {shortfall}";
        return atOnce + fewest;
    }

    /// <summary>Why a task type is held back, what it would have, and what moves it on.</summary>
    public static string Of(HeldBack held)
    {
        var without = $"The estimate alone would grant {Show.Count(held.TokensWithout)}.";
        if (held.Reason == HoldReason.ServiceTime)
        {
            return "is solved with the definition's service line, for its service times are a tenth of it or less. "
                + $"{without} If they are right, revise the line.";
        }

        var tried = held.LargestBudgetTried is { } largest
            ? $"the largest budget that has verdicts is {Show.Count(largest)}"
            : "no budget has verdicts, and the step is from the first allocation";
        return $"is held back at {Show.Count(held.MostTokens ?? 0)} tokens: {tried}. {without} "
            + "Verdicts at this budget lead on; maxStep in the definition allows more at once.";
    }

    /// <summary>Which windows were voided.</summary>
    public static string WhatIsVoid(WorkloadVoided it) =>
        it.MessageId is { } message
            ? $"the window of message {message}"
            : $"the windows from {it.From:yyyy-MM-dd HH:mm:ss} to {it.To:yyyy-MM-dd HH:mm:ss}";

    /// <summary>Why there is no allocation, and what would be enough.</summary>
    public static string WhyNone(AllocationSolution solution) =>
        solution.Reason switch
        {
            InfeasibilityReason.Unstable =>
                $"The servers cannot keep up: even the fewest tokens carry at most {Show.Rate(solution.MaxArrivalRate ?? 0)}. {solution.Detail}",
            InfeasibilityReason.AccuracyFloor =>
                $"These task types cannot reach their accuracy floor: {string.Join(", ", solution.TaskTypes ?? [])}.",
            InfeasibilityReason.MeanTokenBudget =>
                $"The mean token budget is too small: the fewest tokens alone need {Show.Number(solution.MinMeanTokenBudget ?? 0)}.",
            InfeasibilityReason.MaxInterTokenSeconds =>
                $"The limit on the time between two tokens is too small: the fewest tokens alone need {Show.Seconds(solution.MinInterTokenSeconds)}.",
            InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds =>
                "The limit on the time to the first token of the answer is too small: "
                    + $"the fewest tokens alone need {Show.Seconds(solution.MinTimeToFirstAnswerTokenSeconds)}.",
            _ =>
                $"The limit on the mean system time is too small: the fewest tokens alone need {Show.Seconds(solution.MinMeanSystemTimeSeconds)}.",
        };

    /// <summary>Where a fleet stands on its load curve.</summary>
    /// <param name="load">The curve.</param>
    /// <param name="solvedRate">The rate that the allocation in force was made for, per second.</param>
    /// <param name="rateNow">The rate as of now, per second; null where nothing is known of it.</param>
    public static string OfLoad(LoadCurve load, double solvedRate, double? rateNow)
    {
        if (!double.IsFinite(load.SaturationRate))
            return "Under the allocation in force no arrival rate saturates the servers.";
        var solved =
            $"Under the allocation in force the servers saturate at {Show.Rate(load.SaturationRate)}. "
            + $"It was made for {OfSaturation(solvedRate)}";
        return rateNow is { } now ? $"{solved}; now {OfSaturation(now)} arrive." : $"{solved}.";

        string OfSaturation(double rate) => $"{Show.Rate(rate)}, {Show.Percent(rate / load.SaturationRate)} of that";
    }

    /// <summary>A length of time in the largest unit of which it has two.</summary>
    public static string OfLength(int seconds) =>
        seconds switch
        {
            >= 2 * 86_400 => $"{Show.Number(seconds / 86_400.0)} days",
            >= 2 * 3_600 => $"{Show.Tick(Math.Round(seconds / 3_600.0, 1))} hours",
            _ => $"{Show.Tick(Math.Round(seconds / 60.0, 1))} minutes",
        };

    /// <summary>How much arrives now, for how much allocations are made, and what is expected.</summary>
    public static string OfTraffic(FleetEstimate estimate, TrafficEstimate traffic)
    {
        var now =
            $"{Show.Rate(estimate.ArrivalRate.Value)} arrive now. Too many tokens at too high a rate harm more than too few: "
            + $"allocations are made for {Show.Rate(traffic.UpperRate)}.";
        if (traffic.Forecast is { } forecast)
            return $"{now} {OfForecast(forecast)}";
        return $"{now} There is no forecast: the hours of the days before are too few, or have predicted no better than the present.";
    }

    /// <summary>What is expected, from which hours, and until when.</summary>
    public static string OfForecast(TrafficForecast forecast) =>
        $"By {OfHours(forecast.Hours)} up to {Show.Interval(forecast.Rate, Show.Rate)} are expected until "
        + $"{Show.Instant(forecast.Until)}.";

    /// <summary>The hours that a forecast is drawn from.</summary>
    public static string OfHours(string hours) =>
        hours switch
        {
            "yesterday" => "the same hours of yesterday",
            "weekday" => "the same hours of the same weekday",
            "days" => "the same hours of the last days",
            _ => $"the hours “{hours}”",
        };

    /// <summary>For which arrival rate a plan is made, and how much arrives now.</summary>
    public static string Of(PlannedTraffic traffic)
    {
        var now = $"{Show.Interval(traffic.ArrivalRate, Show.Rate)} arrive now.";
        var upper = $"the true rate is below that with probability {Show.Percent(traffic.Probability)}";
        return $"{now} The plan is made for {Show.Rate(traffic.PlannedRate)}{Reason()}";

        string Reason() =>
            traffic.Basis switch
            {
                PlannedRateBasis.Asked => $" as asked; a solve takes {Show.Rate(traffic.UpperRate)}: {upper}.",
                PlannedRateBasis.Forecast => $": {upper}. {OfForecast(traffic.Forecast!)}",
                PlannedRateBasis.Carried =>
                    $": at {Show.Rate(traffic.UpperRate)}, which the true rate is below with probability "
                        + $"{Show.Percent(traffic.Probability)}, no allocation keeps the limits.",
                PlannedRateBasis.Alarm =>
                    $", the rate of the alarm that stands: the estimate alone says {Show.Rate(traffic.UpperRate)}.",
                _ => $": {upper}.",
            };
    }

    /// <summary>Why a version grants the fewest tokens, for a tag.</summary>
    public static string OfShortfall(InfeasibilityReason reason) =>
        reason switch
        {
            InfeasibilityReason.Unstable => "fewest tokens: the servers carry no more",
            InfeasibilityReason.MeanTokenBudget => "fewest tokens: mean token budget",
            InfeasibilityReason.MaxInterTokenSeconds => "fewest tokens: time between two tokens",
            InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds => "fewest tokens: time to the first answer token",
            _ => "fewest tokens: mean system time",
        };

    /// <summary>What a ladder is for.</summary>
    public static string Of(SurgeLadder ladder) =>
        ladder.Rungs.Count > 1
            ? "Solves come in minutes, surges in seconds: a client grants fewer tokens while it has more queries in flight than "
                + "this load makes. Each column is the answer to the same problem at more traffic, the last the fewest tokens allowed."
            : "The allocation is the fewest tokens allowed: a surge leaves nothing to take back.";

    /// <summary>How queries find a server and are served.</summary>
    public static string Of(Dispatch dispatch) =>
        dispatch switch
        {
            Dispatch.Split => "one at a time, each server with its queue",
            Dispatch.Shared => "one at a time, from one queue for all servers",
            _ => "many at once: servers that batch",
        };

    /// <summary>What one unit more of each limit that binds would bring.</summary>
    public static IEnumerable<string> OfPrices(AllocationProblem problem, AllocationSolution solution)
    {
        var prices = solution.ShadowPrices!;
        if (prices.MeanTokenBudget > 0)
            yield return $"The mean token budget of {Show.Number(problem.MeanTokenBudget!.Value)} binds: {Worth(prices.MeanTokenBudget, "one token more a query")}.";
        if (prices.MaxMeanSystemTime > 0)
            yield return $"The limit of {Show.Seconds(problem.MaxMeanSystemTimeSeconds)} on the mean system time binds: {Worth(prices.MaxMeanSystemTime / 10, "a tenth of a second more")}.";
        if (prices.MaxUtilization > 0)
            yield return $"The limit of {Show.Percent(problem.MaxUtilization)} on the utilization binds: {Worth(prices.MaxUtilization / 100, "one point more")}.";
        if (prices.MaxInterTokenSeconds is > 0 and var interToken)
        {
            yield return $"The limit of {Show.Seconds(problem.MaxInterTokenSeconds)} between two tokens binds: "
                + $"{Worth(interToken / 1_000, "a millisecond more")}.";
        }

        if (prices.MaxTimeToFirstAnswerTokenSeconds is > 0 and var firstAnswer)
        {
            yield return $"The limit of {Show.Seconds(problem.MaxTimeToFirstAnswerTokenSeconds)} to the first token of the "
                + $"answer binds: {Worth(firstAnswer / 10, "a tenth of a second more")}.";
        }

        foreach (var type in solution.Allocation!.Where(it => it.Bound != TokenBound.None))
            yield return $"{type.TaskType} is at its {(type.Bound == TokenBound.Max ? "maximum" : "lower bound")} of {Show.Count(type.Tokens)} tokens.";

        string Worth(double gain, string more) =>
            problem.AccuracyWeight > 0
                ? $"{more} would be worth {Show.Seconds(gain)} of waiting, or {Show.Percent(gain / problem.AccuracyWeight)} of accuracy"
                : $"{more} would be worth {Show.Seconds(gain)} of waiting";
    }
}
