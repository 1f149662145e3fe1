using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>The clients in other languages, run by their own programs against the real platform.</summary>
public sealed class GatewayClientTests(TestPlatform platform)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Clients => Path.Combine(Script.Root, "clients");

    [Fact]
    public async Task The_client_in_JavaScript_publishes_once_and_has_the_tokens_in_force()
    {
        var folder = await WithPackagesAsync();
        await RunsAsync("node", folder);
    }

    [Fact]
    public Task The_client_in_Python_publishes_once_and_has_the_tokens_in_force() =>
        RunsAsync("/usr/bin/python3", Path.Combine(Clients, "python"));

    [Fact]
    public Task The_client_in_JavaScript_sets_a_refused_window_aside_and_sends_the_next() =>
        RunAsync("node", Path.Combine(Clients, "javascript"), [], "--test");

    [Fact]
    public Task The_client_in_Python_sets_a_refused_window_aside_and_sends_the_next() =>
        RunAsync(
            "/usr/bin/python3",
            Path.Combine(Clients, "python"),
            new() { ["PYTHONDONTWRITEBYTECODE"] = "1" },
            "-m",
            "unittest"
        );

    [Fact]
    public async Task The_AsyncAPI_document_keeps_to_its_specification()
    {
        var folder = await WithPackagesAsync();
        await RunAsync("node", folder, [], "check-asyncapi.mjs", Path.Combine(Script.Root, "docs", "asyncapi.json"));
    }

    /// <summary>Installs what the package's lock says, the first time.</summary>
    private static async Task<string> WithPackagesAsync()
    {
        var folder = Path.Combine(Clients, "javascript");
        await Installing.WaitAsync(Cancel);
        try
        {
            if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
                await RunAsync("npm", folder, [], "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        }
        finally
        {
            Installing.Release();
        }

        return folder;
    }

    private static readonly SemaphoreSlim Installing = new(1);

    private async Task RunsAsync(string program, string folder)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        var snapshot = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        // What the client itself reports may bring a new version between its two questions.
        using (var team = tenant.Client())
        using (
            var pinned = await team.PostAsJsonAsync(
                $"/v1/fleets/chat/allocations/{snapshot["version"]}/pin",
                new { reason = "a test" },
                Cancel
            )
        )
            Assert.True(pinned.IsSuccessStatusCode);
        var printed = await RunAsync(
            program,
            folder,
            new()
            {
                ["API"] = platform.Address.ToString().TrimEnd('/'),
                ["KEY"] = tenant.Key,
                ["BROKER"] =
                    $"amqp://{tenant.Id}:{tenant.BrokerPassword}@{platform.Services.RabbitMq.Host}:{platform.Services.RabbitMq.Port}/{tenant.VirtualHost}",
                ["PYTHONDONTWRITEBYTECODE"] = "1",
            },
            Path.GetFileName(folder) == "python" ? "example.py" : "example.mjs",
            "chat"
        );

        // The second answer is a 304.
        var tokens = snapshot["solution"]!["allocation"]!
            .AsArray()
            .ToDictionary(it => (string)it!["taskType"]!, it => (long)it!["tokens"]!);
        Assert.Equal(
            [tokens, tokens],
            JsonNode
                .Parse(printed)!
                .AsArray()
                .Select(it => it!.AsObject().ToDictionary(pair => pair.Key, pair => (long)pair.Value!))
        );
        await tenant.UntilStoredAsync("chat", 1, Cancel);
        await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync("chat", 2, Cancel);
        Assert.Equal(2, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    /// <summary>Runs a program to its end; what it prints.</summary>
    private static async Task<string> RunAsync(
        string program,
        string folder,
        Dictionary<string, string> environment,
        params string[] arguments
    )
    {
        var (status, output, error) = await Script
            .RunProgramAsync(program, folder, environment, arguments)
            .WaitAsync(Patience, Cancel);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)}: {error}");
        return output;
    }
}
