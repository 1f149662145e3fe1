using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;
using Platform.Workers.Ingestion;

namespace Platform.Integration.Tests;

/// <summary>
/// <c>./platform rejected</c> as operators run it: a process of its own, on a broker's virtual host of its own.
/// </summary>
public sealed class RejectedCommandTests(TestPlatform platform) : IAsyncLifetime
{
    private readonly string _virtualHost = platform.NewVirtualHost();
    private TestTenant _tenant = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Platform:IngressVirtualHost"] = _virtualHost,
            ["Platform:Announces"] = "false",
        };
        var api = await platform.StartApiAsync(settings);
        await platform.StartWorkerAsync(settings);
        _tenant = await platform.CreateTenantAsync(Cancel, api);
        await _tenant.PutFleetAsync("chat", Cancel);
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Looking_at_messages_loses_none_and_keeps_their_order_however_it_ends()
    {
        var published = await RejectAsync("late", 70);
        var ids = await UntilListedAsync(published.Length);
        Assert.Equal(published.Order(), ids.Order());
        Assert.Equal(ids, await UntilListedAsync(ids.Length));
        foreach (var milliseconds in (int[])[150, 250, 350])
            await KilledAsync(milliseconds, "rejected", "list");
        Assert.Equal(ids, await UntilListedAsync(ids.Length));

        var first = JsonNode.Parse((await SucceedAsync("rejected", "list", "--limit", "3", "-o", "json")).Output)!;
        var second = JsonNode.Parse(
            (
                await SucceedAsync(
                    "rejected",
                    "list",
                    "--limit",
                    "100",
                    "--cursor",
                    (string)first["nextCursor"]!,
                    "-o",
                    "json"
                )
            ).Output
        )!;
        Assert.Equal(ids, MessageIds(first).Concat(MessageIds(second)));
        Assert.Null(second["nextCursor"]);

        var item = first["items"]![0]!;
        Assert.Equal((_tenant.Id, "late"), ((string?)item["tenant"], (string?)item["fleet"]));
        Assert.StartsWith("fleet: ", (string?)item["reason"], StringComparison.Ordinal);
        var shown = JsonNode.Parse((await SucceedAsync("rejected", "show", (string)item["id"]!, "-o", "json")).Output)!;
        Assert.Equal("late", (string?)JsonNode.Parse((string)shown["body"]!)!["fleet"]);
    }

    [Fact]
    public async Task A_replay_that_is_killed_again_and_again_stores_each_window_once_and_is_recorded()
    {
        var ids = await RejectAsync("late", 60);
        await UntilListedAsync(ids.Length);
        await _tenant.PutFleetAsync("late", Cancel);
        foreach (var milliseconds in (int[])[500, 600, 700])
            await KilledAsync(
                milliseconds,
                "rejected",
                "replay",
                "--all",
                "--why",
                "the fleet is there now",
                "--operator",
                "ann"
            );
        await Eventually.TrueAsync(
            async () =>
            {
                await SucceedAsync(
                    "rejected",
                    "replay",
                    "--all",
                    "--why",
                    "the fleet is there now",
                    "--operator",
                    "ann"
                );
                return (await ListAsync()).Length == 0;
            },
            "all messages to be replayed",
            Cancel
        );

        await _tenant.UntilStoredAsync("late", ids.Length, Cancel);
        Assert.Equal(ids.Length, await _tenant.StoredWindowsAsync("late", Cancel));
        var recorded = await platform.Database.QueryAsync<long>(
            $"select count(distinct message_id) from platform.rejection_decisions where tenant_id = '{_tenant.Id}' and action = 'replay' and operator = 'ann'",
            Cancel
        );
        Assert.Equal(ids.Length, recorded);
        Assert.All(await SeenByTenantAsync(), decision => Assert.Equal("replayed", decision));
    }

    [Fact]
    public async Task What_is_replayed_and_still_cannot_be_taken_is_there_again_and_what_is_discarded_is_gone_with_a_record()
    {
        var ids = await RejectAsync("nobody", 3);
        await UntilListedAsync(ids.Length);
        await SucceedAsync("rejected", "replay", "--all", "--reason", "fleet", "--why", "a try");
        Assert.Equal(ids.Order(), (await UntilListedAsync(ids.Length)).Order());

        var list = JsonNode.Parse((await SucceedAsync("rejected", "list", "-o", "json")).Output)!;
        var (id, messageId) = ((string)list["items"]![1]!["id"]!, (string)list["items"]![1]!["messageId"]!);
        await SucceedAsync("rejected", "discard", id, "--why", "of no use");
        Assert.Equal(ids.Except([messageId]).Order(), (await UntilListedAsync(2)).Order());
        Assert.Equal(1, (await RunAsync("rejected", "discard", id, "--why", "again")).Status);
        // Those that were replayed in vain wait again.
        Assert.Equal(["discarded", null, null], (await SeenByTenantAsync()).Order(StringComparer.Ordinal).Reverse());
        Assert.Equal(
            "of no use",
            await platform.Database.QueryAsync<string>(
                $"select why from platform.rejection_decisions where message_id = '{messageId}' and action = 'discard'",
                Cancel
            )
        );
    }

    [Fact]
    public async Task A_message_that_cannot_be_stored_is_tried_four_times_and_the_good_around_it_are_stored()
    {
        var poison = Guid.NewGuid();
        await platform.Database.QueryAsync<object>(
            $"""
            create sequence platform.tries_{poison:n};
            create function platform.refuse_{poison:n}() returns trigger language plpgsql as $$ begin
                perform nextval('platform.tries_{poison:n}'); raise exception 'a defect'; end $$;
            alter function platform.refuse_{poison:n}() security definer;
            create trigger refuse_{poison:n} before insert on events.mt_events for each row
                when (new.data ->> 'messageId' = '{poison}') execute function platform.refuse_{poison:n}();
            select 1
            """,
            Cancel
        );
        using var meter = new MeterListener
        {
            InstrumentPublished = (it, listener) =>
            {
                if (it.Name == SettingAside.RejectionsName)
                    listener.EnableMeasurementEvents(it);
            },
        };
        var counted = 0;
        meter.SetMeasurementEventCallback<long>(
            (_, count, tags, _) =>
            {
                if (Equals(tags[0].Value, "storage"))
                    Interlocked.Add(ref counted, (int)count);
            }
        );
        meter.Start();

        const int good = 40;
        await using var publisher = await _tenant.ConnectAsync(Cancel);
        await Task.WhenAll(
            Enumerable
                .Range(0, good + 1)
                .Select(i =>
                    publisher.PublishAsync(
                        "chat",
                        StrictJson.Write(TestTenant.Window("chat")),
                        i == good / 2 ? poison : Guid.NewGuid(),
                        Cancel
                    )
                )
        );

        await _tenant.UntilStoredAsync("chat", good, Cancel);
        Assert.Equal([$"{poison}"], await UntilListedAsync(1));
        Assert.Equal(good, await _tenant.StoredWindowsAsync("chat", Cancel));
        Assert.Equal(
            4,
            await platform.Database.QueryAsync<long>($"select last_value from platform.tries_{poison:n}", Cancel)
        );
        Assert.Equal(1, counted);
        await platform.Database.QueryAsync<object>(
            $"drop trigger refuse_{poison:n} on events.mt_events; select 1",
            Cancel
        );
    }

    [Theory]
    [InlineData("rejected", "replay", "--why", "x")]
    [InlineData("rejected", "discard", "--all")]
    [InlineData("rejected", "discard", "--all", "17", "--why", "x")]
    [InlineData("rejected", "list", "--limit", "0")]
    public async Task Bad_usage_is_one_line_and_status_2(params string[] arguments)
    {
        var (status, output, error) = await RunAsync(arguments);
        Assert.Equal(2, status);
        Assert.Empty(output);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>A list that is read by another program: no frames, no colours, nothing cut.</summary>
    [Fact]
    public async Task A_list_in_a_pipe_is_one_plain_line_a_message()
    {
        var ids = await RejectAsync("late", 3);
        await UntilListedAsync(ids.Length);
        var (_, output, error) = await SucceedAsync("rejected", "list");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(ids.Length, lines.Length);
        Assert.All(lines, line => Assert.Equal(6, line.Split('\t').Length));
        Assert.Equal(ids.Order(), lines.Select(line => line.Split('\t')[4]).Order());
        Assert.All(
            lines,
            line => Assert.EndsWith("\tfleet: the tenant has no fleet \"late\"", line, StringComparison.Ordinal)
        );
        Assert.DoesNotContain(output + error, it => it is '\e' or '…' or >= '\u2500' and <= '\u257f');
        Assert.Contains("3 messages", error, StringComparison.Ordinal);
    }

    private async Task<string?[]> SeenByTenantAsync()
    {
        using var client = _tenant.Client();
        using var answer = await client.GetAsync(new Uri("/v1/rejections?limit=1000", UriKind.Relative), Cancel);
        return
        [
            .. (await TestPlatform.ReadAsync(answer, Cancel))["items"]!
                .AsArray()
                .Select(it => (string?)it!["decision"]?["action"]),
        ];
    }

    private async Task<string[]> RejectAsync(string fleet, int count)
    {
        await using var publisher = await _tenant.ConnectAsync(Cancel);
        var ids = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var id in ids)
            await publisher.PublishAsync(fleet, StrictJson.Write(TestTenant.Window(fleet)), id, Cancel);
        return [.. ids.Select(id => $"{id}")];
    }

    private async Task<string[]> UntilListedAsync(int count) =>
        await Eventually.GetAsync(
            async () => await ListAsync() is var ids && ids.Length == count ? ids : null,
            $"{count} rejected messages",
            Cancel
        );

    private async Task<string[]> ListAsync() =>
        MessageIds(JsonNode.Parse((await SucceedAsync("rejected", "list", "--limit", "1000", "-o", "json")).Output)!);

    private static string[] MessageIds(JsonNode page) =>
        [.. page["items"]!.AsArray().Select(item => (string)item!["messageId"]!)];

    private async Task<(int Status, string Output, string Error)> SucceedAsync(params string[] arguments)
    {
        var ended = await RunAsync(arguments);
        Assert.True(ended.Status == 0, ended.Error);
        return ended;
    }

    private async Task<(int Status, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var (output, error) = (
            process.StandardOutput.ReadToEndAsync(Cancel),
            process.StandardError.ReadToEndAsync(Cancel)
        );
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Kills the command at some moment of its work; whatever the moment, what follows must hold.</summary>
    private async Task KilledAsync(int milliseconds, params string[] arguments)
    {
        using var process = Start(arguments);
        using var moment = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        moment.CancelAfter(milliseconds);
        try
        {
            await process.WaitForExitAsync(moment.Token);
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }
    }

    private Process Start(string[] arguments) =>
        Process.Start(
            new ProcessStartInfo(
                Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet")),
                [Path.Combine(Script.Root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"), .. arguments]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["PLATFORM_ROOT"] = Script.Root,
                    ["PLATFORM_HOME"] = Path.GetTempPath(),
                    ["PLATFORM_POSTGRES"] = platform.Database.OwnerConnectionString,
                    ["PLATFORM_RABBITMQ"] = TestServices.RabbitMq.OriginalString,
                    ["PLATFORM_RABBITMQ_MANAGEMENT"] = TestServices.RabbitMqManagement.OriginalString,
                    ["Platform__IngressVirtualHost"] = _virtualHost,
                },
            }
        )!;
}
