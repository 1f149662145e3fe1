using Platform.Cli.Benchmarks;

namespace Platform.Cli.Tests.Benchmarks;

public sealed class FairnessFiguresTests
{
    [Fact]
    public void Percentiles_are_nearest_ranks()
    {
        var latency = FairnessLatency.Of([.. Enumerable.Range(1, 200).Reverse().Select(i => (double)i)]);

        Assert.Equal(new FairnessLatency(200, 100, 198, 200), latency);
    }

    [Theory]
    [InlineData(2.0, 3.9, true, "1.95 of that alone, within 2.0")]
    [InlineData(2.0, 4.2, false, "2.10 of that alone, beyond 2.0")]
    public void Fair_is_what_stays_within_twice_the_99th_percentile_alone(
        double alone,
        double beside,
        bool isFair,
        string verdict
    )
    {
        var figures = Figures(new FairnessRound(Latency(alone), Latency(beside)));

        Assert.Equal(isFair, figures.IsFair);
        Assert.Contains(verdict, figures.ToLines().Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_ratio_is_the_median_of_the_rounds_ratios()
    {
        var figures = Figures(
            new FairnessRound(Latency(1), Latency(1)),
            new FairnessRound(Latency(2), Latency(3)),
            new FairnessRound(Latency(1), Latency(9))
        );

        Assert.Equal(1.5, figures.Ratio);
    }

    private static FairnessFigures Figures(params FairnessRound[] rounds) =>
        new()
        {
            Rate = 10,
            Times = 20,
            QuietFleets = 8,
            LoudFleets = 40,
            Rounds = rounds,
        };

    private static FairnessLatency Latency(double percentile99) =>
        new(200, percentile99 / 2, percentile99, percentile99);
}
