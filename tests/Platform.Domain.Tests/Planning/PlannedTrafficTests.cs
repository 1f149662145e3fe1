using Platform.Domain.Estimation;
using Platform.Domain.Planning;
using Platform.Domain.Tests.Fleets;

namespace Platform.Domain.Tests.Planning;

public sealed class PlannedTrafficTests
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Before the first window: the definition's rate, and what an allocation must carry.</summary>
    private static readonly FleetEstimate Presumed = Estimator.Estimate(
        Definitions.Fleet(),
        new WorkloadSums(21_600),
        Now
    );

    private static double Upper => Presumed.Traffic!.UpperRate;

    [Fact]
    public void The_traffic_as_of_now_stands_beside_the_rate_that_is_planned_for()
    {
        var traffic = PlannedTraffic.Find(Presumed, Upper, 2 * Upper)!;
        Assert.Equal(2 * Upper, traffic.PlannedRate);
        Assert.Equal(Presumed.ArrivalRate, traffic.ArrivalRate);
        Assert.Equal(Upper, traffic.UpperRate);
        Assert.Equal(0.9, traffic.Probability);
        Assert.Null(traffic.Forecast);
    }

    [Fact]
    public void An_estimate_that_knows_no_traffic_as_of_now_has_none() =>
        Assert.Null(PlannedTraffic.Find(Presumed with { Traffic = null }, 1, 1));

    [Theory]
    [InlineData(1.0, 2.0, PlannedRateBasis.Asked)]
    [InlineData(1.0, 1.0, PlannedRateBasis.Now)]
    [InlineData(0.9, 0.9, PlannedRateBasis.Carried)]
    [InlineData(1.1, 1.1, PlannedRateBasis.Alarm)]
    [InlineData(0.9, 0.5, PlannedRateBasis.Asked)]
    public void The_basis_says_where_the_rate_is_from(double solved, double planned, PlannedRateBasis basis) =>
        Assert.Equal(basis, PlannedTraffic.Find(Presumed, solved * Upper, planned * Upper)!.Basis);

    [Theory]
    [InlineData(1, PlannedRateBasis.Forecast)]
    [InlineData(0.99, PlannedRateBasis.Now)]
    public void A_forecast_is_the_basis_where_the_upper_rate_is_its(double times, PlannedRateBasis basis)
    {
        var rate = times * Upper / 1.2;
        var forecast = new TrafficForecast
        {
            Until = Now.AddHours(1),
            Rate = new IntervalEstimate(rate, 0.1 * rate, 0.8 * rate, 1.2 * rate),
            UpperRate = times * Upper,
            Hours = "days",
            ErrorRatio = 0.5,
        };
        var estimate = Presumed with { Traffic = Presumed.Traffic! with { Forecast = forecast } };
        var traffic = PlannedTraffic.Find(estimate, Upper, Upper)!;
        Assert.Equal(basis, traffic.Basis);
        Assert.Equal(forecast, traffic.Forecast);
    }
}
