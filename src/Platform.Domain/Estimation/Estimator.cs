using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Domain.Estimation;

/// <summary>
/// Draws a fleet's estimate from its sums and its definition. Without a window the estimate is the prior to the last
/// bit; each prior is worth a fixed amount of evidence, which the estimators of the parts name, and gives way as
/// evidence comes in.
/// </summary>
/// <remarks>
/// Evidence counts in full up to half the horizon and fades on a straight line to nothing at the horizon, by the age of
/// its bucket's end. The arithmetic runs in a fixed order and uses no function of the machine's library but the square
/// root, which IEEE 754 defines, so the same sums, definition and instant give the same bits everywhere. Formulas:
/// docs/estimation.md.
/// </remarks>
public static class Estimator
{
    /// <summary>
    /// Name of this arithmetic. Whoever changes a result changes the name: old snapshots are re-derived by what made
    /// them.
    /// </summary>
    public const string EstimatorVersion = "estimator/7";

    /// <summary>Estimates a fleet as of an instant.</summary>
    /// <param name="definition">Task types, priors and horizon; valid.</param>
    /// <param name="sums">The fleet's windows, folded with the definition's horizon.</param>
    /// <param name="asOf">The instant from which ages are counted; not before one that the sums were pruned to.</param>
    /// <exception cref="ArgumentException">The sums were folded with another horizon.</exception>
    public static FleetEstimate Estimate(FleetDefinition definition, WorkloadSums sums, DateTimeOffset asOf) =>
        Estimate(definition, sums, asOf, EstimatorArithmetic.Current);

    /// <inheritdoc cref="Estimate(FleetDefinition, WorkloadSums, DateTimeOffset)"/>
    internal static FleetEstimate Estimate(
        FleetDefinition definition,
        WorkloadSums sums,
        DateTimeOffset asOf,
        EstimatorArithmetic arithmetic
    )
    {
        if (sums.HorizonSeconds != definition.Solving.HorizonSeconds)
            throw new ArgumentException(
                "The sums were folded with another horizon than the definition's: fold anew.",
                nameof(sums)
            );
        var evidence = new WorkloadEvidence(definition.TaskTypes, sums, asOf);
        var dispersion = Dispersion.OfCounts(
            evidence.InStretches(evidence.Arrivals),
            evidence.InStretches(evidence.Covered)
        );
        var (systemMillis, systemCompletions, used, granted) = evidence.Ratios;
        var adherence = Ratio(used, granted);
        var taskTypes = new TaskTypeEstimate[definition.TaskTypes.Count];
        var isSharing = definition.Dispatch == Dispatch.Sharing && !arithmetic.KnowsNoSharing;
        var sharing = isSharing ? SharingEstimator.Fit(definition, evidence) : null;
        var observed = sharing is null ? null : new SharingObservations(definition, evidence, sharing);
        var stretches = arithmetic.HasAverageTraffic ? null : TrafficEstimator.Stretches(evidence, asOf);
        var shares = stretches is null ? null : TrafficEstimator.Shares(definition.TaskTypes, evidence, stretches);
        var estimation = new TaskTypeEstimation(evidence, arithmetic, sharing, observed, shares);
        for (var k = 0; k < taskTypes.Length; k++)
            taskTypes[k] = estimation.Estimate(definition.TaskTypes[k], k);
        var average = ArrivalEstimator.Rate(
            definition.ArrivalRate,
            evidence,
            dispersion.Inflation,
            sums.HorizonSeconds
        );
        var rate = stretches is null
            ? null
            : TrafficEstimator.RateAt(
                definition.ArrivalRate,
                evidence,
                stretches,
                asOf,
                arithmetic.TrustsDefinedRate ? 0 : RateChanges.DoubtOfDefinition
            );
        var forecast = rate is null || arithmetic.HasNoForecast ? null : Forecast(definition, sums, asOf);
        var validity = new ModelValidity
        {
            TimescaleSeconds = evidence.StretchSeconds,
            Burstiness = dispersion.Check(),
            ArrivalDrift = Drift.OfRate(
                evidence.Arrivals.AsSpan(0, evidence.Count),
                evidence.Covered,
                dispersion.Inflation
            ),
            Adherence = AdherenceCheck(adherence),
            Staleness = Staleness(sums.LastWindowEnd, evidence.MeanWindowSeconds, asOf),
        };
        return new FleetEstimate
        {
            Version = arithmetic.Version,
            AsOf = asOf.ToUniversalTime(),
            HorizonSeconds = sums.HorizonSeconds,
            LastWindowEnd = sums.LastWindowEnd,
            ExposureSeconds = evidence.ExposureSeconds,
            Arrivals = WorkloadEvidence.Shown(evidence.Totals.Arrivals),
            Completions = WorkloadEvidence.Shown(evidence.Totals.Completions),
            Trials = WorkloadEvidence.Shown(evidence.Totals.Trials),
            ArrivalRate = rate?.Interval ?? average,
            Traffic = stretches is null ? null : Traffic(definition, average, rate, forecast),
            Sharing = sharing?.Sharing,
            MeanSystemTimeSeconds = Ratio(systemMillis, systemCompletions) / 1e3,
            Adherence = adherence,
            Validity = arithmetic.HasOldChecksOnly
                ? validity
                : WithQueueChecks(validity, definition, evidence, average, observed),
            TaskTypes = taskTypes,
            UnknownTaskTypes = [.. evidence.Unknown],
        };
    }

    private static TrafficForecast? Forecast(FleetDefinition definition, WorkloadSums sums, DateTimeOffset asOf) =>
        DayForecast.Find(
            sums,
            asOf,
            asOf.AddSeconds(definition.Solving.EverySeconds),
            definition.Solving.RateProbability
        );

    /// <summary>
    /// What must be carried until the next solve: the rate as of now, or that which a forecast rises to. A fall that is
    /// forecast has not come yet.
    /// </summary>
    private static TrafficEstimate Traffic(
        FleetDefinition definition,
        IntervalEstimate average,
        RateLaw? rate,
        TrafficForecast? forecast
    )
    {
        var probability = definition.Solving.RateProbability;
        rate ??= TrafficEstimator.Presumed(definition.ArrivalRate, definition.Solving.HorizonSeconds);
        var upper = rate.Quantile(probability);
        if (forecast is { Rate: var coming } && coming.Value - rate.Mean > coming.StandardError)
            upper = Math.Max(upper, forecast.UpperRate);
        return new TrafficEstimate(average, upper, probability) { Forecast = forecast };
    }

    private static ModelValidity WithQueueChecks(
        ModelValidity validity,
        FleetDefinition definition,
        WorkloadEvidence evidence,
        IntervalEstimate rate,
        SharingObservations? sharing
    )
    {
        var queue = new QueueObservations(definition, evidence);
        if (sharing is not null)
        {
            return validity with
            {
                RateAgainstDefinition = queue.RateAgainstDefinition(),
                SharingSystemTime = sharing.SystemTime(),
                Saturation = sharing.Saturation(),
                MemoryCollapse = sharing.MemoryCollapse(),
            };
        }

        return validity with
        {
            SystemTime = queue.SystemTime(rate),
            Concurrency = queue.Concurrency(),
            RateAgainstDefinition = queue.RateAgainstDefinition(),
        };
    }

    /// <summary>a / b, or null where b is 0: nobody told.</summary>
    internal static double? Ratio(double a, double b) => b > 0 ? a / b : null;

    /// <summary>Whether budgets govern what is used.</summary>
    internal static ValidityCheck AdherenceCheck(double? adherence) =>
        adherence is { } ratio
            ? new ValidityCheck(ratio, null, Math.Abs(ratio - 1) > ValidityThresholds.Adherence)
            : ValidityCheck.Unknown;

    /// <summary>
    /// Unknown before the first window; a fleet whose last window is beyond the horizon is stale whatever its cadence
    /// was.
    /// </summary>
    private static ValidityCheck Staleness(
        DateTimeOffset? lastWindowEnd,
        double? meanWindowSeconds,
        DateTimeOffset asOf
    )
    {
        if (lastWindowEnd is not { } end)
            return ValidityCheck.Unknown;
        var seconds = Math.Max((double)(asOf - end).Ticks / TimeSpan.TicksPerSecond, 0);
        return meanWindowSeconds is { } length
            ? new ValidityCheck(
                seconds,
                seconds / length,
                seconds > Math.Max(ValidityThresholds.StaleWindows * length, ValidityThresholds.StaleSeconds)
            )
            : new ValidityCheck(seconds, null, true);
    }
}
