namespace Platform.Cli.Traces;

/// <summary>
/// The header of a trace in CSV: which column has what, whatever its order, its case and its other columns.
/// </summary>
internal sealed class CsvHeader
{
    private const string Formats =
        "TIMESTAMP, ContextTokens and GeneratedTokens (Azure), "
        + "Timestamp, Request tokens and Response tokens (BurstGPT), or window_start_s and rate_rps (ServeGen)";

    private static readonly string[] TimeNames = ["timestamp", "arrivaltime", "arrivedat", "starttime"];
    private static readonly string[] ContextNames =
    [
        "contexttokens",
        "requesttokens",
        "inputtokens",
        "inputlength",
        "prompttokens",
    ];

    private static readonly string[] GeneratedNames =
    [
        "generatedtokens",
        "responsetokens",
        "outputtokens",
        "outputlength",
        "completiontokens",
    ];

    private static readonly string[] DurationNames = ["elapsedtime", "durations", "durationseconds"];

    private readonly string[] _names;
    private readonly string[] _plain;
    private readonly string _line;
    private readonly TraceFaults _faults;

    /// <param name="line">The trace's first line.</param>
    /// <param name="faults">Says what is wrong.</param>
    public CsvHeader(string line, TraceFaults faults)
    {
        _line = line.TrimStart('\ufeff');
        _faults = faults;
        _names = [.. CsvFields.Split(_line).Select(it => it.Trim())];
        _plain = Array.ConvertAll(_names, Plain);
    }

    /// <summary>How many columns there are.</summary>
    public int Count => _names.Length;

    /// <summary>Whether the trace tells rates over spans of time, as ServeGen's do, instead of requests.</summary>
    public bool IsOfRates => IndexOf("raterps") >= 0 && IndexOf("windowstarts") >= 0;

    /// <summary>The format, as people call it.</summary>
    public string Format
    {
        get
        {
            if (IndexOf("responsetokens") >= 0)
                return "BurstGPT";
            return IndexOf("contexttokens") >= 0 ? "Azure" : "CSV";
        }
    }

    /// <summary>The column of arrival times.</summary>
    public int Time => Required(TimeNames, "TIMESTAMP");

    /// <summary>The column of the prompts' lengths.</summary>
    public int Context => Required(ContextNames, "ContextTokens");

    /// <summary>The column of the answers' lengths.</summary>
    public int Generated => Required(GeneratedNames, "GeneratedTokens");

    /// <summary>The column of durations in seconds; -1 where there is none.</summary>
    public int Duration => IndexOf(DurationNames);

    /// <summary>A column's name as the header has it.</summary>
    public string NameOf(int column) => _names[column];

    /// <summary>The first column of one of these names, written plainly; -1 where there is none.</summary>
    public int IndexOf(params string[] plainNames) => Array.FindIndex(_plain, plainNames.Contains);

    /// <summary>The column that a user names.</summary>
    /// <exception cref="TraceFormatException">There is none.</exception>
    public int Named(string name)
    {
        var index = IndexOf(Plain(name));
        return index >= 0
            ? index
            : throw _faults.OfHeader(1, $"there is no column '{TraceFaults.Printable(name)}'", _line);
    }

    private int Required(string[] plainNames, string name)
    {
        var index = IndexOf(plainNames);
        return index >= 0
            ? index
            : throw _faults.OfHeader(1, $"there is no column {name}: a trace has {Formats}", _line);
    }

    /// <summary>Letters and digits alone, in lower case.</summary>
    private static string Plain(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
