using Platform.Domain.Allocation;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

public sealed class EstimateNoiseTests(ITestOutputHelper output)
{
    /// <summary>
    /// Line and overhead of servers that share are each known to some percent, but err together: what one allocation is
    /// better than another by varies little from one day to the next. The rate counts with its swing, so that the noise
    /// is above what one and the same day varies by.
    /// </summary>
    [Fact]
    public void Where_servers_share_line_and_overhead_err_together()
    {
        const int Days = 16;
        long[] more = [700, 150],
            fewer = [560, 120];
        var definition = BatchingEstimationTests.Definition;
        var prior = Estimator.Estimate(definition, new WorkloadSums(definition.Solving.HorizonSeconds), Windows.Start);
        var (gains, noises) = (new double[Days], new double[Days]);
        for (var day = 0; day < Days; day++)
        {
            var (estimate, _) = BatchingEstimationTests.Learnt((ulong)day, 0.45, 0.5);
            var problem = ProblemBuilder.Build(definition, estimate) with { ArrivalRate = 2 };
            gains[day] = AllocationSolver.Objective(problem, more) - AllocationSolver.Objective(problem, fewer);
            var difference = EstimateSensitivity
                .OfObjective(problem, more)
                .Minus(EstimateSensitivity.OfObjective(problem, fewer));
            noises[day] = difference.Noise(
                estimate with
                {
                    ArrivalRate = prior.ArrivalRate with { StandardError = 0 },
                },
                prior
            );
        }

        var mean = gains.Average();
        var deviation = Math.Sqrt(gains.Sum(gain => (gain - mean) * (gain - mean)) / (Days - 1));
        output.WriteLine($"deviation {deviation:0.0000} s of {mean:0.000} s, noise {noises.Average():0.0000} s");
        Assert.InRange(noises.Average() / deviation, 0.5, 4);
    }

    /// <summary>
    /// A rate that is twenty times the definition's has, after ten minutes, a greater variance than the prior, whose
    /// doubt goes with its guess. It varies all the same, by √n of n arrivals.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_figure_that_is_surer_by_the_definition_than_by_the_windows_varies_too(int perSecond)
    {
        var definition = Definitions.Fleet() with
        {
            ArrivalRate = 0.05,
            TaskTypes = [Definitions.Math with { Share = 1 }],
        };
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        for (var i = 0; i < 60; i++)
            sums.Fold(Windows.Of(10 * i, 10 * (i + 1), Windows.Arrivals("math", 10 * perSecond)));
        var prior = Estimator.Estimate(definition, new WorkloadSums(definition.Solving.HorizonSeconds), Windows.Start);
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(600));
        Assert.True(estimate.ArrivalRate.StandardError > prior.ArrivalRate.StandardError);

        var problem = ProblemBuilder.Build(definition, estimate);
        var meanSeconds =
            definition.TaskTypes[0].Service.BaseSeconds + (definition.TaskTypes[0].Service.SecondsPerToken * 100);
        var byArrivals = meanSeconds * Math.Sqrt(600 * perSecond) / 600;
        Assert.InRange(EstimateSensitivity.OfUtilization(problem, [100]).Noise(estimate, prior) / byArrivals, 0.6, 1.2);
    }
}
