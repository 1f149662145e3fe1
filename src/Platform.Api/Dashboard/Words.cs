using Platform.Domain.Allocation;
using Platform.Domain.Fleets;
using Platform.Domain.Planning;
using Platform.Domain.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>What pages say in words.</summary>
internal static class Words
{
    /// <summary>An input of a problem.</summary>
    public static string Of(ProblemInput input) => input switch
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

    /// <summary>A parameter's value.</summary>
    public static string Value(object? value) => value switch
    {
        null => "none",
        double number => Show.Number(number),
        long number => Show.Count(number),
        int number => Show.Count(number),
        _ => $"{value}".ToLowerInvariant(),
    };

    /// <summary>What a decision about a fleet says beside its name.</summary>
    public static string Of(FleetEvent happened) => happened switch
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
    public static string WhatIsVoid(WorkloadVoided it) => it.MessageId is { } message
        ? $"the window of message {message}"
        : $"the windows from {it.From:yyyy-MM-dd HH:mm:ss} to {it.To:yyyy-MM-dd HH:mm:ss}";

    /// <summary>Why there is no allocation, and what would be enough.</summary>
    public static string WhyNone(AllocationSolution solution) => solution.Reason switch
    {
        InfeasibilityReason.Unstable =>
            $"The servers cannot keep up: even the fewest tokens carry at most {Show.Rate(solution.MaxArrivalRate ?? 0)}. {solution.Detail}",
        InfeasibilityReason.AccuracyFloor => $"These task types cannot reach their accuracy floor: {string.Join(", ", solution.TaskTypes ?? [])}.",
        InfeasibilityReason.MeanTokenBudget => $"The mean token budget is too small: the fewest tokens alone need {Show.Number(solution.MinMeanTokenBudget ?? 0)}.",
        InfeasibilityReason.MaxInterTokenSeconds =>
            $"The limit on the time between two tokens is too small: the fewest tokens alone need {Show.Seconds(solution.MinInterTokenSeconds)}.",
        InfeasibilityReason.MaxTimeToFirstAnswerTokenSeconds =>
            "The limit on the time to the first token of the answer is too small: "
                + $"the fewest tokens alone need {Show.Seconds(solution.MinTimeToFirstAnswerTokenSeconds)}.",
        _ => $"The limit on the mean system time is too small: the fewest tokens alone need {Show.Seconds(solution.MinMeanSystemTimeSeconds)}.",
    };

    /// <summary>Where a fleet stands on its load curve.</summary>
    public static string OfLoad(LoadCurve load, double arrivalRate) => double.IsFinite(load.SaturationRate)
        ? $"Under the allocation in force the servers saturate at {Show.Rate(load.SaturationRate)}; "
            + $"{Show.Rate(arrivalRate)} arrive, {Show.Percent(arrivalRate / load.SaturationRate)} of that."
        : "Under the allocation in force no arrival rate saturates the servers.";

    /// <summary>What a ladder is for.</summary>
    public static string Of(SurgeLadder ladder) => ladder.Rungs.Count > 1
        ? "Solves come in minutes, surges in seconds: a client grants fewer tokens while it has more queries in flight than "
            + "this load makes. Each column is the answer to the same problem at more traffic, the last the fewest tokens allowed."
        : "The allocation is the fewest tokens allowed: a surge leaves nothing to take back.";

    /// <summary>How queries find a server and are served.</summary>
    public static string Of(Dispatch dispatch) => dispatch switch
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

        string Worth(double gain, string more) => problem.AccuracyWeight > 0
            ? $"{more} would be worth {Show.Seconds(gain)} of waiting, or {Show.Percent(gain / problem.AccuracyWeight)} of accuracy"
            : $"{more} would be worth {Show.Seconds(gain)} of waiting";
    }
}
