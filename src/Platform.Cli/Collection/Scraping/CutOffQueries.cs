namespace Platform.Cli.Collection.Scraping;

/// <summary>
/// Finds the queries whose clients went away while they ran, on the page of a server that counts no end of such a
/// query. It has counted their first tokens: of the queries with a first token each has ended, is in the system, or was
/// cut off.
/// </summary>
/// <remarks>
/// The number is a lower bound. Ends of queries that had their first token before the first reading are taken away too,
/// so are those in the system that have none yet, and each preemption, after which old versions count a first token
/// once more. What is taken away too much is about the same at each reading: the rate comes out right.
/// </remarks>
internal sealed class CutOffQueries
{
    private double _firstTokens;
    private double _finished;
    private double _preemptions;
    private double _found;

    /// <summary>Adds what a page told of further time.</summary>
    /// <param name="totals">The growth of the running totals.</param>
    /// <param name="now">The page at the end of that time.</param>
    /// <returns>Queries that were cut off, more than were found before.</returns>
    public double Add(PageTotals totals, PageReading now)
    {
        if (now.CountsWhatIsCutOff)
            return 0;
        _firstTokens += totals[PageFigure.FirstTokens];
        _finished += totals[PageFigure.Finished];
        _preemptions += totals[PageFigure.Preemptions];
        var atLeast = _firstTokens - _finished - now.InSystem - _preemptions;
        var more = Math.Max(atLeast - _found, 0);
        _found += more;
        return more;
    }
}
