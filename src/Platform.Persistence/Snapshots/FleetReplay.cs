using System.Text.Json;
using Platform.Domain.Estimation;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Snapshots;

/// <summary>Goes through a fleet's versions in order, and derives each again from its windows.</summary>
internal sealed class FleetReplay(FleetKey key, FleetDecisions decisions, IReplayedWindows windows)
{
    private string? _previousHash;

    /// <summary>The last version seen, which is their number unless some are missing.</summary>
    public int Versions { get; private set; }

    /// <summary>Checks the next stored version, and says of each that is missing before it that it is.</summary>
    public async Task CheckAsync(SnapshotRow row, bool derive, Action<VersionVerification> found)
    {
        for (var missing = Versions + 1; missing < row.Version; missing++)
            found(Missing(missing));
        var chain = new List<string>();
        var hash = AllocationSnapshot.HashOf(row.Document);
        if (hash != row.Hash)
            chain.Add($"the stored bytes hash to {hash}, not to the stored hash {row.Hash}");
        if (!SnapshotHeader.TryRead(row.Document, out var header, out var fault))
            chain.Add($"the stored bytes are no snapshot: {fault}");
        else
            chain.AddRange(ChainFaults(row, header));
        var (matches, recomputed, faults) =
            header is not null && derive ? await DeriveAsync(row, header) : (header is null ? false : null, null, []);
        if (derive || chain.Count > 0)
            found(
                new VersionVerification(row.Version, matches, hash, recomputed, chain.Count == 0, [.. chain, .. faults])
            );
        (Versions, _previousHash) = (row.Version, row.Hash);
    }

    /// <summary>Says of each announced version that no row is left of that it is missing.</summary>
    public void CheckEnd(Action<VersionVerification> found)
    {
        for (var missing = Versions + 1; missing <= decisions.LatestVersion; missing++)
            found(Missing(missing));
    }

    private static VersionVerification Missing(int version) =>
        new(version, false, null, null, false, ["the version is missing"]);

    private IEnumerable<string> ChainFaults(SnapshotRow row, SnapshotHeader header)
    {
        if (header.Provenance.PreviousHash != _previousHash)
            yield return $"it follows {header.Provenance.PreviousHash ?? "nothing"}, and the version before it is {_previousHash ?? "none"}";
        var announced = decisions.AnnouncementsOf(row.Version);
        if (announced.Count != 1)
            yield return $"it was announced {announced.Count} times";
        else if (
            announced[0].Hash != row.Hash
            || announced[0].Revision != header.Provenance.DefinitionRevision
            || announced[0].WorkloadVersion != header.Provenance.WorkloadVersion
        )
            yield return $"the announcement says hash {announced[0].Hash}, revision {announced[0].Revision}, workload version {announced[0].WorkloadVersion}";
        foreach (var fault in FigureFaults(row))
            yield return fault;
    }

    private static IEnumerable<string> FigureFaults(SnapshotRow row)
    {
        using var document = JsonDocument.Parse(row.Document);
        var solution = document.RootElement.GetProperty("solution");
        foreach (
            var (name, value) in new (string, double)[]
            {
                ("objective", row.Objective),
                ("meanAccuracy", row.MeanAccuracy),
                ("meanSystemTimeSeconds", row.MeanSystemTimeSeconds),
                ("utilization", row.Utilization),
            }
        )
        {
            if (solution.GetProperty(name).GetDouble() != value)
                yield return $"the row's {name} is {CanonicalJson.Number(value)}, that of the stored bytes {solution.GetProperty(name).GetRawText()}";
        }

        if (row.Summary is not null && !AllocationSummary.IsOf(row.Summary, row.Document))
            yield return "the row's summary is not that of the stored bytes";
    }

    private async Task<(bool? Matches, string? Hash, string[] Faults)> DeriveAsync(
        SnapshotRow row,
        SnapshotHeader header
    )
    {
        if (!SnapshotDerivation.Knows(header.Versions))
            return (
                null,
                null,
                [
                    $"it was derived with {header.Versions.Estimator} and {header.Versions.Solver}, which this program has not",
                ]
            );
        if (decisions.DefinitionOf(header.Provenance.DefinitionRevision) is not { } definition)
            return (false, null, [$"there is no revision {header.Provenance.DefinitionRevision} of the definition"]);
        WorkloadSums sums;
        try
        {
            sums = await windows.SumsAsync(
                definition.Solving.Reach,
                header.Provenance.WorkloadVersion,
                header.SolvedAt
            );
        }
        catch (FormatException fault)
        {
            return (false, null, [fault.Message]);
        }

        var inputs = new SnapshotInputs
        {
            Tenant = key.Tenant,
            Fleet = key.Fleet,
            Definition = definition,
            DefinitionRevision = header.Provenance.DefinitionRevision,
            Sums = sums,
            WorkloadVersion = header.Provenance.WorkloadVersion,
            SolvedAt = header.SolvedAt,
            Alarm = header.Provenance.Alarm,
        };
        var link = row.Version == 1 ? null : new SnapshotLink(row.Version - 1, header.Provenance.PreviousHash ?? "");
        if (SnapshotDerivation.Derive(inputs, link, header.Versions).Snapshot is not { } snapshot)
            return (false, null, ["the events give an infeasible problem"]);
        var bytes = snapshot.ToCanonicalBytes();
        var matches = bytes.AsSpan().SequenceEqual(row.Document);
        return (
            matches,
            AllocationSnapshot.HashOf(bytes),
            matches ? [] : [$"the events give something else, first at {FirstDifference(row.Document, bytes)}"]
        );
    }

    /// <summary>
    /// The JSON Pointer of the first member, in the order of the canonical form, in which two documents differ.
    /// </summary>
    private static string FirstDifference(byte[] stored, byte[] derived)
    {
        using var one = JsonDocument.Parse(stored);
        using var other = JsonDocument.Parse(derived);
        return Differing(one.RootElement, other.RootElement, "") ?? "the form of the text";
    }

    private static string? Differing(JsonElement one, JsonElement other, string at)
    {
        if (one.ValueKind != other.ValueKind)
            return at;
        if (one.ValueKind == JsonValueKind.Object)
        {
            var names = one.EnumerateObject()
                .Concat(other.EnumerateObject())
                .Select(member => member.Name)
                .Distinct()
                .Order(StringComparer.Ordinal);
            return names
                .Select(name =>
                    one.TryGetProperty(name, out var a) && other.TryGetProperty(name, out var b)
                        ? Differing(a, b, $"{at}/{name}")
                        : $"{at}/{name}"
                )
                .FirstOrDefault(found => found is not null);
        }

        if (one.ValueKind != JsonValueKind.Array)
            return one.GetRawText() == other.GetRawText() ? null : at;
        return one.GetArrayLength() != other.GetArrayLength()
            ? at
            : one.EnumerateArray()
                .Zip(other.EnumerateArray())
                .Select((pair, i) => Differing(pair.First, pair.Second, $"{at}/{i}"))
                .FirstOrDefault(found => found is not null);
    }
}
