namespace Platform.Domain.Estimation;

/// <summary>
/// The number N of queries in service at which the queries of each bucket count: as windows told it for the task type,
/// and by Little's law where they told nothing.
/// </summary>
internal sealed class LoadsSeen
{
    private readonly InService _inService;
    private readonly ServiceCell[][] _cells;
    private readonly double[] _toldMeans;

    /// <param name="inService">N by Little's law.</param>
    /// <param name="cells">What ended, by task type and bucket.</param>
    public LoadsSeen(InService inService, ServiceCell[][] cells)
    {
        _inService = inService;
        _cells = cells;
        _toldMeans = [.. cells.Select(ToldMean)];
        Mean = MeanOfAll();
    }

    /// <summary>N over all task types.</summary>
    public double Mean { get; }

    /// <summary>N of a bucket of a task type.</summary>
    public double At(ServiceCell cell) => cell.TellsLoad ? cell.ToldLoad : _inService.At(cell.Bucket);

    /// <summary>The mean of N from the same source as that of a bucket.</summary>
    /// <param name="k">The bucket's task type.</param>
    /// <param name="cell">The bucket.</param>
    public double MeanFor(int k, ServiceCell cell) => cell.TellsLoad ? _toldMeans[k] : _inService.Mean;

    /// <summary>N over all buckets of a task type.</summary>
    public double MeanOf(int k)
    {
        var queries = Queries(_cells[k]);
        var told = Queries(_cells[k].Where(cell => cell.TellsLoad));
        if (told == 0)
            return _inService.Mean;
        return _inService.Mean + ((_toldMeans[k] - _inService.Mean) * told / queries);
    }

    private double MeanOfAll()
    {
        if (!_cells.Any(cells => cells.Any(cell => cell.TellsLoad)))
            return _inService.Mean;
        var queries = 0.0;
        var loads = 0.0;
        for (var k = 0; k < _cells.Length; k++)
        {
            var ofType = Queries(_cells[k]);
            queries += ofType;
            loads += ofType * MeanOf(k);
        }

        return loads / queries;
    }

    /// <summary>Queries that ended, weighted by age.</summary>
    private static double Queries(IEnumerable<ServiceCell> cells) => cells.Sum(cell => cell.Weight * cell.Count);

    private static double ToldMean(ServiceCell[] cells)
    {
        var tokens = 0.0;
        var inService = 0.0;
        foreach (var cell in cells)
        {
            tokens += cell.Weight * cell.ConcurrencyTokens;
            inService += cell.Weight * cell.ConcurrencyInService;
        }

        return tokens > 0 ? ServiceCell.LoadOf(tokens, inService) : 0;
    }
}
