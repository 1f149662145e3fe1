using Platform.Domain.Allocation;
using Platform.Domain.Simulation;

namespace Platform.Cli.Demo;

/// <summary>The servers of a demo fleet.</summary>
internal interface IDemoServers
{
    /// <summary>The server that the next query goes to.</summary>
    /// <param name="draw">Uniform in [0, 1).</param>
    int Choose(double draw);

    /// <summary>Takes a query; arrivals come in order.</summary>
    void Take(in SentQuery query);

    /// <summary>Serves until every query that ends before an instant has been told of.</summary>
    void AdvanceTo(TimeSpan clock);
}

/// <summary>A server with a FIFO queue.</summary>
internal sealed class FifoServer
{
    /// <summary>When it has done all that it was given.</summary>
    public TimeSpan FreeAt { get; private set; }

    /// <summary>Takes the next query; arrivals come in order.</summary>
    /// <returns>When it ends. Lindley (1952): it starts when it has arrived and the one before it has ended.</returns>
    public TimeSpan Serve(TimeSpan arrival, TimeSpan service) =>
        FreeAt = (arrival > FreeAt ? arrival : FreeAt) + service;
}

/// <summary>Servers with FIFO queues. A query's end is known when it comes.</summary>
internal sealed class FifoServers(FleetPlan plan, Action<ServedQuery> ended) : IDemoServers
{
    private readonly FifoServer[] _servers =
    [
        .. Enumerable.Range(0, plan.Template.Servers).Select(_ => new FifoServer()),
    ];

    /// <summary>Any server in a split fleet; the one that is free first where all share one queue.</summary>
    public int Choose(double draw) =>
        plan.Template.Dispatch == Dispatch.Shared
            ? Array.IndexOf(_servers, _servers.MinBy(server => server.FreeAt))
            : (int)(draw * _servers.Length);

    public void Take(in SentQuery query)
    {
        var seconds = plan.Truth[query.Task].ServiceSeconds(query.TokensUsed, query.ServiceDraw);
        var millis = (long)Math.Round(seconds * 1_000);
        var end = _servers[query.Server].Serve(query.Arrived, TimeSpan.FromMilliseconds(millis));
        ended(query.Served(end, millis));
    }

    public void AdvanceTo(TimeSpan clock) { }
}

/// <summary>
/// Servers that batch, iteration by iteration. How long a query takes depends on those that come after it.
/// </summary>
internal sealed class BatchingServers : IDemoServers
{
    private readonly FleetPlan _plan;
    private readonly BatchedModel _model;
    private readonly Action<ServedQuery> _ended;
    private readonly BatchingServer[] _servers;
    private readonly Dictionary<long, SentQuery> _inFlight = [];

    public BatchingServers(FleetPlan plan, Action<ServedQuery> ended)
    {
        _plan = plan;
        _model = plan.Model!;
        _ended = ended;
        var constants = new BatchingConstants(_model.OverheadSeconds, _model.MaxInService);
        _servers = [.. Enumerable.Range(0, plan.Template.Servers).Select(_ => new BatchingServer(constants, End))];
    }

    public int Choose(double draw) => (int)(draw * _servers.Length);

    public void Take(in SentQuery query)
    {
        _inFlight.Add(query.Index, query);
        _servers[query.Server].Arrive(query.Arrived.TotalSeconds, QueryOf(query));
    }

    public void AdvanceTo(TimeSpan clock)
    {
        foreach (var server in _servers)
            server.AdvanceTo(clock.TotalSeconds);
    }

    private BatchedQuery QueryOf(in SentQuery query)
    {
        var task = _plan.Template.Tasks[query.Task];
        return new()
        {
            Index = query.Index,
            TaskType = query.Task,
            PromptTokens = task.PromptTokens,
            ReasoningTokens = query.TokensUsed,
            AnswerTokens = AnswerTokens(task.AnswerTokens, query.ServiceDraw),
            Costs = new(_model.SecondsPerToken, 0, _model.SecondsPerPromptToken),
        };
    }

    /// <summary>Answers of all lengths: after each token an answer ends with the same probability.</summary>
    private static long AnswerTokens(int mean, double draw) =>
        1 + (long)(Math.Log(1 - draw) / Math.Log(1 - (1.0 / mean)));

    private void End(FinishedQuery query)
    {
        _inFlight.Remove(query.Query.Index, out var sent);
        var serviceMillis = (long)Math.Round(query.ServiceSeconds * 1_000);
        var served = sent.Served(TimeSpan.FromSeconds(query.EndSeconds), serviceMillis);
        _ended(
            served with
            {
                AnswerTokens = query.Query.AnswerTokens,
                Concurrency = new() { Tokens = query.Query.OutputTokens, InService = query.InServiceAtTokens },
            }
        );
    }
}
