namespace Platform.Domain.Simulation;

/// <summary>
/// The servers of a fleet, known by when each will have done all that it was given. Instants count from the last
/// rebase.
/// </summary>
internal interface IServerPool
{
    /// <summary>Takes the next query; queries come in order.</summary>
    /// <param name="now">Its arrival.</param>
    /// <param name="service">Its seconds on a server.</param>
    /// <param name="random">The run's generator.</param>
    /// <returns>Seconds that it waits.</returns>
    double Admit(double now, double service, ref Xoshiro256 random);

    /// <summary>When each server is free; the order is the pool's own.</summary>
    Span<double> FreeAt { get; }
}

/// <summary>
/// One FIFO queue for each server, chosen at random. Lindley (1952): a query starts when it has arrived and the one
/// before it at the same server has ended.
/// </summary>
internal readonly struct SplitServers(int servers) : IServerPool
{
    private readonly double[] _freeAt = new double[servers];

    public Span<double> FreeAt => _freeAt;

    public double Admit(double now, double service, ref Xoshiro256 random)
    {
        ref var freeAt = ref _freeAt[_freeAt.Length == 1 ? 0 : random.NextIndex(_freeAt.Length, out _)];
        var start = freeAt > now ? freeAt : now;
        freeAt = start + service;
        return start - now;
    }
}

/// <summary>
/// One FIFO queue for all servers. Kiefer and Wolfowitz (1955): a query starts at the server that is free first. The
/// instants form a binary heap with the earliest at its root.
/// </summary>
internal readonly struct SharedServers(int servers) : IServerPool
{
    private readonly double[] _freeAt = new double[servers];

    public Span<double> FreeAt => _freeAt;

    public double Admit(double now, double service, ref Xoshiro256 random)
    {
        var start = _freeAt[0] > now ? _freeAt[0] : now;
        ReplaceEarliest(start + service);
        return start - now;
    }

    private void ReplaceEarliest(double end)
    {
        var (heap, hole) = (_freeAt, 0);
        while (true)
        {
            var child = (2 * hole) + 1;
            if (child >= heap.Length)
                break;
            if (child + 1 < heap.Length && heap[child + 1] < heap[child])
                child++;
            if (heap[child] >= end)
                break;
            heap[hole] = heap[child];
            hole = child;
        }

        heap[hole] = end;
    }
}
