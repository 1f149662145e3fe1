using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;
using Platform.Workers.Ingestion;

namespace Platform.Integration.Tests;

/// <summary>
/// Windows that will never count are refused at both doors; those that do not count for this fleet are taken, and their
/// publisher is told.
/// </summary>
public sealed class UncountedWindowTests(TestPlatform platform) : IAsyncLifetime
{
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private TestTenant _tenant = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What is wrong with a window, where, and a word of the reason.</summary>
    public static TheoryData<string, string, string> NeverCounting =>
        new()
        {
            { "1970", "/windowEnd", "count for no fleet" },
            { "30 days ago", "/windowEnd", "30 days ago" },
            { "2^53 - 1 arrivals a minute", "/tasks/0/arrivals", "running counter" },
        };

    public async ValueTask InitializeAsync()
    {
        _tenant = await platform.CreateTenantAsync(Cancel);
        await _tenant.PutFleetAsync("chat", Cancel);
    }

    public ValueTask DisposeAsync() => default;

    [Theory]
    [MemberData(nameof(NeverCounting))]
    public async Task A_window_that_counts_for_no_fleet_is_refused_at_both_doors(
        string what,
        string pointer,
        string reason
    )
    {
        var window = Damaged(what);
        var (status, answer) = await SendAsync(window);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        var fault = Assert.Single(answer["errors"]!.AsArray())!;
        Assert.Equal(pointer, (string?)fault["pointer"]);
        Assert.Contains(reason, (string)fault["detail"]!, StringComparison.Ordinal);

        var id = Guid.NewGuid();
        await _tenant.PublishAsync("chat", window, id, Cancel);
        var rejected = await platform.Rejected.WithMessageIdAsync(id, Cancel);
        Assert.StartsWith($"body: {pointer}: ", rejected.Reason, StringComparison.Ordinal);
        Assert.Contains(reason, rejected.Reason, StringComparison.Ordinal);
        Assert.Equal(0, await _tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task The_answer_says_what_of_a_window_will_not_count()
    {
        Assert.Empty(await WarningsAsync(TestTenant.Window("chat")));

        var old = Assert.Single(await WarningsAsync(TestTenant.Window("chat", end: _now.AddDays(-2).AddMinutes(-1))));
        Assert.Equal("/windowEnd", (string?)old!["pointer"]);
        Assert.Equal(
            "ended 2 days ago: windows older than 21,600 s (solving.horizonSeconds) do not count but for the hours of the day",
            (string?)old["detail"]
        );

        var unknown = TestTenant.Window("chat");
        unknown["tasks"]![0]!["taskType"] = "maths";
        Assert.Equal("/tasks/0/taskType", (string?)Assert.Single(await WarningsAsync(unknown))!["pointer"]);

        var @long = TestTenant.Window("chat");
        @long["windowStart"] = Instant(_now.AddHours(-7));
        Assert.Equal("/windowStart", (string?)Assert.Single(await WarningsAsync(@long))!["pointer"]);
        // Told of, and stored all the same: a revision may make them count.
        await _tenant.UntilStoredAsync("chat", 4, Cancel);
    }

    [Fact]
    public async Task Windows_from_the_broker_that_do_not_count_are_counted_by_cause()
    {
        var causes = new ConcurrentBag<string>();
        using var meter = new MeterListener
        {
            InstrumentPublished = (it, listener) =>
            {
                if (it.Name == WorkloadWindowConsumer.UncountedName)
                    listener.EnableMeasurementEvents(it);
            },
        };
        meter.SetMeasurementEventCallback<long>((_, _, tags, _) => causes.Add((string)tags[0].Value!));
        meter.Start();
        await _tenant.PublishAsync("chat", TestTenant.Window("chat", end: _now.AddDays(-1)), Guid.NewGuid(), Cancel);
        var unknown = TestTenant.Window("chat");
        unknown["tasks"]![0]!["taskType"] = "maths";
        await _tenant.PublishAsync("chat", unknown, Guid.NewGuid(), Cancel);

        await Eventually.TrueAsync(
            () => Task.FromResult(causes.Contains("older-than-horizon") && causes.Contains("unknown-task-type")),
            "both causes to be counted",
            Cancel
        );
        await _tenant.UntilStoredAsync("chat", 2, Cancel);
    }

    private static JsonObject Damaged(string what)
    {
        var now = TimeProvider.System.GetUtcNow();
        var window = what switch
        {
            "1970" => TestTenant.Window("chat", end: DateTimeOffset.UnixEpoch.AddMinutes(1)),
            "30 days ago" => TestTenant.Window("chat", end: now.AddDays(-30).AddSeconds(-1)),
            _ => TestTenant.Window("chat", end: now),
        };
        if (what == "2^53 - 1 arrivals a minute")
        {
            window["windowStart"] = Instant(now.AddMinutes(-1));
            window["tasks"]![0]!["arrivals"] = WorkloadWindowReader.MaxSum;
        }

        return window;
    }

    private static string Instant(DateTimeOffset instant) =>
        instant.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture);

    private async Task<JsonArray> WarningsAsync(JsonObject window)
    {
        var (status, answer) = await SendAsync(window);
        Assert.True(status == HttpStatusCode.Accepted, $"{answer}");
        return answer["warnings"]!.AsArray();
    }

    private async Task<(HttpStatusCode Status, JsonNode Answer)> SendAsync(JsonObject window)
    {
        using var client = _tenant.Client();
        using var answer = await client.PostAsJsonAsync("/v1/fleets/chat/statistics", window, Cancel);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
    }
}
