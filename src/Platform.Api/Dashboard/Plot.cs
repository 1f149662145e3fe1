using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Html;

namespace Platform.Api.Dashboard;

/// <summary>An axis of a plot.</summary>
/// <param name="Title">What it is of, with the unit.</param>
/// <param name="From">Its lower end.</param>
/// <param name="To">Its upper end, above the lower.</param>
/// <param name="Show">A number at a tick.</param>
internal sealed record Axis(string Title, double From, double To, Func<double, string> Show)
{
    private const int MostTicks = 5;

    private const double Day = 86_400;

    /// <summary>Steps between two times, seconds: round parts of an hour and of a day.</summary>
    private static readonly double[] TimeSteps =
    [
        60,
        120,
        300,
        600,
        1_200,
        1_800,
        3_600,
        7_200,
        10_800,
        21_600,
        43_200,
        Day,
        2 * Day,
        5 * Day,
        10 * Day,
    ];

    private bool IsOfTime { get; init; }

    /// <summary>
    /// Round numbers on it: 1, 2 or 5 times a power of ten apart; of time, a round part of an hour or a day.
    /// </summary>
    public IEnumerable<double> Ticks()
    {
        var least = (To - From) / MostTicks;
        var step = IsOfTime ? TimeStep(least) : RoundStep(least);
        for (var i = (long)Math.Ceiling(From / step); i * step <= To * (1 + 1e-9); i++)
            yield return i * step;
    }

    /// <summary>An axis of time, UTC: its numbers are Unix times in seconds.</summary>
    public static Axis OfTime(DateTimeOffset from, DateTimeOffset to)
    {
        var form = to - from > TimeSpan.FromDays(2) ? "d MMM" : "HH:mm";
        return new Axis("UTC", from.ToUnixTimeSeconds(), to.ToUnixTimeSeconds(), ShowInstant) { IsOfTime = true };

        string ShowInstant(double second) =>
            DateTimeOffset.FromUnixTimeSeconds((long)second).UtcDateTime.ToString(form, CultureInfo.InvariantCulture);
    }

    private static double RoundStep(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return power
            * (least / power) switch
            {
                <= 1 => 1,
                <= 2 => 2,
                <= 5 => 5,
                _ => 10,
            };
    }

    private static double TimeStep(double least)
    {
        var step = Array.Find(TimeSteps, it => it >= least);
        return step > 0 ? step : TimeSteps[^1];
    }

    /// <summary>The lower end of 0 and an upper end with some room above all values.</summary>
    public static Axis FromZero(string title, IEnumerable<double> values, Func<double, string> show) =>
        new(title, 0, Math.Max(values.DefaultIfEmpty(1).Max() * 1.08, 1e-9), show);
}

/// <summary>
/// A drawing of points and curves, made on the server as SVG, so that it is there without script. A screen reader reads
/// its title; the numbers are in a table beside it.
/// </summary>
internal sealed class Plot(string title, Axis x, Axis y)
{
    private const int Width = 420,
        Height = 250,
        Left = 58,
        Right = 20,
        Top = 10,
        Bottom = 42;

    private readonly StringBuilder _marks = new();

    /// <summary>A curve through points.</summary>
    public Plot Line(IEnumerable<(double X, double Y)> points, string style)
    {
        _marks.Append(
            $"<polyline class=\"{style}\" points=\"{string.Join(' ', points.Select(it => $"{AtX(it.X)},{AtY(it.Y)}"))}\"/>"
        );
        return this;
    }

    /// <summary>The space between two curves.</summary>
    public Plot Band(IReadOnlyList<(double X, double Lower, double Upper)> points, string style) =>
        Line(points.Select(it => (it.X, it.Lower)).Concat(points.Reverse().Select(it => (it.X, it.Upper))), style);

    /// <summary>A point, with its interval where there is one.</summary>
    public Plot Point(double atX, double atY, (double Lower, double Upper)? interval, string style)
    {
        if (interval is { } it)
            _marks.Append(
                $"<line class=\"{style}\" x1=\"{AtX(atX)}\" x2=\"{AtX(atX)}\" y1=\"{AtY(it.Lower)}\" y2=\"{AtY(it.Upper)}\"/>"
            );
        _marks.Append($"<circle class=\"{style}\" cx=\"{AtX(atX)}\" cy=\"{AtY(atY)}\" r=\"3.2\"/>");
        return this;
    }

    /// <summary>A line from below to above, with a word.</summary>
    public Plot Mark(double atX, string word)
    {
        var isRight = (atX - x.From) / (x.To - x.From) > 0.6;
        _marks.Append(
            $"<line class=\"mark\" x1=\"{AtX(atX)}\" x2=\"{AtX(atX)}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/>"
        );
        _marks.Append(
            Text("mark", AtX(atX), $"{Top + 10}", isRight ? "end" : "start", isRight ? $"{word} " : $" {word}")
        );
        return this;
    }

    public IHtmlContent Draw()
    {
        var svg = new StringBuilder(
            $"<svg class=\"plot\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">"
        );
        foreach (var tick in x.Ticks())
            svg.Append(
                $"<line class=\"grid\" x1=\"{AtX(tick)}\" x2=\"{AtX(tick)}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/>{Text("tick", AtX(tick), $"{Height - Bottom + 16}", "middle", x.Show(tick))}"
            );
        foreach (var tick in y.Ticks())
            svg.Append(
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{AtY(tick)}\" y2=\"{AtY(tick)}\"/>{Text("tick", $"{Left - 6}", AtY(tick), "end", y.Show(tick))}"
            );
        svg.Append(Text("title", $"{(Left + Width - Right) / 2}", $"{Height - 6}", "middle", x.Title));
        svg.Append(
            $"<text class=\"title\" transform=\"translate(13 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{WebUtility.HtmlEncode(y.Title)}</text>"
        );
        return new HtmlString(svg.Append(_marks).Append("</svg>").ToString());
    }

    private static string Text(string style, string atX, string atY, string anchor, string text) =>
        $"<text class=\"{style}\" x=\"{atX}\" y=\"{atY}\" text-anchor=\"{anchor}\">{WebUtility.HtmlEncode(text)}</text>";

    private string AtX(double value) => At(Left + ((Width - Left - Right) * Part(x, value)));

    private string AtY(double value) => At(Height - Bottom - ((Height - Top - Bottom) * Part(y, value)));

    // What lies outside is drawn at the edge.
    private static double Part(Axis axis, double value) =>
        Math.Clamp((value - axis.From) / (axis.To - axis.From), 0, 1);

    private static string At(double value) => FormattableString.Invariant($"{value:0.#}");
}
