using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Platform.Cli.Collection.Scraping;

/// <summary>Reads one line of Prometheus's text format: <c>name{label="value",…} number [timestamp]</c>.</summary>
internal ref struct MetricLine
{
    private static readonly Dictionary<string, string> NoLabels = [];

    private readonly ReadOnlySpan<char> _line;
    private int _at;

    private MetricLine(ReadOnlySpan<char> line) => _line = line;

    private readonly bool IsAtEnd => _at >= _line.Length;

    /// <summary>Reads a line.</summary>
    /// <param name="line">The line, without white space around it.</param>
    /// <param name="sample">What the line says.</param>
    /// <returns>False where the line is no sample.</returns>
    public static bool TryRead(string line, [NotNullWhen(true)] out MetricSample? sample)
    {
        sample = null;
        var reader = new MetricLine(line);
        if (reader.ReadName() is not { } name || reader.ReadLabels() is not { } labels)
            return false;
        if (reader.ReadNumber() is not { } value)
            return false;
        sample = new MetricSample(name, labels, value);
        return true;
    }

    private string? ReadName()
    {
        var start = _at;
        while (!IsAtEnd && IsOfName(_line[_at], isFirst: _at == start))
            _at++;
        return _at == start ? null : _line[start.._at].ToString();
    }

    private static bool IsOfName(char sign, bool isFirst) =>
        char.IsAsciiLetter(sign) || sign is '_' or ':' || (!isFirst && char.IsAsciiDigit(sign));

    private Dictionary<string, string>? ReadLabels()
    {
        SkipSpace();
        if (!TryTake('{'))
            return NoLabels;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            SkipSpace();
            if (TryTake('}'))
                return labels;
            if (!TryReadLabel(labels))
                return null;
            SkipSpace();
            var isFollowed = TryTake(',') || (!IsAtEnd && _line[_at] == '}');
            if (!isFollowed)
                return null;
        }
    }

    private bool TryReadLabel(Dictionary<string, string> labels)
    {
        if (ReadName() is not { } name)
            return false;
        SkipSpace();
        if (!TryTake('='))
            return false;
        SkipSpace();
        if (ReadQuoted() is not { } value)
            return false;
        return labels.TryAdd(name, value);
    }

    private string? ReadQuoted()
    {
        if (!TryTake('"'))
            return null;
        var text = new StringBuilder();
        while (!IsAtEnd)
        {
            var sign = _line[_at++];
            if (sign == '"')
                return text.ToString();
            if (sign == '\\' && !IsAtEnd)
                AppendEscaped(text, _line[_at++]);
            else
                text.Append(sign);
        }

        return null;
    }

    private static void AppendEscaped(StringBuilder text, char sign)
    {
        if (sign == 'n')
            text.Append('\n');
        else if (sign is '"' or '\\')
            text.Append(sign);
        else
            text.Append('\\').Append(sign);
    }

    private double? ReadNumber()
    {
        SkipSpace();
        var number = Word();
        var rest = Rest();
        var isWhole = rest.IsEmpty || rest[0] == '#' || IsTimestamp(rest);
        if (!isWhole)
            return null;
        return Number(number);
    }

    private ReadOnlySpan<char> Word()
    {
        var start = _at;
        while (!IsAtEnd && !char.IsWhiteSpace(_line[_at]))
            _at++;
        return _line[start.._at];
    }

    private readonly ReadOnlySpan<char> Rest() => _line[_at..].Trim();

    /// <summary>Whether what follows the number is a timestamp, with or without an exemplar behind it.</summary>
    private static bool IsTimestamp(ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf('#');
        var timestamp = end < 0 ? rest : rest[..end].TrimEnd();
        return Number(timestamp) is not null;
    }

    /// <summary>A number as the language Go writes it, which Prometheus's format is defined by.</summary>
    private static double? Number(ReadOnlySpan<char> text) =>
        text switch
        {
            "+Inf" or "Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            "NaN" => double.NaN,
            _ => Finite(text),
        };

    private static double? Finite(ReadOnlySpan<char> text)
    {
        const NumberStyles Written =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var isNumber =
            double.TryParse(text, Written, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number);
        return isNumber ? number : null;
    }

    private bool TryTake(char sign)
    {
        var isNext = !IsAtEnd && _line[_at] == sign;
        if (isNext)
            _at++;
        return isNext;
    }

    private void SkipSpace()
    {
        while (!IsAtEnd && char.IsWhiteSpace(_line[_at]))
            _at++;
    }
}
