namespace Platform.Cli.Collection.Scraping;

/// <summary>A number for each <see cref="PageFigure"/>.</summary>
internal sealed class PageTotals
{
    private static readonly PageFigure[] Figures = Enum.GetValues<PageFigure>();

    private readonly double[] _totals = new double[Figures.Length];

    public double this[PageFigure figure] => _totals[(int)figure];

    public void Add(PageFigure figure, double amount) => _totals[(int)figure] += amount;

    public void Add(PageTotals other)
    {
        foreach (var figure in Figures)
            Add(figure, other[figure]);
    }

    /// <summary>One total over another; null where the page does not tell them, or nothing happened.</summary>
    public double? Mean(PageFigure sum, PageFigure count) => this[count] > 0 ? this[sum] / this[count] : null;
}
