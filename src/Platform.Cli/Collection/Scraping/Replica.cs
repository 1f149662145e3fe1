namespace Platform.Cli.Collection.Scraping;

/// <summary>A server of the fleet, as its page shows it: it may come, fail, restart and go.</summary>
/// <param name="page">The page's address.</param>
/// <param name="news">Takes lines for a person: what has changed about this server.</param>
internal sealed class Replica(Uri page, Action<string> news)
{
    private string? _fault;
    private CutOffQueries _cutOff = new();

    /// <summary>The page's address.</summary>
    public Uri Page => page;

    /// <summary>What the page told at the last scrape; null where it did not answer.</summary>
    public PageReading? Latest { get; private set; }

    /// <summary>Takes the answer to a scrape.</summary>
    /// <param name="answer">The answer.</param>
    /// <returns>What has happened since the scrape before; null where one of the two was not answered.</returns>
    public PageChange? Take(PageAnswer answer)
    {
        var before = Latest;
        Latest = answer.Reading;
        if (answer.Reading is not { } reading)
        {
            TakeFault(answer.Fault!);
            return null;
        }

        _fault = null;
        if (before is null)
        {
            _cutOff = new CutOffQueries();
            news($"platform: {page} answers: {reading.Server}; what it serves counts from now on");
            return null;
        }

        var change = reading.Since(before);
        if (change.HasRestarted)
        {
            _cutOff = new CutOffQueries();
            news($"platform: {page}: the server has restarted; its counters count from 0");
        }

        return change with
        {
            CutOff = _cutOff.Add(change.Totals, reading),
        };
    }

    /// <summary>One line for each fault, however long it lasts.</summary>
    private void TakeFault(string fault)
    {
        if (fault != _fault)
            news($"platform: {page} tells nothing: {fault}; the time until it answers again is not covered");
        _fault = fault;
    }
}
