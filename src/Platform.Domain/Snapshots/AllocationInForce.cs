using Platform.Domain.Allocation;
using Platform.Domain.Estimation;

namespace Platform.Domain.Snapshots;

/// <summary>The allocation in force, held against the problem as it is now.</summary>
internal sealed class AllocationInForce
{
    private readonly AllocationProblem _problem;
    private readonly SnapshotInputs _inputs;
    private readonly FleetEstimate _estimate;
    private readonly AllocationModel _model;
    private readonly long[] _tokens;
    private readonly WholeTokenFigures _figures;
    private readonly AllocationSolution _best;

    /// <param name="inputs">What it was derived from.</param>
    /// <param name="derived">The problem as it is now, with its solution.</param>
    /// <param name="tokens">Tokens in force, in the order of the problem's task types.</param>
    public AllocationInForce(SnapshotInputs inputs, DerivedAllocation derived, long[] tokens)
    {
        (_inputs, _problem, _estimate, _tokens, _best) = (
            inputs,
            derived.Problem,
            derived.Estimate,
            tokens,
            derived.Solution
        );
        _model = new AllocationModel(_problem);
        _figures = WholeTokenFigures.Of(_model, tokens);
    }

    // What the estimator says without a window. A solve whose answer is the one in force never asks.
    private FleetEstimate Prior =>
        field ??= Estimator.Estimate(
            _inputs.Definition,
            new WorkloadSums(_inputs.Definition.Solving.HorizonSeconds),
            _inputs.SolvedAt
        );

    /// <summary>
    /// What the best allocation gains over the one in force, seconds; below 0 where that breaks a limit.
    /// </summary>
    public double Gain => _best.Objective!.Value - _figures.Objective;

    /// <summary>
    /// What chance makes of <see cref="Gain"/>, seconds. The optimum itself does not count where it is free, as J is
    /// flat there; where a limit binds it moves with the limit, and J with the limit's price. Where the problem's rate
    /// is a quantile of the doubt about the traffic, that doubt is in the rate already, and excuses little beside.
    /// </summary>
    /// <param name="deviations">How many standard deviations of it where no limit binds; twice as many of what a limit
    /// lends.</param>
    public double GainByChance(double deviations)
    {
        long[] best = [.. _best.Allocation!.Select(type => type.Tokens)];
        var objective = EstimateSensitivity.OfObjective(_problem, best);
        var prices = _best.ShadowPrices!;
        var atLimits =
            (prices.MaxUtilization * Noise(EstimateSensitivity.OfUtilization(_problem, best)))
            + (prices.MeanTokenBudget * Noise(EstimateSensitivity.OfMeanTokens(best)))
            + (prices.MaxMeanSystemTime * Noise(EstimateSensitivity.OfMeanSystemTime(_problem, best)))
            + OfSharingLimits(prices, best)
            + Enumerable
                .Range(0, best.Length)
                .Sum(k => FloorPrice(k, best[k], objective) * Noise(EstimateSensitivity.OfAccuracy(_problem, best, k)));
        var difference = objective.Minus(EstimateSensitivity.OfObjective(_problem, _tokens));
        return OfDifference(difference, deviations) + (2 * deviations * atLimits);
    }

    /// <summary>
    /// Whether the queue is unstable, a token bound is broken, or any limit by more than chance explains: where a limit
    /// binds at the optimum, half of all estimates say that it is broken a little. Servers that are nearly saturated
    /// are beyond what chance excuses.
    /// </summary>
    public bool BreaksALimit =>
        !(_figures.Idle > 0)
        || IsNearlySaturated
        || Enumerable.Range(0, _tokens.Length).Any(BreaksABound)
        || IsOver(
            1 - _figures.Idle,
            _problem.MaxUtilization,
            () => EstimateSensitivity.OfUtilization(_problem, _tokens)
        )
        || IsOver(_figures.MeanTokens, _problem.MeanTokenBudget, () => EstimateSensitivity.OfMeanTokens(_tokens))
        || IsOver(
            _figures.MeanSystemTime,
            _problem.MaxMeanSystemTimeSeconds,
            () => EstimateSensitivity.OfMeanSystemTime(_problem, _tokens)
        )
        || IsOver(
            _figures.InterToken,
            _problem.MaxInterTokenSeconds,
            () => EstimateSensitivity.OfInterToken(_problem, _tokens)
        )
        || IsOver(
            _figures.FirstAnswer,
            _problem.MaxTimeToFirstAnswerTokenSeconds,
            () => EstimateSensitivity.OfFirstAnswer(_problem, _tokens)
        );

    /// <summary>
    /// Whether more than half of what the cap on ρ leaves free is taken up, at the rate that an allocation must carry;
    /// never without a cap.
    /// </summary>
    private bool IsNearlySaturated
    {
        get
        {
            if (_estimate.Traffic is null || _problem.MaxUtilization is not { } cap)
                return false;
            var halfWayToSaturation = (cap + 1) / 2;
            return 1 - _figures.Idle > halfWayToSaturation;
        }
    }

    /// <summary>What the tokens of the best allocation bring over the fewest allowed, seconds.</summary>
    private double WorthOfTokens =>
        Math.Max(_best.Objective!.Value - WholeTokenFigures.Of(_model, _model.WholeLower).Objective, 0);

    private double OfDifference(EstimateSensitivity difference, double deviations)
    {
        var all = deviations * Noise(difference);
        if (_estimate.Traffic is null)
            return all;
        var atGivenRate = deviations * Noise(difference.AtGivenRate());
        return Math.Min(all, atGivenRate + (SolvePolicy.MostExcusedByRate * WorthOfTokens));
    }

    /// <summary>What chance makes of the limits that only servers that share have.</summary>
    private double OfSharingLimits(ShadowPrices prices, long[] best)
    {
        var noise = 0.0;
        if (prices.MaxInterTokenSeconds is > 0 and var interToken)
            noise += interToken * Noise(EstimateSensitivity.OfInterToken(_problem, best));
        if (prices.MaxTimeToFirstAnswerTokenSeconds is > 0 and var firstAnswer)
            noise += firstAnswer * Noise(EstimateSensitivity.OfFirstAnswer(_problem, best));
        return noise;
    }

    private bool IsOver(double value, double? limit, Func<EstimateSensitivity> sensitivity) =>
        WholeTokenFigures.IsOver(value, limit) && value - limit > SolvePolicy.LimitDeviations * Noise(sensitivity());

    private bool BreaksABound(int k)
    {
        var type = _problem.TaskTypes[k];
        var isHeldBack = type.MaxTokens < _inputs.Definition.TaskTypes[k].MaxTokens;
        var most = isHeldBack ? StepLimit.Slack * type.MaxTokens : type.MaxTokens;
        if (_tokens[k] < type.MinTokens || _tokens[k] > most)
            return true;
        return _tokens[k] < _model.WholeLower[k]
            && type.AccuracyFloor - _model.Accuracy(k, _tokens[k])
                > SolvePolicy.LimitDeviations * Noise(EstimateSensitivity.OfAccuracy(_problem, _tokens, k));
    }

    /// <summary>
    /// What one unit of accuracy less would gain at an accuracy floor that binds, −(∂J/∂l)/p′; else 0.
    /// </summary>
    private double FloorPrice(int k, long tokens, EstimateSensitivity objective)
    {
        var type = _problem.TaskTypes[k];
        if (type.AccuracyFloor is null || tokens > _model.WholeLower[k] || tokens == type.MinTokens)
            return 0;
        var rise =
            type.Accuracy.Gain * type.Accuracy.RatePerToken * Elementary.Exp(-type.Accuracy.RatePerToken * tokens);
        var slope = objective.TimePerToken(k, type) + (_problem.AccuracyWeight * type.Weight * type.Share * rise);
        return rise > 0 ? Math.Max(-slope / rise, 0) : 0;
    }

    private double Noise(EstimateSensitivity sensitivity) => sensitivity.Noise(_estimate, Prior);
}
