using System.Collections.Frozen;
using System.Globalization;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;

namespace Platform.Domain.Ingestion;

/// <summary>Why a window that was taken does not count, or not all of it.</summary>
public enum UncountedCause
{
    /// <summary>It ended before the fleet's horizon.</summary>
    OlderThanHorizon,

    /// <summary>It is longer than the fleet's horizon: only its end counts.</summary>
    LongerThanHorizon,

    /// <summary>It has an entry for a task type that the fleet's definition does not name.</summary>
    UnknownTaskType,
}

/// <summary>What of a window does not count, for its publisher.</summary>
/// <param name="Cause">Why.</param>
/// <param name="Pointer">JSON Pointer to the value that says so.</param>
/// <param name="Detail">What it means, in words that the publisher can act on.</param>
public sealed record WindowWarning(UncountedCause Cause, string Pointer, string Detail);

/// <summary>
/// Which windows count for a fleet, by its definition: how old they may be, and which task types it knows.
/// </summary>
public sealed class FleetScope
{
    /// <summary>Most warnings about one window.</summary>
    public const int MaxWarnings = 20;

    private readonly TimeSpan _horizon;
    private readonly string _exception;
    private readonly FrozenSet<string> _taskTypes;

    /// <summary>The scope of a definition.</summary>
    public FleetScope(FleetDefinition definition)
    {
        _horizon = TimeSpan.FromSeconds(definition.Solving.HorizonSeconds);
        _exception = definition.Solving.Reach.Days > 0 ? " but for the hours of the day" : "";
        _taskTypes = NamesIn(definition).ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>What of a window will not count.</summary>
    /// <param name="window">A window of the fleet that is valid by the contract.</param>
    /// <param name="now">The moment at which it is taken.</param>
    /// <returns>
    /// In the order of the document, at most <see cref="MaxWarnings"/>; empty when everything counts.
    /// </returns>
    public IReadOnlyList<WindowWarning> WarningsFor(WorkloadWindow window, DateTimeOffset now)
    {
        var age = now - window.WindowEnd;
        if (age > _horizon)
            return [new(UncountedCause.OlderThanHorizon, "/windowEnd", TooOld(age))];
        var warnings = new List<WindowWarning>();
        if (window.WindowEnd - window.WindowStart > _horizon)
            warnings.Add(new(UncountedCause.LongerThanHorizon, "/windowStart", TooLong));
        for (var i = 0; i < window.Tasks.Count && warnings.Count < MaxWarnings; i++)
        {
            if (!_taskTypes.Contains(window.Tasks[i].TaskType))
                warnings.Add(Unknown(i, window.Tasks[i].TaskType));
        }

        return warnings;
    }

    /// <summary>Every name by which a window may call a task type of the fleet.</summary>
    private static IEnumerable<string> NamesIn(FleetDefinition definition) =>
        definition.TaskTypes.SelectMany(type => new[] { type.Id }.Concat(type.Aliases ?? []));

    private string Horizon =>
        string.Create(CultureInfo.InvariantCulture, $"{_horizon.TotalSeconds:#,0} s (solving.horizonSeconds)");

    private string TooLong => $"the window is longer than {Horizon}: only its end counts";

    private string TooOld(TimeSpan age) =>
        $"ended {Words(age)} ago: windows older than {Horizon} do not count{_exception}";

    private static WindowWarning Unknown(int entry, string taskType) =>
        new(
            UncountedCause.UnknownTaskType,
            $"/tasks/{entry}/taskType",
            $"the fleet's definition has no task type \"{taskType}\": this entry does not count until a revision adds it"
        );

    private static string Words(TimeSpan age)
    {
        if (age.TotalDays >= 2)
            return Whole(age.TotalDays, "days");
        return age.TotalHours >= 2 ? Whole(age.TotalHours, "hours") : Whole(age.TotalSeconds, "s");

        static string Whole(double number, string unit) =>
            string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(number):#,0} {unit}");
    }
}
