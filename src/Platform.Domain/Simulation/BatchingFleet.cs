namespace Platform.Domain.Simulation;

/// <summary>A task type of a fleet of servers that batch: how often it comes, its tokens and what they cost.</summary>
public sealed record BatchedType
{
    /// <summary>Name in the results; empty where it is not said.</summary>
    public string Id { get; init; } = "";

    /// <summary>Its part of the arrivals; the shares need not sum to 1.</summary>
    public required double Share { get; init; }

    /// <summary>Tokens of its prompts.</summary>
    public TokenLaw PromptTokens { get; init; } = TokenLaw.None;

    /// <summary>Output tokens of its reasoning.</summary>
    public TokenLaw ReasoningTokens { get; init; } = TokenLaw.None;

    /// <summary>Output tokens of its answers, drawn independently of the reasoning.</summary>
    public TokenLaw AnswerTokens { get; init; } = TokenLaw.None;

    /// <summary>What its tokens cost.</summary>
    public required TokenCosts Costs { get; init; }

    internal BatchedQuery Draw(long index, int taskType, ref Xoshiro256 random) =>
        new()
        {
            Index = index,
            TaskType = taskType,
            PromptTokens = PromptTokens.Draw(ref random),
            ReasoningTokens = ReasoningTokens.Draw(ref random),
            AnswerTokens = AnswerTokens.Draw(ref random),
            Costs = Costs,
        };
}

/// <summary>A time with a constant rate of arrivals.</summary>
/// <param name="Seconds">How long it lasts, above 0.</param>
/// <param name="ArrivalsPerSecond">Poisson arrivals per second for the whole fleet, at least 0.</param>
public readonly record struct LoadSegment(double Seconds, double ArrivalsPerSecond);

/// <summary>
/// Servers that batch, each query sent to one at random. The queries that they have served can be counted into workload
/// windows.
/// </summary>
/// <param name="servers">Number of servers, at least 1.</param>
/// <param name="constants">What each of them can do.</param>
/// <param name="types">The task types, at least one.</param>
public sealed class BatchingFleet(int servers, BatchingConstants constants, IReadOnlyList<BatchedType> types)
{
    /// <summary>What each server can do.</summary>
    public BatchingConstants Constants => constants;

    /// <summary>The task types.</summary>
    public IReadOnlyList<BatchedType> Types => types;

    internal AliasTable TypesByShare => new([.. types.Select(type => type.Share)]);

    /// <summary>Serves Poisson arrivals whose rate changes from segment to segment.</summary>
    /// <param name="load">The segments, one after the other from instant 0 on.</param>
    /// <param name="seed">Any number; equal seeds give equal queries.</param>
    /// <returns>
    /// Every query that came in the segments, in the order of their ends. The last of them end after the last segment.
    /// </returns>
    public IReadOnlyList<FinishedQuery> Serve(IReadOnlyList<LoadSegment> load, ulong seed)
    {
        var served = new List<FinishedQuery>();
        var pool = Servers(served.Add);
        var random = new Xoshiro256(seed);
        var typesByShare = TypesByShare;
        foreach (var (index, instant) in Arrivals(load, seed))
        {
            var type = typesByShare.Draw(ref random);
            var server = random.NextIndex(servers, out _);
            pool[server].Arrive(instant, types[type].Draw(index, type, ref random));
        }

        foreach (var server in pool)
            server.Finish();
        return [.. served.OrderBy(query => query.EndSeconds)];
    }

    /// <summary>Idle servers.</summary>
    /// <param name="finished">Told of each query when it has ended.</param>
    internal BatchingServer[] Servers(Action<FinishedQuery> finished)
    {
        var idle = new BatchingServer[servers];
        for (var server = 0; server < servers; server++)
            idle[server] = new(constants, finished);
        return idle;
    }

    private static IEnumerable<(long Index, double Instant)> Arrivals(IReadOnlyList<LoadSegment> load, ulong seed)
    {
        // Gaps have their own sequence, so that the tokens of the queries do not move the arrivals.
        var random = new Xoshiro256(~seed);
        var index = 0L;
        var begin = 0.0;
        foreach (var segment in load)
        {
            // The exponential law has no memory: each segment begins anew.
            var end = begin + segment.Seconds;
            for (var instant = Next(begin); instant < end; instant = Next(instant))
                yield return (index++, instant);
            begin = end;

            double Next(double instant) => instant + (random.NextExponential() / segment.ArrivalsPerSecond);
        }
    }
}
