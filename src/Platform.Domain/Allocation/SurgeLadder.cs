using System.Text.Json.Serialization;

namespace Platform.Domain.Allocation;

/// <summary>
/// Tokens for surges, which come faster than solves: the answers to the same problem at rising loads, each for so many
/// queries in flight. A client applies the highest rung whose number it has reached. Method: docs/ladder.md.
/// </summary>
public sealed record SurgeLadder
{
    /// <summary>Most rungs, the allocation itself among them.</summary>
    public const int MostRungs = 16;

    /// <summary>How it was made: <see cref="LadderDerivation.Version"/>.</summary>
    public required string Method { get; init; }

    /// <summary>
    /// 1 to 16, by rising number in flight: the first is what the snapshot grants or sends, the last the fewest tokens
    /// allowed. From one to the next no task type gets more. One alone where the first is the fewest already.
    /// </summary>
    public required IReadOnlyList<LadderRung> Rungs { get; init; }

    /// <summary>Two have the same rungs. (A record's own equality compares the lists by reference.)</summary>
    public static bool SameContent(SurgeLadder? one, SurgeLadder? other)
    {
        if (one is null || other is null)
            return one is null && other is null;
        return one.Method == other.Method
            && one.Rungs.Count == other.Rungs.Count
            && one.Rungs.Zip(other.Rungs).All(pair => SameContent(pair.First, pair.Second));
    }

    private static bool SameContent(LadderRung one, LadderRung other) =>
        one with { Allocation = other.Allocation } == other && one.Allocation.SequenceEqual(other.Allocation);

    /// <summary>The highest rung that a number of queries in flight reaches.</summary>
    /// <param name="inFlightPerServer">Queries in flight at the fleet over its servers, at least 0.</param>
    public LadderRung At(double inFlightPerServer) => Rungs.Last(rung => inFlightPerServer >= rung.InFlightPerServer);
}

/// <summary>A rung of a ladder.</summary>
/// <param name="InFlightPerServer">
/// From how many queries in flight at the fleet, over its servers, it applies; at least 0, and 0 for the first rung.
/// </param>
/// <param name="Allocation">Tokens of each type, in the problem's order.</param>
/// <param name="ArrivalRate">
/// The arrivals a second at the fleet that its tokens are the optimum for; null for the last rung, the fewest tokens.
/// </param>
public sealed record LadderRung(
    double InFlightPerServer,
    IReadOnlyList<SentTokens> Allocation,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? ArrivalRate = null
);
