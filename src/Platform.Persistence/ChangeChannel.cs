namespace Platform.Persistence;

/// <summary>
/// PostgreSQL's channels on which changes are told, at the commit, to those who keep something in memory.
/// </summary>
internal static class ChangeChannel
{
    /// <summary>
    /// Something was decided about a fleet, or another version is in force; payload <c>tenant/fleet</c>.
    /// </summary>
    public const string Fleets = "platform_fleets";

    /// <summary>Keys of a tenant no longer open what they did; payload <c>tenant/*</c>.</summary>
    public const string Keys = "platform_keys";
}
