using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;

namespace Platform.Domain.Estimation;

/// <summary>
/// Draws a fleet's estimate from its sums and its definition. Without a window the estimate is the prior to the last bit; each prior
/// is worth a fixed amount of evidence, which the estimators of the parts name, and gives way as evidence comes in.
/// </summary>
/// <remarks>
/// Evidence counts in full up to half the horizon and fades on a straight line to nothing at the horizon, by the age of its bucket's
/// end. The arithmetic runs in a fixed order, so the same sums, definition and instant give the same bits.
/// </remarks>
public static class Estimator
{
    /// <summary>Name of this arithmetic. Whoever changes a result changes the name: old snapshots are re-derived by what made them.</summary>
    public const string EstimatorVersion = "estimator/1";

    /// <summary>Estimates a fleet as of an instant.</summary>
    /// <param name="definition">Task types, priors and horizon; valid.</param>
    /// <param name="sums">The fleet's windows, folded with the definition's horizon.</param>
    /// <param name="asOf">The instant from which ages are counted; not before one that the sums were pruned to.</param>
    /// <exception cref="ArgumentException">The sums were folded with another horizon.</exception>
    public static FleetEstimate Estimate(FleetDefinition definition, WorkloadSums sums, DateTimeOffset asOf)
    {
        if (sums.HorizonSeconds != definition.Solving.HorizonSeconds)
            throw new ArgumentException("The sums were folded with another horizon than the definition's: fold anew.", nameof(sums));
        var evidence = new WorkloadEvidence(sums, asOf);
        var all = evidence.Tasks.Values.ToArray();
        var arrivals = all.Sum(task => task.Weighted(WorkloadSum.Arrivals));
        return new FleetEstimate
        {
            Version = EstimatorVersion,
            AsOf = asOf.ToUniversalTime(),
            HorizonSeconds = sums.HorizonSeconds,
            LastWindowEnd = sums.LastWindowEnd,
            ExposureSeconds = evidence.ExposureSeconds,
            Arrivals = Total(all, task => task.Counted(WorkloadSum.Arrivals)),
            Completions = Total(all, task => task.Counted(WorkloadSum.Completions)),
            Trials = Total(all, task => task.Trials),
            ArrivalRate = ArrivalEstimator.Rate(definition.ArrivalRate, arrivals, evidence.WeightedExposureSeconds, sums.HorizonSeconds),
            MeanSystemTimeSeconds = Ratio(all, WorkloadSum.SystemMillis, WorkloadSum.SystemCompletions) / 1e3,
            Adherence = Ratio(all, WorkloadSum.TokensUsedOfGranted, WorkloadSum.TokensGranted),
            TaskTypes = EstimateTaskTypes(definition.TaskTypes, evidence),
            UnknownTaskTypes = UnknownTaskTypes(definition.TaskTypes, evidence),
        };
    }

    private static TaskTypeEstimate[] EstimateTaskTypes(IReadOnlyList<TaskType> types, WorkloadEvidence evidence)
    {
        var seen = types.Select(type => evidence.For(type.Id)).ToArray();
        var shares = ArrivalEstimator.Shares(
            [.. types.Select(type => type.Share)], [.. seen.Select(task => task.Weighted(WorkloadSum.Arrivals))]);
        return [.. types.Select((type, k) => EstimateTaskType(type, shares[k], seen[k]))];
    }

    private static TaskTypeEstimate EstimateTaskType(TaskType type, IntervalEstimate share, TaskEvidence seen) => new()
    {
        Id = type.Id,
        Arrivals = Total([seen], task => task.Counted(WorkloadSum.Arrivals)),
        Completions = Total([seen], task => task.Counted(WorkloadSum.Completions)),
        Trials = Total([seen], task => task.Trials),
        Share = share,
        Service = ServiceLineEstimator.Estimate(type.Service, seen),
        Accuracy = AccuracyCurveEstimator.Estimate(type.Accuracy, seen.Cells),
        MeanTokens = Ratio([seen], WorkloadSum.Tokens, WorkloadSum.Completions),
        MeanSystemTimeSeconds = Ratio([seen], WorkloadSum.SystemMillis, WorkloadSum.SystemCompletions) / 1e3,
        Adherence = Ratio([seen], WorkloadSum.TokensUsedOfGranted, WorkloadSum.TokensGranted),
    };

    private static UnknownTaskType[] UnknownTaskTypes(IReadOnlyList<TaskType> types, WorkloadEvidence evidence)
    {
        var known = types.Select(type => type.Id).ToHashSet(StringComparer.Ordinal);
        return [.. evidence.Tasks.Where(entry => !known.Contains(entry.Key)).Select(entry => new UnknownTaskType(
            entry.Key,
            Total([entry.Value], task => task.Counted(WorkloadSum.Arrivals)),
            Total([entry.Value], task => task.Counted(WorkloadSum.Completions))))];
    }

    /// <summary>A count for people and for JSON: beyond 2^53 − 1, which no honest fleet reaches, it says 2^53 − 1.</summary>
    private static long Total(TaskEvidence[] tasks, Func<TaskEvidence, UInt128> count)
    {
        var total = UInt128.Zero;
        foreach (var task in tasks)
            total = checked(total + count(task));
        return (long)UInt128.Min(total, (UInt128)WorkloadWindowReader.MaxSum);
    }

    private static double? Ratio(TaskEvidence[] tasks, WorkloadSum numerator, WorkloadSum denominator)
    {
        var below = tasks.Sum(task => task.Weighted(denominator));
        return below > 0 ? tasks.Sum(task => task.Weighted(numerator)) / below : null;
    }
}
