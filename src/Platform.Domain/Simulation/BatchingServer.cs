namespace Platform.Domain.Simulation;

/// <summary>
/// One server that batches, simulated iteration by iteration. Queries wait first in, first out until fewer than the cap
/// are in service; they are taken in between two iterations. An iteration processes prompts of queries that were taken
/// in, at most a chunk of tokens, and makes one token for each query whose prompt is processed, in the iteration that
/// ends the prompt already. It takes the overhead, which all share, and what its tokens add. A query without output
/// ends with its prompt; an iteration that makes no token and prepares none has no overhead. Nothing is known here of
/// formulas for queues.
/// </summary>
/// <remarks>
/// Iterations in a row in which nothing comes, ends or begins its answer are one step. Nothing is allocated for a
/// query, unless there are more on the server than ever before.
/// </remarks>
public sealed class BatchingServer
{
    private readonly BatchingConstants _constants;
    private readonly Action<FinishedQuery> _finished;
    private readonly IndexQueue _waiting = new();
    private readonly IndexQueue _prefilling = new();
    private readonly IndexQueue _starting = new();
    private readonly IndexQueue _freeSlots = new();
    private readonly MilestoneHeap _milestones = new();
    private QuerySlot[] _slots = [];
    private long _iteration;

    // What the running queries add to the next iteration, and how much that grows from one iteration to the next.
    private double _tokenSeconds;
    private double _growth;
    private long _running;
    private long _tokenMakers;

    // Sum over all iterations of the queries in service.
    private long _inServiceAtIterations;

    private ServerTotals _totals;
    private double _waitingCountedUntil;
    private LastStep _last;

    /// <summary>Builds an idle server at instant 0.</summary>
    /// <param name="constants">What it can do.</param>
    /// <param name="finished">Told of each query when it has ended, in the order of their ends.</param>
    /// <exception cref="ArgumentOutOfRangeException">A constant is out of its range.</exception>
    public BatchingServer(BatchingConstants constants, Action<FinishedQuery> finished)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(constants.OverheadSeconds, nameof(constants));
        ArgumentOutOfRangeException.ThrowIfLessThan(constants.MaxInService ?? 1, 1, nameof(constants));
        ArgumentOutOfRangeException.ThrowIfLessThan(constants.PromptTokensPerIteration, 1, nameof(constants));
        _constants = constants;
        _finished = finished;
    }

    /// <summary>The end of the last iteration, seconds; on an idle server, of the last before it became idle.</summary>
    public double NowSeconds { get; private set; }

    /// <summary>Queries in service.</summary>
    public int InService { get; private set; }

    /// <summary>Queries that wait.</summary>
    public int Waiting => _waiting.Count;

    private bool IsIdle => InService == 0 && _waiting.Count == 0;

    private bool IsFull => InService == _constants.MaxInService;

    /// <summary>Takes a query. Queries come in the order of their arrivals.</summary>
    /// <param name="instantSeconds">Its arrival, not before an arrival that was told already.</param>
    /// <param name="query">The query.</param>
    public void Arrive(double instantSeconds, in BatchedQuery query)
    {
        AdvanceTo(instantSeconds);
        if (IsIdle)
            NowSeconds = Math.Max(NowSeconds, instantSeconds);
        CountWaiting(instantSeconds);
        _waiting.Enqueue(Place(instantSeconds, query));
    }

    /// <summary>Runs iterations until one ends at an instant or after it, or nothing is left to do.</summary>
    /// <param name="instantSeconds">The instant; no arrival before it may come any more.</param>
    public void AdvanceTo(double instantSeconds)
    {
        while (NowSeconds < instantSeconds && !IsIdle)
            Step(instantSeconds);
    }

    /// <summary>Runs until nothing is left to do.</summary>
    public void Finish() => AdvanceTo(double.PositiveInfinity);

    /// <summary>What the server has done up to an instant to which it has been advanced.</summary>
    internal ServerTotals TotalsAt(double instantSeconds)
    {
        CountWaiting(instantSeconds);
        var ahead = IsIdle && NowSeconds < instantSeconds ? 0 : NowSeconds - instantSeconds;
        return ahead > 0 ? _totals.Less(_last, ahead / _last.Seconds) : _totals;
    }

    private void Step(double horizon)
    {
        TakeInWaiting();
        if (_prefilling.Count > 0)
            RunPrefillIteration();
        else
            RunIterations(IterationsUntil(horizon));
        ReachMilestones();
    }

    private void TakeInWaiting()
    {
        while (_waiting.Count > 0 && !IsFull)
        {
            CountWaiting(NowSeconds);
            var slot = _waiting.Dequeue();
            _slots[slot].StartSeconds = NowSeconds;
            _prefilling.Enqueue(slot);
            InService++;
            _tokenMakers += _slots[slot].HasOutput ? 1 : 0;
        }
    }

    /// <summary>One iteration that processes a chunk of prompts beside the running queries.</summary>
    private void RunPrefillIteration()
    {
        var prefillSeconds = PrefillChunk();
        Elapse(1, IterationSeconds + prefillSeconds);
        while (_starting.Count > 0)
            MakeFirstToken(_starting.Dequeue());
    }

    private double IterationSeconds => (_tokenMakers > 0 ? _constants.OverheadSeconds : 0) + _tokenSeconds;

    private double PrefillChunk()
    {
        long left = _constants.PromptTokensPerIteration;
        var seconds = 0.0;
        while (_prefilling.Count > 0)
        {
            ref var query = ref _slots[_prefilling.Peek()];
            var tokens = Math.Min(left, query.PromptTokensLeft);
            query.PromptTokensLeft -= tokens;
            left -= tokens;
            seconds += tokens * query.Query.Costs.SecondsPerPromptToken;
            if (query.PromptTokensLeft > 0)
                break;
            BeginRunning(_prefilling.Dequeue());
        }

        return seconds;
    }

    private void BeginRunning(int slot)
    {
        ref var query = ref _slots[slot];
        _starting.Enqueue(slot);
        if (!query.HasOutput)
            return;
        query.FirstIteration = _iteration;
        query.InServiceBefore = _inServiceAtIterations;
        _running++;
        _tokenSeconds += query.Query.Costs.SecondsPerOutputToken;
        _growth += query.Query.Costs.SecondsPerEarlierToken;
    }

    private void RunIterations(long count)
    {
        var pairs = count * (count - 1.0) / 2;
        Elapse(count, (count * IterationSeconds) + (pairs * _growth));
    }

    /// <summary>
    /// Iterations up to the next milestone, or to the first that ends at the horizon or after it, when queries can be
    /// taken in.
    /// </summary>
    private long IterationsUntil(double horizon)
    {
        var untilMilestone = _milestones.NextIteration - _iteration;
        if (IsFull)
            return untilMilestone;
        var untilHorizon = IterationsThatTake(horizon - NowSeconds);
        return untilHorizon < untilMilestone ? (long)untilHorizon : untilMilestone;
    }

    /// <summary>The least whole number k ≥ 1 with k · first + growth · k (k − 1)/2 ≥ seconds.</summary>
    private double IterationsThatTake(double seconds)
    {
        var first = IterationSeconds;
        if (_growth <= 0)
            return Math.Max(1, Math.Ceiling(seconds / first));
        var middle = first - (_growth / 2);
        var root = Math.Sqrt((middle * middle) + (2 * _growth * seconds));
        return Math.Max(1, Math.Ceiling(2 * seconds / (middle + root)));
    }

    private void Elapse(long iterations, double seconds)
    {
        var overhead = _tokenMakers > 0 ? iterations * _constants.OverheadSeconds : 0;
        _last = new(seconds, iterations, overhead, InService, iterations * _running, _totals.Completions);
        _totals.Add(_last);
        NowSeconds += seconds;
        _iteration += iterations;
        _inServiceAtIterations += iterations * InService;
        _tokenSeconds += iterations * _growth;
    }

    private void MakeFirstToken(int slot)
    {
        ref var query = ref _slots[slot];
        query.FirstTokenSeconds = NowSeconds;
        query.FirstAnswerTokenSeconds = double.NaN;
        ReachMilestone(slot);
    }

    private void ReachMilestones()
    {
        while (_milestones.Count > 0 && _milestones.NextIteration == _iteration)
            ReachMilestone(_milestones.Take());
    }

    /// <summary>Notes that a query has its first answer token, ends the query, or says when to look again.</summary>
    private void ReachMilestone(int slot)
    {
        ref var query = ref _slots[slot];
        var made = query.HasOutput ? _iteration - query.FirstIteration : 0;
        var untilAnswer = query.Query.ReasoningTokens + 1 - made;
        var untilEnd = query.Query.OutputTokens - made;
        if (untilAnswer == 0)
            query.FirstAnswerTokenSeconds = NowSeconds;
        if (untilEnd == 0)
            End(slot);
        else
            _milestones.Add(new(_iteration + (untilAnswer > 0 ? Math.Min(untilAnswer, untilEnd) : untilEnd), slot));
    }

    private void End(int slot)
    {
        ref readonly var query = ref _slots[slot];
        if (query.HasOutput)
            StopRunning(query.Query);
        InService--;
        _totals.Completions++;
        _freeSlots.Enqueue(slot);
        _finished(query.Finished(NowSeconds, _inServiceAtIterations));
    }

    private void StopRunning(in BatchedQuery query)
    {
        _running--;
        _tokenMakers--;
        _tokenSeconds -= query.Costs.SecondsPerOutputToken + (query.OutputTokens * query.Costs.SecondsPerEarlierToken);
        _growth -= query.Costs.SecondsPerEarlierToken;
        if (_running > 0)
            return;

        // With nothing running both are 0, whatever rounding has left of them.
        _tokenSeconds = 0;
        _growth = 0;
    }

    private void CountWaiting(double instant)
    {
        _totals.WaitingSeconds += _waiting.Count * (instant - _waitingCountedUntil);
        _waitingCountedUntil = instant;
    }

    private int Place(double instant, in BatchedQuery query)
    {
        if (_freeSlots.Count == 0)
            AddSlots();
        var slot = _freeSlots.Dequeue();
        _slots[slot] = new()
        {
            Query = query,
            ArrivalSeconds = instant,
            PromptTokensLeft = query.PromptTokens,
        };
        return slot;
    }

    private void AddSlots()
    {
        var before = _slots.Length;
        Array.Resize(ref _slots, Math.Max(16, before * 2));
        for (var slot = before; slot < _slots.Length; slot++)
            _freeSlots.Enqueue(slot);
    }

    private struct QuerySlot
    {
        public BatchedQuery Query;
        public double ArrivalSeconds;
        public double StartSeconds;
        public double FirstTokenSeconds;
        public double FirstAnswerTokenSeconds;
        public long PromptTokensLeft;
        public long FirstIteration;
        public long InServiceBefore;

        public readonly bool HasOutput => Query.OutputTokens > 0;

        public readonly FinishedQuery Finished(double end, long inServiceAtIterations) =>
            new(Query, ArrivalSeconds, StartSeconds, FirstTokenSeconds, FirstAnswerTokenSeconds, end)
            {
                InServiceAtTokens = HasOutput ? inServiceAtIterations - InServiceBefore : 0,
            };
    }
}

/// <summary>The last step of a server: iterations in a row with the same queries in service.</summary>
/// <param name="Seconds">How long it took.</param>
/// <param name="Iterations">How many iterations.</param>
/// <param name="OverheadSeconds">Overhead in it.</param>
/// <param name="InService">Queries in service.</param>
/// <param name="OutputTokens">Output tokens made.</param>
/// <param name="CompletionsBefore">Queries that had ended before it ended.</param>
internal readonly record struct LastStep(
    double Seconds,
    long Iterations,
    double OverheadSeconds,
    int InService,
    double OutputTokens,
    long CompletionsBefore
);

/// <summary>What a server has done since its beginning.</summary>
internal struct ServerTotals
{
    /// <summary>Queries in service, summed over time.</summary>
    public double InServiceSeconds;

    /// <summary>Queries that wait, summed over time.</summary>
    public double WaitingSeconds;

    /// <summary>Time with a query in service.</summary>
    public double BusySeconds;

    /// <summary>Overhead of the iterations.</summary>
    public double OverheadSeconds;

    /// <summary>Iterations; the last counts in part where the instant lies in it.</summary>
    public double Iterations;

    /// <summary>Output tokens made; those of the last step count in part where the instant lies in it.</summary>
    public double OutputTokens;

    /// <summary>Queries that have ended.</summary>
    public long Completions;

    public void Add(in LastStep step)
    {
        InServiceSeconds += step.Seconds * step.InService;
        BusySeconds += step.Seconds;
        OverheadSeconds += step.OverheadSeconds;
        Iterations += step.Iterations;
        OutputTokens += step.OutputTokens;
    }

    public void Add(in ServerTotals other)
    {
        InServiceSeconds += other.InServiceSeconds;
        WaitingSeconds += other.WaitingSeconds;
        BusySeconds += other.BusySeconds;
        OverheadSeconds += other.OverheadSeconds;
        Iterations += other.Iterations;
        OutputTokens += other.OutputTokens;
        Completions += other.Completions;
    }

    /// <summary>The totals without the last part of the last step.</summary>
    public readonly ServerTotals Less(in LastStep step, double part) =>
        this with
        {
            InServiceSeconds = InServiceSeconds - (step.Seconds * step.InService * part),
            BusySeconds = BusySeconds - (step.Seconds * part),
            OverheadSeconds = OverheadSeconds - (step.OverheadSeconds * part),
            Iterations = Iterations - (step.Iterations * part),
            OutputTokens = OutputTokens - (step.OutputTokens * part),
            Completions = step.CompletionsBefore,
        };
}
