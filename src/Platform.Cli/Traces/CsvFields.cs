using System.Text;

namespace Platform.Cli.Traces;

/// <summary>The fields of a line of CSV; a quoted one may have commas, and quotes twice.</summary>
internal static class CsvFields
{
    /// <summary>Splits a line.</summary>
    public static string[] Split(string line) =>
        line.Contains('"', StringComparison.Ordinal) ? SplitQuoted(line) : line.Split(',');

    private static string[] SplitQuoted(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var isDoubled = isQuoted && line[i] == '"' && i + 1 < line.Length && line[i + 1] == '"';
            if (isDoubled)
                field.Append(line[++i]);
            else if (line[i] == '"')
                isQuoted = !isQuoted;
            else if (line[i] == ',' && !isQuoted)
                fields.Add(Ended(field));
            else
                field.Append(line[i]);
        }

        fields.Add(Ended(field));
        return [.. fields];
    }

    private static string Ended(StringBuilder field)
    {
        var text = field.ToString();
        field.Clear();
        return text;
    }
}
