using System.CommandLine;
using System.CommandLine.Parsing;
using Platform.Cli.Collection.Scraping;
using Platform.Cli.Hosting;
using Platform.Domain.Contracts;

namespace Platform.Cli.Collection;

/// <summary>
/// <c>./platform collect</c>: what gateways and servers tell anyway, in spans or on metrics pages, as windows of a
/// fleet.
/// </summary>
internal sealed class CollectCommand
{
    private const int DefaultSeconds = 10;
    private const int DefaultScrapeSeconds = 5;

    private static readonly Uri DefaultListen = new("http://127.0.0.1:4318");

    private readonly Option<string> _fleet = new("--fleet")
    {
        Description = "the fleet whose queries are collected",
        HelpName = "ID",
        Required = true,
    };

    private readonly Option<Uri[]> _prometheus = new("--prometheus")
    {
        Description = "metrics pages of vLLM or SGLang, one for each replica; without it spans are taken",
        HelpName = "URL",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
        CustomParser = ReadPages,
    };

    private readonly Option<int> _scrape = WholeNumberOption.Create(
        "--scrape",
        "seconds from one reading of the pages to the next, at most --every",
        DefaultScrapeSeconds,
        1,
        3_600
    );

    private readonly Option<Uri> _listen = new("--listen")
    {
        Description = "where spans are taken: OTLP over HTTP",
        HelpName = "URL",
        DefaultValueFactory = _ => DefaultListen,
        CustomParser = ReadListen,
    };

    private readonly Option<int> _every = WholeNumberOption.Create(
        "--every",
        "length of a window in seconds",
        DefaultSeconds,
        1,
        86_400
    );

    private readonly Option<string?> _taskType = new("--task-type")
    {
        Description =
            "task type of all queries on metrics pages, which know none (the fleet's only one if left out), "
            + "or of spans that have none, which are left out without it",
        HelpName = "ID",
    };

    private readonly Option<string> _taskTypeAttribute = Attribute(
        "--task-type-attribute",
        "attribute of a span with the task type",
        "allocation.task_type"
    );

    private readonly Option<string?> _tokensAttribute = new("--tokens-attribute")
    {
        Description = "the one attribute of a span with the tokens used; those of the usual conventions if left out",
        HelpName = "NAME",
    };

    private readonly Option<string> _grantedAttribute = Attribute(
        "--granted-attribute",
        "attribute of a span with the reasoning tokens granted",
        "allocation.tokens_granted"
    );

    private readonly Option<string> _queueAttribute = Attribute(
        "--queue-attribute",
        "attribute of a span with the seconds spent waiting for the server",
        "gen_ai.latency.time_in_queue"
    );

    private readonly Option<DirectoryInfo?> _setAside = new("--set-aside")
    {
        Description = "where windows are kept that the platform refuses",
        HelpName = "FOLDER",
    };

    private readonly Func<ParseResult, PlatformAccess> _access;
    private readonly Command _command;

    private CollectCommand()
    {
        _command = new Command(
            "collect",
            "Take OpenTelemetry spans of generative AI, or servers' metrics pages, as a fleet's workload."
        )
        {
            _fleet,
            _prometheus,
            _scrape,
            _listen,
            _every,
            _taskType,
            _taskTypeAttribute,
            _tokensAttribute,
            _grantedAttribute,
            _queueAttribute,
            _setAside,
        };
        _access = PlatformAccess.AddTo(_command);
        _fleet.Validators.Add(result => Check(result, Identifiers.IsFleet, Identifiers.FleetPattern));
        _taskType.Validators.Add(result => Check(result, Identifiers.IsTaskType, Identifiers.TaskTypePattern));
        _command.Validators.Add(CheckSource);
        _command.SetAction(RunAsync);
    }

    private delegate bool Fits(ReadOnlySpan<char> text);

    public static Command Create() => new CollectCommand()._command;

    private static Option<string> Attribute(string name, string description, string initial) =>
        new(name)
        {
            Description = description,
            HelpName = "NAME",
            DefaultValueFactory = _ => initial,
        };

    private static void Check(OptionResult result, Fits fits, string pattern)
    {
        if (result.Tokens is [var text] && !fits(text.Value))
            result.AddError($"{result.Option.Name}: must match {pattern}");
    }

    private static Uri ReadListen(ArgumentResult result)
    {
        var isAddress = Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url);
        if (isAddress && url is { Scheme: "http", PathAndQuery: "/" })
            return url;
        result.AddError("--listen: an address such as http://127.0.0.1:4318");
        return DefaultListen;
    }

    private static Uri[] ReadPages(ArgumentResult result)
    {
        var pages = new List<Uri>();
        foreach (var token in result.Tokens)
        {
            if (PageAddress(token.Value) is not { } page)
                result.AddError($"--prometheus: an address such as http://127.0.0.1:8000/metrics, not '{token.Value}'");
            else if (pages.Contains(page))
                result.AddError($"--prometheus: {page} is given twice, and would count twice");
            else
                pages.Add(page);
        }

        return [.. pages];
    }

    /// <summary>The address of a page: <c>/metrics</c> where a server's alone is given.</summary>
    private static Uri? PageAddress(string text)
    {
        var isAddress = Uri.TryCreate(text, UriKind.Absolute, out var url);
        var isOfWeb = isAddress && url!.Scheme is "http" or "https";
        if (!isOfWeb || url!.UserInfo.Length > 0)
            return null;
        return url.PathAndQuery == "/" ? new Uri(url, "/metrics") : url;
    }

    /// <summary>Options of the one source have no meaning for the other.</summary>
    private void CheckSource(CommandResult result)
    {
        var isOfPages = IsGiven(result, _prometheus);
        Option[] ofSpans = [_listen, _taskTypeAttribute, _tokensAttribute, _grantedAttribute, _queueAttribute];
        if (isOfPages && ofSpans.FirstOrDefault(option => IsGiven(result, option)) is { } alien)
            result.AddError($"{alien.Name}: is of spans, and --prometheus takes none");
        if (!isOfPages && IsGiven(result, _scrape))
            result.AddError("--scrape: is of metrics pages; --prometheus URL says which");
    }

    private static bool IsGiven(CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var access = _access(parsed);
        var refused = new RefusedWindows(parsed.GetValue(_setAside)?.FullName, Terminal.Error.Say);
        Action<string> say = Terminal.Error.Say;
        if (parsed.GetValue(_prometheus) is not { Length: > 0 } pages)
            return new SpanCollection(RequestOf(parsed), access, refused, say).RunAsync(cancel);
        var request = RequestOf(parsed, pages);
        return new PageCollection(request, access, refused, say, TimeProvider.System).RunAsync(cancel);
    }

    private PageCollectionRequest RequestOf(ParseResult parsed, IReadOnlyList<Uri> pages)
    {
        var window = parsed.GetValue(_every);
        var interval = parsed.GetValue(_scrape);
        var isGiven = IsGiven(parsed.CommandResult, _scrape);
        if (isGiven && interval > window)
            throw new CommandFailure($"--scrape: at most --every, which is {window} s", CommandFailure.BadUsage);
        return new PageCollectionRequest(
            pages,
            parsed.GetValue(_fleet)!,
            parsed.GetValue(_taskType),
            TimeSpan.FromSeconds(Math.Min(interval, window)),
            TimeSpan.FromSeconds(window)
        );
    }

    private SpanCollectionRequest RequestOf(ParseResult parsed)
    {
        var names = new UsageNames
        {
            TaskType = parsed.GetValue(_taskTypeAttribute)!,
            DefaultTaskType = parsed.GetValue(_taskType),
            Tokens = parsed.GetValue(_tokensAttribute) is { } named ? [named] : UsageNames.KnownTokens,
            Granted = parsed.GetValue(_grantedAttribute)!,
            QueueSeconds = parsed.GetValue(_queueAttribute)!,
        };
        var period = TimeSpan.FromSeconds(parsed.GetValue(_every));
        return new SpanCollectionRequest(parsed.GetValue(_fleet)!, parsed.GetValue(_listen)!, period, names);
    }
}
