using System.Globalization;
using System.Text;

namespace Platform.Domain.Snapshots;

/// <summary>A history of allocations as CSV (RFC 4180): a line for each version and task type.</summary>
public static class SnapshotCsv
{
    /// <summary>The first line, with its end.</summary>
    public const string Header =
        "version,hash,solvedAt,objective,meanAccuracy,meanSystemTimeSeconds,utilization,taskType,tokens,accuracy,given,givenName\r\n";

    private static readonly string[] MadeFormulas = ["=", "+", "-", "@", "\t", "\r"];

    /// <summary>The lines of a version.</summary>
    /// <param name="hash">The snapshot's hash.</param>
    /// <param name="snapshot">The snapshot.</param>
    public static string Lines(string hash, ComparableSnapshot snapshot)
    {
        var solution = snapshot.Solution;
        var version = string.Join(
            ',',
            snapshot.Version.ToString(CultureInfo.InvariantCulture),
            hash,
            snapshot.SolvedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture),
            CanonicalJson.Number(solution.Objective),
            CanonicalJson.Number(solution.MeanAccuracy),
            CanonicalJson.Number(solution.MeanSystemTimeSeconds),
            CanonicalJson.Number(solution.Utilization)
        );
        var lines = new StringBuilder();
        foreach (var (type, given) in solution.Allocation.Zip(snapshot.Given))
        {
            var optimum = $"{Text(type.TaskType)},{type.Tokens},{CanonicalJson.Number(type.Accuracy)}";
            lines.Append(
                CultureInfo.InvariantCulture,
                $"{version},{optimum},{given.Tokens},{Text(given.Name ?? "")}\r\n"
            );
        }

        return lines.ToString();
    }

    /// <summary>
    /// A text as a field. One that a spreadsheet would take for a formula gets an apostrophe before it, though no id is
    /// like that today.
    /// </summary>
    internal static string Text(string text)
    {
        var harmless = MadeFormulas.Any(start => text.StartsWith(start, StringComparison.Ordinal)) ? $"'{text}" : text;
        return harmless.AsSpan().ContainsAny(",\"\r\n")
            ? $"\"{harmless.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : harmless;
    }
}
