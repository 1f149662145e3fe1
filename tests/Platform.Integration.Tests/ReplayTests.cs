using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// The command <c>replay</c> as a tenant runs it: traces in public formats become the workload of its fleet.
/// </summary>
public sealed class ReplayTests(TestPlatform platform) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("replay").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_trace_is_sent_as_windows_that_end_now()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var rows = Enumerable
            .Range(0, 50)
            .Select(i =>
                $"{5 * (i + 1)},{(i % 3 == 0 ? "GPT-4" : "ChatGPT")},{472 + i},{18 + i},{490 + (2 * i)},Conversation log"
            );
        var trace = await WriteAsync(
            "burstgpt.csv",
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n" + string.Join('\n', rows)
        );
        var before = TimeProvider.System.GetUtcNow();
        var (status, output, error) = await RunAsync(tenant, trace, "--type-column", "model", "-o", "json");

        Assert.True(status == 0, error);
        var report = JsonNode.Parse(output)!;
        Assert.Equal(
            ("BurstGPT", 50, 25, 0),
            ((string)report["format"]!, (int)report["requests"]!, (int)report["windows"]!, (int)report["refused"]!)
        );
        Assert.Equal((17, 33), ((int)report["taskTypes"]!["GPT-4"]!, (int)report["taskTypes"]!["ChatGPT"]!));
        Assert.InRange((DateTimeOffset)report["to"]!, before.AddSeconds(-1), TimeProvider.System.GetUtcNow());
        Assert.Contains("the fleet chat has no task types ChatGPT, GPT-4", error, StringComparison.Ordinal);
        await tenant.UntilStoredAsync("chat", 25, Cancel);
        Assert.Equal(50, await SumAsync(tenant, "arrivals"));
    }

    [Fact]
    public async Task Durations_that_a_benchmark_tells_are_service_and_it_may_be_played_faster_than_it_was()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var trace = await WriteAsync(
            "vllm.json",
            """
            { "backend": "vllm", "input_lens": [374, 374], "output_lens": [3, 5], "start_times": [353399.725, 353402.225],
              "ttfts": [0.5, 0.25], "itls": [[0.25, 0.25], [0.25, 0.25, 0.25, 0.25]] }
            """
        );
        var watch = Stopwatch.StartNew();
        var (status, _, error) = await RunAsync(tenant, trace, "--task-type", "math", "--every", "1", "--speed", "4");

        Assert.True(status == 0, error);
        Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(1), "four windows of a second, four times as fast");
        Assert.Contains("2 requests (2 math), 2 with their durations, in 4 windows", error, StringComparison.Ordinal);
        await tenant.UntilStoredAsync("chat", 4, Cancel);
        Assert.Equal(
            (2, 8, 2_250),
            (
                await SumAsync(tenant, "arrivals"),
                await SumAsync(tenant, "service,tokens"),
                await SumAsync(tenant, "service,millis")
            )
        );
    }

    [Fact]
    public async Task A_fleet_of_another_tenant_is_not_there()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        var trace = await WriteAsync(
            "trace.csv",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n"
        );
        var (status, output, error) = await RunAsync(tenant, trace, "--task-type", "math");
        Assert.Equal((2, "", "platform: the key's tenant has no fleet chat\n"), (status, output, error));
        (status, _, error) = await RunAsync(tenant with { Key = "no key" }, trace, "--task-type", "math");
        Assert.Equal((2, $"platform: the key is not valid at {platform.Address}\n"), (status, error));
    }

    private async Task<string> WriteAsync(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(file, text, Cancel);
        return file;
    }

    private Task<(int Status, string Output, string Error)> RunAsync(
        TestTenant tenant,
        string trace,
        params string[] options
    ) =>
        Script.RunProgramAsync(
            "dotnet",
            _folder,
            new() { ["PLATFORM_KEY"] = tenant.Key },
            [
                Path.Combine(Script.Root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"),
                "replay",
                trace,
                "--fleet",
                "chat",
                "--api",
                platform.Address.ToString(),
                .. options,
            ]
        );

    private Task<long> SumAsync(TestTenant tenant, string path) =>
        platform.Database.QueryAsync<long>(
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                select coalesce(sum((task #>> '{{{path}}}')::bigint), 0)::bigint
                from events.mt_events e, jsonb_array_elements(e.data #> '{window,tasks}') task where e.tenant_id = '{{tenant.Id}}' and e.type = 'workload-window-recorded'
                """
            ),
            Cancel
        );
}
