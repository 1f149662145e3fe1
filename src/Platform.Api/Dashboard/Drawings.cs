using Microsoft.AspNetCore.Html;
using Platform.Domain.Estimation;
using Platform.Domain.Snapshots;
using Platform.Persistence.Snapshots;

namespace Platform.Api.Dashboard;

/// <summary>What the page of a fleet draws.</summary>
internal static class Drawings
{
    private const int CurvePoints = 60;

    /// <summary>By the latest version of that time, and by the one in force now.</summary>
    private static readonly string[] Predicted = ["observed", "predicted then", "predicted now"];

    /// <summary>Tokens of each task type over the versions.</summary>
    public static Series Tokens(IReadOnlyList<ComparableSnapshot> versions)
    {
        string[] types =
        [
            .. versions
                .SelectMany(it => it.Solution.Allocation)
                .Select(it => it.TaskType)
                .Distinct(StringComparer.Ordinal),
        ];
        return new Series(
            "Tokens of each version",
            "tokens",
            true,
            types,
            [
                .. versions.Select(it => new SeriesRow(
                    it.SolvedAt,
                    [
                        .. types.Select(type =>
                            (double?)it.Solution.Allocation.FirstOrDefault(given => given.TaskType == type)?.Tokens
                        ),
                    ]
                )),
            ]
        );
    }

    /// <summary>Accuracy as the windows saw it, and as the versions predict.</summary>
    public static Series Accuracy(
        EstimateWithObservations known,
        IReadOnlyList<ComparableSnapshot> versions,
        ComparableSnapshot? inForce
    ) =>
        new(
            "Accuracy",
            "%",
            false,
            Predicted,
            [
                .. Covered(known)
                    .Select(it => new SeriesRow(
                        it.From,
                        [
                            100 * it.Accuracy?.Value,
                            100 * At(versions, it.From)?.Solution.MeanAccuracy,
                            100 * inForce?.Solution.MeanAccuracy,
                        ]
                    )),
            ]
        );

    /// <summary>Mean system time as the windows saw it, and as the versions predict.</summary>
    public static Series SystemTime(
        EstimateWithObservations known,
        IReadOnlyList<ComparableSnapshot> versions,
        ComparableSnapshot? inForce
    ) =>
        new(
            "Mean system time",
            "s",
            false,
            Predicted,
            [
                .. Covered(known)
                    .Select(it => new SeriesRow(
                        it.From,
                        [
                            it.MeanSystemTimeSeconds,
                            At(versions, it.From)?.Solution.MeanSystemTimeSeconds,
                            inForce?.Solution.MeanSystemTimeSeconds,
                        ]
                    )),
            ]
        );

    /// <summary>The accuracy curve with its interval, through the verdicts.</summary>
    public static IHtmlContent Curve(TaskTypeEstimate type, ObservedTaskType? seen, long? granted)
    {
        var points = seen?.Accuracy ?? [];
        var x = Axis.FromZero(
            "tokens granted",
            points
                .Select(it => it.Tokens)
                .Append(granted ?? 0)
                .Append(1 / Math.Max(type.Accuracy.Curve.RatePerToken, 1e-6)),
            Show.Tick
        );
        var plot = new Plot($"Accuracy of {type.Id} against tokens", x, new Axis("accuracy", 0, 1, Show.Tick))
            .Band(
                [
                    .. Steps(x)
                        .Select(tokens =>
                            (tokens, type.Accuracy.AccuracyAt(tokens).Lower, type.Accuracy.AccuracyAt(tokens).Upper)
                        ),
                ],
                "band"
            )
            .Line(Steps(x).Select(tokens => (tokens, type.Accuracy.AccuracyAt(tokens).Value)), "curve");
        foreach (var it in points)
            plot.Point(it.Tokens, it.Accuracy.Value, (it.Accuracy.Lower, it.Accuracy.Upper), "seen");
        return Granted(plot, granted).Draw();
    }

    /// <summary>The service line with its interval, through the means of the stretches of time.</summary>
    public static IHtmlContent Line(TaskTypeEstimate type, ObservedTaskType? seen, long? granted)
    {
        var points = seen?.Service ?? [];
        var x = Axis.FromZero(
            "tokens used",
            points.Select(it => it.MeanTokens).Append(granted ?? 0).Append(1),
            Show.Tick
        );
        var y = Axis.FromZero(
            "seconds on the server",
            points.Select(it => it.MeanSeconds).Append(type.Service.SecondsAt(x.To).Upper),
            Show.Tick
        );
        var plot = new Plot($"Service time of {type.Id} against tokens", x, y)
            .Band(
                [
                    .. Steps(x)
                        .Select(tokens =>
                            (tokens, type.Service.SecondsAt(tokens).Lower, type.Service.SecondsAt(tokens).Upper)
                        ),
                ],
                "band"
            )
            .Line(Steps(x).Select(tokens => (tokens, type.Service.SecondsAt(tokens).Value)), "curve");
        foreach (var it in points)
            plot.Point(it.MeanTokens, it.MeanSeconds, null, "seen");
        return Granted(plot, granted).Draw();
    }

    private static Plot Granted(Plot plot, long? granted) =>
        granted is { } tokens ? plot.Mark(tokens, $"{Show.Count(tokens)} granted") : plot;

    private static IEnumerable<double> Steps(Axis axis) =>
        Enumerable.Range(0, CurvePoints + 1).Select(i => axis.From + ((axis.To - axis.From) * i / CurvePoints));

    private static IEnumerable<ObservedStretch> Covered(EstimateWithObservations known) =>
        known.Observations.Stretches.Where(it => it.CoveredSeconds > 0);

    private static ComparableSnapshot? At(IReadOnlyList<ComparableSnapshot> versions, DateTimeOffset at) =>
        versions.LastOrDefault(it => it.SolvedAt <= at);
}
