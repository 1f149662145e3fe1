namespace Platform.Domain.Allocation;

/// <summary>What an allocation does to the queue beside the mean system time: in service, wait, token times.</summary>
internal static class QueueFigures
{
    /// <summary>Adds them to an answer.</summary>
    /// <param name="answer">The answer, with its allocation.</param>
    /// <param name="model">The problem.</param>
    /// <param name="figures">The figures of the whole tokens.</param>
    public static AllocationSolution AddTo(
        AllocationSolution answer, AllocationModel model, in WholeTokenFigures figures)
    {
        var queue = model.Sharing is null ? OfQueue(figures) : OfSharing(figures.Sharing(model));
        var types = new TaskAllocation[model.Count];
        var (output, seconds, first) = (0.0, 0.0, 0.0);
        for (var k = 0; k < types.Length; k++)
        {
            var type = answer.Allocation![k];
            var times = queue.Of(model, k, type.Tokens);
            types[k] = type with { SystemSeconds = times.System, TimeToFirstAnswerTokenSeconds = times.FirstAnswer };
            output += model.Share[k] * times.Output;
            seconds += model.Share[k] * times.TokenSeconds;
            first += model.Share[k] * times.FirstAnswer;
        }

        var served = model.Lambda * (figures.MeanSystemTime - queue.Wait);
        return answer with
        {
            Allocation = types,
            MeanInService = model.Sharing is null ? 1 - figures.Idle : served,
            MeanWaitSeconds = queue.Wait,
            InterTokenSeconds = output > 0 ? queue.Stretch * seconds / output : null,
            MeanTimeToFirstAnswerTokenSeconds = first,
        };
    }

    private static Slowing OfQueue(in WholeTokenFigures figures) =>
        new(Math.Max(figures.MeanSystemTime - figures.Service.MeanSeconds, 0), 1, 0);

    private static Slowing OfSharing(in SharingPoint point) =>
        new(point.Means.WaitSeconds, point.Stretch.Value, point.AddedSecondsPerToken);

    /// <summary>How the others slow a query.</summary>
    /// <param name="Wait">Seconds before service.</param>
    /// <param name="Stretch">By how much its tokens take longer than alone.</param>
    /// <param name="PerToken">Seconds that are added to each of its output tokens.</param>
    private readonly record struct Slowing(double Wait, double Stretch, double PerToken)
    {
        public TypeTimes Of(AllocationModel model, int k, long tokens)
        {
            var answer = model.Problem.TaskTypes[k].AnswerTokens;
            var output = answer + tokens;
            var perToken = model.Cost[k];
            var square = model.Sharing is null ? 0 : model.Sharing.Square[k] * tokens * tokens;
            var system = Wait + model.Service(k, tokens) + (output * PerToken);
            var later = Math.Max(answer - 1, 0) * perToken * Stretch;
            return new TypeTimes(system, system - later, output, (perToken * output) + square);
        }
    }

    /// <summary>Times of a type's queries, their output tokens, and the seconds that these take alone.</summary>
    private readonly record struct TypeTimes(double System, double FirstAnswer, double Output, double TokenSeconds);
}
