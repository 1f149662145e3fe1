using System.Diagnostics;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// The demo as people run it: the built command line as a process, with its own API and workers as processes.
/// </summary>
public sealed class DemoTests : IAsyncLifetime
{
    /// <summary>Far more than it takes on two noisy cores.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly string _home = Directory.CreateTempSubdirectory("platform-demo-").FullName;
    private readonly string _virtualHost = $"demo-{Guid.NewGuid():n}";
    private TestDatabase _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        using var management = new HttpClient { BaseAddress = TestServices.RabbitMqManagement };
        management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(TestServices.RabbitMq.UserInfo)))
        );
        await management.DeleteAsync(new Uri($"api/vhosts/{_virtualHost}", UriKind.Relative));
        await _database.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task Every_window_is_stored_once_and_every_fleet_has_an_allocation_as_good_as_uniform()
    {
        var (status, output, error) = await RunAsync("demo", "--seconds", "3", "-o", "json");

        Assert.True(status == 0, error);
        var report = JsonNode.Parse(output)!;
        Assert.True((bool)report["succeeded"]!);
        Assert.True((int)report["windows"]!["duplicatesSent"]! > 0);
        Assert.Equal(3, report["fleets"]!.AsArray().Select(fleet => (string)fleet!["tenant"]!).Distinct().Count());
        Assert.True(report["fleets"]!.AsArray().Count >= 5);
        Assert.All(
            report["fleets"]!.AsArray(),
            fleet =>
            {
                Assert.Equal((int)fleet!["windows"]!["published"]!, (int)fleet["windows"]!["stored"]!);
                Assert.Equal((int)fleet["windows"]!["published"]!, (int)fleet["solvedWindows"]!);
                Assert.True((double)fleet["objective"]! >= (double)fleet["uniform"]!["objective"]!);
                Assert.NotEmpty(fleet["allocation"]!.AsArray());
                var learning = fleet["learning"]!;
                Assert.Equal(1, (int)learning["versions"]![0]!["version"]!);
                var batches = learning["split"] is not null ? 1 : 0;
                Assert.Equal(
                    1 + batches + (3 * fleet["allocation"]!.AsArray().Count),
                    learning["truth"]!.AsArray().Count
                );
                Assert.Equal(5 + batches, learning["policies"]!.AsArray().Count);
                Assert.True((double)learning["learned"]!["objective"]! <= (double)learning["bestObjective"]! + 1e-9);
            }
        );
        Assert.Equal(2, report["fleets"]!.AsArray().Count(fleet => fleet!["learning"]!["split"] is not null));
        Assert.Equal((long)report["windows"]!["published"]!, await StoredEventsAsync());
        Assert.Empty(Directory.GetFiles(Path.Combine(_home, "run")));
    }

    [Fact]
    public async Task A_worker_killed_in_the_middle_loses_nothing_and_stores_nothing_twice()
    {
        var (status, output, error) = await RunAsync("demo", "--seconds", "3", "--kill-worker", "-o", "json");

        Assert.True(status == 0, error);
        var windows = JsonNode.Parse(output)!["windows"]!;
        Assert.Equal((long)windows["published"]!, (long)windows["stored"]!);
        Assert.Equal((long)windows["published"]!, await StoredEventsAsync());
        // The one that was killed had no time to say goodbye; the one in its place came up.
        Assert.DoesNotContain("Application is shutting down", await LogOfAsync("worker-1"), StringComparison.Ordinal);
        Assert.Contains("Application started", await LogOfAsync("worker-3"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_trace_is_one_line_that_says_where_and_status_2()
    {
        var trace = Path.Combine(_home, "bad.csv");
        await File.WriteAllTextAsync(
            trace,
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50,x,1\n",
            Cancel
        );

        var (status, output, error) = await RunAsync("demo", "--trace", trace);

        Assert.Equal(2, status);
        Assert.Empty(output);
        Assert.Equal(
            $"platform: {trace}, line 3: column ContextTokens: must be a whole number from 0 to 10000000, not 'x'",
            error.TrimEnd()
        );
    }

    private Task<long> StoredEventsAsync() =>
        _database.QueryAsync<long>(
            "select count(*) from events.mt_events where type = 'workload-window-recorded'",
            Cancel
        );

    private Task<string> LogOfAsync(string host) =>
        File.ReadAllTextAsync(Path.Combine(_home, "logs", $"{host}.log"), Cancel);

    private async Task<(int Status, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var root = RootFolder();
        var start = new ProcessStartInfo(
            DotnetProgram(),
            [Path.Combine(root, "src/Platform.Cli/bin/Release/net10.0/Platform.Cli.dll"), .. arguments]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["PLATFORM_ROOT"] = root,
                ["PLATFORM_HOME"] = _home,
                ["PLATFORM_POSTGRES"] = _database.OwnerConnectionString,
                ["PLATFORM_RABBITMQ"] = TestServices.RabbitMq.OriginalString,
                ["PLATFORM_RABBITMQ_MANAGEMENT"] = TestServices.RabbitMqManagement.OriginalString,
                ["Platform__IngressVirtualHost"] = _virtualHost,
            },
        };
        using var process = Process.Start(start)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Deadline);
        try
        {
            var (output, error) = (
                process.StandardOutput.ReadToEndAsync(patience.Token),
                process.StandardError.ReadToEndAsync(patience.Token)
            );
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            // Its hosts are processes of their own session: it must end them itself.
            using var terminate = Process.Start("/bin/sh", ["-c", $"kill -s TERM {process.Id}"]);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    private static string RootFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Platform.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        return folder.FullName;
    }

    // The runtime lies in DOTNET/shared/Microsoft.NETCore.App/VERSION/.
    private static string DotnetProgram() =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
}
