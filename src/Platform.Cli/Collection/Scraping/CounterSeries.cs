namespace Platform.Cli.Collection.Scraping;

/// <summary>A number that goes up and down.</summary>
/// <param name="Names">The series's names, by version, the newest first.</param>
/// <param name="WithoutIt">What it means that a page does not have it.</param>
internal sealed record GaugeSeries(IReadOnlyList<string> Names, string WithoutIt);

/// <summary>One or two running totals that a page has or lacks together.</summary>
internal sealed record CounterSeries
{
    private CounterSeries(IReadOnlyList<CounterNames> versions, string? withoutIt)
    {
        Versions = versions;
        WithoutIt = withoutIt;
    }

    /// <summary>The samples to read, by version, the newest first.</summary>
    public IReadOnlyList<CounterNames> Versions { get; }

    /// <summary>What it means that a page has none of them; null where that is of no importance.</summary>
    public string? WithoutIt { get; }

    /// <summary>A series that is one total.</summary>
    public static CounterSeries Total(PageFigure figure, string? withoutIt, params string[] names) =>
        new([.. names.Select(name => new CounterNames(name, [new CounterSample(name, figure)]))], withoutIt);

    /// <summary>A histogram, of which its sum and its count are read.</summary>
    public static CounterSeries Histogram(PageFigure sum, PageFigure count, string withoutIt, params string[] names) =>
        new(
            [
                .. names.Select(name => new CounterNames(
                    name,
                    [new CounterSample($"{name}_sum", sum), new CounterSample($"{name}_count", count)]
                )),
            ],
            withoutIt
        );
}

/// <summary>How a version calls the totals.</summary>
/// <param name="Name">The series.</param>
/// <param name="Samples">Its samples.</param>
internal sealed record CounterNames(string Name, IReadOnlyList<CounterSample> Samples);

/// <summary>Which sample is which total.</summary>
internal sealed record CounterSample(string Name, PageFigure Figure);
