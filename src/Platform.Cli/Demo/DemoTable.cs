using System.Globalization;
using Spectre.Console;

namespace Platform.Cli.Demo;

/// <summary>
/// Rows of text under headers; a header that begins with '&lt;' is of a column that leans to the left.
/// </summary>
internal sealed record Sheet(string Title, string[] Headers, IReadOnlyList<string[]> Rows);

/// <summary>
/// The demo's end for a person: tables for each fleet on a terminal, plain lines in columns elsewhere.
/// </summary>
internal static class DemoTable
{
    private const int BarWidth = 20;

    public static void Write(IAnsiConsole console, DemoReport report)
    {
        foreach (var fleet in report.Fleets)
        {
            console.Say("");
            console.Say($"{fleet.Tenant}/{fleet.Fleet}: {FiguresOf(fleet)}");
            foreach (var sheet in SheetsOf(fleet))
                if (console.Profile.Out.IsTerminal)
                    console.Write(TableOf(sheet));
                else
                    foreach (var line in LinesOf(sheet))
                        console.Say(line);
            foreach (var line in NotesOf(fleet))
                console.Say($"  {line}");
        }

        console.Say("");
        var summaries = report
            .Fleets.Select(SummaryOf)
            .Concat(report.Fleets.Select(BatchingSummaryOf))
            .OfType<string>();
        foreach (var line in summaries.Concat(Closing(report)))
            console.Say(line);
    }

    /// <summary>A fleet's tables.</summary>
    internal static IEnumerable<Sheet> SheetsOf(FleetReport fleet)
    {
        var most = Math.Max(1, fleet.Allocation.Select(task => task.Tokens).DefaultIfEmpty().Max());
        yield return new Sheet(
            "tokens for a query, as learned",
            ["<task type", "share", "accuracy", "prior", "single", "optimum", "learned", "<"],
            [
                .. fleet.Allocation.Select(
                    (task, i) =>
                        new[]
                        {
                            task.TaskType,
                            N(task.Share, "0.0%"),
                            N(task.Accuracy, "0.000"),
                            Tokens(fleet.Learning?.Prior, i),
                            Tokens(fleet.Learning?.Uniform, i),
                            Tokens(fleet.Learning?.Policies[^1], i),
                            N(task.Tokens, "0"),
                            Bar((double)task.Tokens / most),
                        }
                ),
            ]
        );
        if (fleet.Learning is not { } learning)
            yield break;
        yield return new Sheet(
            "hidden truth (×) against estimate (●) and its 95 % interval",
            ["<figure", "truth", "estimate", "from", "to", "<", "<holds"],
            [
                .. learning.Truth.Select(it =>
                    new[]
                    {
                        it.Figure,
                        N(it.Truth, "0.000"),
                        N(it.Estimate, "0.000"),
                        N(it.Lower, "0.000"),
                        N(it.Upper, "0.000"),
                        Interval(it),
                        it.Holds ? "yes" : "NO",
                    }
                ),
            ]
        );
        yield return new Sheet(
            "what the servers really had, the same queries under each policy: accuracy and mean system time; objective in truth",
            ["<policy", "first minute", "", "last minute", "", "trace", "", "objective", "<short of the optimum"],
            [.. learning.Policies.Select(policy => PolicyRow(policy, learning))]
        );
        yield return new Sheet(
            "the versions that were served by",
            ["<version", "from", "objective", "<short of the optimum"],
            [
                .. learning.Versions.Select(version =>
                    new[]
                    {
                        N(version.Version, "0"),
                        TimeSpan.FromSeconds(version.FromSeconds).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture),
                        N(version.Objective, "0.000"),
                        Shortfall(version.Objective, learning),
                    }
                ),
            ]
        );
    }

    /// <summary>The rows in columns, for where there is no terminal to draw on.</summary>
    internal static IEnumerable<string> LinesOf(Sheet sheet)
    {
        var rows = sheet.Rows.Prepend([.. sheet.Headers.Select(header => header.TrimStart('<'))]).ToArray();
        var widths = sheet.Headers.Select((_, i) => rows.Max(row => row[i].Length)).ToArray();
        yield return $"  {sheet.Title}";
        foreach (var row in rows)
            yield return "    "
                + string.Join(
                        "  ",
                        row.Select(
                            (cell, i) =>
                                sheet.Headers[i].StartsWith('<') ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])
                        )
                    )
                    .TrimEnd();
    }

    private static string[] PolicyRow(PolicyLine policy, LearningReport learning) =>
        [
            policy.Policy,
            N(policy.FirstMinute.Accuracy, "0.000"),
            Seconds(policy.FirstMinute),
            N(policy.LastMinute.Accuracy, "0.000"),
            Seconds(policy.LastMinute),
            N(policy.Trace.Accuracy, "0.000"),
            Seconds(policy.Trace),
            N(policy.Objective, "0.000"),
            policy.Tokens is null ? "" : Shortfall(policy.Objective, learning),
        ];

    private static IEnumerable<string> NotesOf(FleetReport fleet)
    {
        if (fleet.Learning is { } learning)
        {
            if (fleet.Versions == 1)
                yield return "version 1, from the prior, stays in force: no other gains more than chance in the windows explains";
            yield return $"learned against the best single budget, same queries: {Compared(learning.AgainstUniform)}";
            yield return $"learned against the prior's allocation, same queries: {Compared(learning.AgainstPrior)}";
            if (learning.AgainstSplit is { } split)
                yield return $"learned against what split would grant, same queries: {Compared(split)}";
            yield return learning.Flags.Count == 0
                ? "the model fits: no flag is raised"
                : $"flags raised: {string.Join("; ", learning.Flags)}";
        }

        if (fleet.Fault is { } fault)
            yield return $"FAILED: {fault}";
    }

    private static string Compared(ServedComparison it) =>
        $"last minute {Difference(it.LastMinute, it.LastMinuteNoise)}, whole trace {Difference(it.Trace, it.TraceNoise)}";

    /// <summary>A difference with its sign and its noise. What rounds to nothing has no sign of its own.</summary>
    internal static string Difference(double difference, double noise) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Math.Round(difference, 3) + 0.0:+0.000;-0.000} ± {noise:0.000} ({(Math.Abs(difference) <= noise ? "within noise" : difference > 0 ? "better" : "WORSE")})"
        );

    private static string? SummaryOf(FleetReport fleet) =>
        fleet.Learning is not { } it
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{fleet.Tenant}/{fleet.Fleet}: objective in truth {it.Learned.Objective:0.000} learned, {it.Prior.Objective:0.000} from the prior, "
                    + $"{it.Uniform.Objective:0.000} by the best single budget, {it.BestObjective:0.000} at the optimum; first minute {Had(it.Live.FirstMinute)}, "
                    + $"last {Had(it.Live.LastMinute)}; {it.Truth.Count(line => line.Holds)} of {it.Truth.Count} intervals hold the truth"
            );

    /// <summary>What the queries of a fleet whose servers batch really had, under three policies.</summary>
    private static string? BatchingSummaryOf(FleetReport fleet)
    {
        if (fleet.Learning is not { } learning || learning.Split is not { } split)
            return null;
        return $"{fleet.Tenant}/{fleet.Fleet} batches; what its servers really gave over the trace: "
            + $"{Gave(learning.Learned)} learned, {Gave(split)} as split would grant, {Gave(learning.Uniform)} by the best single budget, "
            + $"{Gave(learning.Policies[^1])} at the optimum in truth";
    }

    private static string Gave(PolicyLine policy) =>
        string.Create(CultureInfo.InvariantCulture, $"objective {policy.Trace.Objective:0.00} ({Had(policy.Trace)})");

    private static string Had(ServedFigures figures) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"accuracy {figures.Accuracy:0.000} in {figures.MeanSystemTimeSeconds:0.00} s"
        );

    private static string FiguresOf(FleetReport fleet) =>
        string.Join(
            ", ",
            $"{fleet.Servers} {(fleet.Servers == 1 ? "server" : "servers")} at utilization {N(fleet.Utilization, "0.00")}",
            $"accuracy {N(fleet.MeanAccuracy, "0.000")}",
            $"mean system time {N(fleet.MeanSystemTimeSeconds, "0.00")} s",
            $"objective {N(fleet.Objective, "0.000")}"
                + (
                    fleet.Uniform is { } uniform
                        ? $" against {N(uniform.Objective, "0.000")} with {uniform.Tokens} tokens for all"
                        : ""
                ),
            $"version {fleet.Versions}",
            $"{fleet.Windows.Stored} windows stored of {fleet.Windows.Published} published, {fleet.Windows.DuplicatesSent} sent twice"
        );

    private static IEnumerable<string> Closing(DemoReport report)
    {
        var windows = report.Windows;
        yield return $"{windows.Stored} windows stored of {windows.Published} published and {windows.DuplicatesSent} sent again; "
            + $"published in {report.PublishingSeconds:0.0} s, all stored and solved after {report.SettledSeconds:0.0} s";
        foreach (var fault in report.Faults)
            yield return $"FAILED {fault}";
        if (report.Kept is { } kept)
        {
            yield return $"the platform keeps running; its dashboard is at {report.Address} (API documentation: {new Uri(report.Address, "/docs")})";
            yield return $"sign in with a key of {kept.Tenant}: {kept.ApiKey}";
            yield return $"try: curl -H 'Authorization: Bearer {kept.ApiKey}' {new Uri(report.Address, "/v1/fleets")}";
            yield return "./platform down ends it";
        }
        else
        {
            yield return $"the API was at {report.Address}; with --keep it stays there";
        }
    }

    private static Table TableOf(Sheet sheet)
    {
        var table = new Table { Border = TableBorder.Rounded }.Title(
            new TableTitle(Markup.Escape(sheet.Title), new Style(decoration: Decoration.Bold))
        );
        foreach (var header in sheet.Headers)
            table.AddColumn(
                new TableColumn(Markup.Escape(header.TrimStart('<')))
                {
                    Alignment = header.StartsWith('<') ? Justify.Left : Justify.Right,
                    NoWrap = true,
                }
            );
        foreach (var row in sheet.Rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        return table;
    }

    private static string N(double? figure, string format) =>
        figure?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static string Seconds(ServedFigures figures) =>
        figures.MeanSystemTimeSeconds is { } seconds ? N(seconds, "0.00") + " s" : "-";

    private static string Tokens(PolicyLine? policy, int task) =>
        policy?.Tokens is { } tokens ? N(tokens[task], "0") : "-";

    /// <summary>How far an objective is below the best, with a bar against the worst policy.</summary>
    private static string Shortfall(double? objective, LearningReport learning)
    {
        var most = learning.Policies.Max(policy =>
            learning.BestObjective - (policy.Objective ?? learning.BestObjective)
        );
        return objective is not { } value
            ? "overloaded"
            : $"{N(Math.Max(learning.BestObjective - value, 0), "0.000")} {Bar(Math.Clamp((learning.BestObjective - value) / Math.Max(most, 1e-9), 0, 1))}".TrimEnd();
    }

    /// <summary>The interval with the estimate and the truth in it, or outside.</summary>
    internal static string Interval(TruthLine line)
    {
        var (from, to) = (Math.Min(line.Lower, line.Truth), Math.Max(line.Upper, line.Truth));
        var drawn = Enumerable.Repeat(' ', BarWidth).ToArray();
        for (var i = At(line.Lower); i <= At(line.Upper); i++)
            drawn[i] = '─';
        (drawn[At(line.Lower)], drawn[At(line.Upper)]) = ('├', '┤');
        drawn[At(line.Estimate)] = '●';
        drawn[At(line.Truth)] = '×';
        return new string(drawn);

        int At(double value) =>
            to <= from ? 0 : (int)Math.Round(Math.Clamp((value - from) / (to - from), 0, 1) * (BarWidth - 1));
    }

    private static string Bar(double part)
    {
        // Eighths of a block, so that small budgets differ too.
        var eighths = (int)Math.Round(part * BarWidth * 8);
        var rest = eighths % 8 == 0 ? "" : ((char)(0x2590 - (eighths % 8))).ToString();
        return new string('█', eighths / 8) + rest;
    }
}
