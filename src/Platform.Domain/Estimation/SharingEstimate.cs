using System.Text.Json.Serialization;

namespace Platform.Domain.Estimation;

/// <summary>What is known of how queries share a server, of a fleet whose dispatch is sharing.</summary>
public sealed record SharingEstimate
{
    /// <summary>α, the part of an iteration's time that all queries in service have in common, in seconds.</summary>
    public required IntervalEstimate OverheadSecondsPerToken { get; init; }

    /// <summary>
    /// Whether the windows say more of α than the prior does. They do where the load has moved beyond what chance
    /// gives; at one load they say nothing of it, and the prior holds, bent to go through the seen times.
    /// </summary>
    public required bool Identifiable { get; init; }

    /// <summary>The prior's part of all that is known of α, 0 to 1; null without completions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public required double? DoubtLeft { get; init; }

    /// <summary>
    /// Queries in service at a server in the mean, as windows told it and by Little's law where they did not; null
    /// without completions.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public required double? MeanInService { get; init; }

    /// <summary>
    /// Variance of the load between stretches of time over that of chance, 1 for an even load; null of too few of them.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public required double? LoadVariation { get; init; }
}
