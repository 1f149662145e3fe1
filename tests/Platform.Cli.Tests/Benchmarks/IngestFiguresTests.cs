using Platform.Cli.Benchmarks;

namespace Platform.Cli.Tests.Benchmarks;

public sealed class IngestFiguresTests
{
    private static readonly IngestCost Cost = new(10, 20, 30, 40);

    [Fact]
    public void Percentiles_are_nearest_ranks()
    {
        var figures = FreshnessFigures.Of([.. Enumerable.Range(1, 20).Reverse().Select(i => (double)i)]);

        Assert.Equal(new FreshnessFigures(20, 10, 19, 20), figures);
    }

    /// <summary>Of each round the slower of the two: the broker in the second, the intake in the others.</summary>
    [Fact]
    public void The_ratio_is_the_median_of_the_rounds_ratios_to_the_slower()
    {
        IngestRound[] rounds =
        [
            new(2, 10, 100, 20, 500, Cost),
            new(2, 30, 60, 100, 500, Cost),
            new(2, 20, 100, 100, 500, Cost),
        ];
        var figures = new IngestFigures
        {
            WindowsPerRound = 100,
            Fleets = 6,
            Freshness = FreshnessFigures.Of([1]),
            Rounds = rounds,
        };

        Assert.Equal([0.5, 0.5, 0.2], rounds.Select(round => round.OverSlower));
        Assert.Contains(
            figures.ToLines(),
            line => line.Contains("the whole road does 0.50 of the slower", StringComparison.Ordinal)
        );
        Assert.Contains(
            figures.ToLines(),
            line =>
                line.Contains("100 µs = publisher 10, broker 20, workers 30, PostgreSQL 40", StringComparison.Ordinal)
        );
    }
}
