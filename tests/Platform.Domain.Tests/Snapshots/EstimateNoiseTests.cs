using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Domain.Tests.Estimation;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Snapshots;

public sealed class EstimateNoiseTests
{
    /// <summary>
    /// A rate that is twenty times the definition's has, after ten minutes, a greater variance than the prior, whose doubt goes with its guess.
    /// It varies all the same, by √n of n arrivals.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_figure_that_is_surer_by_the_definition_than_by_the_windows_varies_too(int perSecond)
    {
        var definition = Definitions.Fleet() with { ArrivalRate = 0.05, TaskTypes = [Definitions.Math with { Share = 1 }] };
        var sums = new WorkloadSums(definition.Solving.HorizonSeconds);
        for (var i = 0; i < 60; i++)
            sums.Fold(Windows.Of(10 * i, 10 * (i + 1), Windows.Arrivals("math", 10 * perSecond)));
        var prior = Estimator.Estimate(definition, new WorkloadSums(definition.Solving.HorizonSeconds), Windows.Start);
        var estimate = Estimator.Estimate(definition, sums, Windows.Start.AddSeconds(600));
        Assert.True(estimate.ArrivalRate.StandardError > prior.ArrivalRate.StandardError);

        var problem = ProblemBuilder.Build(definition, estimate);
        var meanSeconds = definition.TaskTypes[0].Service.BaseSeconds + (definition.TaskTypes[0].Service.SecondsPerToken * 100);
        var byArrivals = meanSeconds * Math.Sqrt(600 * perSecond) / 600;
        Assert.InRange(EstimateSensitivity.OfUtilization(problem, [100]).Noise(estimate, prior) / byArrivals, 0.6, 1.2);
    }
}
