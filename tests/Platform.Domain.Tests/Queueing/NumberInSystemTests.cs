using Platform.Domain.Allocation;
using Platform.Domain.Queueing;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Queueing;

public sealed class NumberInSystemTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.95)]
    public void With_exponential_times_it_is_geometric(double load)
    {
        // Mean 1, E[S²] = 2, E[S³] = 6.
        var one = NumberInSystem.OfMG1(load, new(1, 2), 6, 1 - load);
        Assert.Equal(load / (1 - load), one.Mean, 1e-9);
        Assert.Equal(load / ((1 - load) * (1 - load)), one.Variance, 1e-7);
        var several = NumberInSystem.OfMGk(load, 1, new(1, 2), 1 - load);
        Assert.Equal(one.Mean, several.Mean, 1e-9);
        Assert.Equal(one.Variance, several.Variance, 1e-7);
    }

    [Theory]
    [InlineData(2, 1.2, 0.5)]
    [InlineData(8, 7.5, 1.0)]
    [InlineData(300, 280, 0.01)]
    [InlineData(5_000, 4_950, 2.0)]
    public void Its_mean_is_that_of_the_wait_by_Littles_law(int servers, double load, double scatter)
    {
        var service = new ServiceMoments(1, 1 + scatter);
        var idle = 1 - (load / servers);
        var number = NumberInSystem.OfMGk(load, servers, service, idle);
        var expected = load * (1 + MGk.MeanWaitSeconds(load, servers, service));
        Assert.Equal(expected, number.Mean, 1e-9 * expected);
        Assert.True(number.Variance > 0);
    }

    [Theory]
    [InlineData(0.4, 3.0, null)]
    [InlineData(0.8, 20.0, null)]
    [InlineData(0.3, 3.0, 8)]
    [InlineData(0.2, 30.0, 64)]
    public void Where_servers_share_its_mean_is_that_of_the_time(double work, double overhead, int? cap)
    {
        var load = new SharingLoad(overhead, work);
        var idle = 1 - ProcessorSharing.Utilization(1, load, cap);
        var number = NumberInSystem.OfSharing(1, load, cap, idle);
        Assert.Equal(ProcessorSharing.MeanInSystem(1, load, cap), number.Mean, 1e-9 * number.Mean);
    }

    [Fact]
    public void Where_servers_share_its_variance_is_that_of_the_probabilities()
    {
        var load = new SharingLoad(4, 0.6);
        var probabilities = ProcessorSharing.InSystemProbabilities(1, load, 400);
        var mean = probabilities.Select((p, n) => p * n).Sum();
        var square = probabilities.Select((p, n) => p * n * n).Sum();
        Assert.Equal(square - (mean * mean), NumberInSystem.OfSharing(1, load, null, 0.4).Variance, 1e-6);

        // A cap that is never reached changes nothing.
        Assert.Equal(square - (mean * mean), NumberInSystem.OfSharing(1, load, 400, 0.4 - (4.0 / 400)).Variance, 1e-3);
    }

    [Fact]
    public void Without_traffic_there_is_nobody_and_without_idle_time_no_end()
    {
        Assert.Equal(default, NumberInSystem.OfMG1(0, new(1, 2), 6, 1));
        Assert.Equal(default, NumberInSystem.OfMGk(0, 3, new(1, 2), 1));
        Assert.Equal(default, NumberInSystem.OfSharing(0, new(1, 1), 8, 1));
        Assert.Equal(double.PositiveInfinity, NumberInSystem.OfMG1(1, new(1, 2), 6, 0).Mean);
        Assert.Equal(double.PositiveInfinity, NumberInSystem.OfMGk(1, 1, new(1, 2), 0).Variance);
        Assert.Equal(double.PositiveInfinity, NumberInSystem.OfSharing(1, new(1, 1), null, 0).Mean);
    }

    /// <summary>Arriving queries of a simulation, which knows none of these formulas, find so many.</summary>
    [Theory]
    [InlineData(Dispatch.Split, 1, 0.02, 0.08)]
    [InlineData(Dispatch.Shared, 4, 0.02, 0.12)]
    [InlineData(Dispatch.Sharing, 1, 0.03, 0.12)]
    public void A_simulation_finds_the_same(Dispatch dispatch, int servers, double ofMean, double ofVariance)
    {
        long[] tokens = [300, 50];
        var isSharing = dispatch == Dispatch.Sharing;
        var line = isSharing ? new ServiceLine(0.1, 0.0075) : new ServiceLine(0.5, 0.01, 0.3);
        var problem = new AllocationProblem
        {
            ArrivalRate = isSharing ? 4 : 0.35 * servers,
            Servers = servers,
            Dispatch = dispatch,
            Sharing = isSharing ? new SharingServer(0.0066) : null,
            AccuracyWeight = 10,
            TaskTypes =
            [
                new()
                {
                    Id = "long",
                    Share = 0.5,
                    MaxTokens = 1_000,
                    Service = line,
                    Accuracy = new(0.1, 0.5, 0.001),
                },
                new()
                {
                    Id = "short",
                    Share = 0.5,
                    MaxTokens = 1_000,
                    Service = line,
                    Accuracy = new(0.1, 0.5, 0.001),
                },
            ],
        };
        var model = new AllocationModel(problem);
        var expected = model.InFlight(tokens, WholeTokenFigures.Of(model, tokens));
        var random = new Random(7);
        var instants = new double[400_000];
        for (var i = 1; i < instants.Length; i++)
            instants[i] = instants[i - 1] - (Math.Log(1 - random.NextDouble()) / problem.ArrivalRate);
        var found = AdaptiveSimulator
            .Run(problem, new ArrivalTrace(instants), query => tokens[query.TaskType], 3)
            .Select(query => (double)query.Arriving.InFlight / servers)
            .ToArray();
        var mean = found.Average();
        var variance = found.Average(it => (it - mean) * (it - mean));
        Assert.Equal(expected.Mean, mean, ofMean * expected.Mean);
        Assert.Equal(expected.Variance, variance, ofVariance * expected.Variance);
    }
}
