using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Estimation;

/// <summary>
/// A server that shares, simulated query by query: all in service advance at the rate 1/(α + δ·n), until each has made
/// its answer and reasoning tokens. Two task types, arrivals whose rate follows the day, seen through windows of a
/// minute; and a definition that guesses.
/// </summary>
internal sealed class SharingFleet
{
    public const int Horizon = 21_600;
    private const int WindowSeconds = 60;
    private const double WarmUpSeconds = 1_200;

    private readonly PriorityQueue<int, double> _inService = new();
    private readonly Stack<int> _freeSlots = new();
    private Query[] _slots = [];
    private ServedSums[,]? _served;
    private readonly double _swing;
    private readonly double _answerVariation;
    private readonly double _meanRate;
    private readonly double _reportedPart;
    private Xoshiro256 _random;

    // Σ over the tokens that a query in service from the beginning would have made, of the queries in service then.
    private double _inServiceTokens;

    /// <param name="seed">Decides everything.</param>
    /// <param name="utilization">ρ at the mean rate.</param>
    /// <param name="swing">Amplitude of the arrival rate over the horizon, in mean rates.</param>
    /// <param name="answerVariation">Coefficient of variation of the answer tokens, of which windows say
    /// nothing.</param>
    /// <param name="guess">Deviation of the logarithm of the definition's figures from the truth.</param>
    /// <param name="reportedPart">The part of the queries that windows report; the others are served too.</param>
    public SharingFleet(
        int seed,
        double utilization,
        double swing,
        double answerVariation = 0.3,
        double guess = 0.4,
        double reportedPart = 1
    )
    {
        _random = new Xoshiro256((ulong)seed);
        _reportedPart = reportedPart;
        _swing = swing;
        _answerVariation = answerVariation;
        Overhead = LogUniform(0.005, 0.02);
        Work = Overhead * LogUniform(0.01, 0.05);
        Answers = [Uniform(100, 300), Uniform(20, 100)];
        Reasoning = [Uniform(300, 800), Uniform(50, 200)];
        double[] shares = [0.4, 0.6];
        var meanWork = Work * shares.Index().Sum(it => it.Item * (Answers[it.Index] + Reasoning[it.Index]));
        _meanRate = utilization / meanWork;
        Truth = new AllocationProblem
        {
            ArrivalRate = _meanRate,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(Overhead),
            AccuracyWeight = 30,
            TaskTypes = [.. shares.Select(Type)],
        };
        Definition = Guess(guess);
    }

    /// <summary>α.</summary>
    public double Overhead { get; }

    /// <summary>δ, the work of a token of any kind.</summary>
    public double Work { get; }

    /// <summary>m by task type.</summary>
    public double[] Answers { get; }

    /// <summary>Mean reasoning tokens by task type.</summary>
    public double[] Reasoning { get; }

    public AllocationProblem Truth { get; }

    public FleetDefinition Definition { get; }

    /// <summary>The windows of a horizon.</summary>
    /// <param name="sample">The tokens of which they tell how many queries were in service.</param>
    public IReadOnlyList<WorkloadWindow> Windows(ConcurrencySample sample = ConcurrencySample.None)
    {
        _served ??= Serve();
        return [.. Enumerable.Range(0, Horizon / WindowSeconds).Select(i => Window(_served, i, sample))];
    }

    private ServedSums[,] Serve()
    {
        var counts = new ServedSums[Horizon / WindowSeconds, Truth.TaskTypes.Count];
        var greatest = _meanRate * (1 + _swing);
        var (time, attained) = (-WarmUpSeconds, 0.0);
        var next = time + (_random.NextExponential() / greatest);
        while (true)
        {
            var iteration = Overhead + (Work * _inService.Count);
            var hasQuery = _inService.TryPeek(out _, out var first);
            var end = hasQuery ? time + ((first - attained) * iteration) : double.PositiveInfinity;
            if (Math.Min(end, next) >= Horizon)
                break;
            if (end <= next)
            {
                _inServiceTokens += _inService.Count * (first - attained);
                attained = first;
                time = end;
                End(counts, time);
                continue;
            }

            var tokens = hasQuery ? (next - time) / iteration : 0;
            _inServiceTokens += _inService.Count * tokens;
            attained += tokens;
            time = next;
            next += _random.NextExponential() / greatest;
            if (Uniform(0, greatest) < RateAt(time))
                Arrive(counts, time, attained);
        }

        return counts;
    }

    public FleetEstimate Observed() => Observed(Windows());

    public FleetEstimate Observed(IEnumerable<WorkloadWindow> windows)
    {
        var sums = new WorkloadSums(Horizon);
        foreach (var window in windows)
            sums.Fold(window);
        return Estimator.Estimate(Definition, sums, Estimation.Windows.Start.AddSeconds(Horizon));
    }

    private void Arrive(ServedSums[,] counts, double time, double attained)
    {
        var k = Uniform(0, 1) < Truth.TaskTypes[0].Share ? 0 : 1;
        var tokens = (long)(Reasoning[k] * Uniform(0.4, 1.6));
        var deviation = _answerVariation * Answers[k];
        var answer = deviation > 0 ? new GammaLaw(Answers[k], deviation * deviation).Next(ref _random) : Answers[k];
        var isReported = _reportedPart >= 1 || Uniform(0, 1) < _reportedPart;
        var query = new Query(k, tokens, tokens + answer, time, _inServiceTokens, isReported);
        var slot = FreeSlot();
        _slots[slot] = query;
        _inService.Enqueue(slot, attained + tokens + answer);
        if (time >= 0 && isReported)
            counts[(int)time / WindowSeconds, k].Arrivals++;
    }

    private void End(ServedSums[,] counts, double time)
    {
        var atLastToken = _inService.Count;
        var slot = _inService.Dequeue();
        _freeSlots.Push(slot);
        ref readonly var query = ref _slots[slot];
        if (time < 0 || !query.IsReported)
            return;
        var millis = (long)Math.Round(1e3 * (time - query.Start));
        ref var sums = ref counts[(int)time / WindowSeconds, query.Type];
        sums.AddEnded(query.Tokens, millis);
        sums.AddConcurrency(query.OutputTokens, _inServiceTokens - query.InServiceTokensBefore, atLastToken);
    }

    private int FreeSlot()
    {
        if (_freeSlots.TryPop(out var slot))
            return slot;
        Array.Resize(ref _slots, _slots.Length + 1);
        return _slots.Length - 1;
    }

    private double RateAt(double time) => _meanRate * (1 + (_swing * Math.Sin(2 * Math.PI * time / Horizon)));

    private WorkloadWindow Window(ServedSums[,] counts, int i, ConcurrencySample sample) =>
        Estimation.Windows.Of(
            WindowSeconds * i,
            WindowSeconds * (i + 1),
            [.. Truth.TaskTypes.Select((type, k) => counts[i, k].Window(type.Id, sample))]
        );

    private TaskType Type(double share, int k) =>
        new()
        {
            Id = $"type-{k}",
            Share = share,
            MaxTokens = 32_768,
            AnswerTokens = Answers[k],
            Service = new ServiceLine((Overhead + Work) * Answers[k], Overhead + Work),
            Accuracy = new AccuracyCurve(0.3, 0.5, 0.002),
        };

    /// <summary>The guess leaves out α and the answer tokens.</summary>
    private FleetDefinition Guess(double deviation) =>
        new()
        {
            DisplayName = "Sharing",
            Dispatch = Dispatch.Sharing,
            Objective = new FleetObjective { AccuracyWeight = 30 },
            ArrivalRate = _meanRate * Factor(deviation),
            Solving = new SolvingPolicy { HorizonSeconds = Horizon },
            TaskTypes =
            [
                .. Truth.TaskTypes.Select(type =>
                    type with
                    {
                        AnswerTokens = 0,
                        Service = new ServiceLine(
                            type.Service.BaseSeconds * Factor(deviation),
                            type.Service.SecondsPerToken * Factor(deviation)
                        ),
                    }
                ),
            ],
        };

    private double Factor(double deviation) => Math.Exp(deviation * _random.NextNormal());

    private double Uniform(double low, double high) =>
        low + ((high - low) * ((_random.Next() >> 11) * (1.0 / (1UL << 53))));

    private double LogUniform(double low, double high) => Math.Exp(Uniform(Math.Log(low), Math.Log(high)));

    private readonly record struct Query(
        int Type,
        long Tokens,
        double OutputTokens,
        double Start,
        double InServiceTokensBefore,
        bool IsReported
    );

    private struct ServedSums
    {
        private long _count,
            _tokens,
            _tokensSquared,
            _millis,
            _millisSquared,
            _tokenMillis;
        private long _outputTokens,
            _inServiceAtTokens,
            _inServiceAtLastTokens;

        public long Arrivals { get; set; }

        public void AddEnded(long tokens, long millis)
        {
            _count++;
            _tokens += tokens;
            _tokensSquared += tokens * tokens;
            _millis += millis;
            _millisSquared += millis * millis;
            _tokenMillis += tokens * millis;
        }

        public void AddConcurrency(double tokens, double inServiceAtTokens, int inServiceAtLastToken)
        {
            var wholeTokens = (long)Math.Round(tokens);
            _outputTokens += wholeTokens;
            _inServiceAtTokens += Math.Max((long)Math.Round(inServiceAtTokens), wholeTokens);
            _inServiceAtLastTokens += inServiceAtLastToken;
        }

        public readonly TaskWindow Window(string taskType, ConcurrencySample sample) =>
            new()
            {
                TaskType = taskType,
                Arrivals = Arrivals,
                Service = new ServiceSums
                {
                    Completions = _count,
                    Tokens = _tokens,
                    TokensSquared = _tokensSquared,
                    Millis = _millis,
                    MillisSquared = _millisSquared,
                    TokenMillis = _tokenMillis,
                    Concurrency = Concurrency(sample),
                },
                System = new SystemSums
                {
                    Completions = _count,
                    Millis = _millis,
                    MillisSquared = _millisSquared,
                },
            };

        private readonly ConcurrencySums? Concurrency(ConcurrencySample sample) =>
            sample switch
            {
                ConcurrencySample.AllTokens => new() { Tokens = _outputTokens, InService = _inServiceAtTokens },
                ConcurrencySample.LastToken => new() { Tokens = _count, InService = _inServiceAtLastTokens },
                _ => null,
            };
    }
}

/// <summary>Output tokens of which windows tell how many queries were in service when they were made.</summary>
public enum ConcurrencySample
{
    /// <summary>Windows tell nothing of it.</summary>
    None,

    /// <summary>Every token of the queries that ended.</summary>
    AllTokens,

    /// <summary>The last token of each query that ended.</summary>
    LastToken,
}
