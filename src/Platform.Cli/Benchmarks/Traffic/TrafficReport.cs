using System.Globalization;
using Platform.Cli.Demo;
using Platform.Domain.Snapshots;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>What one method did in one scenario. Minutes, versions and solves are sums over the rounds.</summary>
internal sealed record TrafficLine
{
    public required string Method { get; init; }

    public required DerivationVersions Versions { get; init; }

    /// <summary>Minutes at a true utilization above 0.95.</summary>
    public required double MinutesAbove95 { get; init; }

    /// <summary>Minutes at a true utilization above 1.</summary>
    public required double MinutesAbove1 { get; init; }

    /// <summary>Of these the ones that a clairvoyant avoids, after the first three windows of the run.</summary>
    public required double MinutesAvoidable { get; init; }

    /// <summary>Of these the ones later than three windows and 10 s after the overload began.</summary>
    public required double MinutesLate { get; init; }

    /// <summary>Minutes of the longest overload that a clairvoyant avoids.</summary>
    public required double LongestMinutes { get; init; }

    /// <summary>Mean objective of a query, seconds.</summary>
    public required double Objective { get; init; }

    /// <summary>What the mean query's objective is below the clairvoyant's, seconds.</summary>
    public required double Lost { get; init; }

    /// <summary>The part of the clairvoyant's gain over the best single budget; null where it has none.</summary>
    public required double? PartOfGain { get; init; }

    /// <summary>Versions written.</summary>
    public required int VersionsWritten { get; init; }

    /// <summary>Solves that came before their time.</summary>
    public required int EarlySolves { get; init; }

    /// <summary>Solves that found no allocation within the limits.</summary>
    public required int InfeasibleSolves { get; init; }

    /// <summary>The part of the moments at which the 95 % interval of the rate holds the true one.</summary>
    public required double? Coverage { get; init; }

    /// <summary>Median width of the interval over the true rate.</summary>
    public required double? IntervalWidth { get; init; }

    /// <summary>Median distance of the estimate from the true rate, over it.</summary>
    public required double? RateError { get; init; }
}

/// <summary>One scenario under all methods.</summary>
internal sealed record TrafficSheet
{
    public required string Scenario { get; init; }

    /// <summary>Length of one round.</summary>
    public required int Minutes { get; init; }

    /// <summary>Mean arrivals a second.</summary>
    public required double MeanRate { get; init; }

    /// <summary>Whether the arrivals are recorded ones.</summary>
    public required bool IsRecorded { get; init; }

    /// <summary>The best single budget.</summary>
    public required long SingleTokens { get; init; }

    /// <summary>Its mean objective of a query, seconds.</summary>
    public required double SingleObjective { get; init; }

    /// <summary>The clairvoyant's.</summary>
    public required double ClairvoyantObjective { get; init; }

    public required IReadOnlyList<TrafficLine> Methods { get; init; }
}

/// <summary>What <c>bench traffic</c> prints.</summary>
internal sealed record TrafficReport
{
    private const int LargestLoss = 10;

    private static readonly string[] Headers =
    [
        "<method",
        "above 0.95",
        "above 1",
        "avoidable",
        "late",
        "longest",
        "lost",
        "of gain",
        "versions",
        "early",
        "infeasible",
        "held",
        "width",
        "error",
    ];

    public required int Rounds { get; init; }

    public required int WindowSeconds { get; init; }

    public required IReadOnlyList<TrafficSheet> Scenarios { get; init; }

    /// <summary>The tables, and what their columns mean.</summary>
    public IEnumerable<string> ToLines() => [.. Scenarios.SelectMany(LinesOf), .. Meaning()];

    private static IEnumerable<string> LinesOf(TrafficSheet sheet)
    {
        var kind = sheet.IsRecorded ? ", recorded" : "";
        var title =
            Text($"{sheet.Scenario}: {sheet.Minutes / 60.0:0.#} h{kind}, {sheet.MeanRate:0.###} queries a second; ")
            + Text($"objective of the best single budget ({sheet.SingleTokens} tokens) ")
            + Text($"{sheet.SingleObjective:0.###} s, ")
            + Text($"clairvoyant {sheet.ClairvoyantObjective:0.###} s");
        return DemoTable.LinesOf(new Sheet(title, Headers, [.. sheet.Methods.Select(RowOf)]));
    }

    private static string[] RowOf(TrafficLine line) =>
        [
            line.Method,
            Text($"{line.MinutesAbove95:0.#}"),
            Text($"{line.MinutesAbove1:0.#}"),
            Text($"{line.MinutesAvoidable:0.#}"),
            Text($"{line.MinutesLate:0.#}"),
            Text($"{line.LongestMinutes:0.#}"),
            Text($"{line.Lost:0.####} s"),
            Gain(line.PartOfGain),
            Text($"{line.VersionsWritten}"),
            Text($"{line.EarlySolves}"),
            Text($"{line.InfeasibleSolves}"),
            Percent(line.Coverage),
            Percent(line.IntervalWidth),
            Percent(line.RateError),
        ];

    private IEnumerable<string> Meaning() =>
        [
            Text($"Minutes at a true utilization. {Rounds} rounds, windows of {WindowSeconds} s."),
            Text(
                $"avoidable: above 1, the fewest tokens are stable, after the first {TrafficScore.FirstWindows} windows"
            ),
            Text(
                $"late: {TrafficScore.FirstWindows} windows and {TrafficScore.SolveSeconds} s after the overload began"
            ),
            "lost: what the mean query's objective is below the clairvoyant's",
            "of gain: of the clairvoyant's gain over the best single budget, known beforehand; by queries",
            "The time in the system follows rate and allocation by a fluid approximation: an overload costs what piles up.",
            "held, width, error: the rate's 95 % interval holds the true rate; median width and error over the true rate",
            Text($"Recorded: the mean of {RecordedRates.AroundSeconds} s around a minute is taken for its true rate."),
        ];

    /// <summary>A loss of many times what there is to gain is said as such: its digits tell nothing.</summary>
    private static string Gain(double? part) => part < -LargestLoss ? Text($"< -{100 * LargestLoss} %") : Percent(part);

    private static string Percent(double? part) => part is { } it ? Text($"{100 * it:0.0} %") : "";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
