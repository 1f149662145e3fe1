using System.CommandLine;
using Platform.Cli.Hosting;
using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Collection;

/// <summary><c>./platform collect</c>: usage that gateways and servers trace anyway, as windows of a fleet.</summary>
internal static class CollectCommand
{
    private const int DefaultSeconds = 10;

    private static readonly Uri Default = new("http://127.0.0.1:4318");

    public static Command Create()
    {
        var fleet = new Option<string>("--fleet") { Description = "the fleet whose queries the spans are", HelpName = "ID", Required = true };
        var listen = new Option<Uri>("--listen")
        {
            Description = "where spans are taken: OTLP over HTTP",
            HelpName = "URL",
            DefaultValueFactory = _ => Default,
            CustomParser = result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url is { Scheme: "http", PathAndQuery: "/" })
                    return url;
                result.AddError("--listen: an address such as http://127.0.0.1:4318");
                return Default;
            },
        };
        var every = WholeNumberOption.Create("--every", "length of a window in seconds", DefaultSeconds, 1, 86_400);
        var taskType = Text("--task-type-attribute", "attribute with the task type", "allocation.task_type");
        var fallback = new Option<string?>("--task-type") { Description = "task type of spans that have none; without it they are left out", HelpName = "ID" };
        var tokens = new Option<string?>("--tokens-attribute")
        {
            Description = "the one attribute with the tokens used; those of the usual conventions if left out",
            HelpName = "NAME",
        };
        var granted = Text("--granted-attribute", "attribute with the reasoning tokens granted", "allocation.tokens_granted");
        var queue = Text("--queue-attribute", "attribute with the seconds spent waiting for the server", "gen_ai.latency.time_in_queue");
        fleet.Validators.Add(result => Check(result, Identifiers.IsFleet, Identifiers.FleetPattern));
        fallback.Validators.Add(result => Check(result, Identifiers.IsTaskType, Identifiers.TaskTypePattern));
        var setAside = new Option<DirectoryInfo?>("--set-aside")
        {
            Description = "where windows are kept that the platform refuses",
            HelpName = "FOLDER",
        };
        var command = new Command("collect", "Take OpenTelemetry spans of generative AI as a fleet's workload.")
        {
            fleet, listen, every, taskType, fallback, tokens, granted, queue, setAside,
        };
        var access = PlatformAccess.AddTo(command);
        command.SetAction((parsed, cancel) => RunAsync(
            access(parsed),
            parsed.GetValue(fleet)!,
            parsed.GetValue(listen)!,
            TimeSpan.FromSeconds(parsed.GetValue(every)),
            parsed.GetValue(setAside)?.FullName,
            new UsageNames
            {
                TaskType = parsed.GetValue(taskType)!,
                DefaultTaskType = parsed.GetValue(fallback),
                Tokens = parsed.GetValue(tokens) is { } named ? [named] : UsageNames.KnownTokens,
                Granted = parsed.GetValue(granted)!,
                QueueSeconds = parsed.GetValue(queue)!,
            },
            cancel));
        return command;
    }

    private static Option<string> Text(string name, string description, string initial) =>
        new(name) { Description = description, HelpName = "NAME", DefaultValueFactory = _ => initial };

    private delegate bool Fits(ReadOnlySpan<char> text);

    private static void Check(System.CommandLine.Parsing.OptionResult result, Fits fits, string pattern)
    {
        if (result.Tokens is [var text] && !fits(text.Value))
            result.AddError($"{result.Option.Name}: must match {pattern}");
    }

    private static async Task<int> RunAsync(
        PlatformAccess access,
        string fleet,
        Uri listen,
        TimeSpan period,
        string? setAside,
        UsageNames names,
        CancellationToken cancel)
    {
        var windows = new WindowBuilder(fleet, TimeProvider.System);
        var mapping = new UsageMapping(windows, names, TimeProvider.System);
        await using var publisher = new HttpWindowPublisher(access.Api, access.Key);
        var reporter = new WindowReporter(
            windows, publisher, period, TimeProvider.System, window => SetAside(window, setAside));
        var report = new CollectReport(mapping, reporter);
        await using (reporter)
        {
            await using var server = await ListenAsync(listen, mapping, report, cancel);
            Terminal.Error.Say(
                $"platform: spans of {fleet} are taken at {server.Address}v1/traces, metrics are at "
                + $"{server.Address}metrics; "
                + $"a window goes to {access.Api} every {period.TotalSeconds:0} s; ctrl-C ends it");
            await ReportAsync(report, period, cancel);
        }

        Terminal.Error.Say(report.Line());
        return reporter.GivenUp == 0 ? 0 : CommandFailure.JobSaysNo;
    }

    private static async Task<UsageServer> ListenAsync(
        Uri listen, UsageMapping mapping, CollectReport report, CancellationToken cancel)
    {
        try
        {
            return await UsageServer.StartAsync(listen, mapping.Add, report.Metrics, cancel);
        }
        catch (IOException fault)
        {
            throw new CommandFailure(
                $"--listen: {listen} cannot be listened at: {fault.Message}", CommandFailure.BadUsage);
        }
    }

    /// <summary>Ends when the command is to end.</summary>
    private static async Task ReportAsync(CollectReport report, TimeSpan period, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(period);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
                Terminal.Error.Say(report.Line());
        }
        catch (OperationCanceledException)
        {
            // The usual end: the last window is sent on the way out.
        }
    }

    private static void SetAside(RefusedWindow window, string? folder)
    {
        try
        {
            Terminal.Error.Say(CollectReport.Line(window, Keep(window, folder)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Terminal.Error.Say($"{CollectReport.Line(window, keptIn: null)}: {fault.Message}");
        }
    }

    private static string? Keep(RefusedWindow window, string? folder)
    {
        if (folder is null)
            return null;
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"{window.Message.MessageId:D}.json");
        File.WriteAllBytes(file, window.Message.Body.ToArray());
        return file;
    }
}
