using System.Globalization;

namespace Platform.Cli.Benchmarks;

/// <summary>What a page costs: medians over the rounds.</summary>
/// <param name="Page">Which page.</param>
/// <param name="PageMilliseconds">Time to the page's first byte.</param>
/// <param name="CallsMilliseconds">Time to the first byte of the JSON calls behind it, one after another.</param>
/// <param name="Ratio">The one over the other in the same round.</param>
internal sealed record PageFigures(string Page, double PageMilliseconds, double CallsMilliseconds, double Ratio);

/// <summary>What <c>bench page</c> prints.</summary>
/// <param name="Figures">Each page.</param>
internal sealed record PageReport(IReadOnlyList<PageFigures> Figures)
{
    private const int BarLength = 10;

    public IEnumerable<string> ToLines()
    {
        yield return "  time to the first byte, medians; aim: no page over 3 times the JSON calls behind it";
        yield return "  page           page ms  JSON ms  ratio";
        foreach (var it in Figures)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  {it.Page, -12} {it.PageMilliseconds, 9:0.00} {it.CallsMilliseconds, 8:0.00} {it.Ratio, 6:0.00}  {new string('█', (int)Math.Round(Math.Clamp(it.Ratio, 0, 6) * BarLength))}"
            );
    }
}
