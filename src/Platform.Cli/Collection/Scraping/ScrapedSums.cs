namespace Platform.Cli.Collection.Scraping;

/// <summary>What the pages tell of a stretch of time, over all replicas.</summary>
internal sealed class ScrapedSums
{
    private double? _runningSeconds = 0;

    /// <summary>The seconds that were watched.</summary>
    public double Seconds { get; private set; }

    /// <summary>Queries that arrived; below 0 where a page was late to show that queries had come.</summary>
    public double Arrivals { get; private set; }

    /// <summary>Queries of these whose clients went away while they ran; at least so many.</summary>
    public double CutOff { get; private set; }

    /// <summary>The growth of the running totals.</summary>
    public PageTotals Totals { get; } = new();

    /// <summary>
    /// Queries in service in the mean over the time watched, of all replicas together: each scrape's number counts for
    /// half of the time to the scrapes beside it. Null before any time was watched, and where a page does not tell.
    /// </summary>
    public double? MeanRunning => Seconds > 0 ? _runningSeconds / Seconds : null;

    /// <summary>Adds what was told of further time.</summary>
    public void Add(ScrapedInterval interval)
    {
        var seconds = (interval.End - interval.Start).TotalSeconds;
        Seconds += seconds;
        foreach (var change in interval.Changes)
        {
            _runningSeconds += seconds * change.MeanRunning;
            Arrivals += change.Arrivals;
            CutOff += change.CutOff;
            Totals.Add(change.Totals);
        }
    }
}
