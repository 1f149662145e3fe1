using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Queueing;
using ServiceMoments = Platform.Domain.Queueing.ServiceMoments;

namespace Platform.Domain.Snapshots;

/// <summary>
/// The derivatives of a figure of an allocation by every estimated number: arrival rate, shares, service lines,
/// accuracy curves. With the estimate's covariances they tell how far the figure moves by chance alone (delta method).
/// The doubt of the scatter around the lines is left out: it moves neighbouring allocations alike.
/// </summary>
internal sealed class EstimateSensitivity
{
    private readonly double[] _share,
        _base,
        _perToken,
        _floor,
        _gain,
        _decay;
    private double _rate;
    private double[]? _timePerToken;
    private double _perOverhead,
        _perOverheadOfWork;

    private EstimateSensitivity(int types) =>
        (_share, _base, _perToken, _floor, _gain, _decay) = (
            new double[types],
            new double[types],
            new double[types],
            new double[types],
            new double[types],
            new double[types]
        );

    /// <summary>Of the objective J = α Σ π w p − E[T].</summary>
    public static EstimateSensitivity OfObjective(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        var result = new EstimateSensitivity(tokens.Length);
        result.AddSystemTime(problem, tokens, -1);
        for (var k = 0; k < tokens.Length; k++)
            result.AddAccuracy(
                k,
                problem.TaskTypes[k],
                tokens[k],
                problem.AccuracyWeight * problem.TaskTypes[k].Weight
            );
        return result;
    }

    /// <summary>Of E[T], seconds.</summary>
    public static EstimateSensitivity OfMeanSystemTime(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        var result = new EstimateSensitivity(tokens.Length);
        result.AddSystemTime(problem, tokens, 1);
        return result;
    }

    /// <summary>Of the mean time between two tokens of the slowest type, seconds, where servers share.</summary>
    public static EstimateSensitivity OfInterToken(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        var result = new EstimateSensitivity(tokens.Length);
        result.AddSharing(problem, tokens, at => at.SlowestInterToken, rates => rates.SlowestInterToken, 1);
        return result;
    }

    /// <summary>Of the mean time to the first token of the answer, seconds, where servers share.</summary>
    public static EstimateSensitivity OfFirstAnswer(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        var result = new EstimateSensitivity(tokens.Length);
        result.AddSharing(problem, tokens, at => at.FirstAnswer, rates => rates.FirstAnswer, 1);
        return result;
    }

    /// <summary>Of ρ = λ E[S] / k, and of the part of what servers that share can carry.</summary>
    public static EstimateSensitivity OfUtilization(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        if (problem.Dispatch == Dispatch.Sharing)
        {
            var sharing = new EstimateSensitivity(tokens.Length);
            sharing.AddSharing(problem, tokens, at => at.Utilization, rates => rates.Utilization, 1);
            return sharing;
        }

        var result = new EstimateSensitivity(tokens.Length)
        {
            _rate = Moments(problem, tokens).MeanSeconds / problem.Servers,
        };
        for (var k = 0; k < tokens.Length; k++)
            result.AddService(k, problem.TaskTypes[k], tokens[k], problem.ArrivalRate / problem.Servers, 0);
        return result;
    }

    /// <summary>Of Σ π l.</summary>
    public static EstimateSensitivity OfMeanTokens(ReadOnlySpan<long> tokens)
    {
        var result = new EstimateSensitivity(tokens.Length);
        for (var k = 0; k < tokens.Length; k++)
            result._share[k] = tokens[k];
        return result;
    }

    /// <summary>Of p of one task type.</summary>
    public static EstimateSensitivity OfAccuracy(AllocationProblem problem, ReadOnlySpan<long> tokens, int k)
    {
        var result = new EstimateSensitivity(tokens.Length);
        result.AddAccuracy(k, problem.TaskTypes[k] with { Share = 1 }, tokens[k], 1);
        result._share[k] = 0;
        return result;
    }

    /// <summary>
    /// The figure's derivative by the mean service time of one task type, alone on the server where servers share.
    /// </summary>
    public double PerServiceSecond(int k) => _base[k];

    /// <summary>The derivative of the figure's part that is time by the tokens of one task type.</summary>
    /// <param name="k">The task type.</param>
    /// <param name="type">The same, as the problem has it.</param>
    public double TimePerToken(int k, TaskType type) =>
        _timePerToken?[k] ?? (PerServiceSecond(k) * type.Service.SecondsPerToken);

    /// <summary>Of the difference between a figure of one allocation and that of another.</summary>
    public EstimateSensitivity Minus(EstimateSensitivity other)
    {
        var result = new EstimateSensitivity(_share.Length)
        {
            _rate = _rate - other._rate,
            _timePerToken = _timePerToken,
            _perOverhead = _perOverhead - other._perOverhead,
            _perOverheadOfWork = _perOverheadOfWork - other._perOverheadOfWork,
        };
        for (var k = 0; k < _share.Length; k++)
        {
            (result._share[k], result._base[k], result._perToken[k]) = (
                _share[k] - other._share[k],
                _base[k] - other._base[k],
                _perToken[k] - other._perToken[k]
            );
            (result._floor[k], result._gain[k], result._decay[k]) = (
                _floor[k] - other._floor[k],
                _gain[k] - other._gain[k],
                _decay[k] - other._decay[k]
            );
        }

        return result;
    }

    /// <summary>The same where the arrival rate is given, so that its doubt does not move the figure.</summary>
    public EstimateSensitivity AtGivenRate()
    {
        var given = Minus(new EstimateSensitivity(_share.Length));
        given._rate = 0;
        return given;
    }

    /// <summary>
    /// Standard deviation of the figure from one estimate to another of a fleet that has not changed, in the figure's
    /// unit: what the windows vary by. The prior's doubt is no part of it, since the prior is the same each time: with
    /// variance v of the figure under the estimate and v₀ under the prior alone, the windows hold the part 1 − v/v₀ of
    /// all that is known, and the estimate varies by v (1 − v/v₀), or by more where v is not below v₀.
    /// </summary>
    /// <param name="estimate">The estimate.</param>
    /// <param name="prior">What the same estimator says without a window.</param>
    public double Noise(FleetEstimate estimate, FleetEstimate prior)
    {
        var variance =
            Sampled(Square(_rate * estimate.ArrivalRate.StandardError), Square(_rate * prior.ArrivalRate.StandardError))
            + Sampled(ShareVariance(estimate.TaskTypes), ShareVariance(prior.TaskTypes))
            + OverheadVariance(estimate);
        for (var k = 0; k < _share.Length; k++)
        {
            var (seen, told) = (estimate.TaskTypes[k], prior.TaskTypes[k]);
            variance +=
                Sampled(ServiceVariance(k, seen.Service), ServiceVariance(k, told.Service))
                + Sampled(AccuracyVariance(k, seen.Accuracy), AccuracyVariance(k, told.Accuracy));
        }

        return Math.Sqrt(variance);
    }

    /// <summary>
    /// Of a variance v, what the windows make at least. With the prior's precision P = 1/v₀, the windows' information
    /// S, and D the variance of their score, v = (P + D)/(P + S)². Scatter beyond chance makes D ≥ S, so that the
    /// prior's part P/(P + S)² is at most P v², and never more than 1/P. Without such scatter it is P v², and v below
    /// v₀.
    /// </summary>
    private static double Sampled(double variance, double prior) =>
        prior > 0 ? Math.Max(variance - Math.Min(variance * variance / prior, prior), 0) : variance;

    private double ServiceVariance(int k, ServiceEstimate service)
    {
        if (service.Pace is { } pace && _timePerToken is not null)
            return PaceVariance(k, pace);
        return Square(_base[k] * service.BaseSeconds.StandardError)
            + Square(_perToken[k] * service.SecondsPerToken.StandardError)
            + (2 * _base[k] * _perToken[k] * service.Covariance);
    }

    /// <summary>
    /// Where servers share, line and overhead err together: what was seen is the pace at a load of N others, and with
    /// the overhead as it is an error of the pace is one of (1 + N) times the work.
    /// </summary>
    private double PaceVariance(int k, ServicePace pace)
    {
        var (ofBase, ofToken) = (_base[k] / (1 + pace.InService), _perToken[k] / (1 + pace.InService));
        return Square(ofBase * pace.BaseStandardError)
            + Square(ofToken * pace.PerTokenStandardError)
            + (2 * ofBase * ofToken * pace.Covariance);
    }

    /// <summary>
    /// With the pace as it is, more overhead is less work: at the load that was seen the two hardly differ.
    /// </summary>
    private double OverheadVariance(FleetEstimate estimate)
    {
        if (_timePerToken is null || estimate.Sharing is not { MeanInService: { } inService } sharing)
            return 0;
        var perOverhead = _perOverhead - (_perOverheadOfWork / (1 + inService));
        return Square(perOverhead * sharing.OverheadSecondsPerToken.StandardError);
    }

    private double AccuracyVariance(int k, AccuracyEstimate accuracy) =>
        accuracy.Covariance.Form(_floor[k], _gain[k], _decay[k]);

    /// <summary>
    /// Shares sum to 1, so what moves all of them alike counts for nothing: for multinomial shares var(Σ g π) = Σ h (g
    /// − ḡ)² with h = var(π)/(1 − π) and ḡ the mean by h.
    /// </summary>
    private double ShareVariance(IReadOnlyList<TaskTypeEstimate> types)
    {
        double weight = 0,
            sum = 0,
            squares = 0;
        for (var k = 0; k < _share.Length; k++)
        {
            var share = types[k].Share;
            var h = share.Value < 1 ? Square(share.StandardError) / (1 - share.Value) : 0;
            (weight, sum, squares) = (weight + h, sum + (h * _share[k]), squares + (h * _share[k] * _share[k]));
        }

        return weight > 0 ? Math.Max(squares - (sum * sum / weight), 0) : 0;
    }

    private void AddSystemTime(AllocationProblem problem, ReadOnlySpan<long> tokens, double sign)
    {
        if (problem.Dispatch == Dispatch.Sharing)
        {
            AddSharing(problem, tokens, at => at.SystemTime, rates => rates.SystemTime, sign);
            return;
        }

        var (rate, mean, square) = SystemTimeSlopes(problem, Moments(problem, tokens));
        _rate += sign * rate;
        for (var k = 0; k < tokens.Length; k++)
            AddService(k, problem.TaskTypes[k], tokens[k], sign * mean, sign * square);
    }

    /// <summary>
    /// A figure of servers that share: it depends on the overhead of the output tokens and on the marginal work alone.
    /// </summary>
    private void AddSharing(
        AllocationProblem problem,
        ReadOnlySpan<long> tokens,
        Func<SharingPoint, LimitUse> figure,
        Func<SharingPerRate, double> perRate,
        double sign
    )
    {
        var model = new AllocationModel(problem);
        var columns = model.Sharing!;
        var at = WholeTokenFigures.Of(model, tokens).Sharing(model);
        var use = figure(at);
        _rate += sign * perRate(SharingPerRate.At(at)) / problem.Servers;
        _timePerToken = new double[tokens.Length];
        for (var k = 0; k < tokens.Length; k++)
        {
            var (share, output) = (model.Share[k], columns.Answer[k] + tokens[k]);
            var perWork = sign * share * use.PerWork;
            _share[k] += sign * ((use.PerOutput * output) + (use.PerWork * columns.WorkOf(k, tokens[k])));
            _base[k] += perWork;
            _perToken[k] += perWork * tokens[k];
            _perOverhead += sign * share * output * (columns.Overhead > 0 ? use.PerOutput / columns.Overhead : 0);
            _perOverheadOfWork += perWork * output;
            _timePerToken[k] = (sign * share * use.PerOutput) + (perWork * columns.WorkSlope(k, tokens[k]));
        }
    }

    /// <summary>A figure that depends on the service times through E[S] and E[S²], with these slopes.</summary>
    private void AddService(int k, TaskType type, long tokens, double mean, double square)
    {
        var seconds = type.Service.SecondsAt(tokens);
        var perSecond = type.Share * (mean + (2 * square * seconds));
        _share[k] += (mean * seconds) + (square * ((seconds * seconds) + type.Service.VarianceSecondsSquared));
        _base[k] += perSecond;
        _perToken[k] += perSecond * tokens;
    }

    private void AddAccuracy(int k, TaskType type, long tokens, double weight)
    {
        var curve = type.Accuracy;
        var decay = Elementary.Exp(-curve.RatePerToken * tokens);

        // Below 0 the accuracy is 0, whatever the curve.
        if (curve.Floor + (curve.Gain * (1 - decay)) < 0)
            return;
        _share[k] += weight * (curve.Floor + (curve.Gain * (1 - decay)));
        _floor[k] += weight * type.Share;
        _gain[k] += weight * type.Share * (1 - decay);
        _decay[k] += weight * type.Share * curve.Gain * tokens * decay;
    }

    /// <summary>∂E[T] by λ, E[S] and E[S²], for a stable queue.</summary>
    private static (double Rate, double Mean, double Square) SystemTimeSlopes(
        AllocationProblem problem,
        ServiceMoments service
    )
    {
        var (lambda, servers) = (problem.ArrivalRate, problem.Servers);
        var idle = 1 - (lambda * service.MeanSeconds / servers);
        if (problem.Dispatch == Dispatch.Split || servers == 1)
        {
            var s = lambda / servers / idle;
            return (
                service.MeanSecondsSquared / (2 * idle * idle * servers),
                1 + (s * s * service.MeanSecondsSquared / 2),
                s / 2
            );
        }

        if (!(lambda > 0) || !(service.MeanSeconds > 0))
            return (0, 1, 0);
        var factor = MGk.WaitFactor(lambda, servers, service.MeanSeconds, idle);
        var slope = MGk.WaitFactorSlope(lambda, servers, service.MeanSeconds, idle);

        // h is C(λ m)/(2 m (k − λ m)), so that λ ∂h/∂λ = m ∂h/∂m + h.
        return (
            service.MeanSecondsSquared * ((service.MeanSeconds * slope) + factor) / lambda,
            1 + (service.MeanSecondsSquared * slope),
            factor
        );
    }

    private static ServiceMoments Moments(AllocationProblem problem, ReadOnlySpan<long> tokens)
    {
        CompensatedSum mean = default,
            square = default;
        for (var k = 0; k < tokens.Length; k++)
        {
            var type = problem.TaskTypes[k];
            var seconds = type.Service.SecondsAt(tokens[k]);
            mean.Add(type.Share * seconds);
            square.Add(type.Share * ((seconds * seconds) + type.Service.VarianceSecondsSquared));
        }

        return new ServiceMoments(mean.Value, square.Value);
    }

    private static double Square(double x) => x * x;
}
