using System.Globalization;

namespace Platform.Cli.Benchmarks;

/// <summary>
/// From a window's publish until its fleet's solve contains it, over the windows of the quiet tenant.
/// </summary>
internal sealed record FairnessLatency(
    int Windows,
    double MedianSeconds,
    double Percentile99Seconds,
    double LongestSeconds
)
{
    public static FairnessLatency Of(IReadOnlyList<double> seconds)
    {
        double[] sorted = [.. seconds.Order()];
        return new FairnessLatency(
            sorted.Length,
            FreshnessFigures.Quantile(sorted, 0.5),
            FreshnessFigures.Quantile(sorted, 0.99),
            sorted[^1]
        );
    }
}

/// <summary>The quiet tenant alone and beside the loud one, one after the other.</summary>
internal sealed record FairnessRound(FairnessLatency Alone, FairnessLatency Beside)
{
    public double Ratio => Beside.Percentile99Seconds / Alone.Percentile99Seconds;
}

/// <summary>What <c>bench fairness</c> prints.</summary>
internal sealed record FairnessFigures
{
    /// <summary>How much later than alone the quiet tenant's 99th percentile may come.</summary>
    public const double Bound = 2;

    private const int BarLength = 40;

    /// <summary>Windows a second of the quiet tenant.</summary>
    public required int Rate { get; init; }

    /// <summary>The loud tenant's windows for each of the quiet one's.</summary>
    public required int Times { get; init; }

    /// <summary>Fleets of the quiet tenant.</summary>
    public required int QuietFleets { get; init; }

    /// <summary>Fleets of the loud tenant.</summary>
    public required int LoudFleets { get; init; }

    public required IReadOnlyList<FairnessRound> Rounds { get; init; }

    /// <summary>Median over the rounds of the 99th percentile beside the loud tenant over that alone.</summary>
    public double Ratio => Median.Of(Rounds, round => round.Ratio);

    public bool IsFair => Ratio <= Bound;

    public IEnumerable<string> ToLines()
    {
        var most = Rounds.Max(round => Math.Max(round.Alone.Percentile99Seconds, round.Beside.Percentile99Seconds));
        yield return Say(
            $"publish to a solve that contains it: {Rate} windows a second over {QuietFleets} fleets, each solved every second"
        );
        foreach (var (round, number) in Rounds.Select((round, i) => (round, i + 1)))
        {
            yield return Line($"round {number}, alone", round.Alone, most);
            yield return Line($"round {number}, beside {Rate * Times}/s over {LoudFleets} fleets", round.Beside, most);
        }

        yield return Say(
            $"99th percentile beside a tenant of {Times} times the load: {Ratio:0.00} of that alone, {(IsFair ? "within" : "beyond")} {Bound:0.0}"
        );
    }

    private static string Line(string what, FairnessLatency latency, double most)
    {
        var bar = new string('█', (int)Math.Round(latency.Percentile99Seconds / most * BarLength));
        return Say(
            $"  {what, -40} median {latency.MedianSeconds, 5:0.00} s, 99th {latency.Percentile99Seconds, 5:0.00} s, longest {latency.LongestSeconds, 5:0.00} s of {latency.Windows}  {bar}"
        );
    }

    private static string Say(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
