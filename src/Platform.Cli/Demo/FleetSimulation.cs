using Platform.Cli.Traces;
using Platform.Domain.Allocation;

namespace Platform.Cli.Demo;

/// <summary>What became of one query.</summary>
internal readonly record struct ServedQuery
{
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
}

/// <summary>A server with a FIFO queue.</summary>
internal sealed class FifoServer
{
    /// <summary>When it has done all that it was given.</summary>
    public TimeSpan FreeAt { get; private set; }

    /// <summary>Takes the next query; arrivals come in order.</summary>
    /// <returns>When it ends. Lindley (1952): it starts when it has arrived and the one before it has ended.</returns>
    public TimeSpan Serve(TimeSpan arrival, TimeSpan service) => FreeAt = (arrival > FreeAt ? arrival : FreeAt) + service;
}

/// <summary>
/// A demo fleet at work by its hidden truth. Every query draws the same random numbers whatever it is granted, so that one seed is the
/// same queries under every policy: their luck cancels when two policies are compared.
/// </summary>
/// <param name="plan">The fleet with its truth.</param>
/// <param name="seed">Seed of all that happens to the queries.</param>
/// <param name="explores">Whether some queries get another budget than the policy's.</param>
internal sealed class FleetSimulation(FleetPlan plan, int seed, bool explores)
{
    private readonly Random _random = new(seed);
    private readonly FifoServer[] _servers = [.. Enumerable.Range(0, plan.Template.Servers).Select(_ => new FifoServer())];

    /// <summary>Serves the next request of the trace.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tokens">Tokens for a query of each task type, as the policy has it at this moment.</param>
    public ServedQuery Serve(TraceRequest request, IReadOnlyList<long> tokens)
    {
        var task = plan.TaskOfShape[(int)RequestShapes.Of(request)];
        var (truth, server) = (plan.Truth[task], ServerFor(_random.NextDouble()));
        var explored = _random.NextDouble();
        var granted = explores ? Exploration.Grant(tokens[task], plan.Template.PolicyTokens, explored) : tokens[task];
        var used = TokenUse.Of(granted, _random.NextDouble(), _random.NextDouble());
        var serviceMillis = (long)Math.Round(truth.ServiceSeconds(used, _random.NextDouble()) * 1_000);
        var ended = _servers[server].Serve(request.At, TimeSpan.FromMilliseconds(serviceMillis));
        return new ServedQuery
        {
            Task = task,
            Server = server,
            Arrived = request.At,
            Ended = ended,
            TokensGranted = granted,
            TokensUsed = used,
            ServiceMillis = serviceMillis,
            SystemMillis = (ended - request.At + TimeSpan.FromMicroseconds(500)).Ticks / TimeSpan.TicksPerMillisecond,
            IsCorrect = _random.NextDouble() < truth.AccuracyAt(granted),
        };
    }

    /// <summary>Any server in a split fleet; the one that is free first where all share one queue.</summary>
    private int ServerFor(double draw) => plan.Template.Dispatch == Dispatch.Shared
        ? Array.IndexOf(_servers, _servers.MinBy(server => server.FreeAt))
        : (int)(draw * _servers.Length);
}
