using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// The command <c>collect --prometheus</c>: the metrics page of a server that serves becomes the fleet's workload.
/// </summary>
public sealed class CollectPagesTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_servers_page_counts_becomes_windows_of_its_fleet()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        await using var server = await PageServer.StartAsync(
            Page(finished: 100, running: 3, systemSeconds: 900),
            Cancel
        );
        using var collector = StartCollector(tenant, "--task-type", "math", "--prometheus", server.Address.ToString());
        await collector.UntilSaidAsync("answers: vLLM", Cancel);

        server.Answer = Page(finished: 120, running: 5, systemSeconds: 1_000.5);
        await StoredAsync(tenant, "arrivals", 22);
        await StoredAsync(tenant, "system,completions", 20);
        await StoredAsync(tenant, "system,millis", 100_500);

        // A page that fails does not end the command, and what it missed is in no window.
        server.Answer = null;
        await collector.UntilSaidAsync("tells nothing: it answered 503", Cancel);
        server.Answer = Page(finished: 1_000, running: 4, systemSeconds: 9_000);
        await collector.UntilSaidAsync("answers: vLLM", Cancel);

        // A restarted server counts from 0.
        server.Answer = Page(finished: 6, running: 1, systemSeconds: 30);
        await StoredAsync(tenant, "arrivals", 22 + 7);
        await StoredAsync(tenant, "system,millis", 100_500 + 30_000);
        var said = await collector.StopAsync(Cancel);
        Assert.Contains(said, line => line.EndsWith("its counters count from 0", StringComparison.Ordinal));
        Assert.Contains("0 refused, 0 given up", said[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_only_task_type_of_a_fleet_is_the_one_of_its_queries()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel, LeaveOneTaskType);
        await using var server = await PageServer.StartAsync(Page(finished: 1, running: 0, systemSeconds: 2), Cancel);
        using var collector = StartCollector(tenant, "--prometheus", server.Address.ToString());
        await collector.UntilSaidAsync("as math of chat", Cancel);
        await collector.StopAsync(Cancel);
    }

    [Fact]
    public async Task Of_several_task_types_one_has_to_be_named()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        using var collector = StartCollector(tenant, "--prometheus", "http://127.0.0.1:1");
        Assert.Equal(2, await collector.EndAsync(Cancel));
        await collector.UntilSaidAsync("and the fleet chat has 2: math, chat", Cancel);
    }

    private static void LeaveOneTaskType(JsonObject definition)
    {
        var types = definition["taskTypes"]!.AsArray();
        types.RemoveAt(1);
        types[0]!["share"] = 1.0;
    }

    private Task StoredAsync(TestTenant tenant, string path, long sum) =>
        Eventually.TrueAsync(
            async () => await platform.Database.QueryAsync<long>(Sum(tenant, path), Cancel) == sum,
            $"{path} of {sum} to be stored",
            Cancel
        );

    private static string Sum(TestTenant tenant, string path) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            select coalesce(sum((task #>> '{{{path}}}')::bigint), 0)::bigint
            from events.mt_events e, jsonb_array_elements(e.data #> '{window,tasks}') task
            where e.tenant_id = '{{tenant.Id}}' and e.type = 'workload-window-recorded'
            """
        );

    private static string Page(int finished, int running, double systemSeconds) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            # HELP vllm:num_requests_running Number of requests in model execution batches.
            # TYPE vllm:num_requests_running gauge
            vllm:num_requests_running{engine="0",model_name="m"} {{running}}.0
            vllm:num_requests_waiting{engine="0",model_name="m"} 0.0
            vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} {{finished}}.0
            vllm:e2e_request_latency_seconds_sum{engine="0",model_name="m"} {{systemSeconds}}
            vllm:e2e_request_latency_seconds_count{engine="0",model_name="m"} {{finished}}.0

            """
        );

    private CollectProcess StartCollector(TestTenant tenant, params string[] more)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true };
        string[] arguments =
        [
            Path.Combine(Script.Root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"),
            "collect",
            "--fleet",
            "chat",
            "--every",
            "1",
            "--scrape",
            "1",
            "--api",
            platform.Address.ToString(),
            .. more,
        ];
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        info.Environment["PLATFORM_KEY"] = tenant.Key;
        return new CollectProcess(info);
    }

    /// <summary>A server of which a test says what its page is; null for one that fails.</summary>
    private sealed class PageServer : IAsyncDisposable
    {
        private readonly WebApplication _host;
        private volatile string? _answer;

        private PageServer(WebApplication host, string answer)
        {
            _host = host;
            _answer = answer;
        }

        public Uri Address => new(_host.Urls.First());

        public string? Answer
        {
            set => _answer = value;
        }

        public static async Task<PageServer> StartAsync(string answer, CancellationToken cancel)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var server = new PageServer(builder.Build(), answer);
            server._host.MapGet("/metrics", server.AnswerPage);
            await server._host.StartAsync(cancel);
            return server;
        }

        public ValueTask DisposeAsync() => _host.DisposeAsync();

        private IResult AnswerPage() =>
            _answer is { } answer
                ? Results.Text(answer, "text/plain; version=0.0.4")
                : Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The command as it runs.</summary>
    private sealed class CollectProcess : IDisposable
    {
        private readonly Process _process;
        private readonly ConcurrentQueue<string> _said = [];
        private int _heard;

        public CollectProcess(ProcessStartInfo info)
        {
            _process = new Process { StartInfo = info };
            _process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is not null)
                    _said.Enqueue(line.Data);
            };
            _process.Start();
            _process.BeginErrorReadLine();
        }

        /// <summary>Waits for a line with these words, after the one that was waited for last.</summary>
        public Task UntilSaidAsync(string words, CancellationToken cancel) =>
            Eventually.TrueAsync(() => Task.FromResult(TryHear(words)), $"\"{words}\" to be said", cancel);

        /// <summary>As an operator ends it: what it has is sent. What it has said.</summary>
        public async Task<IReadOnlyList<string>> StopAsync(CancellationToken cancel)
        {
            await Script.RunProgramAsync("/bin/kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));
            await _process.WaitForExitAsync(cancel);
            Assert.True(_process.ExitCode == 0, string.Join('\n', _said));
            return [.. _said];
        }

        /// <summary>Waits for the command to end by itself.</summary>
        public async Task<int> EndAsync(CancellationToken cancel)
        {
            await _process.WaitForExitAsync(cancel);
            return _process.ExitCode;
        }

        public void Dispose()
        {
            if (!_process.HasExited)
                _process.Kill();
            _process.Dispose();
        }

        private bool TryHear(string words)
        {
            string[] said = [.. _said];
            var at = Array.FindIndex(said, _heard, line => line.Contains(words, StringComparison.Ordinal));
            if (at < 0)
                return false;
            _heard = at + 1;
            return true;
        }
    }
}
