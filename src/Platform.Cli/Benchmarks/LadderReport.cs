using System.Globalization;

namespace Platform.Cli.Benchmarks;

/// <summary>What queries came to under one way of granting tokens.</summary>
/// <param name="Objective">Mean of accuracyWeight · weight · accuracy − system time, seconds.</param>
/// <param name="SystemSeconds">Mean system time.</param>
/// <param name="Tokens">Mean tokens.</param>
/// <param name="FarTooSlow">Part of the queries beyond ten times the mean system time of calm traffic.</param>
/// <param name="MostInFlight">Most queries in flight at the fleet.</param>
/// <param name="SecondsToRecover">From a surge's end to the first query that is not far too slow, in the mean.</param>
internal sealed record PolicyFigures(
    double Objective,
    double SystemSeconds,
    double Tokens,
    double FarTooSlow,
    int MostInFlight,
    double SecondsToRecover
);

/// <summary>Surges of one kind against a fleet.</summary>
internal sealed record SurgeOutcome
{
    public required string Fleet { get; init; }

    public required double Times { get; init; }

    public required double SurgeSeconds { get; init; }

    /// <summary>Of calm traffic, predicted.</summary>
    public required double MeanSystemTimeSeconds { get; init; }

    public required int Queries { get; init; }

    /// <summary>The allocation of calm traffic, whatever comes.</summary>
    public required PolicyFigures One { get; init; }

    public required PolicyFigures Ladder { get; init; }

    /// <summary>Solves each second for that second's rate, which it knows.</summary>
    public required PolicyFigures Clairvoyant { get; init; }

    public string ToLine() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"  {Fleet, -18} {Times, 3:0}x {SurgeSeconds, 4:0} s  {Columns(it => it.Objective, "0.00"), 26}"
                + $"  {Columns(it => 100 * it.FarTooSlow, "0.00"), 23}  {Columns(it => it.MostInFlight, "0"), 20}"
                + $"  {Columns(it => it.SecondsToRecover, "0"), 17}"
        );

    private string Columns(Func<PolicyFigures, double> figure, string format) =>
        string.Join(
            " ",
            new[] { One, Ladder, Clairvoyant }.Select(it =>
                figure(it).ToString(format, CultureInfo.InvariantCulture).PadLeft(6)
            )
        );
}

/// <summary>What a ladder comes to whose rungs begin at other numbers.</summary>
/// <param name="Fleet">The fleet.</param>
/// <param name="Deviations">Standard deviations above the mean at which a rung begins.</param>
/// <param name="Steady">Objective less that of one allocation, in steady traffic.</param>
/// <param name="Surges">Objective less the clairvoyant's, in the mean over surges of 60 s.</param>
internal sealed record DeviationsOutcome(string Fleet, double Deviations, double Steady, double Surges);

/// <summary>What <c>bench ladder</c> prints.</summary>
internal sealed record LadderReport
{
    /// <summary>Poisson, or a trace.</summary>
    public required string Arrivals { get; init; }

    public required int Surges { get; init; }

    /// <summary>Without surges.</summary>
    public required IReadOnlyList<SurgeOutcome> Steady { get; init; }

    public required IReadOnlyList<SurgeOutcome> Played { get; init; }

    public required IReadOnlyList<DeviationsOutcome> Alternatives { get; init; }

    public required IReadOnlyList<LadderCost> Costs { get; init; }

    public IEnumerable<string> ToLines()
    {
        yield return $"{Arrivals} arrivals, {Surges} surges of each kind; each figure under: one allocation, its ladder, a clairvoyant";
        yield return "  fleet              surge        objective, s               far too slow, %          most in flight        s to recover";
        foreach (var outcome in Steady.Concat(Played))
            yield return outcome.ToLine();
        yield return "far too slow: beyond ten times the mean system time of calm traffic";
        yield return "rungs that begin at other numbers: objective less one allocation's in steady traffic, less the clairvoyant's in surges of 60 s";
        foreach (var other in Alternatives)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  {other.Fleet, -18} {other.Deviations} deviations: steady {other.Steady, 6:+0.00;-0.00;0.00} s, surges {other.Surges, 6:+0.00;-0.00;0.00} s"
            );
        }

        yield return "16 rungs beside one solve";
        foreach (var cost in Costs)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  {cost.Dispatch.ToString().ToLowerInvariant(), -8} {cost.TaskTypes, 4} task types: a solve {cost.SolveMicros, 8:0} µs,"
                    + $" its ladder {cost.LadderMicros, 8:0} µs: {cost.Ratio:0.00} times, at worst {cost.WorstRatio:0.00}"
            );
        }
    }
}
