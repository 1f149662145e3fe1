using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

public sealed class GammaLawTests
{
    [Theory]
    [InlineData(2, 0.5)]
    [InlineData(2, 4)]
    [InlineData(1, 5)]
    [InlineData(0.01, 1e-6)]
    public void Samples_have_the_mean_the_variance_and_the_skewness_of_the_law(double mean, double variance)
    {
        const int Count = 2_000_000;
        var (law, random) = (new GammaLaw(mean, variance), new Xoshiro256(5));
        var (deviation, sum, squares, cubes) = (Math.Sqrt(variance), 0.0, 0.0, 0.0);
        for (var i = 0; i < Count; i++)
        {
            var x = law.Next(ref random);
            Assert.True(x >= 0);
            var z = (x - mean) / deviation;
            (sum, squares, cubes) = (sum + z, squares + (z * z), cubes + (z * z * z));
        }

        // Skewness 2/√a and excess kurtosis 6/a tell the standard errors of the first moments.
        var shape = mean * mean / variance;
        var error = 5 / Math.Sqrt(Count);
        Assert.Equal(0, sum / Count, error);
        Assert.Equal(1, squares / Count, error * Math.Sqrt(2 + (6 / shape)));
        Assert.Equal(
            2 / Math.Sqrt(shape),
            cubes / Count,
            error * Math.Sqrt(15 + (150 / shape) + (120 / (shape * shape)))
        );
    }

    [Fact]
    public void Without_a_mean_or_a_variance_every_sample_is_the_mean()
    {
        var random = new Xoshiro256(1);
        Assert.Equal(0, new GammaLaw(0, 1).Next(ref random));
        Assert.Equal(3, new GammaLaw(3, 0).Next(ref random));
    }
}
