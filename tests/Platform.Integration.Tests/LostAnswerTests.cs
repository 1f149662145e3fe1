using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Contracts;
using Platform.Testing;
using RabbitMQ.Client.Exceptions;

namespace Platform.Integration.Tests;

/// <summary>Something was done and the word of it is lost: whoever asked asks again, and it counts once.</summary>
[Collection<FaultPlatformTests>]
public sealed class LostAnswerTests(FaultPlatform platform)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_intakes_commit()
    {
        var tenant = await TenantWithFleetAsync();
        var lost = platform.Postgres.LoseAnswer("workload-window-recorded"u8, FaultProxy.Committed);
        await using var publisher = await tenant.ConnectAsync(Cancel);
        const int windows = 50;
        for (var i = 0; i < windows; i++)
            await publisher.PublishAsync("chat", StrictJson.Write(TestTenant.Window("chat")), Guid.NewGuid(), Cancel);
        await lost.WaitAsync(Deadline, Cancel);

        await UntilPassedAsync(tenant, windows + 1);
        Assert.Equal(windows + 1, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task The_commit_of_a_fleets_registration_revision_and_retirement()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        using var client = tenant.Client();

        await LoseCommitAsync("fleet-registered", () => PutAsync("First"), HttpStatusCode.OK);
        await LoseCommitAsync("fleet-revised", () => PutAsync("Second"), HttpStatusCode.OK);
        await LoseCommitAsync(
            "fleet-retired",
            () => client.DeleteAsync(new Uri("/v1/fleets/chat", UriKind.Relative), Cancel),
            HttpStatusCode.NotFound
        );
        Assert.Equal(
            3,
            await platform.Database.QueryAsync<long>(
                $"select count(*) from events.mt_events where tenant_id = '{tenant.Id}' and type in ('fleet-registered', 'fleet-revised', 'fleet-retired')",
                Cancel
            )
        );

        Task<HttpResponseMessage> PutAsync(string name) =>
            client.PutAsJsonAsync(
                "/v1/fleets/chat",
                TestTenant.Definition(definition => definition["displayName"] = name),
                Cancel
            );
    }

    [Fact]
    public async Task The_commit_of_a_revision_of_a_certain_state()
    {
        var tenant = await TenantWithFleetAsync();
        using var client = tenant.Client();
        client.DefaultRequestHeaders.Add("If-Match", "\"r1\"");
        var revised = TestTenant.Definition(definition => definition["displayName"] = "Second");
        await LoseCommitAsync(
            "fleet-revised",
            () => client.PutAsJsonAsync("/v1/fleets/chat", revised, Cancel),
            HttpStatusCode.OK
        );
        using var answer = await client.PutAsJsonAsync("/v1/fleets/chat", TestTenant.Definition(), Cancel);
        Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode);
    }

    /// <summary>The secrets went with the answer: the operator makes others.</summary>
    [Fact]
    public async Task The_commit_of_a_tenants_registration()
    {
        using var @operator = platform.Operator;
        var id = $"t{Guid.NewGuid():n}";
        await LoseCommitAsync(
            "tenant-registered",
            () => @operator.PostAsJsonAsync("/v1/tenants", new { id, displayName = "A tenant" }, Cancel),
            HttpStatusCode.Conflict
        );
        var key = await MadeAsync(
            $"/v1/tenants/{id}/keys",
            new { name = "default", scopes = (string[])["manage", "read", "ingest"] }
        );
        var access = await MadeAsync($"/v1/tenants/{id}/broker-password", null);

        var tenant = new TestTenant(platform, id, (string)key["apiKey"]!, (string)access["password"]!)
        {
            VirtualHost = (string)access["virtualHost"]!,
        };
        await tenant.PutFleetAsync("chat", Cancel);
        await UntilPassedAsync(tenant, 1);

        async Task<JsonNode> MadeAsync(string path, object? body)
        {
            using var answer = await @operator.PostAsJsonAsync(path, body, Cancel);
            return await TestPlatform.ReadAsync(answer, Cancel);
        }
    }

    [Fact]
    public async Task The_solves_commit()
    {
        var tenant = await TenantWithFleetAsync();
        await tenant.UntilAllocatedAsync("chat", _ => true, Cancel);
        // In the summary of the snapshot for the next revision, and so in no solve but that.
        var lost = platform.Postgres.LoseAnswer("\"definitionRevision\":2"u8, FaultProxy.Committed);
        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 10);
        await lost.WaitAsync(Deadline, Cancel);

        await tenant.PutFleetAsync("chat", Cancel, definition => definition["objective"]!["accuracyWeight"] = 20);
        await tenant.UntilAllocatedAsync("chat", it => (int)it["provenance"]!["definitionRevision"]! == 3, Cancel);
        Assert.Equal(
            "1 2 3 | 1 2 3",
            await platform.Database.QueryAsync<string>(
                $"""
                select (select string_agg(version::text, ' ' order by version) from platform.allocation_snapshots where tenant_id = '{tenant.Id}') || ' | '
                    || (select string_agg(data ->> 'version', ' ' order by version) from events.mt_events
                        where tenant_id = '{tenant.Id}' and type = 'allocation-published')
                """,
                Cancel
            )
        );
    }

    [Fact]
    public async Task The_confirm_of_a_window_over_HTTP()
    {
        var tenant = await TenantWithFleetAsync();
        using var client = tenant.Client();
        client.DefaultRequestHeaders.Add("Idempotency-Key", "window 1");
        var window = TestTenant.Window("chat");
        var lost = platform.Broker.LoseAnswer("workload-statistics"u8, FaultProxy.Confirmed);
        using var first = await client.PostAsJsonAsync("/v1/fleets/chat/statistics", window, Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, first.StatusCode);
        Assert.NotNull(first.Headers.RetryAfter);
        await lost.WaitAsync(Deadline, Cancel);
        // The broker kept it.
        await tenant.UntilStoredAsync("chat", 1, Cancel);

        using var again = await client.PostAsJsonAsync("/v1/fleets/chat/statistics", window, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        await UntilPassedAsync(tenant, 2);
        Assert.Equal(2, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task The_confirm_of_a_window_over_the_broker()
    {
        var tenant = await TenantWithFleetAsync();
        var (window, id) = (StrictJson.Write(TestTenant.Window("chat")), Guid.NewGuid());
        var through = tenant with { BrokerPort = platform.Broker.Port };
        var lost = platform.Broker.LoseAnswer(Encoding.UTF8.GetBytes(id.ToString()), FaultProxy.Confirmed);
        await using (var publisher = await through.ConnectAsync(Cancel))
            await Assert.ThrowsAnyAsync<AlreadyClosedException>(() =>
                publisher.PublishAsync("chat", window, id, Cancel)
            );
        await lost.WaitAsync(Deadline, Cancel);
        await tenant.UntilStoredAsync("chat", 1, Cancel);

        await through.PublishAsync("chat", window, id, Cancel);
        await UntilPassedAsync(tenant, 2);
        Assert.Equal(2, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    /// <summary>The first answer says that it may not have been done, the second that it was.</summary>
    private async Task LoseCommitAsync(string happened, Func<Task<HttpResponseMessage>> command, HttpStatusCode again)
    {
        var lost = platform.Postgres.LoseAnswer(Encoding.UTF8.GetBytes(happened), FaultProxy.Committed);
        using var first = await command();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, first.StatusCode);
        await lost.WaitAsync(Deadline, Cancel);
        using var second = await command();
        Assert.Equal(again, second.StatusCode);
    }

    private async Task<TestTenant> TenantWithFleetAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        return tenant;
    }

    /// <summary>
    /// Sends one more window behind the others and waits until it is stored: what came before it has been judged by
    /// then.
    /// </summary>
    private static async Task UntilPassedAsync(TestTenant tenant, long expected)
    {
        await tenant.PublishAsync("chat", TestTenant.Window("chat", load: 7), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync("chat", expected, Cancel);
    }
}
