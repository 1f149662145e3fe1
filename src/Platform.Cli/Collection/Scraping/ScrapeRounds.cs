using Platform.Domain.Contracts;

namespace Platform.Cli.Collection.Scraping;

/// <summary>
/// Puts the answers of all pages together, round by round. The time between two rounds counts where the same pages
/// answered in both: of a page that came, failed or went in between nobody knows what it served, and a window of the
/// others alone would tell of too few arrivals. May be called by several threads at once.
/// </summary>
internal sealed class ScrapeRounds
{
    private readonly Lock _gate = new();
    private readonly ScrapedWindows _windows;
    private readonly Action<string> _news;
    private readonly HashSet<UntoldSeries> _untold = [];
    private readonly Replica[] _replicas;
    private ScrapedSums _sinceReport = new();
    private DateTimeOffset? _last;
    private int _intervalsLeftOut;

    /// <summary>Begins without a round.</summary>
    /// <param name="pages">The pages' addresses.</param>
    /// <param name="windows">What the intervals that count are added to.</param>
    /// <param name="news">Takes lines for a person.</param>
    public ScrapeRounds(IReadOnlyList<Uri> pages, ScrapedWindows windows, Action<string> news)
    {
        _windows = windows;
        _news = news;
        _replicas = [.. pages.Select(page => new Replica(page, news))];
    }

    /// <summary>Takes the answers of a round.</summary>
    /// <param name="at">When the pages were asked.</param>
    /// <param name="answers">The answers, in the order of the pages.</param>
    public void Add(DateTimeOffset at, IReadOnlyList<PageAnswer> answers)
    {
        lock (_gate)
        {
            // Whole milliseconds, as windows have them.
            var now = DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds());
            var answered = _replicas.Select(IsAnswering).ToList();
            var changes = _replicas
                .Zip(answers, (replica, answer) => replica.Take(answer))
                .OfType<PageChange>()
                .ToList();
            foreach (var replica in _replicas)
                SayWhatIsUntold(replica);
            var areSame = answered.SequenceEqual(_replicas.Select(IsAnswering)) && changes.Count > 0;
            if (_last is { } last)
                Count(new ScrapedInterval(last, now, changes), areSame);
            _last = now;
        }
    }

    /// <summary>How things stand, and what was told since this was asked last.</summary>
    public ScrapeStanding ReportStanding()
    {
        lock (_gate)
        {
            var sums = _sinceReport;
            _sinceReport = new ScrapedSums();
            PageReading[] answering = [.. _replicas.Select(replica => replica.Latest).OfType<PageReading>()];
            return new ScrapeStanding
            {
                Pages = _replicas.Length,
                Answering = answering.Length,
                Running = answering.Sum(page => page.Running),
                Waiting = answering.Sum(page => page.Waiting),
                Sums = sums,
                IntervalsLeftOut = _intervalsLeftOut,
            };
        }
    }

    private void Count(ScrapedInterval interval, bool areSame)
    {
        var length = interval.End - interval.Start;
        var canBe = length > TimeSpan.Zero && length <= WorkloadWindowReader.MaxLength;
        if (!areSame || !canBe)
        {
            _intervalsLeftOut++;
            return;
        }

        _windows.Add(interval);
        _sinceReport.Add(interval);
    }

    private static bool IsAnswering(Replica replica) => replica.Latest is not null;

    /// <summary>Once for all replicas: they are of one version, mostly.</summary>
    private void SayWhatIsUntold(Replica replica)
    {
        foreach (var series in replica.Latest?.Untold ?? [])
        {
            if (_untold.Add(series))
                _news($"platform: {replica.Page} has no {series.Name}: {series.WithoutIt}");
        }
    }
}
