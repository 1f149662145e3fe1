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

/// <summary>A server with a FIFO queue of its own.</summary>
internal sealed class FifoServer
{
    private TimeSpan _freeAt;

    /// <summary>Takes the next query; arrivals come in order.</summary>
    /// <returns>When it ends. Lindley (1952): it starts when it has arrived and the one before it has ended.</returns>
    public TimeSpan Serve(TimeSpan arrival, TimeSpan service) => _freeAt = (arrival > _freeAt ? arrival : _freeAt) + service;
}

/// <summary>A demo fleet at work under the static policy: queries are split over the servers at random.</summary>
internal sealed class FleetSimulation(FleetPlan plan, int seed)
{
    private readonly Random _random = new(seed);
    private readonly FifoServer[] _servers = [.. Enumerable.Range(0, plan.Template.Servers).Select(_ => new FifoServer())];

    /// <summary>Serves the next request of the trace.</summary>
    public ServedQuery Serve(TraceRequest request)
    {
        var task = plan.TaskOfShape[(int)RequestShapes.Of(request)];
        var (truth, server) = (plan.Truth[task], _random.Next(_servers.Length));
        var granted = StaticPolicy.Grant(plan.Template.PolicyTokens, _random);
        var used = StaticPolicy.Use(granted, _random);
        var serviceMillis = (long)Math.Round((truth.Service.BaseSeconds + (truth.Service.SecondsPerToken * used)) * 1_000);
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
            IsCorrect = _random.NextDouble() < Probability(truth.Accuracy, granted),
        };
    }

    private static double Probability(AccuracyCurve curve, long tokens) => curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));
}
