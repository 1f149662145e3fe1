using Platform.Domain.Queueing;

namespace Platform.Domain.Allocation;

/// <summary>What an allocation of whole tokens brings and costs.</summary>
internal readonly record struct WholeTokenFigures(
    double Idle,
    ServiceMoments Service,
    double MeanAccuracy,
    double WeightedAccuracy,
    double MeanTokens,
    double MeanSystemTime,
    double Objective
)
{
    /// <summary>How far beyond a limit, relative to it, still counts as within: room for rounding only.</summary>
    public const double LimitTolerance = 1e-12;

    /// <summary>Forms the figures afresh, with 1 − ρ in twice the precision. O(N).</summary>
    public static WholeTokenFigures Of(AllocationModel model, ReadOnlySpan<long> tokens)
    {
        CompensatedSum mean = default,
            square = default,
            accuracy = default,
            weighted = default,
            granted = default;
        for (var k = 0; k < tokens.Length; k++)
        {
            var (share, time, right) = (model.Share[k], model.Service(k, tokens[k]), model.Accuracy(k, tokens[k]));
            mean.Add(share * time);
            square.Add(share * ((time * time) + model.Variance[k]));
            accuracy.Add(share * Math.Max(right, 0));
            weighted.Add(share * model.Weight[k] * right);
            granted.Add(share * tokens[k]);
        }

        var service = new ServiceMoments(mean.Value, square.Value);
        var idle = model.Idle(tokens, static l => (double)l);
        var work = model.Sharing is null ? 0 : WorkOf(model, model.Sharing, tokens);
        var figures = new WholeTokenFigures(idle, service, accuracy.Value, weighted.Value, granted.Value, 0, 0)
        {
            Work = work,
        };
        figures = figures.Timed(model);
        return figures with { Objective = (model.Problem.AccuracyWeight * weighted.Value) - figures.MeanSystemTime };
    }

    /// <summary>E[w] where servers share, seconds; 0 where they do not.</summary>
    public double Work { get; init; }

    /// <summary>Mean time between two tokens of the slowest type where servers share.</summary>
    public double InterToken { get; init; }

    /// <summary>Mean time to the first token of the answer where servers share.</summary>
    public double FirstAnswer { get; init; }

    /// <summary>The sums where servers share.</summary>
    public SharingPoint Sharing(AllocationModel model) =>
        new(model.Sharing!, model.Lambda, model.Sharing!.AnswerTokens + MeanTokens, Work, Idle);

    /// <summary>The same with the times of the queue: +∞ where it is unstable.</summary>
    public WholeTokenFigures Timed(AllocationModel model)
    {
        if (!(Idle > 0))
            return this with { MeanSystemTime = double.PositiveInfinity };
        if (model.Sharing is null)
            return this with { MeanSystemTime = Service.MeanSeconds + Wait(model, Service, Idle) };
        var point = Sharing(model);
        return this with
        {
            MeanSystemTime = point.Means.SystemSeconds,
            InterToken = point.SlowestInterToken.Value,
            FirstAnswer = point.FirstAnswer.Value,
        };
    }

    /// <summary>The same with no more than what the limits of the problem need.</summary>
    public WholeTokenFigures TimedForLimits(AllocationModel model)
    {
        var isLimited = model.Problem is not { MaxInterTokenSeconds: null, MaxTimeToFirstAnswerTokenSeconds: null };
        if (model.Sharing is null || isLimited || !(Idle > 0))
            return Timed(model);
        var output = model.Sharing.AnswerTokens + MeanTokens;
        return this with { MeanSystemTime = model.Sharing.SystemSeconds(model.Lambda, output, Work, Idle) };
    }

    private static double WorkOf(AllocationModel model, SharingColumns sharing, ReadOnlySpan<long> tokens)
    {
        CompensatedSum work = default;
        for (var k = 0; k < tokens.Length; k++)
            work.Add(model.Share[k] * sharing.WorkOf(k, tokens[k]));
        return work.Value;
    }

    /// <summary>Mean wait of the problem's queue, seconds, for 1 − ρ above 0.</summary>
    private static double Wait(AllocationModel model, ServiceMoments service, double idle) =>
        model.Problem.Dispatch == Dispatch.Split
            ? model.Lambda * service.MeanSecondsSquared / (2 * idle)
            : service.MeanSecondsSquared
                * MGk.WaitFactor(model.Lambda, model.Problem.Servers, service.MeanSeconds, idle);

    /// <summary>Whether a figure is beyond its limit by more than rounding; never where there is none.</summary>
    public static bool IsOver(double value, double? limit) => value > limit * (1 + LimitTolerance);

    /// <summary>Whether the queue is stable and every limit of the fleet is kept.</summary>
    public bool KeepsLimits(AllocationProblem problem) =>
        Stable(problem)
        && !IsOver(MeanTokens, problem.MeanTokenBudget)
        && !IsOver(MeanSystemTime, problem.MaxMeanSystemTimeSeconds)
        && !IsOver(InterToken, problem.MaxInterTokenSeconds)
        && !IsOver(FirstAnswer, problem.MaxTimeToFirstAnswerTokenSeconds);

    /// <summary>Whether ρ is below 1 and within its cap.</summary>
    public bool Stable(AllocationProblem problem) => Idle > 0 && !IsOver(1 - Idle, problem.MaxUtilization);
}
