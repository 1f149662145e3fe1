using System.Globalization;
using System.Text.Json.Serialization;
using Platform.Domain.Estimation;

namespace Platform.Domain.Fleets;

/// <summary>Something about a fleet that a person should look at, although the fleet is solved.</summary>
/// <param name="Code">Which kind of concern it is, for programs: one of <see cref="FleetConcerns"/>'s codes.</param>
/// <param name="Message">What was seen and what to do about it, for people.</param>
public sealed record FleetConcern(string Code, string Message)
{
    /// <summary>Since when solves have found it, UTC; null where that is not kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Since { get; init; }
}

/// <summary>Finds a fleet's concerns. A concern warns whoever reads it and never changes the answer.</summary>
public static class FleetConcerns
{
    /// <summary>Windows name task types that the definition does not know.</summary>
    public const string UnknownTaskTypes = "unknownTaskTypes";

    /// <summary>The pinned version has no tokens for a task type of the definition.</summary>
    public const string PinLacksTaskTypes = "pinLacksTaskTypes";

    /// <summary>The part of the arrivals that must be of unknown task types before anybody is told.</summary>
    internal const double UnknownShare = 0.01;

    /// <summary>The number of arrivals of unknown task types below which nobody is told.</summary>
    internal const long UnknownArrivals = 10;

    /// <summary>Task types that a message names; of more it says how many there are.</summary>
    private const int MostNames = 5;

    /// <summary>The concerns of a solve, in a fixed order; empty when there is none.</summary>
    /// <param name="estimate">The estimate that was solved on.</param>
    public static IReadOnlyList<FleetConcern> Of(FleetEstimate estimate)
    {
        FleetConcern?[] concerns = [FindUnknownTaskTypes(estimate)];
        return [.. concerns.OfType<FleetConcern>()];
    }

    /// <summary>The concern of a pinned version that lacks a task type of the definition, or null.</summary>
    /// <param name="definition">The definition in force.</param>
    /// <param name="version">The pinned version.</param>
    /// <param name="taskTypes">The task types that the version has tokens for.</param>
    public static FleetConcern? FindInPinnedVersion(
        FleetDefinition definition,
        int version,
        IEnumerable<string> taskTypes
    )
    {
        string[] lacking = [.. definition.TaskTypes.Select(type => type.Id).Except(taskTypes, StringComparer.Ordinal)];
        if (lacking.Length == 0)
            return null;
        var names = Names(lacking);
        var message =
            $"The pinned version {version} has no tokens for these task types of the definition: {names}. "
            + "Gateways find no budget for them; unpin the version, or pin one that has them.";
        return new FleetConcern(PinLacksTaskTypes, message);
    }

    private static FleetConcern? FindUnknownTaskTypes(FleetEstimate estimate)
    {
        var arrivals = estimate.UnknownTaskTypes.Sum(type => (double)type.Arrivals);
        var share = arrivals / Math.Max(estimate.Arrivals, 1);
        if (arrivals < UnknownArrivals || share < UnknownShare)
            return null;
        var byArrivals = estimate
            .UnknownTaskTypes.OrderByDescending(type => type.Arrivals)
            .ThenBy(type => type.Id, StringComparer.Ordinal);
        var percent = (Math.Min(share, 1) * 100).ToString("0.#", CultureInfo.InvariantCulture);
        var names = Names([.. byArrivals.Select(type => type.Id)]);
        var message =
            $"{percent} % of arrivals are of task types that the definition does not know: {names}; "
            + "rename them, or add them to the definition as task types or as aliases.";
        return new FleetConcern(UnknownTaskTypes, message);
    }

    private static string Names(string[] taskTypes)
    {
        var named = string.Join(", ", taskTypes.Take(MostNames));
        var others = taskTypes.Length - MostNames;
        return others > 0 ? string.Create(CultureInfo.InvariantCulture, $"{named} and {others} more") : named;
    }
}
