using Platform.Domain.Allocation;

namespace Platform.Domain.Estimation;

/// <summary>The old names under which task types of a definition may still be reported.</summary>
internal static class TaskTypeAliases
{
    /// <summary>The id of the task type that each alias belongs to; empty for a definition without aliases.</summary>
    public static IReadOnlyDictionary<string, string> IdsByAlias(IReadOnlyList<TaskType> types)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var type in types)
        {
            foreach (var alias in type.Aliases ?? [])
                ids[alias] = type.Id;
        }

        return ids;
    }
}
