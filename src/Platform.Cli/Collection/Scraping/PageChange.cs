namespace Platform.Cli.Collection.Scraping;

/// <summary>A series that a page does not have.</summary>
/// <param name="Name">The series.</param>
/// <param name="WithoutIt">What that means.</param>
internal sealed record UntoldSeries(string Name, string WithoutIt);

/// <summary>What a page tells of the time between two readings.</summary>
internal sealed record PageChange
{
    /// <summary>By how much each running total has grown.</summary>
    public required PageTotals Totals { get; init; }

    /// <summary>Queries in the system, more than before; fewer where below 0.</summary>
    public required double InSystem { get; init; }

    /// <summary>
    /// Queries in service in the mean: half of those at the start and those at the end. Null where the page does not
    /// tell them.
    /// </summary>
    public required double? MeanRunning { get; init; }

    /// <summary>The server has restarted in between: everything counts from 0, and nothing was in the system.</summary>
    public required bool HasRestarted { get; init; }

    /// <summary>Queries that ran and are gone without an end: their clients went away. At least so many.</summary>
    public double CutOff { get; init; }

    /// <summary>Queries that arrived: each has ended since, was cut off, or is in the system now.</summary>
    public double Arrivals => Totals[PageFigure.Finished] + CutOff + InSystem;
}
