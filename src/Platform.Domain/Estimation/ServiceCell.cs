namespace Platform.Domain.Estimation;

/// <summary>
/// The queries of one task type that ended in one age bucket: their number, their mean tokens x̄ and seconds ȳ, and the
/// sums of squares and products around these means.
/// </summary>
internal readonly struct ServiceCell
{
    /// <summary>Reads the sums of a bucket that has completions.</summary>
    /// <param name="task">The sums.</param>
    /// <param name="weight">The bucket's weight by age.</param>
    /// <param name="bucket">The bucket's place among those that count.</param>
    public ServiceCell(TaskSums task, double weight, int bucket)
    {
        Bucket = bucket;
        Weight = weight;
        Count = task.Of(WorkloadSum.Completions);
        MeanTokens = task.Of(WorkloadSum.Tokens) / Count;
        MeanSeconds = task.Of(WorkloadSum.Millis) / Count / 1e3;
        const WorkloadSum Tokens = WorkloadSum.Tokens;
        const WorkloadSum Millis = WorkloadSum.Millis;
        TokensSquared = ServiceMoments.Centred(task, WorkloadSum.TokensSquared, Tokens, Tokens);
        TokenSeconds = ServiceMoments.Centred(task, WorkloadSum.TokenMillis, Tokens, Millis) / 1e3;
        SecondsSquared = ServiceMoments.Centred(task, WorkloadSum.MillisSquared, Millis, Millis) / 1e6;
        ConcurrencyTokens = task.Of(WorkloadSum.ConcurrencyTokens);
        ConcurrencyInService = task.Of(WorkloadSum.ConcurrencyInService);
    }

    /// <summary>The bucket's place among those that count.</summary>
    public int Bucket { get; }

    /// <summary>The bucket's weight by age.</summary>
    public double Weight { get; }

    /// <summary>n > 0.</summary>
    public double Count { get; }

    /// <summary>x̄.</summary>
    public double MeanTokens { get; }

    /// <summary>ȳ.</summary>
    public double MeanSeconds { get; }

    /// <summary>Σ(x − x̄)².</summary>
    public double TokensSquared { get; }

    /// <summary>Σ(x − x̄)(y − ȳ).</summary>
    public double TokenSeconds { get; }

    /// <summary>Σ(y − ȳ)².</summary>
    public double SecondsSquared { get; }

    /// <summary>Output tokens of which windows told how many queries were in service; 0 where they told none.</summary>
    public double ConcurrencyTokens { get; }

    /// <summary>Σ of the queries in service at these tokens.</summary>
    public double ConcurrencyInService { get; }

    /// <summary>Whether windows told how many queries were in service.</summary>
    public bool TellsLoad => ConcurrencyTokens > 0;

    /// <summary>N as windows told it: queries in service beside a token's own.</summary>
    public double ToldLoad => LoadOf(ConcurrencyTokens, ConcurrencyInService);

    /// <summary>Queries in service beside a token's own, in the mean over tokens.</summary>
    /// <param name="tokens">Number of tokens, above 0.</param>
    /// <param name="inService">Σ of the queries in service at them, their own included.</param>
    public static double LoadOf(double tokens, double inService) => Math.Max((inService / tokens) - 1, 0);

    /// <summary>The cells of a task type, oldest first.</summary>
    /// <param name="tasks">Its sums by bucket.</param>
    /// <param name="weights">The buckets' weights.</param>
    public static ServiceCell[] Of(ReadOnlySpan<TaskSums?> tasks, ReadOnlySpan<double> weights)
    {
        var cells = new List<ServiceCell>(tasks.Length);
        for (var i = 0; i < tasks.Length; i++)
        {
            if (tasks[i] is { } task && task[WorkloadSum.Completions] > 0)
                cells.Add(new ServiceCell(task, weights[i], i));
        }

        return [.. cells];
    }
}
