using System.Net;
using System.Net.Http.Json;
using System.Text;
using Platform.Testing;
using RabbitMQ.Client.Exceptions;

namespace Platform.Integration.Tests;

/// <summary>What one tenant may ask for, and what it is told when it asks for more.</summary>
public sealed class LimitsTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_that_sends_too_fast_is_told_when_to_try_again_and_others_are_not_touched()
    {
        var api = await platform.StartApiAsync(
            new() { ["Platform:Limits:WindowsPerSecond"] = "1", ["Platform:Limits:WindowsAtOnce"] = "3" }
        );
        var loud = await platform.CreateTenantAsync(Cancel, api);
        var quiet = await platform.CreateTenantAsync(Cancel, api);
        foreach (var tenant in (TestTenant[])[loud, quiet])
            await tenant.PutFleetAsync("chat", Cancel);

        var answers = new List<HttpStatusCode>();
        using var client = loud.Client();
        for (var i = 0; i < 6; i++)
        {
            using var answer = await client.PostAsJsonAsync(
                "/v1/fleets/chat/statistics",
                TestTenant.Window("chat"),
                Cancel
            );
            answers.Add(answer.StatusCode);
            if (answer.StatusCode != HttpStatusCode.TooManyRequests)
                continue;
            Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 5);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }

        Assert.Equal(HttpStatusCode.Accepted, answers[0]);
        Assert.Equal(HttpStatusCode.TooManyRequests, answers[^1]);
        using var other = quiet.Client();
        using var taken = await other.PostAsJsonAsync("/v1/fleets/chat/statistics", TestTenant.Window("chat"), Cancel);
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
        // What was accepted is stored, what was refused is not.
        await loud.UntilStoredAsync("chat", answers.Count(status => status == HttpStatusCode.Accepted), Cancel);
    }

    [Fact]
    public async Task Fleets_and_task_types_beyond_the_quota_are_refused_however_many_are_put_at_once()
    {
        var api = await platform.StartApiAsync(
            new() { ["Platform:Limits:Fleets"] = "3", ["Platform:Limits:TaskTypes"] = "7" }
        );
        var tenant = await platform.CreateTenantAsync(Cancel, api);
        using var client = tenant.Client();

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i => client.PutAsJsonAsync($"/v1/fleets/f{i}", TestTenant.Definition(), Cancel))
        );
        Assert.Equal(3, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        var refused = answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToArray();
        Assert.Equal(5, refused.Length);
        Assert.All(refused, answer => Assert.NotNull(answer.Headers.RetryAfter));
        Assert.Contains("may have 3", await refused[0].Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        // Three fleets of two task types each: one more task type fits, two do not.
        var id = answers
            .First(answer => answer.StatusCode == HttpStatusCode.Created)
            .Headers.Location!.ToString()
            .Split('/')[^1];
        Assert.Equal(HttpStatusCode.TooManyRequests, (await PutAsync(4)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(3)).StatusCode);
        using var retired = await client.DeleteAsync(new Uri($"/v1/fleets/{id}", UriKind.Relative), Cancel);
        using var instead = await client.PutAsJsonAsync("/v1/fleets/instead", TestTenant.Definition(), Cancel);
        Assert.Equal(HttpStatusCode.Created, instead.StatusCode);

        Task<HttpResponseMessage> PutAsync(int taskTypes) =>
            client.PutAsJsonAsync($"/v1/fleets/{id}", Definition(taskTypes), Cancel);
    }

    [Fact]
    public async Task A_full_intake_pushes_back_on_publishers_and_loses_nothing()
    {
        const int backlog = 1_000;
        var settings = new Dictionary<string, string?>
        {
            ["Platform:IntakeBacklog"] = $"{backlog}",
            ["Platform:Limits:WindowsAtOnce"] = "10000",
            ["Platform:IngressVirtualHost"] = platform.NewVirtualHost(),
            ["Platform:Announces"] = "false",
        };
        var api = await platform.StartApiAsync(settings);
        var tenant = await platform.CreateTenantAsync(Cancel, api);
        await tenant.PutFleetAsync("chat", Cancel);

        // No worker is there: the intake fills.
        await using var publisher = await tenant.ConnectAsync(Cancel);
        var confirmed = 0;
        var refused = await Assert.ThrowsAsync<PublishException>(async () =>
        {
            for (; confirmed < 2 * backlog; confirmed++)
                await publisher.PublishAsync(
                    "chat",
                    Encoding.UTF8.GetBytes(TestTenant.Window("chat").ToJsonString()),
                    Guid.NewGuid(),
                    Cancel
                );
        });
        Assert.False(refused.IsReturn);
        Assert.InRange(confirmed, backlog, backlog + 10);
        using var client = tenant.Client();
        using var answer = await client.PostAsJsonAsync(
            "/v1/fleets/chat/statistics",
            TestTenant.Window("chat"),
            Cancel
        );
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);

        await platform.StartWorkerAsync(settings);
        await tenant.UntilStoredAsync("chat", confirmed, Cancel);
        await Eventually.TrueAsync(
            async () =>
            {
                using var again = await client.PostAsJsonAsync(
                    "/v1/fleets/chat/statistics",
                    TestTenant.Window("chat"),
                    Cancel
                );
                return again.StatusCode == HttpStatusCode.Accepted;
            },
            "the intake to take windows again",
            Cancel
        );
    }

    private static System.Text.Json.Nodes.JsonObject Definition(int taskTypes) =>
        TestTenant.Definition(definition =>
        {
            var types = definition["taskTypes"]!.AsArray();
            foreach (var type in types)
                type!["share"] = 1.0 / taskTypes;
            while (types.Count < taskTypes)
            {
                var more = types[0]!.DeepClone();
                more["id"] = $"more-{types.Count}";
                types.Add(more);
            }
        });
}
