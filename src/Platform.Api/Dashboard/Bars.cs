using System.Text;
using Microsoft.AspNetCore.Html;

namespace Platform.Api.Dashboard;

/// <summary>
/// Small bars beside numbers, as SVG. They say nothing that the number does not: they are hidden from screen readers.
/// </summary>
internal static class Bars
{
    /// <summary>Series that look different; the next ones begin anew.</summary>
    public const int Colours = 8;

    private const string Begin =
        "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"ground\" width=\"100\" height=\"10\"/>";
    private const string End = "</svg>";

    /// <summary>A part of one.</summary>
    public static IHtmlContent Share(double? value, int colour = 0) =>
        value is { } it
            ? new HtmlString($"{Begin}{Rectangle(0, 100 * Math.Clamp(it, 0, 1), colour)}{End}")
            : HtmlString.Empty;

    /// <summary>Parts of a whole, one after another.</summary>
    public static IHtmlContent Stack(IReadOnlyList<double> parts)
    {
        var (svg, at, whole) = (new StringBuilder(Begin), 0.0, Math.Max(parts.Sum(), double.Epsilon));
        for (var i = 0; i < parts.Count; at += 100 * parts[i] / whole, i++)
            svg.Append(Rectangle(at, 100 * parts[i] / whole, i));
        return new HtmlString(svg.Append(End).ToString());
    }

    /// <summary>A change to the left or the right of a middle, over the largest change there is.</summary>
    public static IHtmlContent Change(double value, double largest)
    {
        var length = largest > 0 ? 50 * Math.Clamp(Math.Abs(value) / largest, 0, 1) : 0;
        var name = value < 0 ? "less" : "more";
        return new HtmlString(
            FormattableString.Invariant(
                $"{Begin}<rect class=\"{name}\" x=\"{(value < 0 ? 50 - length : 50):0.##}\" width=\"{length:0.##}\" height=\"10\"/><rect class=\"axis\" x=\"49.75\" width=\"0.5\" height=\"10\"/>{End}"
            )
        );
    }

    private static string Rectangle(double x, double width, int colour) =>
        FormattableString.Invariant(
            $"<rect class=\"c{colour % Colours}\" x=\"{x:0.##}\" width=\"{width:0.##}\" height=\"10\"/>"
        );
}
