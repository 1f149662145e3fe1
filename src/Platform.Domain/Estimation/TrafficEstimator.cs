using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>The arrival rate as of now, from the finest counts there are.</summary>
internal static class TrafficEstimator
{
    /// <summary>Windows at a time from which on the newest counts may lack those that are still on their way.</summary>
    private const double SeveralPublishers = 1.1;

    /// <summary>Mean windows for which it is no silence that none came.</summary>
    private const double PatientWindows = 2;

    /// <summary>The stretches that rates and shares are told from.</summary>
    public static TrafficStretches Stretches(WorkloadEvidence evidence, DateTimeOffset asOf) =>
        new(evidence.Sums, asOf, evidence.MeanWindowSeconds);

    /// <summary>What is known of the rate; null where no window within the horizon tells anything.</summary>
    /// <param name="prior">λ₀ ≥ 0 of the definition, per second.</param>
    /// <param name="evidence">What is within the horizon.</param>
    /// <param name="stretches">The same by stretches of time.</param>
    /// <param name="asOf">The instant.</param>
    /// <param name="doubtOfDefinition">
    /// The probability beforehand that the rate was not the definition's from the first window on.
    /// </param>
    public static RateLaw? RateAt(
        double prior,
        WorkloadEvidence evidence,
        TrafficStretches stretches,
        DateTimeOffset asOf,
        double doubtOfDefinition
    )
    {
        if (stretches.Count == 0)
            return null;
        var horizon = evidence.Sums.HorizonSeconds;
        var dispersion = Dispersion.InflationBetweenJumps(
            evidence.InStretches(evidence.Arrivals),
            evidence.InStretches(evidence.Covered)
        );
        var window = evidence.MeanWindowSeconds ?? 0;
        var last = stretches[stretches.Count - 1].End;
        var silence = Math.Max(asOf.ToUnixTimeSeconds() - last - (PatientWindows * window), 0);
        var law = new RateChanges(prior, stretches, dispersion, horizon, doubtOfDefinition).Now(silence);
        if (evidence.WindowsAtATime <= SeveralPublishers)
            return law;

        // The last window's time may lack those of other publishers: less than before is believed when all have told.
        var whole = stretches.EndedBy(last - window);
        if (whole.Count == 0)
            return law;
        var told = new RateChanges(prior, whole, dispersion, horizon, doubtOfDefinition).Now(silence);
        return told.Mean > law.Mean ? told : law;
    }

    /// <summary>What is known of the rate before the first window.</summary>
    /// <param name="prior">λ₀ ≥ 0 of the definition, per second.</param>
    /// <param name="horizon">The horizon in seconds.</param>
    public static RateLaw Presumed(double prior, int horizon)
    {
        var seconds = ArrivalEstimator.PriorExposure(prior, horizon);
        return new RateLaw([new RatePart(1, Math.Max(prior * seconds, RateChanges.LeastArrivals), seconds)]);
    }

    /// <summary>What is known of the shares; null where no window within the horizon tells anything.</summary>
    /// <param name="types">The definition's task types.</param>
    /// <param name="evidence">What is within the horizon.</param>
    /// <param name="stretches">The same by stretches of time.</param>
    public static ShareChanges? Shares(
        IReadOnlyList<TaskType> types,
        WorkloadEvidence evidence,
        TrafficStretches stretches
    ) => stretches.Count == 0 ? null : new ShareChanges(types, evidence, stretches, ShareInflation(evidence));

    /// <summary>How much the shares scatter against chance, in the mean over the arrivals.</summary>
    private static double ShareInflation(WorkloadEvidence evidence)
    {
        var (inflation, all) = (0.0, 0.0);
        var arrivals = new double[evidence.Count];
        for (var k = 0; k < evidence.Types; k++)
        {
            var tasks = evidence.Of(k);
            var total = 0.0;
            for (var i = 0; i < evidence.Count; i++)
            {
                arrivals[i] = tasks[i]?.Of(WorkloadSum.Arrivals) ?? 0;
                total += arrivals[i];
            }

            var shares = Dispersion.OfShares(
                evidence.InStretches(arrivals),
                evidence.InStretches(evidence.KnownArrivals)
            );
            inflation += total * shares.Inflation;
            all += total;
        }

        return all > 0 ? inflation / all : 1;
    }
}
