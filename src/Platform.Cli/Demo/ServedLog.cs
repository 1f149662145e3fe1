namespace Platform.Cli.Demo;

/// <summary>What queries that arrived within a span of time really had.</summary>
/// <param name="Queries">Their number.</param>
/// <param name="Accuracy">Part answered correctly; null without a query.</param>
/// <param name="MeanSystemTimeSeconds">Mean time from arrival to end; null without a query.</param>
/// <param name="Objective">Accuracy weight times accuracy, less the mean system time; null without a query.</param>
internal sealed record ServedFigures(int Queries, double? Accuracy, double? MeanSystemTimeSeconds, double? Objective);

/// <summary>How two policies compare on the same queries.</summary>
/// <param name="LastMinute">Objective over the last minute less that of the other policy.</param>
/// <param name="LastMinuteNoise">
/// Half width of the 95 % interval for one minute's difference, from the scatter of all minutes.
/// </param>
/// <param name="Trace">The same over the whole trace.</param>
/// <param name="TraceNoise">Half width of its 95 % interval.</param>
internal sealed record ServedComparison(double LastMinute, double LastMinuteNoise, double Trace, double TraceNoise);

/// <summary>The queries of a trace as one policy served them.</summary>
/// <param name="accuracyWeight">Seconds that one unit of accuracy is worth.</param>
/// <param name="length">Length of the trace.</param>
internal sealed class ServedLog(double accuracyWeight, TimeSpan length)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly List<LoggedQuery> _queries = [];

    public ServedFigures FirstMinute => Figures(TimeSpan.Zero, Minute);

    public ServedFigures LastMinute => Figures(length - Minute, TimeSpan.MaxValue);

    public ServedFigures Trace => Figures(TimeSpan.Zero, TimeSpan.MaxValue);

    /// <summary>Serves a whole trace with the same tokens from start to end, without exploring.</summary>
    public static ServedLog Of(FleetWorkload workload, IReadOnlyList<long> tokens, TimeSpan length)
    {
        var log = new ServedLog(workload.Plan.Definition.Objective.AccuracyWeight, length);
        var simulation = new FleetSimulation(workload.Plan, workload.Seed, explores: false, log.Record);
        foreach (var request in workload.Requests)
            simulation.Arrive(request, tokens);
        simulation.AdvanceTo(TimeSpan.MaxValue);
        return log;
    }

    public void Record(ServedQuery query) =>
        _queries.Add(new(query.Index, query.Arrived, query.IsCorrect, query.SystemMillis / 1e3));

    /// <summary>
    /// Compares with another log of the same queries. Minutes are the batches: queries that wait for one another are
    /// within one, mostly.
    /// </summary>
    public ServedComparison Against(ServedLog other)
    {
        // Minutes are counted back from the end, so that the last one is whole.
        var byMinute = InOrder
            .Zip(other.InOrder, (mine, its) => (Minute: MinuteOf(mine), Gain: Worth(mine) - Worth(its)))
            .GroupBy(query => query.Minute, query => query.Gain)
            .ToDictionary(minute => minute.Key, minute => (Mean: minute.Average(), Count: minute.Count()));
        var (count, mean) = (
            byMinute.Count,
            byMinute.Values.Sum(minute => minute.Mean * minute.Count) / Math.Max(_queries.Count, 1)
        );
        var deviation =
            count < 2
                ? 0
                : Math.Sqrt(byMinute.Values.Sum(minute => (minute.Mean - mean) * (minute.Mean - mean)) / (count - 1));
        const double Z = 1.96;
        return new ServedComparison(
            byMinute.GetValueOrDefault(0).Mean,
            Z * deviation,
            mean,
            Z * deviation / Math.Sqrt(Math.Max(count, 1))
        );
    }

    /// <summary>
    /// The queries as they came: where servers batch they end in another order, and another one under another policy.
    /// </summary>
    private IEnumerable<LoggedQuery> InOrder => _queries.OrderBy(query => query.Index);

    private int MinuteOf(LoggedQuery query) => (int)((length - query.Arrived) / Minute);

    private double Worth(LoggedQuery query) => (query.IsCorrect ? accuracyWeight : 0) - query.SystemSeconds;

    private readonly record struct LoggedQuery(int Index, TimeSpan Arrived, bool IsCorrect, double SystemSeconds);

    private ServedFigures Figures(TimeSpan from, TimeSpan to)
    {
        var within = _queries.Where(query => query.Arrived >= from && query.Arrived < to).ToArray();
        return within.Length == 0
            ? new ServedFigures(0, null, null, null)
            : new ServedFigures(
                within.Length,
                within.Average(query => query.IsCorrect ? 1.0 : 0.0),
                within.Average(query => query.SystemSeconds),
                within.Average(Worth)
            );
    }
}
