namespace Platform.Cli.Collection.Scraping;

/// <summary>What all pages that answer tell of the time between two scrapes.</summary>
/// <param name="Start">The first scrape.</param>
/// <param name="End">The second.</param>
/// <param name="Changes">What each page tells.</param>
internal sealed record ScrapedInterval(DateTimeOffset Start, DateTimeOffset End, IReadOnlyList<PageChange> Changes);
