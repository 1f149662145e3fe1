using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

/// <summary>
/// The server against schedules by hand, and against one that goes iteration by iteration and query by query.
/// </summary>
public sealed class BatchingServerTests
{
    private static readonly TokenCosts HalfASecond = new(SecondsPerOutputToken: 0.5);

    [Fact]
    public void A_query_that_comes_in_an_iteration_joins_at_its_end()
    {
        // The first alone until 1.5; both until 3.5, where the first ends; the second alone for its other two tokens.
        var served = Serve(new(OverheadSeconds: 1), (0, Query(answer: 2)), (0.25, Query(answer: 3)));
        Assert.Equal((0, 0, 1.5, 3.5), Instants(served[0]));
        Assert.Equal((0.25, 1.5, 3.5, 6.5), Instants(served[1]));
        Assert.Equal((1.25, 5, 6.25), (served[1].WaitSeconds, served[1].ServiceSeconds, served[1].SystemSeconds));
    }

    [Fact]
    public void A_query_that_comes_at_the_end_of_an_iteration_joins_at_once()
    {
        var served = Serve(new(OverheadSeconds: 1), (0, Query(answer: 2)), (1.5, Query(answer: 1)));
        Assert.Equal((1.5, 1.5, 3.5, 3.5), Instants(served[0]));
        Assert.Equal((0, 0, 1.5, 3.5), Instants(served[1]));
    }

    [Fact]
    public void A_prompt_is_processed_in_chunks_and_its_last_iteration_makes_the_first_token()
    {
        // Four prompt tokens in 1 + 4/4, two more and a token in 1 + 2/4 + 0.5, a token in 1.5.
        var prompt = Query(answer: 2, prompt: 6) with
        {
            Costs = HalfASecond with { SecondsPerPromptToken = 0.25 },
        };
        var served = Serve(new(OverheadSeconds: 1, PromptTokensPerIteration: 4), (0, prompt));
        Assert.Equal((0, 0, 4, 5.5), Instants(served[0]));
    }

    [Fact]
    public void A_chunk_is_shared_by_the_prompts_in_the_order_of_their_arrivals()
    {
        // Three and one, then three left of the second; the first makes its second token beside them.
        var costs = HalfASecond with
        {
            SecondsPerPromptToken = 0.25,
        };
        var first = Query(answer: 2, prompt: 3) with { Costs = costs };
        var second = Query(answer: 1, prompt: 4) with { Costs = costs };
        var served = Serve(new(OverheadSeconds: 1, PromptTokensPerIteration: 4), (0, first), (0, second));
        Assert.Equal([2.5 + 1 + 0.75 + 1, 2.5 + 1 + 0.75 + 1], served.Select(query => query.EndSeconds));
        Assert.Equal(2.5, served.Single(query => query.Query.Index == 0).FirstTokenSeconds);
    }

    [Fact]
    public void The_answer_comes_after_the_reasoning()
    {
        var served = Serve(new(OverheadSeconds: 1), (0, Query(answer: 2, reasoning: 3)));
        Assert.Equal((0, 0, 1.5, 7.5), Instants(served[0]));
        Assert.Equal(6, served[0].FirstAnswerTokenSeconds);
        Assert.True(double.IsNaN(Serve(new(OverheadSeconds: 1), (0, Query(reasoning: 3)))[0].FirstAnswerTokenSeconds));
    }

    [Fact]
    public void Tokens_of_a_growing_context_take_longer_and_longer()
    {
        var growing = Query(answer: 3) with { Costs = new(SecondsPerOutputToken: 0.5, SecondsPerEarlierToken: 0.25) };
        var served = Serve(new(OverheadSeconds: 1), (0, growing));
        Assert.Equal(1.5 + 1.75 + 2, served[0].EndSeconds);
        Assert.Equal(served[0].EndSeconds - 3, growing.Costs.WorkSeconds(0, 3));
    }

    [Fact]
    public void No_more_are_in_service_than_the_cap()
    {
        var constants = new BatchingConstants(OverheadSeconds: 1, MaxInService: 2);
        var served = Serve(constants, (0, Query(answer: 1)), (0, Query(answer: 2)), (0, Query(answer: 1)));
        Assert.Equal([2.0, 4.0, 4.0], served.Select(query => query.EndSeconds));
        Assert.Equal(2, served.Single(query => query.Query.Index == 2).StartSeconds);
    }

    [Fact]
    public void A_query_without_output_ends_with_its_prompt_and_needs_no_overhead()
    {
        var prompt = new BatchedQuery { PromptTokens = 2, Costs = new(0, 0, SecondsPerPromptToken: 0.75) };
        Assert.Equal(1.5, Serve(new(OverheadSeconds: 1), (0, prompt))[0].EndSeconds);
        Assert.Equal(3, Serve(new(OverheadSeconds: 1), (0, Query(answer: 1)), (0, prompt))[0].EndSeconds);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, 5)]
    [InlineData(3, 40)]
    public void Many_iterations_in_a_step_give_what_one_after_the_other_does(ulong seed, int? cap)
    {
        var constants = new BatchingConstants(OverheadSeconds: 0.02, cap, PromptTokensPerIteration: 64);
        var arrivals = RandomArrivals(seed);
        var served = Serve(constants, arrivals).ToDictionary(query => query.Query.Index);
        var expected = new IterationByIteration(constants).Serve(arrivals);
        for (var i = 0; i < arrivals.Length; i++)
        {
            Assert.Equal(expected[i].Start, served[i].StartSeconds, 1e-8);
            Assert.Equal(expected[i].FirstAnswer, served[i].FirstAnswerTokenSeconds, 1e-8);
            Assert.Equal(expected[i].End, served[i].EndSeconds, 1e-8);
            Assert.Equal(expected[i].InServiceAtTokens, served[i].InServiceAtTokens);
        }
    }

    [Fact]
    public void Queries_end_in_the_order_that_is_told()
    {
        var served = Serve(new(OverheadSeconds: 0.02), RandomArrivals(4));
        Assert.Equal(served.Select(query => query.EndSeconds).Order(), served.Select(query => query.EndSeconds));
    }

    internal static BatchedQuery Query(long answer = 0, long reasoning = 0, long prompt = 0) =>
        new()
        {
            PromptTokens = prompt,
            ReasoningTokens = reasoning,
            AnswerTokens = answer,
            Costs = HalfASecond,
        };

    private static List<FinishedQuery> Serve(
        BatchingConstants constants,
        params (double Instant, BatchedQuery Query)[] arrivals
    )
    {
        var served = new List<FinishedQuery>();
        var server = new BatchingServer(constants, served.Add);
        foreach (var (index, arrival) in arrivals.Index())
            server.Arrive(arrival.Instant, arrival.Query with { Index = index });
        server.Finish();
        Assert.Equal((0, 0), (server.InService, server.Waiting));
        Assert.Equal(arrivals.Length, served.Count);
        return served;
    }

    private static (double Arrival, double Start, double FirstToken, double End) Instants(FinishedQuery query) =>
        (query.ArrivalSeconds, query.StartSeconds, query.FirstTokenSeconds, query.EndSeconds);

    private static (double Instant, BatchedQuery Query)[] RandomArrivals(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var instant = 0.0;
        var arrivals = new (double, BatchedQuery)[500];
        for (var i = 0; i < arrivals.Length; i++)
        {
            instant += random.NextExponential() * 0.5;
            arrivals[i] = (instant, RandomQuery(ref random));
        }

        return arrivals;
    }

    private static BatchedQuery RandomQuery(ref Xoshiro256 random) =>
        new()
        {
            PromptTokens = random.NextIndex(200, out _),
            ReasoningTokens = random.NextIndex(80, out _),
            AnswerTokens = 1 + random.NextIndex(40, out _),
            Costs = new(0.003 * random.NextUnit(), 0.00001 * random.NextUnit(), 0.0002),
        };

    /// <summary>The same server told as plainly as can be.</summary>
    private sealed class IterationByIteration(BatchingConstants constants)
    {
        private readonly List<Served> _inService = [];
        private double _now;

        public sealed class Served(BatchedQuery query)
        {
            public BatchedQuery Query { get; } = query;

            public long PromptLeft { get; set; } = query.PromptTokens;

            public long Made { get; set; }

            public long InServiceAtTokens { get; set; }

            public double Start { get; set; }

            public double FirstAnswer { get; set; }

            public double End { get; set; }
        }

        public Served[] Serve((double Instant, BatchedQuery Query)[] arrivals)
        {
            var all = arrivals.Select(arrival => new Served(arrival.Query)).ToArray();
            var next = 0;
            while (next < all.Length || _inService.Count > 0)
            {
                if (_inService.Count == 0)
                    _now = Math.Max(_now, arrivals[next].Instant);
                while (next < all.Length && arrivals[next].Instant <= _now && HasRoom)
                    TakeIn(all[next++]);
                Iterate();
            }

            return all;
        }

        private bool HasRoom => constants.MaxInService is not { } cap || _inService.Count < cap;

        private void TakeIn(Served query)
        {
            query.Start = _now;
            _inService.Add(query);
        }

        private void Iterate()
        {
            var chunk = (long)constants.PromptTokensPerIteration;
            var seconds = constants.OverheadSeconds;
            foreach (var query in _inService)
            {
                var costs = query.Query.Costs;
                var prompt = Math.Min(chunk, query.PromptLeft);
                chunk -= prompt;
                query.PromptLeft -= prompt;
                seconds += prompt * costs.SecondsPerPromptToken;
                if (query.PromptLeft == 0)
                    seconds += costs.SecondsPerOutputToken + (query.Made * costs.SecondsPerEarlierToken);
            }

            _now += seconds;
            foreach (var query in _inService.Where(query => query.PromptLeft == 0))
                MakeToken(query);
            _inService.RemoveAll(query => query.Made == query.Query.OutputTokens);
        }

        private void MakeToken(Served query)
        {
            query.Made++;
            query.InServiceAtTokens += _inService.Count;
            if (query.Made == query.Query.ReasoningTokens + 1)
                query.FirstAnswer = _now;
            query.End = _now;
        }
    }
}
