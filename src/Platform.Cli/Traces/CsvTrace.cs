namespace Platform.Cli.Traces;

/// <summary>
/// Reads traces in CSV that have a row for each request: those of Azure, of BurstGPT, and others with the same columns.
/// </summary>
internal static class CsvTrace
{
    /// <summary>Longest line: a few fields need a hundred characters.</summary>
    public const int MaxLineLength = 1_000;

    private const double MostSeconds = 86_400;

    /// <summary>Reads the rows.</summary>
    /// <exception cref="TraceFormatException">Names the line, the column and what is wrong.</exception>
    public static RequestTrace Read(CsvHeader header, TraceLines lines, string? typeColumn, TraceFaults faults)
    {
        var kind = typeColumn is null ? -1 : header.Named(typeColumn);
        var columns = new Columns(header.Time, header.Context, header.Generated, header.Duration, kind);
        var requests = new List<TraceRequest>();
        while (lines.Next(MaxLineLength) is { } line)
        {
            if (line.Length > 0)
                requests.Add(RequestOf(new CsvRow(header, lines.Number, line, faults), columns));
        }

        return requests.Count > 0
            ? RequestTrace.Of(header.Format, requests)
            : throw faults.Of(lines.Number, "the header is followed by no request");
    }

    private static TraceRequest RequestOf(CsvRow row, Columns columns)
    {
        var seconds = columns.Duration < 0 ? null : row.Number(columns.Duration, MostSeconds);
        return new TraceRequest(row.Moment(columns.Time), row.Tokens(columns.Context), row.Tokens(columns.Generated))
        {
            Duration = seconds is > 0 ? TimeSpan.FromSeconds(seconds.Value) : null,
            Kind = columns.Kind < 0 ? null : row.Text(columns.Kind),
        };
    }

    private sealed record Columns(int Time, int Context, int Generated, int Duration, int Kind);
}
