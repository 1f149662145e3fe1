using System.Globalization;
using System.Text;

namespace Platform.Cli.Demo;

/// <summary>
/// Reads a request trace in the format of the Azure LLM inference traces, line by line. The times of the 2023 traces have no offset,
/// those of 2024 have one; only differences matter here.
/// </summary>
/// <param name="text">The trace.</param>
/// <param name="name">How to call it in a fault's message.</param>
internal sealed class TraceReader(TextReader text, string name)
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens";

    /// <summary>Longest line: three fields need 60 characters, and a file that is no trace must not be read into memory whole.</summary>
    private const int MaxLineLength = 1_000;

    /// <summary>Most tokens of one request: ten times the longest context on the market.</summary>
    private const int MaxTokens = 10_000_000;

    private static readonly string[] Columns = Header.Split(',');
    private static readonly string[] TimeFormats = ["yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ss.FFFFFFFzzz"];

    private int _line;
    private DateTimeOffset? _first;
    private TimeSpan _latest;

    /// <summary>The requests in the order of the trace; ends with an exception at the first fault.</summary>
    /// <exception cref="TraceFormatException">Names the line, the column and what is wrong.</exception>
    public IEnumerable<TraceRequest> ReadAll()
    {
        if (NextLine() != Header)
            throw Fault(Math.Max(_line, 1), $"must be the header {Header}");
        while (NextLine() is { } line)
            if (line.Length > 0)
                yield return Parse(line);
        if (_first is null)
            throw Fault(_line, "the header is followed by no request");
    }

    private TraceRequest Parse(string line)
    {
        var fields = line.Split(',');
        if (fields.Length != Columns.Length)
            throw Fault(_line, $"must have {Columns.Length} fields, not {fields.Length}");
        return new TraceRequest(ParseTime(fields[0]), ParseTokens(1, fields[1]), ParseTokens(2, fields[2]));
    }

    private TimeSpan ParseTime(string field)
    {
        if (!DateTimeOffset.TryParseExact(
            field, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            throw Fault(0, field, "must be a time such as 2023-11-16 18:15:46.6805900");
        var at = time - (_first ??= time);
        if (at < _latest)
            throw Fault(0, field, "must not be before the time of the request before it");
        return _latest = at;
    }

    private int ParseTokens(int column, string field) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var tokens) && tokens <= MaxTokens
            ? tokens
            : throw Fault(column, field, $"must be a whole number from 0 to {MaxTokens}");

    private TraceFormatException Fault(int column, string field, string what) =>
        Fault(_line, $"column {Columns[column]}: {what}, not '{Printable(field)}'");

    private TraceFormatException Fault(int line, string what) => new($"{name}, line {line}: {what}");

    private static string Printable(string field)
    {
        var shown = field.Length > 40 ? field[..40] + "…" : field;
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }

    private string? NextLine()
    {
        var line = new StringBuilder();
        var next = text.Read();
        if (next < 0)
            return null;
        _line++;
        for (; next is >= 0 and not '\n'; next = text.Read())
            if (line.Append((char)next).Length > MaxLineLength)
                throw Fault(_line, $"is longer than {MaxLineLength} characters");
        if (line.Length > 0 && line[^1] == '\r')
            line.Length--;
        return line.ToString();
    }
}
