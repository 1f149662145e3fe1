using System.Text.RegularExpressions;
using Platform.Cli.Traces;
using Platform.Domain.Contracts;

namespace Platform.Cli.Replay;

/// <summary>Which task type a request of a trace is of: one for all, or what a column says, written as an id.</summary>
/// <param name="trace">How to call the trace in a fault's message.</param>
/// <param name="taskType">The task type of requests whose column says nothing; null where there must be none.</param>
/// <param name="column">The column; null where all are of one task type.</param>
internal sealed partial class ReplayTaskTypes(string trace, string? taskType, string? column)
{
    private const int LongestId = 64;

    private readonly Dictionary<string, string> _ids = new(StringComparer.Ordinal);

    /// <summary>The task type of a request.</summary>
    /// <exception cref="TraceFormatException">The column says nothing of which an id could be made.</exception>
    public string Of(TraceRequest request)
    {
        if (column is null)
            return taskType!;
        var kind = request.Kind ?? "";
        if (!_ids.TryGetValue(kind, out var id))
            _ids[kind] = id = IdOf(kind);
        return id;
    }

    private string IdOf(string kind)
    {
        var plain = NoPartOfAnId().Replace(kind, "-");
        var id = (plain.Length > LongestId ? plain[..LongestId] : plain).Trim('-', '.', '_');
        if (Identifiers.IsTaskType(id))
            return id;
        return taskType
            ?? throw new TraceFormatException(
                $"{trace}, column {column}: '{TraceFaults.Printable(kind)}' cannot be made a task type's id; "
                    + "--task-type names one for such requests"
            );
    }

    [GeneratedRegex("[^A-Za-z0-9._-]+")]
    private static partial Regex NoPartOfAnId();
}
