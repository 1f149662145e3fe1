namespace Platform.Client.Tests;

public sealed class SurgeTests
{
    private static readonly FleetAllocation Allocation = new("chat", 1, "", Tokens(812, 100), default)
    {
        Servers = 2,
        Ladder = [new(0, Tokens(812, 100)), new(3, Tokens(400, 90)), new(6, Tokens(0, 0))],
    };

    [Fact]
    public void The_highest_rung_reached_says_the_tokens()
    {
        Assert.Equal(
            [812, 812, 400, 400, 0, 0],
            new[] { 0, 2.99, 3, 5.99, 6, 1e9 }.Select(inFlight => Allocation.TokensFor("math", inFlight))
        );
        Assert.Equal(90, Allocation.TokensFor("chat", 4));
        Assert.Equal(812, (Allocation with { Ladder = [] }).TokensFor("math", 4));
        Assert.Throws<KeyNotFoundException>(() => Allocation.TokensFor("code", 4));
    }

    /// <summary>Up at once, down below three quarters of what was reached.</summary>
    [Fact]
    public void A_level_rises_at_once_and_falls_with_a_delay()
    {
        var level = new SurgeLevel();
        double[] inFlight = [0, 4, 3.5, 3, 2.9, 1.5, 5, 4.9, 0];
        double[] expected = [0, 4, 4, 4, 2.9 / 0.75, 2, 5, 5, 0];
        Assert.Equal(expected, inFlight.Select(level.Observe));
    }

    [Fact]
    public void A_number_that_goes_to_and_fro_around_a_rung_does_not_move_the_tokens()
    {
        var level = new SurgeLevel();
        long[] tokens =
        [
            .. Enumerable.Range(0, 20).Select(i => Allocation.TokensFor("math", level.Observe(3 - (i % 2 * 0.5)))),
        ];
        Assert.All(tokens, it => Assert.Equal(400, it));
        Assert.Equal(812, Allocation.TokensFor("math", level.Observe(2.2)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void A_descent_is_a_part(double descent) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SurgeLevel(descent));

    [Fact]
    public void Queries_are_counted_over_servers_until_they_end()
    {
        var inFlight = new QueriesInFlight();
        var queries = Enumerable.Range(0, 13).Select(_ => inFlight.Begin(Allocation, "math")).ToList();

        // The first finds none, the seventh six on two servers, the thirteenth twelve.
        Assert.Equal([812, 812, 812, 812, 812, 812, 400, 400, 400, 400, 400, 400, 0], queries.Select(it => it.Tokens));
        queries.ForEach(query => query.Dispose());
        queries.ForEach(query => query.Dispose());
        Assert.Equal(0, inFlight.Count);
        Assert.Equal(812, inFlight.Begin(Allocation, "math").Tokens);
    }

    [Fact]
    public void Others_like_it_are_taken_to_have_as_many()
    {
        var inFlight = new QueriesInFlight(gateways: 3);
        Assert.Equal([812, 812, 400], Enumerable.Range(0, 3).Select(_ => inFlight.Begin(Allocation, "math").Tokens));
        Assert.Throws<ArgumentOutOfRangeException>(() => new QueriesInFlight(0));
    }

    [Fact]
    public void A_query_of_an_unknown_type_is_not_counted()
    {
        var inFlight = new QueriesInFlight();
        Assert.Throws<KeyNotFoundException>(() => inFlight.Begin(Allocation, "code"));
        Assert.Equal(0, inFlight.Count);
    }

    [Fact]
    public void Many_threads_lose_no_query_and_no_level()
    {
        var inFlight = new QueriesInFlight();
        var level = new SurgeLevel();
        Parallel.For(
            0,
            10_000,
            i =>
            {
                using var query = inFlight.Begin(Allocation, "math");
                level.Observe(i % 7);
            }
        );
        Assert.Equal(0, inFlight.Count);
        Assert.InRange(level.Observe(6), 6, 8);
        Assert.Equal(0, level.Observe(0));
    }

    private static Dictionary<string, long> Tokens(long math, long chat) => new() { ["math"] = math, ["chat"] = chat };
}
