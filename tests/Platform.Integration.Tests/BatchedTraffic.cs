using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Simulation;

namespace Platform.Integration.Tests;

/// <summary>
/// Traffic of one server of a big model that batches: α 20.6 ms, δ 0.41 ms, simulated iteration by iteration under a
/// load that rises and falls, each query at one of three budgets. What it is, and the windows that tell of it.
/// </summary>
internal sealed class BatchedTraffic
{
    private const double Overhead = 0.0206;
    private const double Work = 0.00041;
    private const int WindowSeconds = 60;

    /// <summary>Windows of even load at the end.</summary>
    private const int SteadyWindows = 40;

    private static readonly double[] Budgets = [400, 800, 1_200];

    private readonly DateTimeOffset _begin;
    private readonly int _windows;
    private readonly Random _verdicts = new(7);
    private readonly IReadOnlyList<FinishedQuery> _queries;

    /// <param name="end">When the last window ends.</param>
    /// <param name="windows">How many windows of a minute.</param>
    /// <param name="seed">Decides everything.</param>
    public BatchedTraffic(DateTimeOffset end, int windows, ulong seed)
    {
        _windows = windows;
        _begin = DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds() - (windows * WindowSeconds));
        var types = Truth.TaskTypes.Select(type => new BatchedType
        {
            Id = type.Id,
            Share = type.Share,
            ReasoningTokens = TokenLaw.Mixed([.. Budgets.Select(tokens => (1.0, TokenLaw.Fixed(tokens)))]),
            AnswerTokens = TokenLaw.Geometric(type.AnswerTokens),
            Costs = new TokenCosts(Work),
        });
        var fleet = new BatchingFleet(1, new BatchingConstants(Overhead), [.. types]);
        _queries = fleet.Serve([.. Enumerable.Range(0, windows).Select(i => Segment(i, windows))], seed);
    }

    /// <summary>The problem as it truly is.</summary>
    public static AllocationProblem Truth { get; } =
        new()
        {
            ArrivalRate = 1,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(Overhead),
            AccuracyWeight = 300,
            TaskTypes =
            [
                Type("math", 0.3, 100, new AccuracyCurve(0.2, 0.6, 0.001)),
                Type("code", 0.3, 300, new AccuracyCurve(0.3, 0.5, 0.0006)),
                Type("chat", 0.4, 200, new AccuracyCurve(0.5, 0.3, 0.003)),
            ],
        };

    /// <summary>Queries that ended within the windows.</summary>
    public int Queries => _queries.Count(query => query.EndSeconds < _windows * WindowSeconds);

    /// <summary>The windows, earliest first.</summary>
    /// <param name="fleet">The fleet that they are of.</param>
    public IEnumerable<WorkloadWindow> Windows(string fleet)
    {
        var arrived = _queries.ToLookup(query => (int)query.ArrivalSeconds / WindowSeconds);
        var ended = _queries.ToLookup(query => (int)query.EndSeconds / WindowSeconds);
        for (var i = 0; i < _windows; i++)
        {
            yield return new WorkloadWindow
            {
                Fleet = fleet,
                WindowStart = _begin.AddSeconds(i * WindowSeconds),
                WindowEnd = _begin.AddSeconds((i + 1) * WindowSeconds),
                Tasks = [.. Truth.TaskTypes.Select((type, k) => Task(type, Of(arrived[i], k), Of(ended[i], k)))],
            };
        }
    }

    private static FinishedQuery[] Of(IEnumerable<FinishedQuery> queries, int taskType) =>
        [.. queries.Where(query => query.Query.TaskType == taskType)];

    /// <summary>
    /// Load that swings, and is as in <see cref="Truth"/> at the end: what is granted is for the traffic as it is then.
    /// </summary>
    private static LoadSegment Segment(int i, int windows) =>
        new(WindowSeconds, i < windows - SteadyWindows ? 1 + (0.6 * Math.Sin(i / 20.0)) : 1);

    private static TaskType Type(string id, double share, double answer, AccuracyCurve accuracy) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 32_768,
            AnswerTokens = answer,
            Service = new ServiceLine((Overhead + Work) * answer, Overhead + Work),
            Accuracy = accuracy,
        };

    private TaskWindow Task(TaskType type, FinishedQuery[] arrived, FinishedQuery[] ended)
    {
        long[] tokens = [.. ended.Select(query => query.Query.ReasoningTokens)];
        long[] millis = [.. ended.Select(query => (long)Math.Round(1e3 * query.ServiceSeconds))];
        return new TaskWindow
        {
            TaskType = type.Id,
            Arrivals = arrived.Length,
            Service = new ServiceSums
            {
                Completions = ended.Length,
                Tokens = tokens.Sum(),
                TokensSquared = tokens.Sum(it => it * it),
                TokensGranted = tokens.Sum(),
                Millis = millis.Sum(),
                MillisSquared = millis.Sum(it => it * it),
                TokenMillis = tokens.Zip(millis, (used, time) => used * time).Sum(),
            },
            System = new SystemSums
            {
                Completions = ended.Length,
                Millis = millis.Sum(),
                MillisSquared = millis.Sum(it => it * it),
            },
            Accuracy = [.. tokens.CountBy(granted => granted).Select(it => Verdicts(type.Accuracy, it.Key, it.Value))],
        };
    }

    private AccuracyCount Verdicts(AccuracyCurve curve, long tokens, int trials)
    {
        var right = curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));
        var correct = Enumerable.Range(0, trials).Count(_ => _verdicts.NextDouble() < right);
        return new AccuracyCount
        {
            Tokens = tokens,
            Trials = trials,
            Correct = correct,
        };
    }
}
