using Platform.Cli.Traces;
using Platform.Domain.Allocation;
using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary>A query on its way to a server.</summary>
internal readonly record struct SentQuery
{
    /// <summary>How many queries came before it.</summary>
    public required int Index { get; init; }

    /// <summary>Index of its task type.</summary>
    public required int Task { get; init; }

    /// <summary>The server that it was sent to.</summary>
    public required int Server { get; init; }

    /// <summary>When it came, since the start of the trace.</summary>
    public required TimeSpan Arrived { get; init; }

    public required long TokensGranted { get; init; }

    public required long TokensUsed { get; init; }

    /// <summary>Uniform in [0, 1): what its service has of chance.</summary>
    public required double ServiceDraw { get; init; }

    /// <summary>The verdict on its answer.</summary>
    public required bool IsCorrect { get; init; }

    /// <summary>What became of it.</summary>
    /// <param name="ended">When it ended, since the start of the trace.</param>
    /// <param name="serviceMillis">Its time on the server.</param>
    public ServedQuery Served(TimeSpan ended, long serviceMillis) =>
        new()
        {
            Index = Index,
            Task = Task,
            Server = Server,
            Arrived = Arrived,
            Ended = ended,
            TokensGranted = TokensGranted,
            TokensUsed = TokensUsed,
            ServiceMillis = serviceMillis,
            SystemMillis = (ended - Arrived + TimeSpan.FromMicroseconds(500)).Ticks / TimeSpan.TicksPerMillisecond,
            IsCorrect = IsCorrect,
        };
}

/// <summary>What became of one query.</summary>
internal readonly record struct ServedQuery
{
    /// <summary>How many queries came before it.</summary>
    public required int Index { get; init; }

    /// <summary>Index of its task type.</summary>
    public required int Task { get; init; }

    /// <summary>The server that it was sent to.</summary>
    public required int Server { get; init; }

    /// <summary>When it came and went, since the start of the trace.</summary>
    public required TimeSpan Arrived { get; init; }

    public required TimeSpan Ended { get; init; }

    public required long TokensGranted { get; init; }

    public required long TokensUsed { get; init; }

    /// <summary>Time on the server, and time from arrival to end, each rounded to the nearest millisecond.</summary>
    public required long ServiceMillis { get; init; }

    public required long SystemMillis { get; init; }

    /// <summary>The verdict on its answer.</summary>
    public required bool IsCorrect { get; init; }

    /// <summary>Output tokens beside the reasoning ones; null of a server with a queue.</summary>
    public long? AnswerTokens { get; init; }

    /// <summary>
    /// Its output tokens, with the queries in service when they were made; null of a server with a queue.
    /// </summary>
    public ConcurrencySums? Concurrency { get; init; }
}

/// <summary>
/// A demo fleet at work by its hidden truth. Every query draws the same random numbers whatever it is granted, so that
/// one seed is the same queries under every policy: their luck cancels when two policies are compared.
/// </summary>
internal sealed class FleetSimulation
{
    private readonly FleetPlan _plan;
    private readonly Random _random;
    private readonly bool _explores;
    private readonly IDemoServers _servers;
    private int _arrived;

    /// <param name="plan">The fleet with its truth.</param>
    /// <param name="seed">Seed of all that happens to the queries.</param>
    /// <param name="explores">Whether some queries get another budget than the policy's.</param>
    /// <param name="ended">Told of each query whose end is known.</param>
    public FleetSimulation(FleetPlan plan, int seed, bool explores, Action<ServedQuery> ended)
    {
        _plan = plan;
        _random = new Random(seed);
        _explores = explores;
        _servers =
            plan.Template.Dispatch == Dispatch.Sharing
                ? new BatchingServers(plan, ended)
                : new FifoServers(plan, ended);
    }

    /// <summary>Sends the next request of the trace to a server.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tokens">Tokens for a query of each task type, as the policy has it at this moment.</param>
    public SentQuery Arrive(TraceRequest request, IReadOnlyList<long> tokens)
    {
        var task = _plan.TaskOfShape[(int)RequestShapes.Of(request)];
        var server = _servers.Choose(_random.NextDouble());
        var explored = _random.NextDouble();
        var granted = _explores ? Exploration.Grant(tokens[task], _plan.PolicyTokens, explored) : tokens[task];
        var used = TokenUse.Of(granted, _random.NextDouble(), _random.NextDouble());
        var query = new SentQuery
        {
            Index = _arrived++,
            Task = task,
            Server = server,
            Arrived = request.At,
            TokensGranted = granted,
            TokensUsed = _plan.Model is null ? used : granted,
            ServiceDraw = _random.NextDouble(),
            IsCorrect = _random.NextDouble() < _plan.Truth[task].AccuracyAt(granted),
        };
        _servers.Take(query);
        return query;
    }

    /// <summary>Serves on, so that every query that ends before an instant has been told of.</summary>
    /// <param name="clock">The instant, since the start of the trace; no request before it may come any more.</param>
    public void AdvanceTo(TimeSpan clock) => _servers.AdvanceTo(clock);
}
