namespace Platform.Domain.Simulation;

/// <summary>One run of a fleet of servers that batch.</summary>
/// <remarks>
/// Figures of queries are counted to the batch in which they came, figures of time to the batch that an instant is in.
/// The last arrival ends the time that is counted; queries in service then are served to their ends.
/// </remarks>
internal sealed class BatchingRun<TArrivals>
    where TArrivals : struct, IArrivalProcess
{
    private const int ArrivalsBetweenReports = 1 << 14;

    private readonly BatchingFleet _fleet;
    private readonly BatchingServer[] _servers;
    private readonly TArrivals _arrivals;
    private readonly long _count;
    private readonly SimulationOptions _options;
    private readonly bool _isBatched;
    private readonly int _batches;
    private readonly long _warmUp;
    private readonly long _batchLength;

    // By task type, and within it by batch.
    private readonly QuerySums[] _sums;
    private readonly ServerTotals[] _totalsAtBatch;
    private readonly double[] _instantOfBatch;
    private Xoshiro256 _random;
    private double _now;
    private bool _isEndless;
    private double _loneSeconds;
    private double _offeredSeconds;
    private double _lastOfferedSeconds;

    public BatchingRun(BatchingFleet fleet, TArrivals arrivals, long count, SimulationOptions options)
    {
        _fleet = fleet;
        _arrivals = arrivals;
        _count = count;
        _options = options;
        _random = new(options.Seed);
        _isBatched = count >= BatchMeans.LeastArrivals;
        _batches = _isBatched ? BatchMeans.Count : 1;
        _warmUp = _isBatched ? BatchMeans.WarmUp(count) : 0;
        _batchLength = (count - _warmUp) / _batches;
        _sums = new QuerySums[fleet.Types.Count * _batches];
        _totalsAtBatch = new ServerTotals[_batches + 1];
        _instantOfBatch = new double[_batches + 1];
        _servers = fleet.Servers(Record);
    }

    public SimulationResult Measure()
    {
        for (var index = 0L; index < _count; index++)
        {
            Arrive(index);
            if ((index + 1) % ArrivalsBetweenReports == 0)
                _options.Progress?.Invoke(index + 1);
        }

        EndBatch(_batches);
        foreach (var server in _servers)
            server.Finish();
        _options.Progress?.Invoke(_count);
        return Result();
    }

    private void Arrive(long index)
    {
        _now += _arrivals.Next(index, ref _random, out var type);
        if (double.IsPositiveInfinity(_now))
            BeginAnew();
        var measured = index - _warmUp;
        if (measured >= 0 && measured % _batchLength == 0)
            EndBatch((int)(measured / _batchLength));
        var server = _servers.Length == 1 ? 0 : _random.NextIndex(_servers.Length, out _);
        var query = _fleet.Types[type].Draw(index, type, ref _random);
        if (measured >= 0)
            CountOffered(query);
        _servers[server].Arrive(_now, query);
    }

    /// <summary>After an endless time every server is idle, and any instant is as good as another.</summary>
    private void BeginAnew()
    {
        foreach (var server in _servers)
            server.Finish();
        _now = _servers.Max(server => server.NowSeconds);
        _isEndless = true;
    }

    /// <summary>Takes the totals at the instant that ends a batch and begins the next, or begins the first.</summary>
    private void EndBatch(int batch)
    {
        _instantOfBatch[batch] = _now;
        foreach (var server in _servers)
        {
            server.AdvanceTo(_now);
            _totalsAtBatch[batch].Add(server.TotalsAt(_now));
        }
    }

    private void CountOffered(in BatchedQuery query)
    {
        var constants = _fleet.Constants;
        var overhead = query.OutputTokens * constants.OverheadSeconds;
        var work = query.Costs.WorkSeconds(query.PromptTokens, query.OutputTokens);
        _loneSeconds += work + overhead;
        _lastOfferedSeconds = work + (constants.MaxInService is { } cap ? overhead / cap : 0);
        _offeredSeconds += _lastOfferedSeconds;
    }

    private void Record(FinishedQuery query)
    {
        var measured = query.Query.Index - _warmUp;
        if (measured < 0)
            return;
        var batch = (int)(measured / _batchLength);
        _sums[(query.Query.TaskType * _batches) + batch].Add(query);
    }

    private SimulationResult Result()
    {
        var all = OfAllTypes();
        var systems = all.Of(sums => sums.SystemSeconds / _batchLength);
        var time = new TimeFigures(_totalsAtBatch, _instantOfBatch, _isEndless, _servers.Length, _fleet.Constants);
        var offered = time.OfServers(_offeredSeconds - _lastOfferedSeconds);
        return new()
        {
            Batches = _isBatched ? _batches : 0,
            WarmUpArrivals = _warmUp,
            MeasuredArrivals = _count - _warmUp,
            BatchCorrelation = _isBatched ? BatchMeans.Correlation(systems) : null,
            SystemTime = all.SystemTime!,
            Wait = all.Wait!,
            MeanServiceSeconds = _loneSeconds / (_count - _warmUp),
            Utilization = Math.Clamp(time.Utilization, 0, 1),
            OfferedLoad = double.IsFinite(offered) ? offered : null,
            Stable = offered < 1,
            TimeToFirstAnswerToken = all.TimeToFirstAnswerToken,
            InterToken = all.InterToken,
            InService = time.InService,
            InSystem = time.InSystem,
            BusyShare = time.BusyShare,
            QueriesPerSecond = time.QueriesPerSecond,
            OutputTokensPerSecond = time.OutputTokensPerSecond,
            Iterations = time.Iterations,
            TaskTypes = [.. _fleet.Types.Select((type, k) => OfType(k).Figures(type.Id))],
        };
    }

    private QueryBatches OfType(int type) => new(_sums.AsSpan(type * _batches, _batches).ToArray());

    private QueryBatches OfAllTypes()
    {
        var all = new QuerySums[_batches];
        for (var i = 0; i < _sums.Length; i++)
            all[i % _batches].Add(_sums[i]);
        return new(all);
    }
}

/// <summary>Sums over queries.</summary>
internal struct QuerySums
{
    public long Count;
    public double SystemSeconds;
    public double WaitSeconds;
    public double FirstAnswerSeconds;
    public double GapSeconds;
    public long Gaps;

    public void Add(in FinishedQuery query)
    {
        var hasAnswer = query.Query.AnswerTokens > 0;
        var answered = hasAnswer ? query.FirstAnswerTokenSeconds : query.EndSeconds;
        Count++;
        SystemSeconds += query.SystemSeconds;
        WaitSeconds += query.WaitSeconds;
        FirstAnswerSeconds += answered - query.ArrivalSeconds;
        GapSeconds += query.EndSeconds - query.FirstTokenSeconds;
        Gaps += Math.Max(0, query.Query.OutputTokens - 1);
    }

    public void Add(in QuerySums other)
    {
        Count += other.Count;
        SystemSeconds += other.SystemSeconds;
        WaitSeconds += other.WaitSeconds;
        FirstAnswerSeconds += other.FirstAnswerSeconds;
        GapSeconds += other.GapSeconds;
        Gaps += other.Gaps;
    }
}

/// <summary>What queries saw, by batch.</summary>
internal sealed class QueryBatches(QuerySums[] batches)
{
    public SimulatedMean? SystemTime => Mean(sums => sums.SystemSeconds, sums => sums.Count);

    public SimulatedMean? Wait => Mean(sums => sums.WaitSeconds, sums => sums.Count);

    public SimulatedMean? TimeToFirstAnswerToken => Mean(sums => sums.FirstAnswerSeconds, sums => sums.Count);

    public SimulatedMean? InterToken => Mean(sums => sums.GapSeconds, sums => sums.Gaps);

    public double[] Of(Func<QuerySums, double> figure) => [.. batches.Select(figure)];

    public SimulatedTaskType Figures(string id) =>
        new(id, batches.Sum(sums => sums.Count), SystemTime?.MeanSeconds)
        {
            SystemTime = SystemTime,
            Wait = Wait,
            TimeToFirstAnswerToken = TimeToFirstAnswerToken,
            InterToken = InterToken,
        };

    private SimulatedMean? Mean(Func<QuerySums, double> sum, Func<QuerySums, double> weight) =>
        BatchMeans.Ratio(Of(sum), Of(weight))?.Seconds;
}

/// <summary>What servers did over time, by batch.</summary>
/// <param name="totals">
/// Totals of all servers at the instants between the batches, the first and the last included.
/// </param>
/// <param name="instants">Those instants.</param>
/// <param name="isEndless">Whether the time was endless: the servers then did nothing for nearly all of it.</param>
/// <param name="servers">Number of servers.</param>
/// <param name="constants">What each of them can do.</param>
internal sealed class TimeFigures(
    ServerTotals[] totals,
    double[] instants,
    bool isEndless,
    int servers,
    BatchingConstants constants
)
{
    private static readonly SimulatedFigure Nothing = new(0, null, null, null);

    public SimulatedFigure InService => Mean(at => at.InServiceSeconds / servers);

    public SimulatedFigure InSystem => Mean(at => (at.InServiceSeconds + at.WaitingSeconds) / servers);

    public SimulatedFigure BusyShare => Mean(at => at.BusySeconds / servers);

    public SimulatedFigure QueriesPerSecond => Mean(at => at.Completions);

    public SimulatedFigure OutputTokensPerSecond => Mean(at => at.OutputTokens);

    public double Utilization => Mean(WorkSeconds).Mean / servers;

    public long Iterations => (long)Math.Round(totals[^1].Iterations - totals[0].Iterations);

    /// <summary>Seconds of work as a part of what all servers could do in the measured time.</summary>
    public double OfServers(double seconds)
    {
        if (isEndless || seconds == 0)
            return 0;
        return seconds / ((instants[^1] - instants[0]) * servers);
    }

    private double WorkSeconds(ServerTotals at)
    {
        var added = at.BusySeconds - at.OverheadSeconds;
        return constants.MaxInService is { } cap ? added + (at.OutputTokens * constants.OverheadSeconds / cap) : added;
    }

    private SimulatedFigure Mean(Func<ServerTotals, double> total)
    {
        if (isEndless)
            return Nothing;
        var sums = totals.Zip(totals.Skip(1), (begin, end) => total(end) - total(begin));
        var seconds = instants.Zip(instants.Skip(1), (begin, end) => end - begin);
        return BatchMeans.Ratio([.. sums], [.. seconds]) ?? Nothing;
    }
}
