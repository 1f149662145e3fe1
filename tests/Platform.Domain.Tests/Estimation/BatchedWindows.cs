using Platform.Domain.Contracts;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>Workload windows of queries that a simulated fleet of servers that batch has served.</summary>
internal static class BatchedWindows
{
    public const int WindowSeconds = 60;

    /// <summary>The windows of a minute, from the start of the simulation to an instant.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="seconds">Up to when.</param>
    /// <param name="ids">The task types' names.</param>
    public static IEnumerable<WorkloadWindow> Of(IReadOnlyList<FinishedQuery> queries, int seconds, string[] ids)
    {
        var arrived = queries.ToLookup(query => (int)query.ArrivalSeconds / WindowSeconds);
        var ended = queries
            .Where(query => query.EndSeconds < seconds)
            .ToLookup(query => (int)query.EndSeconds / WindowSeconds);
        for (var i = 0; i < seconds / WindowSeconds; i++)
            yield return Windows.Of(
                WindowSeconds * i,
                WindowSeconds * (i + 1),
                [.. ids.Select((id, k) => Task(id, k, i))]
            );

        TaskWindow Task(string id, int k, int i)
        {
            FinishedQuery[] done = [.. ended[i].Where(query => query.Query.TaskType == k)];
            long[] tokens = [.. done.Select(query => query.Query.ReasoningTokens)];
            long[] system = [.. done.Select(query => Millis(query.SystemSeconds))];
            long[] service = [.. done.Select(query => Millis(query.ServiceSeconds))];
            return new TaskWindow
            {
                TaskType = id,
                Arrivals = arrived[i].Count(query => query.Query.TaskType == k),
                Service = new ServiceSums
                {
                    Completions = done.Length,
                    Tokens = tokens.Sum(),
                    TokensSquared = tokens.Sum(x => x * x),
                    Millis = service.Sum(),
                    MillisSquared = service.Sum(y => y * y),
                    TokenMillis = tokens.Zip(service, (x, y) => x * y).Sum(),
                },
                System = new SystemSums
                {
                    Completions = done.Length,
                    Millis = system.Sum(),
                    MillisSquared = system.Sum(y => y * y),
                },
            };
        }
    }

    private static long Millis(double seconds) => (long)Math.Round(1e3 * seconds);
}
