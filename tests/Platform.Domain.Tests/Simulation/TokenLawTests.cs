using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

public sealed class TokenLawTests
{
    private const int Count = 400_000;

    [Fact]
    public void A_fixed_number_is_always_the_same_and_a_fraction_is_kept_in_the_mean()
    {
        Assert.All(Draws(TokenLaw.Fixed(7), 100), tokens => Assert.Equal(7, tokens));
        var fractions = Draws(TokenLaw.Fixed(7.25), Count);
        Assert.Equal([7L, 8L], fractions.Distinct().Order());
        Assert.Equal(7.25, fractions.Average(), 5 * 0.5 / Math.Sqrt(Count));
    }

    [Theory]
    [InlineData(1.5)]
    [InlineData(300)]
    public void The_geometric_law_has_its_mean_and_variance(double mean)
    {
        var draws = Draws(TokenLaw.Geometric(mean), Count);
        var variance = mean * (mean - 1);
        Assert.True(draws.Min() >= 1);
        Assert.Equal(mean, draws.Average(), 5 * Math.Sqrt(variance / Count));
        Assert.Equal(variance, draws.Average(tokens => (tokens - mean) * (tokens - mean)), 0.05 * variance);
    }

    [Fact]
    public void A_geometric_mean_below_1_gives_0_or_1()
    {
        var draws = Draws(TokenLaw.Geometric(0.3), Count);
        Assert.Equal([0L, 1L], draws.Distinct().Order());
        Assert.Equal(0.3, draws.Average(), 0.005);
    }

    [Fact]
    public void A_mixture_draws_its_parts_by_their_weights()
    {
        var law = TokenLaw.Mixed((3, TokenLaw.Fixed(10)), (1, TokenLaw.Fixed(1000)));
        Assert.Equal(257.5, law.Mean);
        Assert.Equal(0.25, Draws(law, Count).Count(tokens => tokens == 1000) / (double)Count, 0.005);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(1e16)]
    public void A_mean_out_of_range_is_refused(double mean)
    {
        Assert.ThrowsAny<ArgumentException>(() => TokenLaw.Fixed(mean));
        Assert.ThrowsAny<ArgumentException>(() => TokenLaw.Geometric(mean));
    }

    private static long[] Draws(TokenLaw law, int count)
    {
        var random = new Xoshiro256(11);
        var draws = new long[count];
        for (var i = 0; i < count; i++)
            draws[i] = law.Draw(ref random);
        return draws;
    }
}
