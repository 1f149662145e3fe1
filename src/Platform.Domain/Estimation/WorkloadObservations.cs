namespace Platform.Domain.Estimation;

/// <summary>
/// What the windows within the horizon say, unweighted and before any fit: drawn beside an estimate, it shows what the
/// estimate rests on.
/// </summary>
public sealed record WorkloadObservations
{
    /// <summary>Length in seconds of a stretch of time.</summary>
    public required int StretchSeconds { get; init; }

    /// <summary>The stretches that some window covers, oldest first.</summary>
    public required IReadOnlyList<ObservedStretch> Stretches { get; init; }

    /// <summary>What was seen of each task type that windows named, in ordinal order of the ids.</summary>
    public required IReadOnlyList<ObservedTaskType> TaskTypes { get; init; }

    /// <summary>Reads it from a fleet's sums.</summary>
    /// <param name="sums">The fleet's windows.</param>
    /// <param name="asOf">The instant before which the horizon lies.</param>
    public static WorkloadObservations Of(WorkloadSums sums, DateTimeOffset asOf)
    {
        var first = WindowSpan.FloorDivide(asOf.ToUnixTimeSeconds() - sums.HorizonSeconds, sums.BucketSeconds);
        AgeBucket[] buckets = [.. sums.Buckets.Where(bucket => bucket.Index >= first)];
        return new WorkloadObservations
        {
            StretchSeconds = sums.BucketSeconds,
            Stretches = [.. buckets.Select(bucket => StretchOf(bucket, sums.BucketSeconds))],
            TaskTypes =
            [
                .. buckets
                    .SelectMany(bucket => bucket.Tasks)
                    .GroupBy(task => task.TaskType, StringComparer.Ordinal)
                    .OrderBy(type => type.Key, StringComparer.Ordinal)
                    .Select(TypeOf),
            ],
        };
    }

    private static ObservedStretch StretchOf(AgeBucket bucket, int width)
    {
        var (trials, correct) = (0.0, 0.0);
        foreach (var task in bucket.Tasks)
        {
            foreach (var cell in task.Cells)
                (trials, correct) = (trials + TaskSums.Nearest(cell.Trials), correct + TaskSums.Nearest(cell.Correct));
        }

        return new ObservedStretch
        {
            From = DateTimeOffset.FromUnixTimeSeconds(bucket.Index * width),
            CoveredSeconds = bucket.Covered.Count,
            Arrivals = Sum(WorkloadSum.Arrivals),
            Accuracy = trials > 0 ? Interval.Proportion(correct / trials, trials) : null,
            MeanSystemTimeSeconds =
                Estimator.Ratio(Sum(WorkloadSum.SystemMillis), Sum(WorkloadSum.SystemCompletions)) / 1e3,
        };

        double Sum(WorkloadSum sum) => bucket.Tasks.Sum(task => task.Of(sum));
    }

    private static ObservedTaskType TypeOf(IGrouping<string, TaskSums> type)
    {
        var cells = type.SelectMany(task => task.Cells.ToArray())
            .GroupBy(cell => cell.Cell)
            .OrderBy(cell => cell.Key)
            .Select(same => same.Aggregate((a, b) => a + b))
            .Where(cell => cell.Trials > 0);
        return new ObservedTaskType(
            type.Key,
            [.. cells.Select(AccuracyOf)],
            [.. type.Where(task => task[WorkloadSum.Completions] > 0).Select(ServiceOf)]
        );
    }

    private static ObservedAccuracy AccuracyOf(AccuracyCell cell)
    {
        var trials = TaskSums.Nearest(cell.Trials);
        return new ObservedAccuracy(
            TaskSums.Nearest(cell.TokenTrials) / trials,
            trials,
            Interval.Proportion(TaskSums.Nearest(cell.Correct) / trials, trials)
        );
    }

    private static ObservedService ServiceOf(TaskSums task)
    {
        var completions = task.Of(WorkloadSum.Completions);
        return new ObservedService(
            task.Of(WorkloadSum.Tokens) / completions,
            task.Of(WorkloadSum.Millis) / completions / 1e3,
            completions
        );
    }
}

/// <summary>What was seen in one stretch of time.</summary>
public sealed record ObservedStretch
{
    /// <summary>When it begins, UTC.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>Seconds of it that some window covers.</summary>
    public required int CoveredSeconds { get; init; }

    /// <summary>Queries that arrived.</summary>
    public required double Arrivals { get; init; }

    /// <summary>Part of the queries with a verdict that were answered right; null when there were none.</summary>
    public required IntervalEstimate? Accuracy { get; init; }

    /// <summary>Mean seconds from arrival to end; null when none told.</summary>
    public required double? MeanSystemTimeSeconds { get; init; }
}

/// <summary>What was seen of one task type.</summary>
/// <param name="Id">The task type's id.</param>
/// <param name="Accuracy">By granted tokens, ascending.</param>
/// <param name="Service">By stretch of time, oldest first.</param>
public sealed record ObservedTaskType(
    string Id,
    IReadOnlyList<ObservedAccuracy> Accuracy,
    IReadOnlyList<ObservedService> Service
);

/// <summary>Verdicts on queries that were granted about as many tokens.</summary>
/// <param name="Tokens">Mean tokens granted.</param>
/// <param name="Trials">Queries with a verdict, above 0.</param>
/// <param name="Accuracy">Part of them that were answered right.</param>
public sealed record ObservedAccuracy(double Tokens, double Trials, IntervalEstimate Accuracy);

/// <summary>Queries that ended in one stretch of time.</summary>
/// <param name="MeanTokens">Mean tokens used.</param>
/// <param name="MeanSeconds">Mean seconds on the server.</param>
/// <param name="Completions">Their number, above 0.</param>
public sealed record ObservedService(double MeanTokens, double MeanSeconds, double Completions);
