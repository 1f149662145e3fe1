using System.Globalization;
using Microsoft.AspNetCore.Html;
using Platform.Domain.Estimation;

namespace Platform.Api.Dashboard;

/// <summary>Numbers and times as people read them: with their unit, and no more digits than say something.</summary>
internal static class Show
{
    /// <summary>Stands where there is nothing to show.</summary>
    public const string Nothing = "–";

    private const string NarrowSpace = "\u202f";

    /// <summary>A count, in groups of three digits.</summary>
    public static string Count(double value) =>
        value.ToString("#,0", CultureInfo.InvariantCulture).Replace(",", NarrowSpace, StringComparison.Ordinal);

    /// <summary>Three significant digits.</summary>
    public static string Number(double value)
    {
        if (value == 0)
            return "0";
        var magnitude = (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return magnitude >= 5 || magnitude < -4 ? value.ToString("0.##E+0", CultureInfo.InvariantCulture)
            : magnitude >= 2 ? Count(value)
            : value.ToString("F" + Math.Clamp(2 - magnitude, 0, 6), CultureInfo.InvariantCulture);
    }

    /// <summary>A round number at an axis.</summary>
    public static string Tick(double value) =>
        Math.Abs(value) >= 1_000 ? Count(value) : value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>Seconds, or milliseconds below one.</summary>
    public static string Seconds(double? value) =>
        value switch
        {
            null => Nothing,
            { } it when it != 0 && Math.Abs(it) < 1 => $"{Number(it * 1e3)}{NarrowSpace}ms",
            { } it => $"{Number(it)}{NarrowSpace}s",
        };

    /// <summary>A part of one, in per cent.</summary>
    public static string Percent(double? value) =>
        value is { } it ? $"{(it * 100).ToString("0.0", CultureInfo.InvariantCulture)}{NarrowSpace}%" : Nothing;

    /// <summary>A difference of two parts of one, in percentage points.</summary>
    public static string Points(double value) =>
        $"{(value * 100).ToString("0.0", CultureInfo.InvariantCulture)}{NarrowSpace}points";

    /// <summary>A difference with its sign.</summary>
    public static string Signed(double value, Func<double, string> show) =>
        value > 0 ? $"+{show(value)}"
        : value < 0 ? $"−{show(-value)}"
        : show(0);

    /// <summary>A rate a second.</summary>
    public static string Rate(double value) => $"{Number(value)}{NarrowSpace}/s";

    /// <summary>A figure with the interval that holds it in 95 of 100 cases.</summary>
    public static string Interval(IntervalEstimate it, Func<double, string> show) =>
        $"{show(it.Value)} ({show(it.Lower)} to {show(it.Upper)})";

    /// <summary>How long ago, roughly.</summary>
    public static string Ago(DateTimeOffset? at, DateTimeOffset now) =>
        at is not { } it
            ? "never"
            : (now - it) switch
            {
                { TotalSeconds: < 1 } => "now",
                { TotalSeconds: < 90 } age => $"{(int)age.TotalSeconds}{NarrowSpace}s ago",
                { TotalMinutes: < 90 } age => $"{(int)age.TotalMinutes}{NarrowSpace}min ago",
                { TotalHours: < 48 } age => $"{(int)age.TotalHours}{NarrowSpace}h ago",
                var age => $"{(int)age.TotalDays}{NarrowSpace}days ago",
            };

    /// <summary>An instant in UTC; the script adds the reader's own time.</summary>
    public static IHtmlContent Time(DateTimeOffset? at) =>
        at is { } it
            ? new HtmlString(
                $"<time datetime=\"{Machine(it)}\">{it.UtcDateTime.ToString("d MMM HH:mm:ss", CultureInfo.InvariantCulture)}</time>"
            )
            : new HtmlString(Nothing);

    /// <summary>An instant in the middle of a sentence, to the minute.</summary>
    public static string Instant(DateTimeOffset at) =>
        $"{at.UtcDateTime.ToString("d MMM HH:mm", CultureInfo.InvariantCulture)} UTC";

    /// <summary>An instant in the form of an address or a form field.</summary>
    public static string Machine(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ", CultureInfo.InvariantCulture);

    /// <summary>A number in the form of an attribute.</summary>
    public static string Machine(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
