using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Platform.Cli.Hosting;
using Platform.Persistence.Ingestion;

namespace Platform.Cli.Ingestion;

/// <summary><c>./platform rejected</c>: what the intake could not take, in the operators' hands.</summary>
internal static class RejectedCommand
{
    private const int DefaultLimit = 100;
    private const int MostListed = 10_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static Command Create() =>
        new("rejected", "Shows what the intake could not take, and replays or discards it.")
        {
            CreateList(),
            CreateShow(),
            CreateDecision(
                "replay",
                RejectionAction.Replay,
                "Sends messages to the intake once more, as they were published."
            ),
            CreateDecision("discard", RejectionAction.Discard, "Gives messages up."),
        };

    private static Command CreateList()
    {
        var (selection, output) = (new SelectionOptions(), Terminal.OutputOption());
        var limit = WholeNumberOption.Create(
            "--limit",
            $"messages to show, at most {MostListed}",
            DefaultLimit,
            1,
            MostListed
        );
        var cursor = new Option<string>("--cursor") { Description = "where the page before this one ended" };
        const string description = "Shows the messages, the oldest first; into a pipe as plain lines with tabs.";
        var command = new Command("list", description) { limit, cursor, output };
        selection.AddTo(command);
        command.SetAction(
            async (parsed, cancel) =>
            {
                await using var queue = await RejectedQueue.OpenAsync(PlatformSettings.FromEnvironment(), cancel);
                var page = await RejectedPage.ReadAsync(
                    queue,
                    selection.Of(parsed, []),
                    parsed.GetValue(cursor),
                    parsed.GetValue(limit),
                    cancel
                );
                if (parsed.GetValue(output) is not null)
                    Console.Out.WriteLine(JsonSerializer.Serialize(page, Json));
                else if (Console.IsOutputRedirected || Console.IsErrorRedirected)
                    WriteLines(page);
                else
                    Terminal.Error.Write(page.ToTable());
                return 0;
            }
        );
        return command;
    }

    private static void WriteLines(RejectedPage page)
    {
        foreach (var line in page.ToLines())
            Console.Out.WriteLine(line);
        Terminal.Error.Say(page.Summary);
    }

    private static Command CreateShow()
    {
        var id = new Argument<string>("id") { Description = "the message's id, as list shows it" };
        var output = Terminal.OutputOption();
        var command = new Command("show", "Shows a message with its body.") { id, output };
        command.SetAction(
            async (parsed, cancel) =>
            {
                await using var queue = await RejectedQueue.OpenAsync(PlatformSettings.FromEnvironment(), cancel);
                await foreach (var message in queue.ReadAsync(cancel))
                {
                    if (message.Id != parsed.GetValue(id))
                        continue;
                    Show(message, parsed.GetValue(output) is not null);
                    return 0;
                }

                throw new CommandFailure(
                    $"there is no rejected message {parsed.GetValue(id)}",
                    CommandFailure.JobSaysNo
                );
            }
        );
        return command;
    }

    private static Command CreateDecision(string name, RejectionAction action, string description)
    {
        var (selection, output) = (new SelectionOptions(), Terminal.OutputOption());
        var ids = new Argument<string[]>("id")
        {
            Description = "ids of messages, as list shows them",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var all = new Option<bool>("--all") { Description = "all messages that the other options select" };
        var why = new Option<string>("--why") { Description = "the reason, for the record", Required = true };
        var by = new Option<string>("--operator")
        {
            Description = "who decides, for the record; without it the account's name",
        };
        var command = new Command(name, description) { ids, all, why, by, output };
        selection.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(ids) is { Length: > 0 } == result.GetValue(all))
                result.AddError($"{name}: either ids or --all");
            else if (string.IsNullOrWhiteSpace(result.GetValue(why)) || result.GetValue(by)?.Trim() is "")
                result.AddError("--why and --operator: some text");
        });
        command.SetAction(
            async (parsed, cancel) =>
            {
                var settings = PlatformSettings.FromEnvironment();
                await using var store = settings.OpenStore();
                await using var queue = await RejectedQueue.OpenAsync(settings, cancel);
                var decision = new RejectionRun(
                    queue,
                    new RejectionDecisions(store),
                    action,
                    parsed.GetValue(by) ?? Environment.UserName,
                    parsed.GetValue(why)!
                );
                var outcome = await decision.RunAsync(selection.Of(parsed, parsed.GetValue(ids) ?? []), cancel);
                if (parsed.GetValue(output) is not null)
                    Console.Out.WriteLine(JsonSerializer.Serialize(outcome, Json));
                Terminal.Error.Say($"{name}: {outcome.Messages} messages");
                foreach (var missing in outcome.Missing)
                    Terminal.Error.Say($"there is no rejected message {Printable(missing)}");
                return outcome.Missing.Count > 0 ? CommandFailure.JobSaysNo : 0;
            }
        );
        return command;
    }

    private static void Show(RejectedMessage message, bool json)
    {
        var body = BodyOf(message);
        if (json)
        {
            var document = JsonSerializer.SerializeToNode(message, Json)!;
            document[body is null ? "bodyBase64" : "body"] = body ?? Convert.ToBase64String(message.Body.Span);
            Console.Out.WriteLine(document.ToJsonString(Json));
            return;
        }

        foreach (
            var (name, value) in (ReadOnlySpan<(string, string?)>)
                [
                    ("id", message.Id),
                    ("rejected at", $"{message.RejectedAt:yyyy-MM-dd HH:mm:ss}"),
                    ("reason", message.Reason),
                    ("tenant", message.Tenant),
                    ("routing key", message.RoutingKey),
                    ("message-id", message.MessageId),
                    ("user-id", message.UserId),
                    ("content-type", message.ContentType),
                    ("bytes", $"{message.Bytes}"),
                ]
        )
            Terminal.Error.Say($"{name, -12} {Printable(value ?? "-")}");
        Terminal.Error.Say(Printable(body ?? Convert.ToBase64String(message.Body.Span)));
    }

    private static string? BodyOf(RejectedMessage message)
    {
        try
        {
            return new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetString(message.Body.Span);
        }
        catch (System.Text.DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>A publisher's words, which must not be able to command a terminal.</summary>
    internal static string Printable(string text) =>
        string.Concat(text.Select(it => char.IsControl(it) ? JavaScriptEncoder.Default.Encode($"{it}") : $"{it}"));
}
