using Spectre.Console;

namespace Platform.Cli.Demo;

/// <summary>The demo's end for a person: a table for each fleet on a terminal, plain lines elsewhere.</summary>
internal static class DemoTable
{
    private const int BarWidth = 24;

    public static void Write(IAnsiConsole console, DemoReport report)
    {
        foreach (var fleet in report.Fleets)
        {
            if (console.Profile.Out.IsTerminal)
                console.Write(TableOf(fleet));
            else
                foreach (var line in LinesOf(fleet))
                    console.Say(line);
        }

        foreach (var line in Closing(report))
            console.Say(line);
    }

    /// <summary>The lines for a fleet where there is no terminal to draw on.</summary>
    internal static IEnumerable<string> LinesOf(FleetReport fleet) =>
    [
        $"{fleet.Tenant}/{fleet.Fleet}: {FiguresOf(fleet)}",
        .. fleet.Allocation.Select(task =>
            $"  {task.TaskType,-16} {task.Tokens,6} tokens   share {task.Share:0.000}   accuracy {task.Accuracy:0.000}"),
    ];

    private static string FiguresOf(FleetReport fleet) => string.Join(", ",
        $"{fleet.Servers} {(fleet.Servers == 1 ? "server" : "servers")} at utilization {fleet.Utilization:0.00}",
        $"accuracy {fleet.MeanAccuracy:0.000}",
        $"mean system time {fleet.MeanSystemTimeSeconds:0.00} s",
        $"objective {fleet.Objective:0.000}" + (fleet.Uniform is { } uniform ? $" against {uniform.Objective:0.000} with {uniform.Tokens} tokens for all" : ""),
        fleet.InTruth is { Objective: { } real } truth ? $"in truth {real:0.000} of {truth.Best:0.000} possible" : "in truth beyond a limit",
        $"version {fleet.Versions}",
        $"{fleet.Windows.Stored} windows stored of {fleet.Windows.Published} published, {fleet.Windows.DuplicatesSent} sent twice");

    private static IEnumerable<string> Closing(DemoReport report)
    {
        var windows = report.Windows;
        yield return $"{windows.Stored} windows stored of {windows.Published} published and {windows.DuplicatesSent} sent again; "
            + $"published in {report.PublishingSeconds:0.0} s, all stored and solved after {report.SettledSeconds:0.0} s";
        foreach (var fault in report.Faults)
            yield return $"FAILED {fault}";
        if (report.Kept is { } kept)
        {
            yield return $"the platform keeps running at {report.Address} (API documentation: {new Uri(report.Address, "/docs")})";
            yield return $"a key of {kept.Tenant}: {kept.ApiKey}";
            yield return $"try: curl -H 'Authorization: Bearer {kept.ApiKey}' {new Uri(report.Address, "/v1/fleets")}";
            yield return "./platform down ends it";
        }
        else
        {
            yield return $"the API was at {report.Address}; with --keep it stays there";
        }
    }

    private static Table TableOf(FleetReport fleet)
    {
        var most = Math.Max(1, fleet.Allocation.Select(task => task.Tokens).DefaultIfEmpty().Max());
        var table = new Table { Border = TableBorder.Rounded, Expand = true }
            .Title(new TableTitle($"{fleet.Tenant} / {fleet.Fleet}", new Style(decoration: Decoration.Bold)))
            .Caption(new TableTitle(fleet.Fault is null ? FiguresOf(fleet) : $"{FiguresOf(fleet)}; FAILED: {fleet.Fault}"))
            .AddColumn("task type").AddColumn(Right("share")).AddColumn(Right("tokens"))
            .AddColumn(new TableColumn("").Width(BarWidth).NoWrap()).AddColumn(Right("accuracy"));
        foreach (var task in fleet.Allocation)
            table.AddRow(
                new Text(task.TaskType), Figure($"{task.Share:0.0%}"), Figure($"{task.Tokens}"), Bar((double)task.Tokens / most), Figure($"{task.Accuracy:0.000}"));
        return table;
    }

    private static TableColumn Right(string header) => new TableColumn(header).RightAligned();

    private static Text Figure(string figure) => new Text(figure).RightJustified();

    private static Text Bar(double part)
    {
        // Eighths of a block, so that small budgets differ too.
        var eighths = (int)Math.Round(part * BarWidth * 8);
        var rest = eighths % 8 == 0 ? "" : ((char)(0x2590 - (eighths % 8))).ToString();
        return new Text(new string('█', eighths / 8) + rest, new Style(Color.Aqua));
    }
}
