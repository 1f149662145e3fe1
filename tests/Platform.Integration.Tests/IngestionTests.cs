using System.Net;
using System.Net.Http.Json;
using System.Text;
using Platform.Domain.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Integration.Tests;

public sealed class IngestionTests(TestPlatform platform)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_delivered_again_and_again_is_stored_once()
    {
        var tenant = await TenantWithFleetAsync("chat");
        var (window, id) = (TestTenant.Window("chat"), Guid.NewGuid());
        await tenant.PublishAsync("chat", window, id, Cancel);
        await tenant.UntilStoredAsync("chat", 1, Cancel);
        for (var i = 0; i < 5; i++)
            await tenant.PublishAsync("chat", window, id, Cancel);

        await UntilPassedAsync(tenant, "chat", 2);
        Assert.Equal(2, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task Two_tenants_may_use_the_same_message_id()
    {
        var (one, other) = (await TenantWithFleetAsync("chat"), await TenantWithFleetAsync("chat"));
        var id = Guid.NewGuid();
        await Task.WhenAll(
            one.PublishAsync("chat", TestTenant.Window("chat"), id, Cancel),
            other.PublishAsync("chat", TestTenant.Window("chat"), id, Cancel)
        );

        await one.UntilStoredAsync("chat", 1, Cancel);
        await other.UntilStoredAsync("chat", 1, Cancel);
    }

    [Fact]
    public async Task Windows_in_any_order_give_the_same_problem()
    {
        var tenant = await TenantWithFleetAsync("one");
        await tenant.PutFleetAsync("other", Cancel);
        var end = TimeProvider.System.GetUtcNow();
        int[] ages = [0, 10, 20, 30, 40, 50];
        await PublishAllAsync(tenant, "one", ages, end);
        await PublishAllAsync(tenant, "other", [30, 10, 50, 0, 40, 20], end);

        var one = await tenant.UntilAllocatedOnAsync("one", ages.Length, Cancel);
        var other = await tenant.UntilAllocatedOnAsync("other", ages.Length, Cancel);
        Assert.Equal(one["provenance"]!["problemHash"]!.ToString(), other["provenance"]!["problemHash"]!.ToString());
    }

    [Theory]
    [InlineData("{", "body: ")]
    [InlineData("", "body: ")]
    [InlineData("[]", "body: ")]
    [InlineData("""{"fleet":"chat","tasks":[],"windowStart":"2026-01-01T00:00:00Z"}""", "windowEnd")]
    [InlineData("""{"fleet":"chat","fleet":"chat"}""", "body: ")]
    [InlineData(
        """{"fleet":"chat","windowStart":"2026-01-01T00:00:00Z","windowEnd":"2026-01-01T00:00:10Z","tasks":[{"taskType":"a","arrivals":-1}]}""",
        "/tasks/0/arrivals"
    )]
    [InlineData(
        """{"fleet":"chat","windowStart":"2026-01-01T00:00:00Z","windowEnd":"2026-01-01T00:00:10Z","tasks":[{"taskType":"a","arrivals":1e400}]}""",
        "/tasks/0/arrivals"
    )]
    public async Task A_malformed_body_goes_aside_unchanged_with_its_reason_and_the_next_message_is_taken(
        string body,
        string reason
    )
    {
        var tenant = await TenantWithFleetAsync("chat");
        // White space makes the body this test's own.
        var bytes = Encoding.UTF8.GetBytes(body + new string(' ', Random(tenant).Next(1, 10_000)));
        var id = Guid.NewGuid();
        await tenant.PublishAsync("chat", bytes, id, Cancel);

        await UntilPassedAsync(tenant, "chat", 1);
        var rejected = await platform.Rejected.WithBodyAsync(bytes, Cancel);
        Assert.Contains(reason, rejected.Reason, StringComparison.Ordinal);
        Assert.Equal((tenant.Id, id.ToString()), (rejected.Tenant, rejected.MessageId));
    }

    /// <summary>
    /// A reason with the publisher's words in it must fit the broker's frames, or the worker's connection dies of it,
    /// again and again.
    /// </summary>
    [Fact]
    public async Task A_body_with_an_endless_name_goes_aside_and_the_next_message_is_taken()
    {
        var tenant = await TenantWithFleetAsync("chat");
        var body = Encoding.UTF8.GetBytes($$"""{"{{new string('x', 200_000)}}{{tenant.Id}}":1}""");
        await tenant.PublishAsync("chat", body, Guid.NewGuid(), Cancel);

        await UntilPassedAsync(tenant, "chat", 1);
        Assert.StartsWith(
            "body: ",
            (await platform.Rejected.WithBodyAsync(body, Cancel)).Reason,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_window_of_an_unknown_fleet_goes_aside()
    {
        var tenant = await TenantWithFleetAsync("chat");
        var body = StrictJson.Write(TestTenant.Window("nobody"));
        await tenant.PublishAsync("nobody", body, Guid.NewGuid(), Cancel);

        var rejected = await platform.Rejected.WithBodyAsync(body, Cancel);
        Assert.StartsWith("fleet: ", rejected.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_window_for_another_tenants_fleet_goes_aside_whatever_the_routing_key_says()
    {
        var (victim, attacker) = (await TenantWithFleetAsync("prod"), await TenantWithFleetAsync("chat"));
        var body = StrictJson.Write(TestTenant.Window("prod"));
        if (
            !await attacker.TryPublishCopiesAsync(
                "chat",
                body,
                new()
                {
                    ["CC"] = new List<object> { $"{victim.Id}.prod" },
                    ["on-behalf-of"] = victim.Id,
                },
                Cancel
            )
        )
            await attacker.PublishAsync(
                "chat",
                body,
                Guid.NewGuid(),
                Cancel,
                properties => properties.Headers = new Dictionary<string, object?> { ["on-behalf-of"] = victim.Id }
            );

        var rejected = await platform.Rejected.WithBodyAsync(body, Cancel);
        Assert.Equal(attacker.Id, rejected.Tenant);
        Assert.Equal(0, await victim.StoredWindowsAsync("prod", Cancel));
    }

    public static TheoryData<string, Action<BasicProperties>, string> BadProperties =>
        new()
        {
            { "no user-id", it => it.UserId = null, "identity: " },
            { "no message-id", it => it.MessageId = null, "message-id: " },
            { "a message-id that is no UUID", it => it.MessageId = "7", "message-id: " },
            { "MassTransit's envelope", it => it.ContentType = "application/vnd.masstransit+json", "content-type: " },
            { "no content type at all", it => it.ContentType = null, "content-type: " },
        };

    [Theory]
    [MemberData(nameof(BadProperties), DisableDiscoveryEnumeration = true)]
    public async Task A_message_with_bad_properties_goes_aside(
        string what,
        Action<BasicProperties> change,
        string reason
    )
    {
        var tenant = await TenantWithFleetAsync("chat");
        var body = StrictJson.Write(TestTenant.Window("chat", load: what.Length));
        await tenant.PublishAsync("chat", body, Guid.NewGuid(), Cancel, change);

        var rejected = await platform.Rejected.WithBodyAsync(body, Cancel);
        Assert.StartsWith(reason, rejected.Reason, StringComparison.Ordinal);
        Assert.Equal(0, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task A_fault_address_in_the_headers_makes_the_worker_send_nothing_there()
    {
        var tenant = await TenantWithFleetAsync("chat");
        var target = $"squatted-{tenant.Id}";
        var headers = new Dictionary<string, object?>
        {
            ["MT-Fault-Address"] = $"exchange:{target}",
            ["MT-Response-Address"] = $"exchange:{target}",
        };
        var body = Encoding.UTF8.GetBytes($"{{ \"not\": \"a window of {tenant.Id}\" }}");
        await tenant.PublishAsync("chat", body, Guid.NewGuid(), Cancel, properties => properties.Headers = headers);
        await platform.Rejected.WithBodyAsync(body, Cancel);
        await UntilPassedAsync(tenant, "chat", 1);

        await using var connection = await platform.BrokerAsPlatformAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        await Assert.ThrowsAsync<OperationInterruptedException>(() =>
            channel.ExchangeDeclarePassiveAsync(target, Cancel)
        );
    }

    [Fact]
    public async Task A_tenant_cannot_publish_in_anothers_name_nor_under_anothers_prefix_nor_read_nor_configure()
    {
        var (victim, attacker) = (await TenantWithFleetAsync("chat"), await TenantWithFleetAsync("chat"));
        await Assert.ThrowsAnyAsync<Exception>(() =>
            attacker.PublishAsync(
                "chat",
                StrictJson.Write(TestTenant.Window("chat")),
                Guid.NewGuid(),
                Cancel,
                properties => properties.UserId = victim.Id
            )
        );

        await using var connection = await platform
            .BrokerAs(attacker.Id, attacker.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        await RefusedAsync(
            connection,
            channel => PublishEmptyAsync(channel, "workload-statistics", $"{victim.Id}.chat")
        );
        await RefusedAsync(connection, channel => PublishEmptyAsync(channel, "workload-statistics.rejected", ""));
        await RefusedAsync(
            connection,
            channel => channel.BasicGetAsync("workload-statistics.intake", autoAck: true, Cancel)
        );
        await RefusedAsync(connection, channel => channel.QueueDeclareAsync("mine", cancellationToken: Cancel));
        await RefusedAsync(
            connection,
            channel => channel.ExchangeDeleteAsync("workload-statistics", cancellationToken: Cancel)
        );
    }

    [Fact]
    public async Task A_window_over_HTTP_takes_the_same_road_and_its_idempotency_key_counts_once()
    {
        var tenant = await TenantWithFleetAsync("chat");
        using var client = tenant.Client();
        client.DefaultRequestHeaders.Add("Idempotency-Key", "window 1");
        var window = TestTenant.Window("chat");
        var ids = new HashSet<string>();
        for (var i = 0; i < 3; i++)
        {
            using var answer = await client.PostAsJsonAsync("/v1/fleets/chat/statistics", window, Cancel);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            ids.Add((await TestPlatform.ReadAsync(answer, Cancel))["messageId"]!.ToString());
        }

        await UntilPassedAsync(tenant, "chat", 2);
        Assert.Single(ids);
        Assert.Equal(2, await tenant.StoredWindowsAsync("chat", Cancel));
    }

    private async Task<TestTenant> TenantWithFleetAsync(string fleet)
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync(fleet, Cancel);
        return tenant;
    }

    private static async Task PublishAllAsync(TestTenant tenant, string fleet, int[] agesSeconds, DateTimeOffset end)
    {
        foreach (var age in agesSeconds)
            await tenant.PublishAsync(
                fleet,
                TestTenant.Window(fleet, load: 1 + age, end.AddSeconds(-age)),
                Guid.NewGuid(),
                Cancel
            );
    }

    /// <summary>
    /// Sends a good window behind the others and waits until it is stored: what came before it has been judged by then.
    /// </summary>
    private static async Task UntilPassedAsync(TestTenant tenant, string fleet, long expected)
    {
        await tenant.PublishAsync(fleet, TestTenant.Window(fleet, load: 7), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync(fleet, expected, Cancel);
    }

    private static async Task RefusedAsync(IConnection connection, Func<IChannel, Task> attempt)
    {
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), Cancel);
        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => attempt(channel));
        Assert.Equal(
            403,
            (int?)(channel.CloseReason ?? (refusal as OperationInterruptedException)?.ShutdownReason)?.ReplyCode
        );
    }

    private static Task PublishEmptyAsync(IChannel channel, string exchange, string routingKey) =>
        channel.BasicPublishAsync(exchange, routingKey, mandatory: true, ReadOnlyMemory<byte>.Empty, Cancel).AsTask();

    private static Random Random(TestTenant tenant) => new(StringComparer.Ordinal.GetHashCode(tenant.Id));
}
