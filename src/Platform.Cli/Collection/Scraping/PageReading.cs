namespace Platform.Cli.Collection.Scraping;

/// <summary>What a server's page tells at one instant.</summary>
internal sealed class PageReading
{
    /// <summary>When the server's process started: a client library of Prometheus adds it to the page.</summary>
    private const string ProcessStart = "process_start_time_seconds";

    /// <summary>
    /// Labels by which the processes differ that serve the same queries together, each with a part of the model.
    /// </summary>
    private static readonly string[] PartLabels = ["tp_rank", "pp_rank", "moe_ep_rank"];

    /// <summary>The totals that are times, not numbers of something.</summary>
    private static readonly PageFigure[] Durations =
    [
        PageFigure.SystemSeconds,
        PageFigure.WaitSeconds,
        PageFigure.ServiceSeconds,
        PageFigure.FirstTokenSeconds,
        PageFigure.TokenGapSeconds,
    ];

    private readonly Dictionary<(PageFigure Figure, string Labels), double> _counters = [];
    private readonly List<UntoldSeries> _untold = [];

    private PageReading(ServerSeries series, MetricsPage page)
    {
        Server = series.Server;
        CountsWhatIsCutOff = series.CountsWhatIsCutOff;
        Running = ReadGauge(page, series.Running);
        Waiting = ReadGauge(page, series.Waiting) + series.AlsoWaiting.Sum(name => SumOverServers(page, name));
        foreach (var counter in series.Counters)
            ReadCounter(page, counter);
        Started = Finite(page, ProcessStart).Select(sample => (double?)sample.Value).FirstOrDefault();
    }

    /// <summary>The server's name.</summary>
    public string Server { get; }

    /// <summary>Whether a query that ran, and whose client went away, counts among those that ended.</summary>
    public bool CountsWhatIsCutOff { get; }

    /// <summary>Queries in service; null where the page does not tell.</summary>
    public double? Running { get; }

    /// <summary>Queries that wait; null where the page does not tell.</summary>
    public double? Waiting { get; }

    /// <summary>Queries that have arrived and not ended, as far as the page tells.</summary>
    public double InSystem => (Running ?? 0) + (Waiting ?? 0);

    /// <summary>What the page does not have.</summary>
    public IReadOnlyList<UntoldSeries> Untold => _untold;

    /// <summary>When the process started, in seconds since 1970; null where the page does not tell.</summary>
    private double? Started { get; }

    /// <summary>Reads a page.</summary>
    /// <exception cref="FormatException">The page tells no ends of queries of a server that is known.</exception>
    public static PageReading Of(MetricsPage page)
    {
        foreach (var series in ServerSeries.Known)
        {
            var reading = new PageReading(series, page);
            if (reading.Tells(PageFigure.Finished) || reading.Tells(PageFigure.Ended))
                return reading;
        }

        var servers = string.Join(" or ", ServerSeries.Known.Select(series => series.Server));
        throw new FormatException($"a metrics page on which {servers} tells no queries that ended");
    }

    /// <summary>Whether the page tells a total.</summary>
    public bool Tells(PageFigure figure) => _counters.Keys.Any(counter => counter.Figure == figure);

    /// <summary>What has happened since an earlier reading of the same page.</summary>
    public PageChange Since(PageReading before)
    {
        var hasRestarted = HasRestartedSince(before);
        var totals = new PageTotals();
        foreach (var (counter, value) in _counters)
        {
            var counted = hasRestarted ? 0 : before._counters.GetValueOrDefault(counter);
            totals.Add(counter.Figure, value - counted);
        }

        // A page without the one number of queries that ended has the other.
        if (!Tells(PageFigure.Finished))
            totals.Add(PageFigure.Finished, totals[PageFigure.Ended]);
        var inSystemBefore = hasRestarted ? 0 : before.InSystem;
        var runningBefore = hasRestarted ? 0 : before.Running ?? 0;
        return new PageChange
        {
            Totals = totals,
            InSystem = InSystem - inSystemBefore,
            MeanRunning = (Running + runningBefore) / 2,
            HasRestarted = hasRestarted,
        };
    }

    /// <summary>
    /// A process that lives on never counts down, and forgets no series. Sums of times are no sign: a clock that is set
    /// back makes one a little smaller.
    /// </summary>
    private bool HasRestartedSince(PageReading before)
    {
        var areStartsTold = Started is not null && before.Started is not null;
        if (areStartsTold && Started != before.Started)
            return true;
        return before._counters.Any(IsLower);

        bool IsLower(KeyValuePair<(PageFigure Figure, string Labels), double> counter)
        {
            if (!_counters.TryGetValue(counter.Key, out var now))
                return true;
            return now < counter.Value && !Durations.Contains(counter.Key.Figure);
        }
    }

    private double? ReadGauge(MetricsPage page, GaugeSeries gauge)
    {
        if (gauge.Names.FirstOrDefault(name => Finite(page, name).Any()) is { } told)
            return SumOverServers(page, told);
        _untold.Add(new UntoldSeries(gauge.Names[0], gauge.WithoutIt));
        return null;
    }

    private void ReadCounter(MetricsPage page, CounterSeries series)
    {
        var told = series.Versions.FirstOrDefault(version =>
            version.Samples.All(sample => Finite(page, sample.Name).Any())
        );
        if (told is null)
        {
            if (series.WithoutIt is { } meaning)
                _untold.Add(new UntoldSeries(series.Versions[0].Name, meaning));
            return;
        }

        foreach (var (name, figure) in told.Samples)
        {
            foreach (var sample in Finite(page, name))
                _counters[(figure, sample.LabelKey)] = sample.Value;
        }
    }

    /// <summary>
    /// The sum over all label sets; of processes that serve the same queries together, each of which tells all of
    /// them, one counts.
    /// </summary>
    private static double SumOverServers(MetricsPage page, string name) =>
        Finite(page, name).GroupBy(ServerLabels).Sum(parts => parts.Max(part => part.Value));

    private static string ServerLabels(MetricSample sample) =>
        MetricSample.KeyOf(sample.Labels.Where(label => !PartLabels.Contains(label.Key)));

    private static IEnumerable<MetricSample> Finite(MetricsPage page, string name) =>
        page.Samples(name).Where(sample => double.IsFinite(sample.Value));
}
