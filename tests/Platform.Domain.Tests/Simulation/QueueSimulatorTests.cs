using Platform.Domain.Allocation;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

public sealed class QueueSimulatorTests
{
    [Fact]
    public void One_server_serves_a_tiny_trace_as_by_hand()
    {
        // Arrivals at 0, 1, 2, 10 with 3, 1, 2, 1 seconds of service: they start at 0, 3, 4, 10.
        var problem = Problem(0.1, [0.5, 0.25, 0.25], [3, 1, 2]);
        var result = QueueSimulator.Simulate(
            problem,
            [0, 0, 0],
            new ArrivalTrace([100, 101, 102, 110], [0, 1, 2, 1]),
            new()
        );
        Assert.Equal((0 + 2 + 2 + 0) / 4.0, result.Wait.MeanSeconds, 1e-12);
        Assert.Equal((3 + 3 + 4 + 1) / 4.0, result.SystemTime.MeanSeconds, 1e-12);
        Assert.Equal(7 / 4.0, result.MeanServiceSeconds, 1e-12);
        Assert.Equal(6 / 10.0, result.Utilization, 1e-12);
        Assert.Equal(6 / 10.0, result.OfferedLoad!.Value, 1e-12);
        Assert.Equal([new("t0", 1, 3), new("t1", 2, 2), new("t2", 1, 4)], result.TaskTypes);
        Assert.Equal((0, 0L, 4L), (result.Batches, result.WarmUpArrivals, result.MeasuredArrivals));
        Assert.Null(result.SystemTime.LowSeconds);
    }

    [Fact]
    public void Two_servers_with_one_queue_serve_a_tiny_trace_as_by_hand()
    {
        // All at once with 4, 3, 2, 1 seconds: the third follows the second at 3, the fourth the first at 4.
        var problem = Problem(0.1, [0.25, 0.25, 0.25, 0.25], [4, 3, 2, 1], servers: 2, Dispatch.Shared);
        var result = QueueSimulator.Simulate(
            problem,
            [0, 0, 0, 0],
            new ArrivalTrace([5, 5, 5, 5], [0, 1, 2, 3]),
            new()
        );
        Assert.Equal((0 + 0 + 3 + 4) / 4.0, result.Wait.MeanSeconds, 1e-12);
        Assert.Equal([4, 3, 5, 5], result.TaskTypes.Select(type => type.MeanSystemTimeSeconds!.Value));
        Assert.False(result.Stable);
        Assert.Null(result.OfferedLoad);
    }

    [Fact]
    public void Two_servers_with_a_queue_each_keep_the_order_of_those_sent_to_the_same()
    {
        // Three at once, a second each: all on one server wait 0 + 1 + 2, two on one 0 + 1 + 0. The chances are 1/4 and
        // 3/4.
        var problem = Problem(0.1, [1], [1], servers: 2);
        var waits = Enumerable
            .Range(0, 4000)
            .Select(seed =>
                QueueSimulator
                    .Simulate(problem, [0], new ArrivalTrace([0, 0, 0]), new() { Seed = (ulong)seed })
                    .Wait.MeanSeconds * 3
            )
            .ToList();
        Assert.All(waits, wait => Assert.True(Math.Abs(wait - 1) < 1e-12 || Math.Abs(wait - 3) < 1e-12, $"{wait}"));
        Assert.InRange(waits.Count(wait => wait > 2), 890, 1110);
    }

    [Fact]
    public void Tokens_cost_seconds()
    {
        var type = Type("a", 1, 0.5, 0) with { Service = new(0.5, 0.25) };
        var problem = Problem(0.1, [1], [1]) with { TaskTypes = [type] };
        Assert.Equal(3, QueueSimulator.Simulate(problem, [10], new ArrivalTrace([0]), new()).SystemTime.MeanSeconds);
    }

    [Fact]
    public void Equal_seeds_give_equal_results_and_others_do_not()
    {
        var problem = Problem(0.5, [0.4, 0.6], [1, 1.5]);
        SimulationResult Run(ulong seed) =>
            QueueSimulator.Simulate(problem, [0, 0], new() { Arrivals = 10_000, Seed = seed });
        Assert.Equivalent(Run(7), Run(7), strict: true);
        Assert.NotEqual(Run(7).SystemTime.MeanSeconds, Run(8).SystemTime.MeanSeconds);
    }

    [Fact]
    public void The_generator_gives_the_published_numbers()
    {
        // State from splitmix64(1234567), whose first outputs Rosetta Code's "Pseudo-random numbers/Splitmix64" lists.
        var reference = new ReferenceXoshiro([
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
        ]);
        var random = new Xoshiro256(1234567);
        for (var i = 0; i < 1000; i++)
            Assert.Equal(reference.Next(), random.Next());
    }

    [Fact]
    public void Without_arrivals_every_query_is_alone()
    {
        var result = QueueSimulator.Simulate(Problem(0, [0.5, 0.5], [1, 3]), [0, 0], new() { Arrivals = 100_000 });
        Assert.Equal((0, 0, true), (result.Wait.MeanSeconds, result.Utilization, result.Stable));
        Assert.Equal(2, result.SystemTime.MeanSeconds, 0.02);
    }

    [Fact]
    public void Without_service_nobody_waits()
    {
        var result = QueueSimulator.Simulate(Problem(5, [1], [0]), [0], new() { Arrivals = 1000 });
        Assert.Equal(
            (0, 0, 0, true),
            (result.SystemTime.MeanSeconds, result.Utilization, result.BatchCorrelation, result.Stable)
        );
    }

    [Fact]
    public void A_type_without_a_share_never_comes_and_the_others_come_by_theirs()
    {
        double[] shares = [0, 0.7, 0, 0.1, 0.2, 0];
        var result = QueueSimulator.Simulate(
            Problem(0.1, shares, [1, 1, 1, 1, 1, 1]),
            [0, 0, 0, 0, 0, 0],
            new() { Arrivals = 1_000_000 }
        );
        for (var k = 0; k < shares.Length; k++)
        {
            var error = Math.Sqrt(shares[k] * (1 - shares[k]) / result.MeasuredArrivals);
            Assert.Equal(shares[k], (double)result.TaskTypes[k].Count / result.MeasuredArrivals, 4 * error);
        }

        Assert.Null(result.TaskTypes[0].MeanSystemTimeSeconds);
    }

    [Fact]
    public void More_work_than_the_servers_can_do_is_unstable()
    {
        var result = QueueSimulator.Simulate(Problem(2.4, [1], [1], servers: 2), [0], new() { Arrivals = 100_000 });
        Assert.False(result.Stable);
        Assert.Equal(1.2, result.OfferedLoad!.Value, 0.02);
        Assert.Equal(1, result.Utilization, 0.001);

        // Each queue grows by 1 s and shrinks by 1/1.2 s for each of its arrivals: its mean over the measured 10 % to
        // 100 % of 50,000 is half-way.
        Assert.Equal(0.55 * 50_000 * (1 - (1 / 1.2)), result.Wait.MeanSeconds, 300.0);
    }

    [Fact]
    public void The_first_tenth_is_not_measured_and_batches_are_equally_long()
    {
        var result = QueueSimulator.Simulate(Problem(0.5, [1], [1]), [0], new() { Arrivals = 1007 });
        Assert.Equal((30, 107L, 900L), (result.Batches, result.WarmUpArrivals, result.MeasuredArrivals));
        Assert.Equal(900, result.TaskTypes.Sum(type => type.Count));
    }

    [Fact]
    public void Nothing_is_allocated_for_an_arrival()
    {
        var problem = Problem(0.5, [0.5, 0.5], [1, 1.5], servers: 3, Dispatch.Shared);
        long Allocated(long arrivals)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            QueueSimulator.Simulate(problem, [0, 0], new() { Arrivals = arrivals });
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated(1000);
        Assert.InRange(Allocated(1_000_000) - Allocated(1000), -500, 500);
    }

    [Fact]
    public void Progress_ends_with_the_last_arrival()
    {
        var told = new List<long>();
        QueueSimulator.Simulate(Problem(0.5, [1], [1]), [0], new() { Arrivals = 200_000, Progress = told.Add });
        Assert.Equal(told.Order(), told);
        Assert.Equal(200_000, told[^1]);
    }

    [Fact]
    public void A_trace_that_goes_back_and_a_type_that_is_not_there_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ArrivalTrace([1, 0]));
        Assert.Throws<ArgumentException>(() => new ArrivalTrace([double.NaN]));
        Assert.Throws<ArgumentException>(() => new ArrivalTrace([0, 1], [0]));
        Assert.Throws<ArgumentException>(() =>
            QueueSimulator.Simulate(Problem(1, [1], [1]), [0], new ArrivalTrace([0], [1]), new())
        );
        Assert.Throws<ArgumentException>(() =>
            QueueSimulator.Simulate(Problem(1, [1], [1]), [0, 0], new SimulationOptions())
        );
    }

    internal static AllocationProblem Problem(
        double rate,
        double[] shares,
        double[] seconds,
        int servers = 1,
        Dispatch dispatch = Dispatch.Split,
        double variance = 0
    ) =>
        new()
        {
            ArrivalRate = rate,
            Servers = servers,
            Dispatch = dispatch,
            AccuracyWeight = 1,
            TaskTypes = [.. shares.Select((share, k) => Type($"t{k}", share, seconds[k], variance))],
        };

    private static TaskType Type(string id, double share, double seconds, double variance) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 100,
            Service = new(seconds, 0, variance),
            Accuracy = new(0.5, 0.4, 0.01),
        };

    /// <summary>The authors' own lines of C.</summary>
    private sealed class ReferenceXoshiro(ulong[] s)
    {
        public ulong Next()
        {
            static ulong Rotl(ulong x, int k) => (x << k) | (x >> (64 - k));
            ulong result = Rotl(s[1] * 5, 7) * 9;
            ulong t = s[1] << 17;
            s[2] ^= s[0];
            s[3] ^= s[1];
            s[1] ^= s[2];
            s[0] ^= s[3];
            s[2] ^= t;
            s[3] = Rotl(s[3], 45);
            return result;
        }
    }
}
