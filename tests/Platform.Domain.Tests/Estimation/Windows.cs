using Platform.Domain.Contracts;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Windows for the tests of the estimation: generated wildly for the exact sums, or from a known truth for recovery.
/// </summary>
internal static class Windows
{
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    public static WorkloadWindow Of(double fromSeconds, double toSeconds, params TaskWindow[] tasks) =>
        new()
        {
            Fleet = "chat-eu",
            WindowStart = Start.AddSeconds(fromSeconds),
            WindowEnd = Start.AddSeconds(toSeconds),
            Tasks = tasks,
        };

    public static TaskWindow Arrivals(string taskType, long arrivals) =>
        new() { TaskType = taskType, Arrivals = arrivals };

    /// <summary>A window of a query each for the given tokens and milliseconds.</summary>
    public static TaskWindow Served(string taskType, params (long Tokens, long Millis)[] queries) =>
        new()
        {
            TaskType = taskType,
            Arrivals = queries.Length,
            Service = new ServiceSums
            {
                Completions = queries.Length,
                Tokens = queries.Sum(q => q.Tokens),
                TokensSquared = queries.Sum(q => q.Tokens * q.Tokens),
                Millis = queries.Sum(q => q.Millis),
                MillisSquared = queries.Sum(q => q.Millis * q.Millis),
                TokenMillis = queries.Sum(q => q.Tokens * q.Millis),
            },
        };

    /// <summary>A Poisson number, by multiplying (Knuth): for means up to some hundreds.</summary>
    public static int Poisson(Random random, double mean)
    {
        var (count, product, limit) = (-1, 1.0, Math.Exp(-mean));
        for (; product > limit; count++)
            product *= random.NextDouble();
        return count;
    }

    /// <summary>
    /// Windows of every kind the contract allows: short, long, overlapping, late, with any sums and any task types.
    /// </summary>
    public static WorkloadWindow[] Wild(Random random, int count, int horizonSeconds) =>
        [.. Enumerable.Range(0, count).Select(_ => WithLaterSums(Wild(random, horizonSeconds)))];

    private static WorkloadWindow WithLaterSums(WorkloadWindow window) =>
        window with
        {
            Tasks = [.. window.Tasks.Select(task => task with { Service = WithLaterSums(task.Service) })],
        };

    private static ServiceSums? WithLaterSums(ServiceSums? sums)
    {
        if (sums is null)
            return null;
        var most = Math.Max(sums.Tokens, sums.Millis);
        var concurrency = new ConcurrencySums { Tokens = sums.Tokens, InService = sums.Tokens == 0 ? 0 : most };
        var tellsConcurrency = sums.Completions % 2 == 0;
        return sums with { AnswerTokens = sums.TokensGranted, Concurrency = tellsConcurrency ? concurrency : null };
    }

    private static WorkloadWindow Wild(Random random, int horizonSeconds)
    {
        var length = Math.Min(Math.Pow(10, (random.NextDouble() * 6) - 1), 86_400);
        var end = random.NextDouble() * 3 * horizonSeconds;
        string[] types = ["math", "code", "x", "Zebra.1", "unseen"];
        var tasks = types.Where(_ => random.Next(2) == 0).Select(type => Wild(random, type));
        return Of(end - length, end, [.. tasks]);
    }

    private static TaskWindow Wild(Random random, string type) =>
        new()
        {
            TaskType = type,
            Arrivals = Sum(random),
            Service =
                random.Next(3) == 0
                    ? null
                    : new ServiceSums
                    {
                        Completions = Sum(random),
                        Tokens = Sum(random),
                        TokensSquared = Sum(random),
                        TokensGranted = random.Next(2) == 0 ? null : Sum(random),
                        Millis = Sum(random),
                        MillisSquared = Sum(random),
                        TokenMillis = Sum(random),
                    },
            System =
                random.Next(3) == 0
                    ? null
                    : new SystemSums
                    {
                        Completions = Sum(random),
                        Millis = Sum(random),
                        MillisSquared = Sum(random),
                    },
            Accuracy =
                random.Next(3) == 0
                    ? null
                    :
                    [
                        .. Enumerable
                            .Range(0, random.Next(4))
                            .Select(_ => new AccuracyCount
                            {
                                Tokens = Sum(random),
                                Trials = Sum(random),
                                Correct = 0,
                            }),
                    ],
        };

    private static long Sum(Random random) =>
        random.NextInt64(1L << random.Next(0, 54)) is var sum && random.Next(50) == 0
            ? WorkloadWindowReader.MaxSum
            : sum;
}
