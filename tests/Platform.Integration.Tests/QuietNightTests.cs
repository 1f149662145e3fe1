using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Integration.Tests;

/// <summary>
/// From a report: a quiet night makes room for more tokens, and the traffic of the morning must not find them in force.
/// </summary>
public sealed class QuietNightTests(TestPlatform platform)
{
    private const double Day = 0.08,
        Night = 0.001;

    private const int WindowSeconds = 30;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_morning_after_a_quiet_night_is_carried_within_three_windows()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await using var publisher = await tenant.ConnectAsync(Cancel);
        await tenant.PutFleetAsync(
            "chat",
            Cancel,
            definition =>
            {
                definition["arrivalRate"] = Day;
                definition["servers"] = 1;
                definition["objective"]!["accuracyWeight"] = 3_000;
                definition["solving"]!["everySeconds"] = 3_600;
                definition["solving"]!["maxStep"] = 1e6;
                definition["taskTypes"] = new JsonArray(
                    new JsonObject
                    {
                        ["id"] = "math",
                        ["share"] = 1,
                        ["maxTokens"] = 4_096,
                        ["service"] = new JsonObject { ["baseSeconds"] = 0.5, ["secondsPerToken"] = 0.02 },
                        ["accuracy"] = new JsonObject
                        {
                            ["floor"] = 0.2,
                            ["gain"] = 0.6,
                            ["ratePerToken"] = 0.001,
                        },
                    }
                );
            }
        );
        var morning = TimeProvider.System.GetUtcNow().AddSeconds(-3 * WindowSeconds);
        var windows = 0;
        for (var hour = 5; hour > 0; hour--)
            windows += await PublishHourAsync(publisher, morning.AddHours(-hour), hour == 5 ? Day : Night);
        await tenant.UntilStoredAsync("chat", windows, Cancel);
        await AskAsync(tenant);
        await Eventually.TrueAsync(
            async () => (long)(await FleetAsync(tenant))["freshness"]!["solvedWorkloadVersion"]! == windows,
            "a solve that knows the night",
            Cancel
        );
        var night = await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        Assert.True(UtilizationAt(night, Day) > 1, "what is granted at night is too much for the day");

        for (var i = 0; i < 3; i++)
            await PublishAsync(publisher, morning.AddSeconds(i * WindowSeconds), i == 0 ? 3 : 2);
        var carried = await tenant.UntilAllocatedAsync("chat", it => UtilizationAt(it, Day) < 1, Cancel);
        Assert.True(
            (double)carried["problem"]!["arrivalRate"]! > Day / 2,
            "the rate of the morning is what it was solved for"
        );
        Assert.Equal("instability", (string)(await FleetAsync(tenant))["freshness"]!["solveReason"]!);
    }

    /// <summary>
    /// The utilization that the tokens of an allocation make at a rate, on servers that serve one query at a time.
    /// </summary>
    private static double UtilizationAt(JsonNode allocation, double rate) =>
        (double)allocation["solution"]!["utilization"]! * rate / (double)allocation["problem"]!["arrivalRate"]!;

    private static async Task<int> PublishHourAsync(TestPublisher publisher, DateTimeOffset start, double rate)
    {
        const int Windows = 3_600 / WindowSeconds;
        var arrived = 0.0;
        for (var i = 0; i < Windows; i++)
        {
            var arrivals = (int)(arrived + (rate * WindowSeconds)) - (int)arrived;
            arrived += rate * WindowSeconds;
            await PublishAsync(publisher, start.AddSeconds(i * WindowSeconds), arrivals);
        }

        return Windows;
    }

    private static Task PublishAsync(TestPublisher publisher, DateTimeOffset start, int arrivals)
    {
        var window = new JsonObject
        {
            ["fleet"] = "chat",
            ["windowStart"] = start.UtcDateTime.ToString("O"),
            ["windowEnd"] = start.AddSeconds(WindowSeconds).UtcDateTime.ToString("O"),
            ["tasks"] = new JsonArray(new JsonObject { ["taskType"] = "math", ["arrivals"] = arrivals }),
        };
        return publisher.PublishAsync("chat", StrictJson.Write<JsonNode>(window), Guid.NewGuid(), Cancel);
    }

    private static async Task AskAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        using var asked = await client.PostAsync(new Uri("/v1/fleets/chat/solve", UriKind.Relative), null, Cancel);
        Assert.True(asked.IsSuccessStatusCode);
    }

    private static async Task<JsonNode> FleetAsync(TestTenant tenant)
    {
        using var client = tenant.Client();
        return (await client.GetFromJsonAsync<JsonNode>("/v1/fleets/chat", Cancel))!;
    }
}
