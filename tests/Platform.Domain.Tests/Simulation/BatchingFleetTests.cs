using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

public sealed class BatchingFleetTests
{
    private static readonly BatchingConstants Constants = new(OverheadSeconds: 0.02);

    private static readonly BatchedType[] Types =
    [
        new()
        {
            Share = 0.25,
            ReasoningTokens = TokenLaw.Fixed(100),
            AnswerTokens = TokenLaw.Fixed(20),
            Costs = new(0.0004),
        },
        new()
        {
            Share = 0.75,
            AnswerTokens = TokenLaw.Geometric(50),
            Costs = new(0.0004),
        },
    ];

    [Fact]
    public void Every_segment_has_its_rate_and_every_type_its_share()
    {
        var served = new BatchingFleet(3, Constants, Types).Serve([new(2000, 4), new(1000, 0), new(3000, 2)], seed: 5);
        Assert.Equal(8000, served.Count(query => query.ArrivalSeconds < 2000), 4 * Math.Sqrt(8000));
        Assert.DoesNotContain(served, query => query.ArrivalSeconds is >= 2000 and < 3000);
        Assert.Equal(6000, served.Count(query => query.ArrivalSeconds >= 3000), 4 * Math.Sqrt(6000));
        Assert.Equal(0.25, served.Count(query => query.Query.TaskType == 0) / (double)served.Count, 0.015);
        Assert.True(served.Max(query => query.ArrivalSeconds) < 6000);
    }

    [Fact]
    public void Queries_are_told_in_the_order_of_their_ends_and_keep_their_tokens()
    {
        var served = new BatchingFleet(3, Constants, Types).Serve([new(500, 4)], seed: 5);
        Assert.Equal(served.Select(query => query.EndSeconds).Order(), served.Select(query => query.EndSeconds));
        Assert.Equal(served.Count, served.Select(query => query.Query.Index).Distinct().Count());
        Assert.All(served, IsServedInOrder);

        var reasoning = served.Select(query => query.Query).Where(query => query.TaskType == 0);
        Assert.All(reasoning, query => Assert.Equal((100, 20), (query.ReasoningTokens, query.AnswerTokens)));
    }

    [Fact]
    public void Equal_seeds_give_equal_queries_and_others_do_not()
    {
        var fleet = new BatchingFleet(2, Constants, Types);
        Assert.Equal(fleet.Serve([new(100, 4)], seed: 1), fleet.Serve([new(100, 4)], seed: 1));
        Assert.NotEqual(fleet.Serve([new(100, 4)], seed: 1)[0], fleet.Serve([new(100, 4)], seed: 2)[0]);
    }

    [Fact]
    public void Several_servers_are_each_less_busy_than_one()
    {
        double MeanSeconds(int servers) =>
            new BatchingFleet(servers, Constants, Types)
                .Serve([new(1000, 5)], seed: 7)
                .Average(query => query.SystemSeconds);

        Assert.True(MeanSeconds(4) < MeanSeconds(1));
    }

    private static void IsServedInOrder(FinishedQuery query)
    {
        Assert.True(query.ArrivalSeconds <= query.StartSeconds);
        Assert.True(query.StartSeconds < query.FirstTokenSeconds);
        Assert.True(query.FirstTokenSeconds <= query.FirstAnswerTokenSeconds);
        Assert.True(query.FirstAnswerTokenSeconds <= query.EndSeconds);
    }
}
