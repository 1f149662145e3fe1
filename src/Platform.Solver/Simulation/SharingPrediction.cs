using Platform.Domain.Allocation;
using Platform.Domain.Queueing;

namespace Platform.Solver.Simulation;

/// <summary>What the theory of processor sharing says of given tokens.</summary>
internal static class SharingPrediction
{
    /// <summary>Predicts the figures of a problem whose servers share.</summary>
    /// <param name="problem">A valid problem whose dispatch is sharing.</param>
    /// <param name="tokens">Tokens of each task type, in the problem's order.</param>
    public static PredictedFigures Of(AllocationProblem problem, IReadOnlyList<long> tokens)
    {
        var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
        var cap = problem.Sharing.MaxInService;
        var output = problem.TaskTypes.Zip(tokens, (type, count) => type.Share * (type.AnswerTokens + count)).Sum();
        var lone = problem.TaskTypes.Zip(tokens, (type, count) => type.Share * type.Service.SecondsAt(count)).Sum();
        var load = new SharingLoad(overhead * output, lone - (overhead * output));
        var rate = MG1.SplitArrivalRate(problem.ArrivalRate, problem.Servers);
        var predicted = new PredictedFigures
        {
            MeanSystemTimeSeconds = null,
            MeanWaitSeconds = null,
            MeanServiceSeconds = lone,
            Utilization = ProcessorSharing.Utilization(rate, load, cap),
            Approximation = cap is null ? null : QueueingApproximation.BirthDeath,
        };
        var means = ProcessorSharing.Means(rate, load, cap);
        if (!double.IsFinite(means.SystemSeconds))
            return predicted;
        var times = QueueTimes.Of(problem.TaskTypes, tokens, Slowdown.OfSharing(means, lone, output));
        return predicted with
        {
            MeanSystemTimeSeconds = means.SystemSeconds,
            MeanWaitSeconds = means.WaitSeconds,
            MeanInService = rate * (means.SystemSeconds - means.WaitSeconds),
            InterTokenSeconds = times.InterTokenSeconds,
            MeanTimeToFirstAnswerTokenSeconds = times.MeanTimeToFirstAnswerTokenSeconds,
            TaskTypes = [.. problem.TaskTypes.Zip(times.TaskTypes, Predict)],
        };
    }

    private static PredictedTaskType Predict(TaskType type, QueryTimes times) =>
        new(type.Id, times.SystemSeconds, times.TimeToFirstAnswerTokenSeconds);
}
