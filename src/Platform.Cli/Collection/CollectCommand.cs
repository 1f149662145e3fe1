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
        var tokens = Text("--tokens-attribute", "attribute with the reasoning tokens used", "gen_ai.usage.reasoning.output_tokens");
        var granted = Text("--granted-attribute", "attribute with the reasoning tokens granted", "allocation.tokens_granted");
        var queue = Text("--queue-attribute", "attribute with the seconds spent waiting for the server", "gen_ai.latency.time_in_queue");
        fleet.Validators.Add(result => Check(result, Identifiers.IsFleet, Identifiers.FleetPattern));
        fallback.Validators.Add(result => Check(result, Identifiers.IsTaskType, Identifiers.TaskTypePattern));
        var command = new Command("collect", "Take OpenTelemetry spans of generative AI as a fleet's workload (PLATFORM_API, and PLATFORM_KEY with a key that may ingest).")
        {
            fleet, listen, every, taskType, fallback, tokens, granted, queue,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(fleet)!, parsed.GetValue(listen)!, TimeSpan.FromSeconds(parsed.GetValue(every)),
            new UsageNames
            {
                TaskType = parsed.GetValue(taskType)!,
                DefaultTaskType = parsed.GetValue(fallback),
                Tokens = parsed.GetValue(tokens)!,
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

    private static async Task<int> RunAsync(string fleet, Uri listen, TimeSpan period, UsageNames names, CancellationToken cancel)
    {
        var (api, key) = (PlatformSettings.RequiredApi(), PlatformSettings.Variable("PLATFORM_KEY"));
        var windows = new WindowBuilder(fleet, TimeProvider.System);
        var mapping = new UsageMapping(windows, names);
        await using var publisher = new HttpWindowPublisher(api, key);
        await using var reporter = new WindowReporter(windows, publisher, period, TimeProvider.System);
        await using var server = await UsageServer.StartAsync(listen, mapping.Add, cancel);
        Terminal.Error.Say($"platform: spans of {fleet} are taken at {server.Address}v1/traces; a window goes to {api} every {period.TotalSeconds:0} s; ctrl-C ends it");
        using var timer = new PeriodicTimer(period);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
                Terminal.Error.Say(Line(mapping, reporter));
        }
        catch (OperationCanceledException)
        {
            // The usual end: the last window is sent on the way out.
        }

        return 0;
    }

    private static string Line(UsageMapping mapping, WindowReporter reporter) =>
        $"platform: {mapping.Counted} queries counted, {mapping.LeftOut} other spans; {reporter.Waiting} windows wait, {reporter.GivenUp} given up"
        + (reporter.Fault is { } fault ? $"; not taken: {fault.Message.ReplaceLineEndings(" ")}" : "");
}
