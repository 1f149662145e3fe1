namespace Platform.Client;

/// <summary>
/// Counts a fleet's queries in flight and gives each the tokens for so many: of the allocation's ladder where it has
/// one, of the allocation itself where not. May be called by many threads at once.
/// </summary>
public sealed class QueriesInFlight
{
    private readonly SurgeLevel _level;
    private readonly int _gateways;
    private int _count;

    /// <summary>Starts with nothing in flight.</summary>
    /// <param name="gateways"> How many gateways like this one send queries to the fleet, at least 1: each then takes
    /// the others to have as many in flight as itself.
    /// </param>
    /// <param name="descent">
    /// The part of a rung's number below which it is left, above 0 and at most 1: see <see cref="SurgeLevel"/>.
    /// </param>
    public QueriesInFlight(int gateways = 1, double descent = SurgeLevel.DefaultDescent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gateways, 1);
        _gateways = gateways;
        _level = new SurgeLevel(descent);
    }

    /// <summary>Queries that have begun here and have not ended.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Begins a query: counts it, and says how many tokens it gets.</summary>
    /// <param name="allocation">What is in force for the fleet.</param>
    /// <param name="taskType">The query's task type.</param>
    /// <returns>The query, to be disposed when it has ended, however it did.</returns>
    /// <exception cref="KeyNotFoundException">The allocation has no such task type; nothing is counted.</exception>
    public QueryInFlight Begin(FleetAllocation allocation, string taskType)
    {
        var tokens = allocation.Tokens[taskType];
        var others = Interlocked.Increment(ref _count) - 1;
        if (allocation.Ladder.Count == 0)
            return new QueryInFlight(this, tokens);
        var level = _level.Observe((double)others * _gateways / allocation.Servers);
        return new QueryInFlight(this, allocation.TokensFor(taskType, level));
    }

    internal void End() => Interlocked.Decrement(ref _count);
}

/// <summary>A query that is counted until it is disposed.</summary>
public sealed class QueryInFlight : IDisposable
{
    private QueriesInFlight? _of;

    internal QueryInFlight(QueriesInFlight of, long tokens)
    {
        _of = of;
        Tokens = tokens;
    }

    /// <summary>Reasoning tokens that it gets.</summary>
    public long Tokens { get; }

    /// <summary>The query has ended. Further calls do nothing.</summary>
    public void Dispose() => Interlocked.Exchange(ref _of, null)?.End();
}
