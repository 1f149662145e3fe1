namespace Platform.Domain.Allocation;

/// <summary>What an allocation does to the queue beside the mean system time: in service, wait, token times.</summary>
internal static class QueueFigures
{
    /// <summary>Adds them to an answer.</summary>
    /// <param name="answer">The answer, with its allocation.</param>
    /// <param name="model">The problem.</param>
    /// <param name="figures">The figures of the whole tokens.</param>
    public static AllocationSolution AddTo(
        AllocationSolution answer,
        AllocationModel model,
        in WholeTokenFigures figures
    )
    {
        var allocation = answer.Allocation!;
        var slowdown = model.Sharing is null ? OfQueue(figures) : figures.Sharing(model).Slowdown;
        var tokens = allocation.Select(type => type.Tokens).ToArray();
        var times = QueueTimes.Of(model.Problem.TaskTypes, tokens, slowdown);
        var inService = model.Lambda * (figures.MeanSystemTime - slowdown.WaitSeconds);
        return answer with
        {
            Allocation = [.. allocation.Zip(times.TaskTypes, WithTimes)],
            MeanInService = model.Sharing is null ? 1 - figures.Idle : inService,
            MeanWaitSeconds = slowdown.WaitSeconds,
            InterTokenSeconds = times.InterTokenSeconds,
            MeanTimeToFirstAnswerTokenSeconds = times.MeanTimeToFirstAnswerTokenSeconds,
        };
    }

    private static Slowdown OfQueue(in WholeTokenFigures figures) =>
        new(Math.Max(figures.MeanSystemTime - figures.Service.MeanSeconds, 0), 1, 0);

    private static TaskAllocation WithTimes(TaskAllocation type, QueryTimes times) =>
        type with
        {
            SystemSeconds = times.SystemSeconds,
            TimeToFirstAnswerTokenSeconds = times.TimeToFirstAnswerTokenSeconds,
        };
}
