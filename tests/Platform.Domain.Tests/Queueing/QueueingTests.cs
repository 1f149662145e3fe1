using Platform.Domain.Queueing;

namespace Platform.Domain.Tests.Queueing;

public sealed class QueueingTests
{
    [Fact]
    public void A_queue_with_exponential_service_waits_as_M_M_1()
    {
        // E[S²] = 2 E[S]²; the mean time in an M/M/1 queue is E[S]/(1 − ρ).
        foreach (var load in (double[])[0.1, 0.5, 0.9, 0.99])
            Assert.Equal(1 / (1 - load), MG1.MeanSystemTimeSeconds(load, new(1, 2)), 1e-12 / (1 - load));
    }

    [Fact]
    public void Fixed_service_times_wait_half_as_long()
    {
        var mixed = MG1.MeanWaitSeconds(0.7, new(1, 2));
        Assert.Equal(mixed / 2, MG1.MeanWaitSeconds(0.7, ServiceMoments.OfMixture([0.4, 0.6], [1, 1])), 1e-15);
    }

    [Fact]
    public void A_full_queue_waits_for_ever()
    {
        Assert.Equal(double.PositiveInfinity, MG1.MeanWaitSeconds(1, new(1, 1)));
        Assert.Equal(double.PositiveInfinity, MGk.MeanWaitSeconds(2, 2, new(1, 1)));
    }

    [Fact]
    public void Moments_of_a_mixture_are_its_weighted_powers() =>
        Assert.Equal(new ServiceMoments(1.5, 2.5), ServiceMoments.OfMixture([0.5, 0.5], [1, 2]));

    [Fact]
    public void Random_split_gives_each_server_its_part() => Assert.Equal(0.25, MG1.SplitArrivalRate(1, 4));

    [Theory]
    [InlineData(2, 1.0, 1.0 / 3)] // M/M/2 at a load of 1 erlang: C = 1/3, wait C/(k − a)
    [InlineData(3, 2.0, 4.0 / 9)] // Erlang C of 3 servers at 2 erlang is 4/9
    public void A_shared_queue_with_exponential_service_waits_as_M_M_k(int servers, double load, double waits) =>
        Assert.Equal(waits / (servers - load), MGk.MeanWaitSeconds(load, servers, new(1, 2)), 1e-14);

    [Fact]
    public void A_shared_queue_of_one_server_is_M_G_1() =>
        Assert.Equal(MG1.MeanWaitSeconds(0.6, new(1, 3)), MGk.MeanWaitSeconds(0.6, 1, new(1, 3)), 1e-14);

    [Theory]
    [InlineData(2, 0.3)]
    [InlineData(5, 0.8)]
    [InlineData(64, 0.95)]
    public void The_slope_of_the_wait_factor_is_its_derivative(int servers, double load)
    {
        double Factor(double mean) => MGk.WaitFactor(1, servers, mean, 1 - (mean / servers));
        var (mean, step) = (load * servers, 1e-6 * servers);
        var difference = (Factor(mean + step) - Factor(mean - step)) / (2 * step);
        Assert.Equal(difference, MGk.WaitFactorSlope(1, servers, mean, 1 - load), 1e-6 * difference);
    }
}
