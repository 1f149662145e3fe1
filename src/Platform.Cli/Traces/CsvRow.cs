using System.Globalization;
using System.Text.RegularExpressions;

namespace Platform.Cli.Traces;

/// <summary>A row of a trace in CSV.</summary>
/// <param name="header">The trace's header.</param>
/// <param name="number">The row's line.</param>
/// <param name="line">The line.</param>
/// <param name="faults">Says what is wrong.</param>
internal sealed partial class CsvRow(CsvHeader header, int number, string line, TraceFaults faults)
{
    // K: an offset, Z, or nothing.
    private static readonly string[] TimeFormats = ["yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    private readonly string[] _fields = Split(header, number, line, faults);

    /// <summary>A field's text.</summary>
    public string Text(int column) => _fields[column].Trim();

    /// <summary>A moment: a time, or seconds since any origin.</summary>
    public TimeSpan Moment(int column)
    {
        const double MostSeconds = 1e11;
        var text = Text(column);
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds);
        if (isNumber && Math.Abs(seconds) <= MostSeconds)
            return TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var told = BeyondTicks().Replace(text, "$1");
        if (DateTimeOffset.TryParseExact(told, TimeFormats, CultureInfo.InvariantCulture, Utc, out var time))
            return TimeSpan.FromTicks(time.UtcTicks);
        throw Fault(column, "must be a time such as 2023-11-16 18:15:46.6805900, or seconds such as 12.5");
    }

    /// <summary>A number of tokens.</summary>
    public int Tokens(int column)
    {
        var text = Text(column);
        var isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var tokens);
        return isNumber && tokens <= TraceTokens.Most ? tokens : throw Fault(column, TraceTokens.Expected);
    }

    /// <summary>A number from 0 to <paramref name="most"/>; null where the field is empty.</summary>
    public double? Number(int column, double most)
    {
        var text = Text(column);
        if (text.Length == 0)
            return null;
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        return isNumber && number >= 0 && number <= most
            ? number
            : throw Fault(column, $"must be a number from 0 to {most:0}");
    }

    private TraceFormatException Fault(int column, string expected) =>
        faults.Of(number, header.NameOf(column), expected, _fields[column]);

    private static string[] Split(CsvHeader header, int number, string line, TraceFaults faults)
    {
        var fields = CsvFields.Split(line);
        return fields.Length == header.Count
            ? fields
            : throw faults.Of(number, $"must have {header.Count} fields, not {fields.Length}");
    }

    /// <summary>Decimals of a second beyond the seventh.</summary>
    [GeneratedRegex(@"(?<=\.)(\d{7})\d+")]
    private static partial Regex BeyondTicks();
}
