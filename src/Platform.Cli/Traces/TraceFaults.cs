namespace Platform.Cli.Traces;

/// <summary>
/// Says what is wrong with a trace: its name, the line, the column, what was found and what is expected.
/// </summary>
/// <param name="name">How to call the trace.</param>
internal sealed class TraceFaults(string name)
{
    /// <summary>Most characters of the trace that a message shows.</summary>
    private const int MostShown = 40;

    /// <summary>Most characters of a header that a message shows.</summary>
    private const int MostOfHeader = 200;

    /// <summary>Something is wrong with the trace as a whole.</summary>
    public TraceFormatException Of(string what) => new($"{name}: {what}");

    /// <summary>Something is wrong with a line.</summary>
    public TraceFormatException Of(int line, string what) => new($"{name}, line {line}: {what}");

    /// <summary>Something is wrong with a field.</summary>
    public TraceFormatException Of(int line, string column, string expected, string found) =>
        Of(line, $"column {column}: {expected}, not '{Printable(found, MostShown)}'");

    /// <summary>Something is wrong with a header, which is shown.</summary>
    public TraceFormatException OfHeader(int line, string what, string header) =>
        Of(line, $"{what}; the header is '{Printable(header, MostOfHeader)}'");

    /// <summary>Text of the trace as a message may show it.</summary>
    public static string Printable(string text) => Printable(text, MostShown);

    private static string Printable(string text, int most)
    {
        var shown = text.Length > most ? text[..most] + "…" : text;
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }
}
