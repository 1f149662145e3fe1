using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Simulation;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>
/// Draws what a publisher reports of a fleet whose curves and lines are the definition's. Arrivals are Poisson or
/// recorded, verdicts binomial, times of the line's mean and variance. What the servers have no time for ends in a
/// later window.
/// </summary>
/// <param name="definition">The fleet.</param>
/// <param name="windowSeconds">Length of a window.</param>
/// <param name="seed">Seed of all that is drawn.</param>
internal sealed class TrafficWindows(FleetDefinition definition, int windowSeconds, ulong seed)
{
    /// <summary>Counts above this are drawn from the normal law.</summary>
    private const int MostDrawnOneByOne = 60;

    /// <summary>Where the servers share and are busier than this, the queries in service no longer grow.</summary>
    private const double LeastIdle = 0.01;

    /// <summary>
    /// Where the servers share: how much a window's queries in service vary around their mean, and a query's time
    /// around what they make of it, both as parts of the mean.
    /// </summary>
    private const double LoadVariation = 0.2,
        TimeVariation = 0.2;

    private readonly long[] _waiting = new long[definition.TaskTypes.Count];
    private Xoshiro256 _random = new(seed);

    /// <summary>Whether times and verdicts are left out.</summary>
    public bool TellsArrivalsAlone { get; init; }

    /// <summary>The next window.</summary>
    /// <param name="start">Its start.</param>
    /// <param name="rate">λ during it, per second.</param>
    /// <param name="recorded">Its arrivals where they are recorded; null to draw them.</param>
    /// <param name="tokens">Tokens that each type is granted.</param>
    public WorkloadWindow Next(DateTimeOffset start, double rate, int? recorded, long[] tokens)
    {
        var arrivals = Dealt(recorded ?? Poisson(rate * windowSeconds));
        for (var k = 0; k < arrivals.Length; k++)
            _waiting[k] += arrivals[k];
        var completed = Completed(tokens);
        var load = definition.Dispatch == Dispatch.Sharing ? InService(rate, tokens) : 0;
        var tasks = new List<TaskWindow>();
        for (var k = 0; k < arrivals.Length; k++)
        {
            _waiting[k] -= completed[k];
            if (arrivals[k] > 0 || completed[k] > 0)
                tasks.Add(Task(definition.TaskTypes[k], arrivals[k], completed[k], tokens[k], load));
        }

        return new WorkloadWindow
        {
            Fleet = "fleet",
            WindowStart = start,
            WindowEnd = start.AddSeconds(windowSeconds),
            Tasks = tasks,
        };
    }

    private TaskWindow Task(TaskType type, long arrivals, long completed, long tokens, double load)
    {
        var told = new TaskWindow { TaskType = type.Id, Arrivals = arrivals };
        if (TellsArrivalsAlone || completed == 0)
            return told;
        return told with
        {
            Service = Service(type, completed, tokens, load),
            Accuracy = [Verdicts(type, completed, tokens)],
        };
    }

    private AccuracyCount Verdicts(TaskType type, long completed, long tokens)
    {
        var curve = type.Accuracy;
        var right = curve.Floor + (curve.Gain * (1 - Math.Exp(-curve.RatePerToken * tokens)));
        return new AccuracyCount
        {
            Tokens = tokens,
            Trials = completed,
            Correct = Binomial(completed, right),
        };
    }

    private ServiceSums Service(TaskType type, long completed, long tokens, double load)
    {
        var seconds = AloneSeconds(type, tokens) + (load * WorkSeconds(type, tokens));
        var isSharing = definition.Dispatch == Dispatch.Sharing;
        var deviation = TimeVariation * seconds;
        var variance = isSharing ? deviation * deviation : type.Service.VarianceSecondsSquared;
        var sum = 1e3 * ((completed * seconds) + (Math.Sqrt(completed * variance) * _random.NextNormal()));
        var millis = Math.Max((long)Math.Round(sum), completed);
        var freedom = completed - 1.0;
        var scatter = freedom > 0 ? Math.Max(1 + (_random.NextNormal() * Math.Sqrt(2 / freedom)), 0) : 0;
        var squares = ((double)millis * millis / completed) + (1e6 * variance * freedom * scatter);
        return new ServiceSums
        {
            Completions = completed,
            Tokens = completed * tokens,
            TokensSquared = completed * tokens * tokens,
            TokensGranted = completed * tokens,
            AnswerTokens = isSharing ? completed * (long)type.AnswerTokens : null,
            Concurrency = isSharing ? Concurrency(type, completed, tokens, load) : null,
            Millis = millis,
            MillisSquared = (long)Math.Ceiling(squares),
            TokenMillis = tokens * millis,
        };
    }

    private static ConcurrencySums Concurrency(TaskType type, long completed, long tokens, double load)
    {
        var output = completed * (tokens + (long)type.AnswerTokens);
        return new ConcurrencySums { Tokens = output, InService = (long)Math.Round(output * (1 + load)) };
    }

    /// <summary>Queries of each type that the servers' time is enough for: all, or an equal part of each.</summary>
    private long[] Completed(long[] tokens)
    {
        var types = definition.TaskTypes;
        var work = types.Select((type, k) => _waiting[k] * WorkSeconds(type, tokens[k])).Sum();
        var part = Math.Min(definition.Servers * windowSeconds / Math.Max(work, double.Epsilon), 1);
        return [.. _waiting.Select(waiting => part < 1 ? (long)((waiting * part) + _random.NextUnit()) : waiting)];
    }

    /// <summary>
    /// Queries in service beside a query's own: N = λ(W(1 + N) + O) by Little's law, W the mean work, O the overhead.
    /// </summary>
    private double InService(double rate, long[] tokens)
    {
        var types = definition.TaskTypes;
        var perServer = rate / definition.Servers;
        var work = types.Select((type, k) => type.Share * WorkSeconds(type, tokens[k])).Sum();
        var alone = types.Select((type, k) => type.Share * AloneSeconds(type, tokens[k])).Sum();
        var load = perServer * alone / Math.Max(1 - (perServer * work), LeastIdle);
        var varied = load * Math.Max(1 + (LoadVariation * _random.NextNormal()), 0);
        return Math.Min(varied, (definition.Sharing?.MaxInService ?? int.MaxValue) - 1);
    }

    private static double AloneSeconds(TaskType type, long tokens) =>
        type.Service.BaseSeconds + (type.Service.SecondsPerToken * tokens);

    /// <summary>Seconds that a query keeps its server from others.</summary>
    private double WorkSeconds(TaskType type, long tokens)
    {
        var overhead = definition.Sharing?.OverheadSecondsPerToken ?? 0;
        return AloneSeconds(type, tokens) - (overhead * (type.AnswerTokens + tokens));
    }

    private long[] Dealt(long arrivals)
    {
        var types = definition.TaskTypes;
        var dealt = new long[types.Count];
        var shareLeft = 1.0;
        for (var k = 0; k < dealt.Length - 1; k++)
        {
            dealt[k] = Binomial(arrivals, Math.Min(types[k].Share / shareLeft, 1));
            arrivals -= dealt[k];
            shareLeft -= types[k].Share;
        }

        dealt[^1] = arrivals;
        return dealt;
    }

    private long Poisson(double mean)
    {
        if (mean > MostDrawnOneByOne)
            return Math.Max((long)Math.Round(mean + (Math.Sqrt(mean) * _random.NextNormal())), 0);
        var count = 0L;
        for (var sum = _random.NextExponential(); sum < mean; sum += _random.NextExponential())
            count++;
        return count;
    }

    private long Binomial(long trials, double probability)
    {
        if (trials > MostDrawnOneByOne)
        {
            var deviation = Math.Sqrt(trials * probability * (1 - probability));
            var drawn = Math.Round((trials * probability) + (deviation * _random.NextNormal()));
            return Math.Clamp((long)drawn, 0, trials);
        }

        var successes = 0L;
        for (var i = 0L; i < trials; i++)
        {
            if (_random.NextUnit() < probability)
                successes++;
        }

        return successes;
    }
}
