using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Platform.Domain.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Platform.Integration.Tests;

/// <summary>
/// What a tenant with valid credentials can try against the others and the platform, and what comes of it;
/// docs/security.md lists it all.
/// </summary>
public sealed class BrokerAttackTests(TestPlatform platform)
{
    private const string Intake = IngressNames.Intake;
    private const string Rejected = IngressNames.Rejected;

    /// <summary>
    /// Bytes of the longest message that the broker takes, as its setting <c>max_message_size</c> has it.
    /// </summary>
    private const int LongestMessage = 1024 * 1024;

    private static readonly CreateChannelOptions Confirmed = new(
        publisherConfirmationsEnabled: true,
        publisherConfirmationTrackingEnabled: true
    );

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, Func<IChannel, string, string, Task>> RefusedByTheBroker =>
        new()
        {
            {
                "publish with another's user-id",
                Constants.PreconditionFailed,
                (it, own, other) => PublishAsync(it, IngressNames.Exchange, $"{own}.chat", userId: other)
            },
            {
                "publish with the platform's user-id",
                Constants.PreconditionFailed,
                (it, own, _) => PublishAsync(it, IngressNames.Exchange, $"{own}.chat", userId: PlatformUser)
            },
            {
                "publish under another's routing key",
                Constants.AccessRefused,
                (it, _, other) => PublishAsync(it, IngressNames.Exchange, $"{other}.chat")
            },
            {
                "publish under a routing key that begins like its own",
                Constants.AccessRefused,
                (it, own, _) => PublishAsync(it, IngressNames.Exchange, $"{own}2.chat")
            },
            {
                "publish to the intake's exchange",
                Constants.AccessRefused,
                (it, own, _) => PublishAsync(it, Intake, $"{own}.chat")
            },
            {
                "publish to the rejected messages' exchange",
                Constants.AccessRefused,
                (it, _, _) => PublishAsync(it, Rejected, "")
            },
            {
                "publish to the intake through the default exchange",
                Constants.AccessRefused,
                (it, _, _) => PublishAsync(it, "", Intake)
            },
            {
                "publish to another exchange",
                Constants.AccessRefused,
                (it, _, _) => PublishAsync(it, "amq.fanout", "")
            },
            {
                "consume the intake",
                Constants.AccessRefused,
                (it, _, _) => it.BasicConsumeAsync(Intake, true, new AsyncEventingBasicConsumer(it), Cancel)
            },
            {
                "consume the rejected messages",
                Constants.AccessRefused,
                (it, _, _) => it.BasicConsumeAsync(Rejected, true, new AsyncEventingBasicConsumer(it), Cancel)
            },
            { "get from the intake", Constants.AccessRefused, (it, _, _) => it.BasicGetAsync(Intake, true, Cancel) },
            {
                "get from the rejected messages",
                Constants.AccessRefused,
                (it, _, _) => it.BasicGetAsync(Rejected, true, Cancel)
            },
            {
                "publish a notice",
                Constants.AccessRefused,
                (it, own, _) => PublishAsync(it, IngressNames.Allocations, $"{own}.chat")
            },
            {
                "consume another's notices",
                Constants.AccessRefused,
                (it, _, other) =>
                    it.BasicConsumeAsync(
                        IngressNames.AllocationsOf(other),
                        true,
                        new AsyncEventingBasicConsumer(it),
                        Cancel
                    )
            },
            {
                "get another's notices",
                Constants.AccessRefused,
                (it, _, other) => it.BasicGetAsync(IngressNames.AllocationsOf(other), true, Cancel)
            },
            {
                "purge another's notices",
                Constants.AccessRefused,
                (it, _, other) => it.QueuePurgeAsync(IngressNames.AllocationsOf(other), Cancel)
            },
            {
                "bind its own notices to another's",
                Constants.AccessRefused,
                (it, own, other) =>
                    it.QueueBindAsync(
                        IngressNames.AllocationsOf(own),
                        IngressNames.Allocations,
                        $"{other}.*",
                        cancellationToken: Cancel
                    )
            },
            {
                "delete its own notices' queue",
                Constants.AccessRefused,
                (it, own, _) =>
                    it.QueueDeleteAsync(IngressNames.AllocationsOf(own), false, false, cancellationToken: Cancel)
            },
            {
                "declare its own notices' queue anew",
                Constants.AccessRefused,
                (it, own, _) => it.QueueDeclareAsync(IngressNames.AllocationsOf(own), cancellationToken: Cancel)
            },
            { "purge the intake", Constants.AccessRefused, (it, _, _) => it.QueuePurgeAsync(Intake, Cancel) },
            {
                "purge the rejected messages",
                Constants.AccessRefused,
                (it, _, _) => it.QueuePurgeAsync(Rejected, Cancel)
            },
            {
                "delete the intake",
                Constants.AccessRefused,
                (it, _, _) => it.QueueDeleteAsync(Intake, false, false, cancellationToken: Cancel)
            },
            {
                "delete the exchange",
                Constants.AccessRefused,
                (it, _, _) => it.ExchangeDeleteAsync(IngressNames.Exchange, cancellationToken: Cancel)
            },
            {
                "bind the intake",
                Constants.AccessRefused,
                (it, _, _) => it.QueueBindAsync(Intake, IngressNames.Exchange, "#", cancellationToken: Cancel)
            },
            {
                "unbind the intake",
                Constants.AccessRefused,
                (it, _, _) => it.ExchangeUnbindAsync(Intake, IngressNames.Exchange, "#", cancellationToken: Cancel)
            },
            {
                "bind an exchange of the broker",
                Constants.AccessRefused,
                (it, _, _) => it.ExchangeBindAsync("amq.fanout", IngressNames.Exchange, "#", cancellationToken: Cancel)
            },
            {
                "declare a queue",
                Constants.AccessRefused,
                (it, _, _) => it.QueueDeclareAsync("mine", cancellationToken: Cancel)
            },
            {
                "declare a queue that the broker names",
                Constants.AccessRefused,
                (it, _, _) => it.QueueDeclareAsync(cancellationToken: Cancel)
            },
            {
                "declare the intake anew",
                Constants.AccessRefused,
                (it, _, _) => it.QueueDeclareAsync(Intake, cancellationToken: Cancel)
            },
            {
                "declare an exchange",
                Constants.AccessRefused,
                (it, own, _) => it.ExchangeDeclareAsync(own, "fanout", cancellationToken: Cancel)
            },
        };

    [Theory]
    [MemberData(nameof(RefusedByTheBroker), DisableDiscoveryEnumeration = true)]
    public async Task The_broker_refuses_what_a_tenant_may_not_do(
        string what,
        int code,
        Func<IChannel, string, string, Task> attempt
    )
    {
        var (attacker, victim) = (await TenantAsync(), await TenantAsync());
        await using var connection = await platform
            .BrokerAs(attacker.Id, attacker.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        Assert.Equal(
            (what, (int?)code),
            (what, await CodeAsync(connection, channel => attempt(channel, attacker.Id, victim.Id)))
        );
    }

    /// <summary>
    /// The broker tells anyone in the virtual host that a queue is there, and how long it is; this is all that a tenant
    /// learns.
    /// </summary>
    [Fact]
    public async Task A_passive_declare_tells_the_length_of_a_queue_and_changes_nothing()
    {
        var attacker = await TenantAsync();
        await using var connection = await platform
            .BrokerAs(attacker.Id, attacker.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        Assert.Null(await CodeAsync(connection, channel => channel.QueueDeclarePassiveAsync(Intake, Cancel)));
        Assert.Equal(
            Constants.NotFound,
            await CodeAsync(connection, channel => channel.QueueDeclarePassiveAsync("mine", Cancel))
        );
    }

    [Theory]
    [InlineData("/")]
    [InlineData("nowhere")]
    public async Task Another_virtual_host_lets_no_tenant_in(string virtualHost)
    {
        var attacker = await TenantAsync();
        var (connection, code) = await ConnectAsync(attacker, virtualHost);
        await using (connection)
            Assert.Equal(Constants.NotAllowed, code);
    }

    [Theory]
    [InlineData("overview")]
    [InlineData("users")]
    [InlineData("queues")]
    public async Task The_management_interface_answers_no_tenant(string path)
    {
        var attacker = await TenantAsync();
        using var client = new HttpClient { BaseAddress = Testing.TestServices.RabbitMqManagement };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{attacker.Id}:{attacker.BrokerPassword}"))
        );
        using var answer = await client.GetAsync(new Uri($"api/{path}", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Connections_and_channels_of_a_tenant_are_limited_and_others_get_theirs()
    {
        var (attacker, other) = (await TenantAsync(), await TenantAsync());
        var connections = new List<IConnection>();
        try
        {
            int? refused = null;
            while (refused is null && connections.Count < 1_000)
            {
                (var connection, refused) = await ConnectAsync(attacker, null);
                connections.Add(connection);
            }

            Assert.Equal((101, (int?)Constants.NotAllowed), (connections.Count, refused));
            // Each has one channel.
            var channels = 0;
            await Assert.ThrowsAnyAsync<RabbitMQClientException>(async () =>
            {
                for (; channels < 1_000; channels++)
                    await connections[0].CreateChannelAsync(cancellationToken: Cancel);
            });
            Assert.Equal((300, (int?)Constants.NotAllowed), (channels, connections[0].CloseReason?.ReplyCode));
            await StoredAsync(other);
        }
        finally
        {
            await Task.WhenAll(connections.Select(connection => connection.DisposeAsync().AsTask()));
        }
    }

    public static TheoryData<string, Func<byte[]>, string> RefusedBodies =>
        new()
        {
            { "no JSON", () => "<xml/>"u8.ToArray(), "body: " },
            { "a depth bomb", () => Encoding.UTF8.GetBytes(new string('[', 200_000)), "body: " },
            { "a key twice", () => Changed("\"fleet\":\"chat\"", "\"fleet\":\"chat\",\"fleet\":\"chat\""), "body: " },
            { "NUL in a name", () => Changed("\"math\"", "\"ma\\u0000th\""), "body: /tasks/0/taskType" },
            { "1e400", () => Changed("\"arrivals\":1", "\"arrivals\":1e400"), "body: /tasks/0/arrivals" },
            { "NaN", () => Changed("\"arrivals\":1", "\"arrivals\":\"NaN\""), "body: /tasks/0/arrivals" },
            {
                "a byte too long",
                () =>
                    [
                        .. Changed("", ""),
                        .. Enumerable.Repeat((byte)' ', WorkloadWindowReader.MaxBytes + 1 - Changed("", "").Length),
                    ],
                "body: "
            },
            { "all that the broker takes", () => Encoding.UTF8.GetBytes(new string(' ', LongestMessage)), "body: " },
        };

    [Theory]
    [MemberData(nameof(RefusedBodies), DisableDiscoveryEnumeration = true)]
    public async Task A_body_that_is_an_attack_goes_aside_and_the_next_is_stored(
        string what,
        Func<byte[]> body,
        string reason
    )
    {
        var attacker = await TenantAsync();
        var id = Guid.NewGuid();
        await attacker.PublishAsync("chat", body(), id, Cancel);

        Assert.StartsWith(reason, (await RejectedAsync(id)).Reason, StringComparison.Ordinal);
        await StoredAsync(attacker);
        Assert.NotEmpty(what);
    }

    [Fact]
    public async Task The_broker_takes_no_message_that_is_far_too_long()
    {
        var attacker = await TenantAsync();
        await using var connection = await platform
            .BrokerAs(attacker.Id, attacker.BrokerPassword)
            .CreateConnectionAsync(Cancel);
        foreach (var bytes in (int[])[LongestMessage + 1, 16 * LongestMessage])
        {
            Assert.Equal(
                Constants.PreconditionFailed,
                await CodeAsync(
                    connection,
                    channel =>
                        channel
                            .BasicPublishAsync(
                                IngressNames.Exchange,
                                $"{attacker.Id}.chat",
                                mandatory: true,
                                new BasicProperties { UserId = attacker.Id },
                                new byte[bytes],
                                Cancel
                            )
                            .AsTask()
                )
            );
        }

        await StoredAsync(attacker);
    }

    /// <summary>
    /// Where a default set-up would send on behalf of whoever is named, or copy the user-id and loop.
    /// </summary>
    [Theory]
    [InlineData("application/json")]
    [InlineData("application/vnd.masstransit+json")]
    [InlineData("application/vnd.masstransit")]
    public async Task No_address_in_an_envelope_or_a_header_makes_the_platform_send_or_declare_anything(
        string contentType
    )
    {
        var attacker = await TenantAsync();
        var (id, target) = (Guid.NewGuid(), $"squatted-{attacker.Id}");
        var body = Encoding.UTF8.GetBytes(
            $$"""
            { "messageId": "{{id}}", "faultAddress": "rabbitmq://localhost/{{target}}", "responseAddress": "rabbitmq://localhost/{{target}}",
              "sourceAddress": "rabbitmq://localhost/{{target}}", "messageType": ["urn:message:Platform.Workers.Ingestion:DeliveredWindow"],
              "message": { "body": "AAAA", "userId": "victim" } }
            """
        );
        await attacker.PublishAsync(
            "chat",
            body,
            id,
            Cancel,
            properties =>
            {
                properties.ContentType = contentType;
                properties.Headers = new Dictionary<string, object?>
                {
                    ["MT-Fault-Address"] = $"exchange:{target}",
                    ["MT-Response-Address"] = $"exchange:{target}",
                    ["MT-Reason"] = "fault",
                };
            }
        );

        await RejectedAsync(id);
        await StoredAsync(attacker);
        await using var connection = await platform.BrokerAsPlatformAsync(Cancel);
        foreach (var name in (string[])[target, $"{Intake}_error", $"{Intake}_skipped"])
        {
            Assert.Equal(
                Constants.NotFound,
                await CodeAsync(connection, channel => channel.ExchangeDeclarePassiveAsync(name, Cancel))
            );
            Assert.Equal(
                Constants.NotFound,
                await CodeAsync(connection, channel => channel.QueueDeclarePassiveAsync(name, Cancel))
            );
        }
    }

    [Theory]
    [InlineData("CC")]
    [InlineData("BCC")]
    public async Task A_copy_to_anothers_routing_key_counts_for_its_sender_alone(string header)
    {
        var (attacker, victim) = (await TenantAsync(), await TenantAsync());
        var taken = await attacker.TryPublishCopiesAsync(
            "chat",
            StrictJson.Write(TestTenant.Window("chat")),
            new()
            {
                [header] = new List<object> { $"{victim.Id}.chat" },
                ["on-behalf-of"] = victim.Id,
            },
            Cancel
        );

        var windows = taken ? 1 : 0;
        await attacker.UntilStoredAsync("chat", windows, Cancel);
        await StoredAsync(attacker, already: windows);
        Assert.Equal(windows + 1, await attacker.StoredWindowsAsync("chat", Cancel));
        Assert.Equal(0, await victim.StoredWindowsAsync("chat", Cancel));
    }

    [Fact]
    public async Task A_message_id_that_another_tenant_took_first_keeps_nothing_out()
    {
        var (attacker, victim) = (await TenantAsync(), await TenantAsync());
        var id = Guid.NewGuid();
        await attacker.PublishAsync("chat", TestTenant.Window("chat"), id, Cancel);
        await attacker.UntilStoredAsync("chat", 1, Cancel);

        await victim.PublishAsync("chat", TestTenant.Window("chat"), id, Cancel);
        await victim.UntilStoredAsync("chat", 1, Cancel);
    }

    [Fact]
    public async Task Huge_headers_harm_nobody()
    {
        var attacker = await TenantAsync();
        var (good, bad) = (Guid.NewGuid(), Guid.NewGuid());
        await PublishWithHeaderAsync(StrictJson.Write(TestTenant.Window("chat")), good);
        await PublishWithHeaderAsync("{"u8.ToArray(), bad);

        await attacker.UntilStoredAsync("chat", 1, Cancel);
        Assert.StartsWith("body: ", (await RejectedAsync(bad)).Reason, StringComparison.Ordinal);
        await StoredAsync(attacker, already: 1);

        // A frame of the broker holds 128 KiB.
        Task PublishWithHeaderAsync(byte[] body, Guid id) =>
            attacker.PublishAsync(
                "chat",
                body,
                id,
                Cancel,
                properties =>
                    properties.Headers = new Dictionary<string, object?>
                    {
                        ["huge"] = new string('x', 120_000),
                        ["x-death"] = "forged",
                        ["reason"] = "forged",
                    }
            );
    }

    private static string PlatformUser => Testing.TestServices.RabbitMq.UserInfo.Split(':')[0];

    private async Task<TestTenant> TenantAsync()
    {
        var tenant = await platform.CreateTenantAsync(Cancel);
        await tenant.PutFleetAsync("chat", Cancel);
        return tenant;
    }

    private Task<RejectedMessage> RejectedAsync(Guid messageId) =>
        platform.Rejected.WithMessageIdAsync(messageId, Cancel);

    /// <summary>The tenant's next good window is stored: nothing stands in the way.</summary>
    private static async Task StoredAsync(TestTenant tenant, long already = 0)
    {
        await tenant.PublishAsync("chat", TestTenant.Window("chat"), Guid.NewGuid(), Cancel);
        await tenant.UntilStoredAsync("chat", already + 1, Cancel);
    }

    private static byte[] Changed(string from, string to)
    {
        var text = TestTenant.Window("chat").ToJsonString();
        return Encoding.UTF8.GetBytes(from.Length == 0 ? text : text.Replace(from, to, StringComparison.Ordinal));
    }

    private static Task PublishAsync(IChannel channel, string exchange, string routingKey, string? userId = null) =>
        channel
            .BasicPublishAsync(
                exchange,
                routingKey,
                mandatory: true,
                new BasicProperties
                {
                    UserId = userId,
                    MessageId = $"{Guid.NewGuid()}",
                    ContentType = "application/json",
                },
                "{}"u8.ToArray(),
                Cancel
            )
            .AsTask();

    /// <summary>
    /// A connection with a channel, or the code with which the broker closed it. The client says so only when it uses
    /// the connection.
    /// </summary>
    private async Task<(IConnection Connection, int? Code)> ConnectAsync(TestTenant tenant, string? virtualHost)
    {
        var connection = await platform
            .BrokerAs(tenant.Id, tenant.BrokerPassword, virtualHost)
            .CreateConnectionAsync(Cancel);
        try
        {
            await connection.CreateChannelAsync(cancellationToken: Cancel);
            return (connection, null);
        }
        catch (RabbitMQClientException)
        {
            return (connection, connection.CloseReason?.ReplyCode);
        }
    }

    /// <summary>The code with which the broker closes the channel; null when it does not.</summary>
    private static async Task<int?> CodeAsync(IConnection connection, Func<IChannel, Task> attempt)
    {
        await using var channel = await connection.CreateChannelAsync(Confirmed, Cancel);
        try
        {
            await attempt(channel);
            return null;
        }
        catch (Exception fault) when (fault is RabbitMQClientException or PublishException)
        {
            return (channel.CloseReason ?? (fault as OperationInterruptedException)?.ShutdownReason)?.ReplyCode;
        }
    }
}
