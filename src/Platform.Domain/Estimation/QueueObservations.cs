using Platform.Domain.Allocation;
using Platform.Domain.Fleets;
using Platform.Domain.Queueing;
using Moments = Platform.Domain.Queueing.ServiceMoments;

namespace Platform.Domain.Estimation;

/// <summary>
/// The fleet's queue as the windows saw it, held against what its discipline predicts and what the definition says.
/// </summary>
internal sealed class QueueObservations
{
    /// <summary>Queries that must have ended, and arrived, before anything is said.</summary>
    private const double LeastQueries = 10;

    /// <summary>Buckets whose means tell how much a mean scatters.</summary>
    private const int LeastBuckets = 4;

    /// <summary>
    /// Relative error that the prediction has by itself: times are rounded to milliseconds, windows have edges.
    /// </summary>
    private const double PredictionError = 0.05;

    /// <summary>
    /// Covered time in mean service times below which queries that began before the first window weigh too much.
    /// </summary>
    private const double LeastCover = 3;

    private readonly FleetDefinition _definition;
    private readonly WorkloadEvidence _evidence;
    private readonly EndedSums _ended;
    private readonly double _covered,
        _arrivals,
        _exposure;

    public QueueObservations(FleetDefinition definition, WorkloadEvidence evidence)
    {
        (_definition, _evidence) = (definition, evidence);
        for (var i = 0; i < evidence.Count; i++)
        {
            _ended = _ended.Plus(evidence.Weight[i], evidence.Ended[i]);
            _covered += evidence.Weight[i] * evidence.Covered[i];
            _arrivals += evidence.Arrivals[i];
            _exposure += evidence.Covered[i];
        }
    }

    private double MeanServiceSeconds => _ended.Millis / _ended.Completions / 1e3;

    private double MeanSystemSeconds => _ended.SystemMillis / _ended.SystemCompletions / 1e3;

    private bool HasService => _ended.Completions >= LeastQueries && _ended.Millis > 0;

    private bool HasSystem => _ended.SystemCompletions >= LeastQueries && _ended.SystemMillis > 0;

    /// <summary>
    /// Seen over predicted. The prediction takes the seen service times and the estimated arrival rate, so that neither
    /// the allocation nor the service lines have a part in it: what differs is the queue. The score divides the
    /// logarithm by the scatter of the seen mean between buckets, which waits that last longer than a bucket make too
    /// small, and by the doubt of the prediction.
    /// </summary>
    /// <param name="rate">λ of the fleet.</param>
    public ValidityCheck SystemTime(IntervalEstimate rate)
    {
        if (!HasService || !HasSystem)
            return ValidityCheck.Unknown;
        var service = new Moments(MeanServiceSeconds, _ended.MillisSquared / _ended.Completions / 1e6);
        var predicted = Predict(rate.Value, service);
        if (double.IsPositiveInfinity(predicted))
            return new ValidityCheck(0, null, true);
        var ratio = MeanSystemSeconds / predicted;
        if (SeenError() is not { } seenError)
            return new ValidityCheck(ratio, null, WrongUnit.Suspects(ratio));
        var predictedError = PredictedError(rate, service, predicted);
        var error = Math.Sqrt(Square(seenError) + Square(predictedError) + Square(PredictionError));
        var score = Elementary.Log(ratio) / error;
        var isFar = ratio > ValidityThresholds.SystemTimeRatio || ratio < 1 / ValidityThresholds.SystemTimeRatio;
        var isBeyondChance = isFar && Math.Abs(score) > ValidityThresholds.LargestZScore;
        return new ValidityCheck(ratio, score, isBeyondChance || WrongUnit.Suspects(ratio));
    }

    /// <summary>Little's law: time on the server over covered time and servers.</summary>
    public ValidityCheck Concurrency()
    {
        if (!HasService || _covered < LeastCover * MeanServiceSeconds)
            return ValidityCheck.Unknown;
        var inService = _ended.Millis / 1e3 / (_covered * _definition.Servers);
        double? wait = HasSystem ? Math.Max(MeanSystemSeconds - MeanServiceSeconds, 0) / MeanServiceSeconds : null;
        return new ValidityCheck(inService, wait, inService > ValidityThresholds.Concurrency);
    }

    /// <summary>
    /// Seen rate over the definition's, where one of the two would have brought enough arrivals to tell.
    /// </summary>
    public ValidityCheck RateAgainstDefinition()
    {
        var expected = _definition.ArrivalRate * _exposure;
        if (!(expected > 0) || Math.Max(expected, _arrivals) < LeastQueries)
            return ValidityCheck.Unknown;
        var ratio = _arrivals / expected;
        return new ValidityCheck(ratio, null, WrongUnit.Suspects(ratio));
    }

    private double Predict(double rate, Moments service) =>
        _definition.Dispatch == Dispatch.Split
            ? MG1.MeanSystemTimeSeconds(MG1.SplitArrivalRate(rate, _definition.Servers), service)
            : service.MeanSeconds + MGk.MeanWaitSeconds(rate, _definition.Servers, service);

    /// <summary>
    /// Relative error of the seen mean by the scatter of the buckets' means; null of too few buckets.
    /// </summary>
    private double? SeenError()
    {
        var (buckets, scatter) = (0, 0.0);
        for (var i = 0; i < _evidence.Count; i++)
        {
            var ended = _evidence.Ended[i];
            if (!(ended.SystemCompletions > 0))
                continue;
            buckets++;
            var excess = (ended.SystemMillis / 1e3) - (ended.SystemCompletions * MeanSystemSeconds);
            scatter += Square(_evidence.Weight[i] * excess);
        }

        if (buckets < LeastBuckets)
            return null;
        return Math.Sqrt(scatter * buckets / (buckets - 1)) / (_ended.SystemCompletions * MeanSystemSeconds);
    }

    /// <summary>
    /// Relative error of the prediction by the doubt of λ, and of E[S] as a mean of independent times.
    /// </summary>
    private double PredictedError(IntervalEstimate rate, Moments service, double predicted)
    {
        var (lambda, servers) = (rate.Value, _definition.Servers);
        var idle = 1 - (lambda * service.MeanSeconds / servers);
        var wait = predicted - service.MeanSeconds;
        var variance = Math.Max(service.MeanSecondsSquared - Square(service.MeanSeconds), 0);
        var byRate = rate.StandardError * wait / (lambda * idle);
        var byService = Math.Sqrt(variance / _ended.Completions) * (1 + (wait / service.MeanSeconds / idle));
        return Math.Sqrt(Square(byRate) + Square(byService)) / predicted;
    }

    private static double Square(double x) => x * x;
}
