namespace Platform.Cli.Traces;

/// <summary>
/// Reads a request trace in any of the public formats: Azure's, BurstGPT's and ServeGen's in CSV, Mooncake's in JSON
/// lines, results of vLLM's benchmark in JSON.
/// </summary>
/// <param name="text">The trace.</param>
/// <param name="name">How to call it in a fault's message.</param>
/// <param name="typeColumn">The column that tells task types apart; null for none.</param>
/// <param name="seed">Seed of what is generated where the trace tells no requests.</param>
internal sealed class TraceReader(
    TextReader text,
    string name,
    string? typeColumn = null,
    int seed = TraceReader.DefaultSeed
)
{
    /// <summary>Seed where none is given.</summary>
    public const int DefaultSeed = 1;

    /// <summary>A benchmark's result may be one line.</summary>
    private const int MaxFirstLine = 500_000_000;

    /// <summary>Reads a file.</summary>
    /// <exception cref="TraceFormatException">It cannot be read, or is no trace.</exception>
    public static RequestTrace ReadFile(string path, string? typeColumn = null, int seed = DefaultSeed)
    {
        try
        {
            using var file = new StreamReader(path);
            return new TraceReader(file, path, typeColumn, seed).Read();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new TraceFormatException($"{path}: cannot be read: {fault.Message}");
        }
    }

    /// <summary>Reads the trace.</summary>
    /// <exception cref="TraceFormatException">Names the line, the column and what is wrong.</exception>
    public RequestTrace Read()
    {
        var faults = new TraceFaults(name);
        var lines = new TraceLines(text, faults);
        var isJson = (char)text.Peek() == '{';
        var first = lines.Next(isJson ? MaxFirstLine : CsvTrace.MaxLineLength);
        if (string.IsNullOrWhiteSpace(first))
            throw faults.Of(1, "is empty: a trace begins with a header, or with an object in JSON");
        if (isJson)
            return JsonTrace.Read(first, lines, typeColumn, faults);
        var header = new CsvHeader(first, faults);
        return header.IsOfRates
            ? RateTrace.Read(header, lines, typeColumn, seed, faults)
            : CsvTrace.Read(header, lines, typeColumn, faults);
    }
}
