using System.Text.Json.Serialization;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;

namespace Platform.Domain.Ingestion;

/// <summary>
/// What a solve expects of the windows to come, as small as it can be kept: written by the solve into the fleet's row,
/// read by the intake. Of each figure the doubt is kept too, so that a poor estimate is not taken for a change.
/// </summary>
public sealed record WorkloadExpectation
{
    /// <summary>
    /// Task types whose service times are expected, those with the most completions: more would make the intake read
    /// what hardly counts.
    /// </summary>
    internal const int MostTaskTypes = 100;

    /// <summary>Windows that end before this instant cannot count in any estimate to come.</summary>
    public required DateTimeOffset CountsFrom { get; init; }

    /// <summary>
    /// Arrivals per second of window length. Not λ, for which the covered time counts once: ten gateways that report
    /// the same minute have ten minutes of windows, and a tenth of λ in each.
    /// </summary>
    public required float ArrivalRate { get; init; }

    /// <summary>λ of the whole fleet as it is expected: that of the estimate.</summary>
    public double FleetArrivalRate { get; init; }

    /// <summary>
    /// How many times the estimate's service times were solved for, at least 1; above 1 while an alarm stands.
    /// </summary>
    public double ServiceFactor { get; init; } = 1;

    /// <summary>Lower end of its 95 % interval.</summary>
    public required float LowestArrivalRate { get; init; }

    /// <summary>Upper end of its 95 % interval.</summary>
    public required float HighestArrivalRate { get; init; }

    /// <summary>φ ≥ 1, how much the arrivals scatter against what chance alone gives.</summary>
    public required float Dispersion { get; init; }

    /// <summary>ρ of the allocation in force by the estimate, at least 0; 0 without an allocation.</summary>
    public required float Utilization { get; init; }

    /// <summary>The fleet's cap on ρ, at most 1.</summary>
    public required float UtilizationLimit { get; init; }

    /// <summary>Service times of the task types of which some have ended.</summary>
    public required IReadOnlyList<ExpectedService> TaskTypes { get; init; }

    /// <summary>
    /// What to expect after a solve; null where the figures are out of all reason. Before the first window the
    /// definition's figures count, with their doubt, and one publisher is presumed.
    /// </summary>
    /// <param name="inputs">What was solved on.</param>
    /// <param name="derived">The estimate and the problem.</param>
    /// <param name="tokens">Tokens in force from now on, in the order of the problem's task types; null when there are
    /// none.</param>
    public static WorkloadExpectation? Of(SnapshotInputs inputs, DerivedAllocation derived, IReadOnlyList<long>? tokens)
    {
        var (estimate, problem) = (derived.Estimate, derived.Asked);
        var part = CoveredPart(inputs.Sums, inputs.SolvedAt);
        var rate = ExpectedRate(derived);
        var doubt = DoubtOfRate(estimate);
        var load = ExpectedLoad.Of(problem with { ArrivalRate = rate }, tokens);
        // An alarm's figures are the windows' own: the doubt of the estimate is taken along in proportion.
        var rise = estimate.ArrivalRate.Value > 0 ? rate / estimate.ArrivalRate.Value : 1;
        var slowdown = derived.Alarm?.ServiceFactor ?? 1;
        var expected = new WorkloadExpectation
        {
            CountsFrom = inputs.SolvedAt.AddSeconds(-inputs.Sums.HorizonSeconds),
            ArrivalRate = (float)(part * rate),
            LowestArrivalRate = (float)(part * rise * doubt.Lower),
            HighestArrivalRate = (float)(part * rise * doubt.Upper),
            FleetArrivalRate = rate,
            ServiceFactor = slowdown,
            Dispersion = (float)Math.Max(estimate.Validity.Burstiness.Value ?? 1, 1),
            Utilization = (float)load.Utilization,
            UtilizationLimit = (float)(problem.MaxUtilization ?? 1),
            TaskTypes =
            [
                .. estimate
                    .TaskTypes.Where(type => type.Completions > 0)
                    .OrderByDescending(type => type.Completions)
                    .Take(MostTaskTypes)
                    .Select(type => ExpectedService.Of(type, slowdown).Slowed(load.AddedTo(type.Id)))
                    .Where(service => service.IsFinite),
            ],
        };
        expected = expected with { TaskTypes = WithAliases(expected.TaskTypes, inputs.Definition.TaskTypes) };
        return float.IsFinite(expected.HighestArrivalRate + expected.Dispersion + expected.Utilization)
            ? expected
            : null;
    }

    /// <summary>
    /// The interval of the rate; where traffic moves, no wider in proportion than that of the average over the horizon:
    /// a rate of which little is known would else never be found to have moved on, and an early solve costs little.
    /// </summary>
    private static (double Lower, double Upper) DoubtOfRate(FleetEstimate estimate)
    {
        var rate = estimate.ArrivalRate;
        if (estimate.Traffic?.AverageRate is not { Value: > 0 } average)
            return (rate.Lower, rate.Upper);
        return (
            Math.Max(rate.Lower, rate.Value * average.Lower / average.Value),
            Math.Min(rate.Upper, rate.Value * average.Upper / average.Value)
        );
    }

    /// <summary>What is expected is the rate as it is, not the one that an allocation must carry.</summary>
    private static double ExpectedRate(DerivedAllocation derived) =>
        derived.Estimate.Traffic is null ? derived.Problem.ArrivalRate : derived.Estimate.ArrivalRate.Value;

    private static ExpectedService[] WithAliases(IReadOnlyList<ExpectedService> services, IReadOnlyList<TaskType> types)
    {
        var aliases = types.ToDictionary(type => type.Id, type => type.Aliases, StringComparer.Ordinal);
        return [.. services.Select(service => service with { Aliases = aliases[service.TaskType] })];
    }

    /// <summary>
    /// Covered time over the windows' own, weighted by age as the estimate is: 1 / the mean number of windows at a
    /// time.
    /// </summary>
    private static double CoveredPart(WorkloadSums sums, DateTimeOffset asOf)
    {
        double covered = 0,
            reported = 0;
        foreach (var bucket in sums.Buckets)
        {
            double weight = WorkloadEvidence.AgeWeight(
                asOf.ToUnixTimeSeconds() - ((bucket.Index + 1) * sums.BucketSeconds),
                sums.HorizonSeconds
            );
            covered += weight * bucket.Covered.Count;
            reported += weight * TaskSums.Nearest(bucket.WindowTicks) / TimeSpan.TicksPerSecond;
        }

        return reported > 0 ? covered / reported : 1;
    }
}

/// <summary>Service times of one task type: the line, the doubt of it, and the scatter around it.</summary>
/// <param name="TaskType">The task type's id.</param>
/// <param name="BaseSeconds">Base in seconds.</param>
/// <param name="SecondsPerToken">Seconds per token used.</param>
/// <param name="BaseVariance">Variance of the base's estimate, seconds².</param>
/// <param name="Covariance">Covariance of the two estimates, seconds² per token.</param>
/// <param name="SlopeVariance">Variance of the slope's estimate, (seconds per token)².</param>
/// <param name="Variance">The part of a query's variance around the line that was seen, seconds².</param>
/// <param name="Presumption">The part of it that is presumed, in mean service times squared.</param>
public sealed record ExpectedService(
    string TaskType,
    float BaseSeconds,
    float SecondsPerToken,
    float BaseVariance,
    float Covariance,
    float SlopeVariance,
    float Variance,
    float Presumption
)
{
    /// <summary>
    /// Degrees of freedom that the presumption is worth: a deviation of half the service time, as the estimator's own.
    /// Few completions would otherwise promise service times that never scatter.
    /// </summary>
    private const double PresumedFreedom = 4;

    /// <summary>Other names under which windows may report the task type; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Aliases { get; init; }

    internal bool IsFinite =>
        float.IsFinite(BaseSeconds + SecondsPerToken + BaseVariance + Covariance + SlopeVariance + Variance);

    /// <param name="type">The task type's estimate.</param>
    /// <param name="slowdown">How many times the estimate's service times are expected.</param>
    internal static ExpectedService Of(TaskTypeEstimate type, double slowdown)
    {
        var (service, freedom) = (type.Service, type.Service.ResidualDegreesOfFreedom);
        var (a, c) = (service.BaseSeconds.StandardError * slowdown, service.SecondsPerToken.StandardError * slowdown);
        var square = slowdown * slowdown;
        var seenPart = freedom / (freedom + PresumedFreedom);
        return new ExpectedService(
            type.Id,
            (float)(service.Line.BaseSeconds * slowdown),
            (float)(service.Line.SecondsPerToken * slowdown),
            (float)(a * a),
            (float)(service.Covariance * square),
            (float)(c * c),
            (float)(service.Line.VarianceSecondsSquared * square * seenPart),
            (float)(PresumedFreedom / (freedom + PresumedFreedom) / 4)
        );
    }

    /// <summary>The same where the others in service slow each output token.</summary>
    internal ExpectedService Slowed(AddedTime added)
    {
        if (added.PerToken == 0)
            return this;
        var (ofBase, ofToken) = (added.PerToken * added.AnswerTokens, added.PerToken);
        var (baseDoubt, tokenDoubt) = (AddedTime.Doubt * ofBase, AddedTime.Doubt * ofToken);
        return this with
        {
            BaseSeconds = (float)(BaseSeconds + ofBase),
            SecondsPerToken = (float)(SecondsPerToken + ofToken),
            BaseVariance = (float)(BaseVariance + (baseDoubt * baseDoubt)),
            Covariance = (float)(Covariance + (baseDoubt * tokenDoubt)),
            SlopeVariance = (float)(SlopeVariance + (tokenDoubt * tokenDoubt)),
        };
    }

    /// <summary>
    /// What is expected of queries that ended, in seconds: their sum, and its variance by doubt of the line and by
    /// scatter.
    /// </summary>
    internal (double Seconds, double Doubt, double Scatter) Expect(ServiceSums seen)
    {
        double n = seen.Completions,
            tokens = seen.Tokens;
        var seconds = (BaseSeconds * n) + (SecondsPerToken * tokens);
        var doubt = (BaseVariance * n * n) + (2 * Covariance * n * tokens) + (SlopeVariance * tokens * tokens);
        return (seconds, Math.Max(doubt, 0), n > 0 ? (Variance * n) + (Presumption * seconds * seconds / n) : 0);
    }
}
