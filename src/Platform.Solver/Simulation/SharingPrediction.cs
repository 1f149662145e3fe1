using Platform.Domain.Allocation;
using Platform.Domain.Queueing;

namespace Platform.Solver.Simulation;

/// <summary>
/// What the theory of processor sharing says of given tokens. All in service advance at one pace: the others add the
/// same seconds to every output token of every query.
/// </summary>
internal static class SharingPrediction
{
    /// <summary>Predicts the figures of a problem whose servers share.</summary>
    /// <param name="problem">A valid problem whose dispatch is sharing.</param>
    /// <param name="tokens">Tokens of each task type, in the problem's order.</param>
    public static PredictedFigures Of(AllocationProblem problem, IReadOnlyList<long> tokens)
    {
        var types = problem.TaskTypes.Select((type, k) => new LoneQuery(type, tokens[k])).ToArray();
        var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
        var cap = problem.Sharing.MaxInService;
        var output = types.Sum(query => query.Share * query.OutputTokens);
        var lone = types.Sum(query => query.Share * query.Seconds);
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
        return WithMeans(predicted, types, means, rate, output);
    }

    private static PredictedFigures WithMeans(
        PredictedFigures predicted, LoneQuery[] types, SharingMeans means, double rate, double output)
    {
        var lone = predicted.MeanServiceSeconds;
        var service = means.SystemSeconds - means.WaitSeconds;
        var addedPerToken = output > 0 ? (service - lone) / output : 0;
        var stretch = lone > 0 ? service / lone : 1;
        var tokenSeconds = types.Sum(query => query.Share * query.TokenSeconds);
        var ofTypes = types.Select(query => query.Predict(means.WaitSeconds, addedPerToken, stretch)).ToArray();
        return predicted with
        {
            MeanSystemTimeSeconds = means.SystemSeconds,
            MeanWaitSeconds = means.WaitSeconds,
            MeanInService = rate * service,
            InterTokenSeconds = output > 0 ? stretch * tokenSeconds / output : null,
            MeanTimeToFirstAnswerTokenSeconds =
                types.Zip(ofTypes, (query, type) => query.Share * type.TimeToFirstAnswerTokenSeconds).Sum(),
            TaskTypes = ofTypes,
        };
    }

    /// <summary>A query of a task type, alone on a server.</summary>
    private readonly struct LoneQuery(TaskType type, long tokens)
    {
        public double Share => type.Share;

        public double OutputTokens => type.AnswerTokens + tokens;

        /// <summary>Seconds from its start to its end.</summary>
        public double Seconds => type.Service.BaseSeconds + (type.Service.SecondsPerToken * tokens) + SquaredSeconds;

        /// <summary>Seconds of its output tokens, without its prompt.</summary>
        public double TokenSeconds => (type.Service.SecondsPerToken * OutputTokens) + SquaredSeconds;

        private double SquaredSeconds => type.Service.SecondsPerTokenSquared * tokens * tokens;

        public PredictedTaskType Predict(double waitSeconds, double addedPerToken, double stretch)
        {
            var system = waitSeconds + Seconds + (addedPerToken * OutputTokens);
            var laterAnswerTokens = Math.Max(0, type.AnswerTokens - 1);
            var laterSeconds = laterAnswerTokens * type.Service.SecondsPerToken * stretch;
            return new(type.Id, system, system - laterSeconds);
        }
    }
}
