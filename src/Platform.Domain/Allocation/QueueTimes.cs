using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>How the queries of a fleet slow one another: how much longer one takes than alone on a server.</summary>
/// <param name="WaitSeconds">Mean wait before service, seconds, at least 0.</param>
/// <param name="Stretch">
/// By how much service takes longer than alone, in the mean over the time of queries alone; 1 where queries are served
/// one at a time.
/// </param>
/// <param name="AddedSecondsPerToken">
/// Seconds that the others in service add to each output token of a query, at least 0; 0 where queries are served one
/// at a time.
/// </param>
public readonly record struct Slowdown(double WaitSeconds, double Stretch, double AddedSecondsPerToken)
{
    /// <summary>
    /// Servers that share. All in service advance at one pace: the others add the same seconds to every output token of
    /// every query, so that E[T] = E[Wq] + s + o · these seconds for each task type, and for all.
    /// </summary>
    /// <param name="means">Finite means of a server.</param>
    /// <param name="loneSeconds">U ≥ 0, mean time of a query alone on the server, seconds.</param>
    /// <param name="outputTokens">E[o] ≥ 0, mean output tokens of a query.</param>
    public static Slowdown OfSharing(SharingMeans means, double loneSeconds, double outputTokens)
    {
        var service = means.SystemSeconds - means.WaitSeconds;
        var stretch = loneSeconds > 0 ? service / loneSeconds : 1;
        var added = outputTokens > 0 ? Math.Max(service - loneSeconds, 0) / outputTokens : 0;
        return new Slowdown(means.WaitSeconds, stretch, added);
    }
}

/// <summary>Mean times of the queries of a task type.</summary>
/// <param name="SystemSeconds">Seconds from arrival to end.</param>
/// <param name="TimeToFirstAnswerTokenSeconds">
/// Seconds from arrival to the first token of the answer, or to the end where there is none.
/// </param>
/// <param name="OutputTokens">o, reasoning and answer tokens.</param>
/// <param name="LoneTokenSeconds">Seconds that the output tokens take alone on a server, without the prompt.</param>
public readonly record struct QueryTimes(
    double SystemSeconds,
    double TimeToFirstAnswerTokenSeconds,
    double OutputTokens,
    double LoneTokenSeconds
)
{
    /// <summary>The times of a query that is slowed.</summary>
    /// <param name="type">Its task type.</param>
    /// <param name="tokens">Its reasoning tokens, at least 0.</param>
    /// <param name="slowdown">How the others slow it.</param>
    public static QueryTimes Of(TaskType type, long tokens, in Slowdown slowdown)
    {
        var line = type.Service;
        var output = type.AnswerTokens + tokens;
        var system = slowdown.WaitSeconds + line.SecondsAt(tokens) + (output * slowdown.AddedSecondsPerToken);
        var laterAnswerTokens = Math.Max(type.AnswerTokens - 1, 0);
        var later = laterAnswerTokens * line.SecondsPerToken * slowdown.Stretch;
        var tokenSeconds = (line.SecondsPerToken * output) + (line.SecondsPerTokenSquared * tokens * tokens);
        return new QueryTimes(system, system - later, output, tokenSeconds);
    }
}

/// <summary>The times of all task types of a fleet, and their means.</summary>
public sealed record QueueTimes
{
    /// <summary>Each task type's times, in the problem's order.</summary>
    public required IReadOnlyList<QueryTimes> TaskTypes { get; init; }

    /// <summary>Mean seconds between two output tokens of a query; null without output.</summary>
    public required double? InterTokenSeconds { get; init; }

    /// <summary>Mean seconds from arrival to the first token of the answer.</summary>
    public required double MeanTimeToFirstAnswerTokenSeconds { get; init; }

    /// <summary>The times at some tokens.</summary>
    /// <param name="types">The task types.</param>
    /// <param name="tokens">Reasoning tokens of each task type.</param>
    /// <param name="slowdown">How the queries slow one another with these tokens.</param>
    public static QueueTimes Of(IReadOnlyList<TaskType> types, IReadOnlyList<long> tokens, in Slowdown slowdown)
    {
        var times = new QueryTimes[types.Count];
        var output = 0.0;
        var tokenSeconds = 0.0;
        var firstAnswer = 0.0;
        for (var k = 0; k < times.Length; k++)
        {
            var share = types[k].Share;
            times[k] = QueryTimes.Of(types[k], tokens[k], slowdown);
            output += share * times[k].OutputTokens;
            tokenSeconds += share * times[k].LoneTokenSeconds;
            firstAnswer += share * times[k].TimeToFirstAnswerTokenSeconds;
        }

        return new QueueTimes
        {
            TaskTypes = times,
            InterTokenSeconds = output > 0 ? slowdown.Stretch * tokenSeconds / output : null,
            MeanTimeToFirstAnswerTokenSeconds = firstAnswer,
        };
    }
}
