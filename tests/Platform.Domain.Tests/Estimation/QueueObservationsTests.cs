using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// Queues that are simulated query by query (Lindley's recursion), seen through windows: the checks of the queue are
/// quiet where it is the one that the definition names, and speak where it is another.
/// </summary>
public sealed class QueueObservationsTests(ITestOutputHelper output)
{
    private const int Seconds = 7_200;
    private const double MeanService = 1.5;

    private static readonly FleetDefinition Definition = Definitions.Fleet() with
    {
        ArrivalRate = 0.4,
        TaskTypes = [Definitions.Math with { Share = 1 }],
    };

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public void The_queue_that_the_definition_names_raises_nothing(double load)
    {
        var systemTimes = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var validity = Observe(seed, load, servers: 1, together: 1).Validity;
            systemTimes += validity.SystemTime!.Flagged ? 1 : 0;
            Assert.False(validity.Concurrency!.Flagged, $"{seed}: {validity.Concurrency}");
        }

        output.WriteLine($"utilization {load}: system time flagged in {systemTimes} of 400");
        Assert.InRange(systemTimes, 0, 4);
    }

    /// <summary>
    /// Eight queries at a time wait for one another, and the queue that is predicted from single arrivals knows nothing
    /// of it.
    /// </summary>
    [Fact]
    public void Bursts_make_system_times_that_are_not_predicted()
    {
        var flagged = Enumerable
            .Range(0, 100)
            .Count(seed => Observe(seed, 0.5, servers: 1, together: 8).Validity.SystemTime!.Flagged);
        Assert.InRange(flagged, 95, 100);
    }

    /// <summary>Eight queries in service at once, where the definition has one server.</summary>
    [Fact]
    public void Servers_that_are_not_in_the_definition_show_in_concurrency()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var validity = Observe(seed, 4, servers: 8, together: 1).Validity;
            Assert.True(validity.Concurrency!.Flagged);
            Assert.InRange(validity.Concurrency.Value!.Value, 3, 5);
            Assert.Equal((0.0, true), (validity.SystemTime!.Value!.Value, validity.SystemTime.Flagged));
        }
    }

    /// <summary>One queue for all servers, each query to the one that is free first.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="load">λ E[S], servers' worth of work.</param>
    /// <param name="servers">Servers that are there.</param>
    /// <param name="together">Queries that arrive at the same time.</param>
    private static FleetEstimate Observe(int seed, double load, int servers, int together)
    {
        var random = new Xoshiro256((ulong)seed);
        var service = new GammaLaw(MeanService, 0.5);
        var free = new double[servers];
        var (arrivals, ended) = (new long[Seconds / 60], new List<(double End, long Service, long System)>());
        for (var time = 0.0; (time += random.NextExponential() * MeanService * together / load) < Seconds; )
        {
            for (var i = 0; i < together; i++)
            {
                var server = Array.IndexOf(free, free.Min());
                var seconds = service.Next(ref random);
                free[server] = Math.Max(free[server], time) + seconds;
                arrivals[(int)time / 60]++;
                ended.Add(
                    (free[server], (long)Math.Round(1e3 * seconds), (long)Math.Round(1e3 * (free[server] - time)))
                );
            }
        }

        var sums = new WorkloadSums(Definition.Solving.HorizonSeconds);
        var byMinute = ended.Where(it => it.End < Seconds).ToLookup(it => (int)it.End / 60);
        for (var minute = 0; minute < arrivals.Length; minute++)
            sums.Fold(Windows.Of(60 * minute, 60 * (minute + 1), Task(arrivals[minute], [.. byMinute[minute]])));
        return Estimator.Estimate(Definition, sums, Windows.Start.AddSeconds(Seconds));
    }

    private static TaskWindow Task(long arrivals, (double End, long Service, long System)[] ended) =>
        new()
        {
            TaskType = "math",
            Arrivals = arrivals,
            Service = new ServiceSums
            {
                Completions = ended.Length,
                Tokens = 55 * ended.Length,
                TokensSquared = 55 * 55 * ended.Length,
                Millis = ended.Sum(it => it.Service),
                MillisSquared = ended.Sum(it => it.Service * it.Service),
                TokenMillis = 55 * ended.Sum(it => it.Service),
            },
            System = new SystemSums
            {
                Completions = ended.Length,
                Millis = ended.Sum(it => it.System),
                MillisSquared = ended.Sum(it => it.System * it.System),
            },
        };
}
