namespace Platform.Domain.Allocation;

/// <summary>What the derivatives at a continuous optimum say where servers share.</summary>
internal static class SharingAnalysis
{
    /// <summary>
    /// Derivatives of the optimum's objective. By the envelope theorem only what stands in the Lagrangian explicitly
    /// counts.
    /// </summary>
    public static Sensitivities Sensitivities(AllocationModel model, ContinuousPoint point)
    {
        var at = point.Sharing!.At;
        var prices = point.Prices;
        var perRate = SharingPerRate.At(at);
        var all =
            ((1 + prices.MaxMeanSystemTime) * perRate.SystemTime)
            + (prices.MaxUtilization * perRate.Utilization)
            + ((prices.MaxInterTokenSeconds ?? 0) * perRate.SlowestInterToken)
            + ((prices.MaxTimeToFirstAnswerTokenSeconds ?? 0) * perRate.FirstAnswer);
        return new Sensitivities(-all / model.Problem.Servers, point.WeightedAccuracy);
    }

    /// <summary>
    /// A number μ ≥ 0 with −Hess J ⪰ μ I: E[T] bends at most by the part η of what the curves do the other way.
    /// </summary>
    public static double LeastCurvature(AllocationModel model, ContinuousPoint point)
    {
        var least = double.PositiveInfinity;
        for (var k = 0; k < model.Count; k++)
        {
            var worth = model.Problem.AccuracyWeight * model.Share[k] * model.Weight[k] * model.Gain[k];
            var bend = worth * model.Rate[k] * model.Rate[k] * Elementary.Exp(-model.Rate[k] * point.Tokens[k]);
            least = bend > 0 ? Math.Min(least, bend) : least;
        }

        var left = Math.Max(1 - point.Sharing!.Bending, 0);
        return double.IsFinite(least) ? left * least : 0;
    }
}

/// <summary>Derivatives of a point's figures by λ at one server, the allocation staying as it is.</summary>
/// <param name="SystemTime">Of E[T].</param>
/// <param name="Utilization">Of the utilization.</param>
/// <param name="SlowestInterToken">Of the mean time between two tokens of the slowest type.</param>
/// <param name="FirstAnswer">Of the mean time to the first token of the answer.</param>
internal readonly record struct SharingPerRate(
    double SystemTime,
    double Utilization,
    double SlowestInterToken,
    double FirstAnswer
)
{
    public static SharingPerRate At(in SharingPoint at)
    {
        var (time, wait) = Times(at);
        var stretch = at.Lone > 0 ? (time - wait) / at.Lone : 0;
        return new SharingPerRate(
            time,
            at.Work + (at.Columns.OverheadOfSlot * at.Output),
            at.SlowestInterTokenPerRate,
            wait + ((at.Lone - at.Columns.LaterSeconds) * stretch)
        );
    }

    /// <summary>∂E[T]/∂λ and ∂E[Wq]/∂λ: E[N] depends on λ times the load alone, and E[T] is E[N]/λ.</summary>
    private static (double Time, double Wait) Times(in SharingPoint at)
    {
        var means = at.Means;
        if (at.Columns.Cap is null)
            return (at.Work * means.SystemSeconds / at.Idle, 0);
        if (!(at.Rate > 0))
            return TimesOfTheFirst(at);
        var overhead = at.Columns.Overhead * at.Output;
        var time = (overhead * means.SystemPerOverhead) + (at.Work * means.SystemPerWork) - means.SystemSeconds;
        var wait = (overhead * means.WaitPerOverhead) + (at.Work * means.WaitPerWork) - means.WaitSeconds;
        return (time / at.Rate, wait / at.Rate);
    }

    /// <summary>
    /// The same at a rate of 0, where two queries at most meet: the second waits for the one slot, or slows the first
    /// by its work.
    /// </summary>
    private static (double Time, double Wait) TimesOfTheFirst(in SharingPoint at)
    {
        var hasOneSlot = at.Columns.Cap == 1;
        var perMeeting = hasOneSlot ? at.Lone : at.Work;
        var time = at.Lone * perMeeting;
        return (time, hasOneSlot ? time : 0);
    }
}
