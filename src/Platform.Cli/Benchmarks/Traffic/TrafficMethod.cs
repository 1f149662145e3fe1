using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>A way to follow the traffic, as the benchmark holds it against the others.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Versions">The arithmetic that derives its allocations.</param>
/// <param name="HorizonSeconds">The horizon of the fleet's definition; null for the definition's own.</param>
internal sealed record TrafficMethod(string Name, DerivationVersions Versions, int? HorizonSeconds = null)
{
    /// <summary>The horizon of the short one: a quarter of an hour, three periods.</summary>
    private const int ShortHorizonSeconds = 900;

    private static readonly DerivationVersions Average = new("estimator/5", "dual-newton/6");

    /// <summary>
    /// The average over six hours, the average over a short horizon, the rate as of now alone, and the current method,
    /// which forecasts it too.
    /// </summary>
    private static readonly TrafficMethod[] All =
    [
        new("average", Average),
        new("short", Average, ShortHorizonSeconds),
        new("now", new DerivationVersions("estimator/6", "dual-newton/6")),
        new("ours", DerivationVersions.Current),
    ];

    /// <summary>Those that differ over so many hours: nothing is forecast before two days are seen.</summary>
    public static IEnumerable<TrafficMethod> Over(int hours) => All.Where(method => hours > 48 || method.Name != "now");

    /// <summary>The definition as this method takes it.</summary>
    public FleetDefinition Apply(FleetDefinition definition) =>
        HorizonSeconds is { } seconds
            ? definition with
            {
                Solving = definition.Solving with { HorizonSeconds = seconds },
            }
            : definition;
}
