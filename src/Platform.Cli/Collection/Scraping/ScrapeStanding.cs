using System.Globalization;
using System.Text;

namespace Platform.Cli.Collection.Scraping;

/// <summary>How a collection from metrics pages stands.</summary>
internal sealed record ScrapeStanding
{
    /// <summary>Pages that are asked.</summary>
    public required int Pages { get; init; }

    /// <summary>Pages that answered last.</summary>
    public required int Answering { get; init; }

    /// <summary>Queries in service now.</summary>
    public required double? Running { get; init; }

    /// <summary>Queries that wait now.</summary>
    public required double? Waiting { get; init; }

    /// <summary>What the pages told of the time that counts since the last report.</summary>
    public required ScrapedSums Sums { get; init; }

    /// <summary>Intervals between scrapes that do not count, since the start.</summary>
    public required int IntervalsLeftOut { get; init; }

    private PageTotals Totals => Sums.Totals;

    /// <summary>The line that a person reads, without its end.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"platform: {Answering} of {Pages} pages answer");
        if (Sums.Seconds > 0)
            AppendTime(line);
        if (IntervalsLeftOut > 0)
            line.Append(CultureInfo.InvariantCulture, $"; {IntervalsLeftOut} intervals between scrapes left out");
        return line.ToString();
    }

    private void AppendTime(StringBuilder line)
    {
        var finished = Totals[PageFigure.Finished];
        var arrivals = Math.Max(Sums.Arrivals, 0);
        line.Append(CultureInfo.InvariantCulture, $"; in {Sums.Seconds:0.#} s {arrivals:0} queries arrived");
        line.Append(CultureInfo.InvariantCulture, $" and {finished:0} ended");
        if (Sums.CutOff > 0)
            line.Append(CultureInfo.InvariantCulture, $", at least {Sums.CutOff:0} were cut off");
        if (Sums.MeanRunning is { } meanRunning)
            line.Append(CultureInfo.InvariantCulture, $"; in service {meanRunning:0.##} in the mean, {Running:0} now");
        if (Waiting > 0)
            line.Append(CultureInfo.InvariantCulture, $"; {Waiting:0} wait");
        if (finished > 0)
            AppendQuery(line);
    }

    private void AppendQuery(StringBuilder line)
    {
        var finished = Totals[PageFigure.Finished];
        var system = Totals.Mean(PageFigure.SystemSeconds, PageFigure.Ended);
        var wait = Totals.Mean(PageFigure.WaitSeconds, PageFigure.Waited);
        var service = Totals.Mean(PageFigure.ServiceSeconds, PageFigure.Served) ?? system - wait;
        string?[] figures =
        [
            Figure("{0:0.#} tokens", Positive(Totals[PageFigure.GeneratedTokens] / finished)),
            Figure("{0:0.#} of the prompt", Positive(Totals[PageFigure.PromptTokens] / finished)),
            Figure("{0:0.###} s", system),
            Figure("{0:0.###} s of it in service", service),
            Figure("{0:0.###} s waiting", wait),
            Figure("{0:0.###} s to the first token", Totals.Mean(PageFigure.FirstTokenSeconds, PageFigure.FirstTokens)),
            Figure("{0:0.#} ms a token", 1e3 * Totals.Mean(PageFigure.TokenGapSeconds, PageFigure.TokenGaps)),
        ];
        line.Append("; a query: ").AppendJoin(", ", figures.OfType<string>());
    }

    private static double? Positive(double figure) => figure > 0 ? figure : null;

    private static string? Figure(string format, double? figure) =>
        figure is null ? null : string.Format(CultureInfo.InvariantCulture, format, figure);
}
