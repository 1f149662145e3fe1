using Platform.Domain.Estimation;

namespace Platform.Domain.Fleets;

/// <summary>
/// What a fleet's stream of decisions says: the definition of each revision, and what was announced of each allocation.
/// </summary>
public sealed class FleetDecisions
{
    private readonly Dictionary<int, FleetDefinition> _definitions = [];
    private readonly Dictionary<int, List<AllocationPublished>> _published = [];

    /// <param name="events">The whole stream, oldest first.</param>
    /// <exception cref="InvalidOperationException">A decision cannot follow those before it: the stream is not as it
    /// was written.</exception>
    public FleetDecisions(IEnumerable<FleetEvent> events)
    {
        Fleet? fleet = null;
        foreach (var happened in events)
        {
            // What was announced is held against what is stored; it decides nothing about definitions.
            if (happened is AllocationPublished published)
            {
                if (!_published.TryAdd(published.Version, [published]))
                    _published[published.Version].Add(published);
            }
            else
            {
                fleet = Fleet.Evolve(fleet, happened);
                _definitions[fleet.Revision] = fleet.Definition;
            }
        }
    }

    /// <summary>The highest version that was announced; 0 when there is none.</summary>
    public int LatestVersion => _published.Keys.DefaultIfEmpty().Max();

    /// <summary>How far back windows count, of every revision.</summary>
    public IEnumerable<WorkloadReach> Reaches =>
        _definitions.Values.Select(definition => definition.Solving.Reach).Distinct();

    /// <summary>The definition of a revision, or null when there is no such revision.</summary>
    public FleetDefinition? DefinitionOf(int revision) => _definitions.GetValueOrDefault(revision);

    /// <summary>The announcements of a version: one, unless somebody has tampered with them.</summary>
    public IReadOnlyList<AllocationPublished> AnnouncementsOf(int version) =>
        _published.GetValueOrDefault(version) ?? [];
}
