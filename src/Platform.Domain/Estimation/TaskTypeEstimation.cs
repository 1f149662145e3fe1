using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>Estimates the task types of a fleet one after the other, with the same working memory for all.</summary>
/// <param name="evidence">The fleet's sums.</param>
/// <param name="arithmetic">The version of the estimator.</param>
/// <param name="sharing">What was learnt of servers that share; null for a fleet of others.</param>
/// <param name="observed">How they were seen; null for a fleet of others.</param>
/// <param name="mix">The shares as of now; null where they are averages over the horizon.</param>
internal sealed class TaskTypeEstimation(
    WorkloadEvidence evidence,
    EstimatorArithmetic arithmetic,
    SharingFit? sharing,
    SharingObservations? observed,
    ShareChanges? mix
)
{
    private readonly AccuracyVerdicts _verdicts = new();
    private readonly double[] _arrivals = new double[evidence.Count];
    private readonly double[] _residuals = new double[evidence.Count];
    private readonly double[] _information = new double[evidence.Count];
    private readonly int _count = evidence.Count;

    /// <summary>Estimates the task type at an index of the definition.</summary>
    public TaskTypeEstimate Estimate(TaskType type, int k)
    {
        var tasks = evidence.Of(k);
        var totals = new Totals(tasks, evidence.Weight);
        for (var i = 0; i < _count; i++)
            _arrivals[i] = tasks[i]?.Of(WorkloadSum.Arrivals) ?? 0;
        _verdicts.Load(tasks, evidence.Weight);
        var moments = new ServiceMoments(tasks, evidence.Weight);
        var service = sharing is null ? ServiceLineEstimator.Estimate(type.Service, moments) : sharing.Services[k];
        var accuracy = AccuracyCurveEstimator.Estimate(type.Accuracy, _verdicts.Cells, arithmetic);
        var shares = Dispersion.OfShares(evidence.InStretches(_arrivals), evidence.InStretches(evidence.KnownArrivals));
        var adherence = Estimator.Ratio(totals.Used, totals.Granted);
        var validity = new TaskTypeValidity
        {
            ShareDispersion = shares.Check(),
            ServiceSpread = sharing is null ? Spread(moments) : ValidityCheck.Unknown,
            Adherence = Estimator.AdherenceCheck(adherence),
            CurveMisfit = Misfit(accuracy.Fit),
            Convexity = CurveFit.Convexity(_verdicts.Cells),
            ArrivalDrift = Drift.OfRate(_arrivals, evidence.Covered.AsSpan(0, _count), ArrivalInflation(tasks)),
            ServiceDrift = sharing is null
                ? ServiceDrift(tasks, service.Line, moments.Variance)
                : SharedServiceDrift(k, sharing),
            AccuracyDrift = AccuracyDrift(tasks, accuracy.Curve),
        };
        return new TaskTypeEstimate
        {
            Id = type.Id,
            Arrivals = WorkloadEvidence.Shown(totals.Arrivals),
            Completions = WorkloadEvidence.Shown(totals.Completions),
            Trials = WorkloadEvidence.Shown(_verdicts.Trials),
            Share = mix?.Share(k, type.Share) ?? ArrivalEstimator.Share(type.Share, k, evidence, shares.Inflation),
            Service = service,
            AnswerTokens = sharing?.AnswerTokens[k],
            Accuracy = accuracy,
            MeanTokens = moments.Count > 0 ? moments.MeanTokens : null,
            MeanSystemTimeSeconds = Estimator.Ratio(totals.SystemMillis, totals.SystemCompletions) / 1e3,
            Adherence = adherence,
            LargestBudgetTried = arithmetic.HasOldChecksOnly ? null : LargestBudget(),
            Validity = arithmetic.HasOldChecksOnly
                ? validity
                : WithEvidenceChecks(validity, accuracy, totals) with
                {
                    ServiceAgainstDefinition = observed is null
                        ? AgainstDefinition(type.Service, moments)
                        : observed.AgainstDefinition(k),
                    LoadResponse = observed?.LoadResponse(k),
                },
        };
    }

    private TaskTypeValidity WithEvidenceChecks(
        TaskTypeValidity validity,
        AccuracyEstimate accuracy,
        in Totals totals
    ) =>
        validity with
        {
            CurveIdentifiability = Identifiability(accuracy, totals),
            FallingAccuracy = CurveFit.Fall(_verdicts.Cells),
            OneSidedVerdicts = OneSided(),
            UngrantedTokens = Ungranted(totals),
        };

    private long? LargestBudget() => _verdicts.Cells is [.., var last] ? (long)Math.Ceiling(last.Tokens) : null;

    /// <summary>Unknown before the first window of the type.</summary>
    private static ValidityCheck Identifiability(AccuracyEstimate accuracy, in Totals totals)
    {
        if (accuracy.DoubtLeft is not { } left)
            return totals.Arrivals + totals.Completions == 0 ? ValidityCheck.Unknown : new ValidityCheck(1, null, true);
        return new ValidityCheck(left, null, accuracy.Identifiable == false);
    }

    private ValidityCheck OneSided()
    {
        var totals = VerdictTotals.Of(_verdicts.Cells);
        if (!totals.AreMany)
            return ValidityCheck.Unknown;
        var isOneSided = totals.AreAllWrong || totals.AreAllRight;
        return new ValidityCheck(totals.Right / totals.Trials, totals.Trials, isOneSided);
    }

    private static ValidityCheck AgainstDefinition(ServiceLine defined, in ServiceMoments moments)
    {
        var expected = defined.SecondsAt(moments.MeanTokens);
        if (moments.Count == 0 || !(expected > 0))
            return ValidityCheck.Unknown;
        var ratio = moments.MeanSeconds / expected;
        return new ValidityCheck(ratio, null, WrongUnit.Suspects(ratio));
    }

    private static ValidityCheck Ungranted(in Totals totals)
    {
        var isOff = totals.Granted == 0 && totals.Used > 0 && totals.Completions > 0;
        return isOff ? new ValidityCheck(totals.Used / totals.WeightedCompletions, null, true) : ValidityCheck.Unknown;
    }

    private static ValidityCheck Misfit(GoodnessOfFit? fit) =>
        fit is { } good
            ? new ValidityCheck(
                good.ChiSquared / good.DegreesOfFreedom,
                good.ZScore,
                good.ZScore > ValidityThresholds.ZScore
            )
            : ValidityCheck.Unknown;

    /// <summary>
    /// σ²/E[S²] at the tokens that were used, with the coefficient of variation of the residual as the score.
    /// </summary>
    private static ValidityCheck Spread(in ServiceMoments moments)
    {
        if (moments.Freedom == 0 || moments.MeanSeconds == 0)
            return ValidityCheck.Unknown;
        var secondMoment = (moments.SecondsSquared / moments.Count) + (moments.MeanSeconds * moments.MeanSeconds);
        var part = Math.Min(moments.Variance / secondMoment, 1);
        return new ValidityCheck(
            part,
            Math.Sqrt(moments.Variance) / moments.MeanSeconds,
            part > ValidityThresholds.SpreadOfSecondMoment
        );
    }

    private double ArrivalInflation(ReadOnlySpan<TaskSums?> tasks) =>
        tasks.IsEmpty
            ? 1
            : Dispersion.OfCounts(evidence.InStretches(_arrivals), evidence.InStretches(evidence.Covered)).Inflation;

    private ValidityCheck ServiceDrift(ReadOnlySpan<TaskSums?> tasks, ServiceLine line, double variance)
    {
        if (variance == 0)
            return ValidityCheck.Unknown;
        for (var i = 0; i < _count; i++)
        {
            var task = tasks[i];
            var n = task?.Of(WorkloadSum.Completions) ?? 0;
            _information[i] = n;
            _residuals[i] =
                n == 0
                    ? 0
                    : (task!.Of(WorkloadSum.Millis) / 1e3)
                        - (line.BaseSeconds * n)
                        - (line.SecondsPerToken * task.Of(WorkloadSum.Tokens));
        }

        return Drift.OfMean(_residuals, _information, variance);
    }

    /// <summary>
    /// Against the fit at each bucket's load. What a bucket's queries have in common, its load above all, scatters more
    /// than queries that know nothing of each other.
    /// </summary>
    private ValidityCheck SharedServiceDrift(int k, SharingFit fit)
    {
        if (fit.Variances[k] == 0)
            return ValidityCheck.Unknown;
        Array.Clear(_residuals);
        Array.Clear(_information);
        var squares = 0.0;
        foreach (var cell in fit.Cells[k])
        {
            var residual = (cell.Count * cell.MeanSeconds) - fit.Expected(k, cell);
            _residuals[cell.Bucket] = residual;
            _information[cell.Bucket] = cell.Count;
            squares += residual * residual / cell.Count;
        }

        var dispersion = Math.Max(squares / fit.Cells[k].Length / fit.Variances[k], 1);
        return Drift.OfMean(_residuals, _information, dispersion * fit.Variances[k]);
    }

    /// <summary>
    /// Right answers beyond Σnp against Σnp(1 − p): the score test of a common shift of the accuracy's logit.
    /// </summary>
    private ValidityCheck AccuracyDrift(ReadOnlySpan<TaskSums?> tasks, AccuracyCurve curve)
    {
        var cells = _verdicts.Cells;
        Span<double> accuracies = cells.Length <= 64 ? stackalloc double[64] : new double[cells.Length];
        var mean = (Trials: 0.0, Variance: 0.0);
        for (var c = 0; c < cells.Length; c++)
        {
            // At 0 and 1 a single surprise would have no variance to be measured by.
            var p = accuracies[c] = Math.Clamp(CurveFit.At(curve, cells[c].Tokens), 1e-3, 1 - 1e-3);
            mean = (mean.Trials + cells[c].Trials, mean.Variance + (cells[c].Trials * p * (1 - p)));
        }

        for (var i = 0; i < _count; i++)
        {
            (_residuals[i], _information[i]) = (0, 0);
            foreach (var cell in tasks[i] is { } task ? task.Cells : [])
            {
                if (cell.Trials == 0)
                    continue;
                var (p, n) = (accuracies[_verdicts.IndexOf(cell.Cell)], TaskSums.Nearest(cell.Trials));
                _residuals[i] += TaskSums.Nearest(cell.Correct) - (n * p);
                _information[i] += n * p * (1 - p);
            }
        }

        var drift = Drift.OfMean(_residuals, _information, 1);
        return mean.Trials == 0 || drift.Value is null
            ? drift
            : drift with
            {
                Value = drift.Value * mean.Variance / mean.Trials,
            };
    }

    /// <summary>Counts as they came, and sums weighted by age.</summary>
    private readonly struct Totals
    {
        public Totals(ReadOnlySpan<TaskSums?> tasks, ReadOnlySpan<double> weights)
        {
            for (var i = 0; i < tasks.Length; i++)
            {
                if (tasks[i] is not { } task)
                    continue;
                Arrivals = checked(Arrivals + task[WorkloadSum.Arrivals]);
                Completions = checked(Completions + task[WorkloadSum.Completions]);
                WeightedCompletions += weights[i] * task.Of(WorkloadSum.Completions);
                SystemMillis += weights[i] * task.Of(WorkloadSum.SystemMillis);
                SystemCompletions += weights[i] * task.Of(WorkloadSum.SystemCompletions);
                Used += weights[i] * task.Of(WorkloadSum.TokensUsedOfGranted);
                Granted += weights[i] * task.Of(WorkloadSum.TokensGranted);
            }
        }

        public UInt128 Arrivals { get; }

        public UInt128 Completions { get; }

        public double WeightedCompletions { get; }

        public double SystemMillis { get; }

        public double SystemCompletions { get; }

        public double Used { get; }

        public double Granted { get; }
    }
}
