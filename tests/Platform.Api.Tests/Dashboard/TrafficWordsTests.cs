using Platform.Api.Dashboard;
using Platform.Domain.Estimation;
using Platform.Domain.Planning;

namespace Platform.Api.Tests.Dashboard;

public class TrafficWordsTests
{
    private static readonly PlannedTraffic Traffic = new()
    {
        PlannedRate = 0.5,
        Basis = PlannedRateBasis.Now,
        ArrivalRate = new IntervalEstimate(0.3, 0.05, 0.2, 0.4),
        UpperRate = 0.5,
        Probability = 0.9,
        Forecast = new TrafficForecast
        {
            Until = new DateTimeOffset(2026, 12, 1, 14, 30, 0, TimeSpan.Zero),
            Rate = new IntervalEstimate(0.45, 0.05, 0.35, 0.55),
            UpperRate = 0.5,
            Hours = "days",
            ErrorRatio = 0.6,
        },
    };

    [Theory]
    [InlineData(
        PlannedRateBasis.Now,
        "The plan is made for 0.500 /s: the true rate is below that with probability 90.0 %."
    )]
    [InlineData(
        PlannedRateBasis.Asked,
        "The plan is made for 0.500 /s as asked; a solve takes 0.500 /s: the true rate"
    )]
    [InlineData(
        PlannedRateBasis.Forecast,
        "By the same hours of the last days up to 0.450 /s (0.350 /s to 0.550 /s) are expected until 1 Dec 14:30 UTC."
    )]
    [InlineData(PlannedRateBasis.Carried, "with probability 90.0 %, no allocation keeps the limits.")]
    [InlineData(PlannedRateBasis.Alarm, "the rate of the alarm that stands: the estimate alone says 0.500 /s.")]
    public void A_plan_says_how_much_arrives_and_for_which_rate_it_is_made(PlannedRateBasis basis, string said)
    {
        var words = Words.Of(Traffic with { Basis = basis }).Replace('\u202f', ' ');
        Assert.StartsWith("0.300 /s (0.200 /s to 0.400 /s) arrive now. ", words, StringComparison.Ordinal);
        Assert.Contains(said, words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(600, "10 minutes")]
    [InlineData(5_400, "90 minutes")]
    [InlineData(21_600, "6 hours")]
    [InlineData(7 * 86_400, "7.00 days")]
    public void Lengths_are_in_the_largest_unit_of_which_there_are_two(int seconds, string words) =>
        Assert.Equal(words, Words.OfLength(seconds));
}
