using Platform.Cli.Benchmarks;

namespace Platform.Cli.Tests.Benchmarks;

public sealed class PipelineFiguresTests
{
    [Fact]
    public void Percentiles_are_nearest_ranks()
    {
        var figures = FreshnessFigures.Of([.. Enumerable.Range(1, 20).Reverse().Select(i => (double)i)]);

        Assert.Equal(new FreshnessFigures(20, 10, 19, 20), figures);
    }

    [Fact]
    public void Ratios_are_medians_of_the_rounds_ratios()
    {
        var figures = PipelineFigures.Of(
            100, 6, 2, [new RoundFigures(10, 100, 20), new RoundFigures(30, 60, 40), new RoundFigures(20, 100, 100)], FreshnessFigures.Of([1]));

        Assert.Equal(new RoundFigures(20, 100, 40), figures.Median);
        Assert.Equal(0.2, figures.PipelineToRabbitMq, 1e-12);
        Assert.Equal(0.5, figures.PipelineToMarten, 1e-12);
    }
}
