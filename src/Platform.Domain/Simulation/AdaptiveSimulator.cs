using Platform.Domain.Allocation;

namespace Platform.Domain.Simulation;

/// <summary>A query that comes, and may be given tokens by what is there.</summary>
/// <param name="InstantSeconds">When, seconds on the trace's clock.</param>
/// <param name="TaskType">Index of its task type in the problem.</param>
/// <param name="InFlight">Queries in flight at the whole fleet, waiting ones included and itself not.</param>
public readonly record struct ArrivingQuery(double InstantSeconds, int TaskType, int InFlight);

/// <summary>A query that was served.</summary>
/// <param name="Arriving">What it found.</param>
/// <param name="Tokens">Tokens that it was given.</param>
/// <param name="SystemSeconds">Seconds from its arrival to its end.</param>
public readonly record struct AdaptedQuery(ArrivingQuery Arriving, long Tokens, double SystemSeconds);

/// <summary>
/// Seeded discrete-event simulation of a fleet whose tokens may change from query to query, by the clock or by what is
/// in flight. The queues are those of <see cref="QueueSimulator"/>; memory grows with the trace.
/// </summary>
public static class AdaptiveSimulator
{
    /// <summary>Plays a trace.</summary>
    /// <param name="problem">A valid problem; its arrival rate is not used, its shares only where the trace has no
    /// types.</param>
    /// <param name="trace">The arrivals.</param>
    /// <param name="tokens">Decides the tokens of a query, at least 0; asked once for each, in order.</param>
    /// <param name="seed">
    /// Of what the trace leaves open: equal seeds draw equal types and servers, whatever the tokens.
    /// </param>
    /// <returns>The queries in order of arrival.</returns>
    public static IReadOnlyList<AdaptedQuery> Run(
        AllocationProblem problem,
        ArrivalTrace trace,
        Func<ArrivingQuery, long> tokens,
        ulong seed
    )
    {
        var run = new AdaptiveRun(problem, trace, tokens, seed);
        return problem.Dispatch switch
        {
            Dispatch.Sharing => run.PlayBatching(),
            Dispatch.Shared => run.Play(new SharedServers(problem.Servers)),
            _ => run.Play(new SplitServers(problem.Servers)),
        };
    }
}

/// <summary>One such run.</summary>
internal sealed class AdaptiveRun
{
    private readonly AllocationProblem _problem;
    private readonly ArrivalTrace _trace;
    private readonly Func<ArrivingQuery, long> _tokens;
    private readonly AliasTable _types;
    private readonly AdaptedQuery[] _queries;
    private Xoshiro256 _random;
    private Xoshiro256 _scatter;

    public AdaptiveRun(AllocationProblem problem, ArrivalTrace trace, Func<ArrivingQuery, long> tokens, ulong seed)
    {
        _problem = problem;
        _trace = trace;
        _tokens = tokens;
        _types = new AliasTable([.. problem.TaskTypes.Select(type => type.Share)]);
        _queries = new AdaptedQuery[trace.InstantsSeconds.Length];
        _random = new Xoshiro256(seed);
        _scatter = new Xoshiro256(~seed);
    }

    public IReadOnlyList<AdaptedQuery> Play<TServers>(TServers servers)
        where TServers : struct, IServerPool
    {
        var ends = new PriorityQueue<int, double>();
        for (var i = 0; i < _queries.Length; i++)
        {
            var now = _trace.InstantsSeconds[i];
            while (ends.TryPeek(out _, out var end) && end <= now)
                ends.Dequeue();
            var (arriving, tokens) = Arrive(i, ends.Count);
            var service = ServiceSeconds(_problem.TaskTypes[arriving.TaskType].Service, tokens);
            var time = servers.Admit(now, service, ref _random) + service;
            ends.Enqueue(i, now + time);
            _queries[i] = new AdaptedQuery(arriving, tokens, time);
        }

        return _queries;
    }

    public IReadOnlyList<AdaptedQuery> PlayBatching()
    {
        var overhead = _problem.Sharing!.OverheadSecondsPerToken!.Value;
        var constants = new BatchingConstants(overhead, _problem.Sharing.MaxInService);
        var servers = new BatchingServer[_problem.Servers];
        for (var s = 0; s < servers.Length; s++)
            servers[s] = new BatchingServer(constants, End);
        for (var i = 0; i < _queries.Length; i++)
        {
            var now = _trace.InstantsSeconds[i];
            foreach (var server in servers)
                server.AdvanceTo(now);
            var (arriving, tokens) = Arrive(i, servers.Sum(server => server.InService + server.Waiting));
            _queries[i] = new AdaptedQuery(arriving, tokens, double.NaN);
            var type = SharingServers.TypeOf(_problem.TaskTypes[arriving.TaskType], tokens, overhead);
            var query = type.Draw(i, arriving.TaskType, ref _scatter);
            var chosen = servers.Length == 1 ? 0 : _random.NextIndex(servers.Length, out _);
            servers[chosen].Arrive(now, query);
        }

        foreach (var server in servers)
            server.Finish();
        return _queries;
    }

    private void End(FinishedQuery query)
    {
        ref var ended = ref _queries[query.Query.Index];
        ended = ended with { SystemSeconds = query.SystemSeconds };
    }

    private (ArrivingQuery Arriving, long Tokens) Arrive(int index, int inFlight)
    {
        var type = _trace.TaskTypes is { } recorded ? recorded[index] : _types.Draw(ref _random);
        var arriving = new ArrivingQuery(_trace.InstantsSeconds[index], type, inFlight);
        return (arriving, _tokens(arriving));
    }

    private double ServiceSeconds(ServiceLine line, long tokens)
    {
        var mean = line.BaseSeconds + (tokens * line.SecondsPerToken);
        return line.VarianceSecondsSquared > 0
            ? new GammaLaw(mean, line.VarianceSecondsSquared).Next(ref _scatter)
            : mean;
    }
}
