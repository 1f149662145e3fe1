using System.Text;
using Platform.Domain.Contracts;
using Platform.Workers.Ingestion;

namespace Platform.Workers.Tests.Ingestion;

public sealed class WindowReceptionTests
{
    private const string PlatformUser = "platform";
    private const string Message = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    private const string Identity = "identity: the property user-id is missing, or names no tenant";
    private const string RoutingKey =
        "routing-key: it must begin with the tenant that the property user-id proves, and a dot";
    private const string MissingMessageId =
        "message-id: the property is missing; it must be a UUID, a new one for each window";
    private const string MessageId =
        "message-id: the property must be a UUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    private const string MissingContentType = "content-type: the property is missing; it must be application/json";
    private const string ContentType = "content-type: the property must be application/json";

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    private static readonly DeliveredWindow Good = new(
        Body(
            """
            { "fleet": "chat-eu", "windowStart": "2026-11-23T09:59:50Z", "windowEnd": "2026-11-23T10:00:00Z",
              "tasks": [ { "taskType": "math", "arrivals": 12 } ] }
            """
        ),
        "acme",
        Message,
        "application/json",
        "acme.chat-eu",
        null
    );

    [Fact]
    public void A_good_message_is_taken_with_the_tenant_that_the_broker_has_proven()
    {
        Assert.True(new WindowReception(PlatformUser).TryRead(Good, Now, out var incoming, out var reason));
        Assert.Null(reason);
        Assert.Equal(("acme", new Guid(Message)), (incoming.Tenant, incoming.MessageId));
        Assert.Equal(("chat-eu", 12), (incoming.Window.Fleet, incoming.Window.Tasks[0].Arrivals));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ab")]
    [InlineData("Acme")]
    [InlineData("acme.other")]
    [InlineData("acme\n")]
    public void A_message_whose_user_is_absent_or_no_tenant_is_refused(string? user) =>
        Refused(Good with { UserId = user }, Identity);

    [Fact]
    public void The_platforms_own_user_speaks_for_the_tenant_that_it_names() =>
        Assert.Equal("acme", Tenant(Good with { UserId = PlatformUser, OnBehalfOf = "acme" }));

    /// <summary>Its name would pass for a tenant's, but it is none.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Acme")]
    public void The_platforms_own_user_is_refused_when_it_names_no_tenant(string? onBehalfOf)
    {
        Assert.True(Identifiers.IsTenant(PlatformUser));
        Refused(Good with { UserId = PlatformUser, OnBehalfOf = onBehalfOf }, Identity);
    }

    [Fact]
    public void No_other_user_can_speak_for_a_tenant()
    {
        Assert.Equal("acme", Tenant(Good with { OnBehalfOf = "victim" }));
        Assert.Equal(
            "platform-2",
            Tenant(Good with { UserId = "platform-2", RoutingKey = "platform-2.chat-eu", OnBehalfOf = "victim" })
        );
        Refused(Good with { UserId = null, OnBehalfOf = "victim" }, Identity);
        Refused(Good with { UserId = "PLATFORM", OnBehalfOf = "victim" }, Identity);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void A_missing_message_id_is_called_missing(string? messageId) =>
        Refused(Good with { MessageId = messageId }, MissingMessageId);

    [Theory]
    [InlineData("17")]
    [InlineData("3f2504e04f8941d39a0c0305e82c3301")]
    [InlineData("{3f2504e0-4f89-41d3-9a0c-0305e82c3301}")]
    [InlineData("3f2504e0-4f89-41d3-9a0c-0305e82c330g")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    public void A_message_whose_id_is_no_uuid_is_refused(string? messageId) =>
        Refused(Good with { MessageId = messageId }, MessageId);

    [Theory]
    [InlineData("")]
    [InlineData("acme")]
    [InlineData("acme2.chat-eu")]
    [InlineData("victim.chat-eu")]
    [InlineData("ACME.chat-eu")]
    public void A_routing_key_that_contradicts_the_proven_tenant_is_refused(string routingKey)
    {
        Refused(Good with { RoutingKey = routingKey }, RoutingKey);
        Refused(Good with { UserId = PlatformUser, OnBehalfOf = "acme", RoutingKey = routingKey }, RoutingKey);
    }

    [Fact]
    public void A_message_id_means_the_same_in_capitals()
    {
        Assert.True(
            new WindowReception(PlatformUser).TryRead(
                Good with
                {
                    MessageId = Message.ToUpperInvariant(),
                },
                Now,
                out var incoming,
                out _
            )
        );
        Assert.Equal(new Guid(Message), incoming.MessageId);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void A_missing_content_type_is_called_missing(string? contentType) =>
        Refused(Good with { ContentType = contentType }, MissingContentType);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/vnd.masstransit+json")]
    public void A_message_of_another_content_type_is_refused(string? contentType) =>
        Refused(Good with { ContentType = contentType }, ContentType);

    [Fact]
    public void A_charset_beside_the_content_type_is_let_pass() =>
        Assert.True(
            new WindowReception(PlatformUser).TryRead(
                Good with
                {
                    ContentType = "application/json; charset=utf-8",
                },
                Now,
                out _,
                out _
            )
        );

    [Fact]
    public void Every_fault_of_the_body_is_listed() =>
        Refused(
            Good with
            {
                Body = Body(
                    """
                    { "fleet": "Chat", "windowStart": "2026-11-23T09:59:50Z", "windowEnd": "2026-11-23T10:00:00Z",
                      "tasks": [ { "taskType": "math", "arrivals": -1 } ] }
                    """
                ),
            },
            $"body: /fleet: must match {Identifiers.FleetPattern}; /tasks/0/arrivals: must be from 0 to 9007199254740991 (2^53 - 1)"
        );

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("\0\u0001")]
    public void A_body_that_is_no_window_is_refused(string body) =>
        Assert.StartsWith("body: ", Reason(Good with { Body = Body(body) }), StringComparison.Ordinal);

    [Fact]
    public void A_window_is_held_against_the_moment_of_its_arrival()
    {
        Assert.False(new WindowReception(PlatformUser).TryRead(Good, Now.AddMinutes(-6), out _, out var reason));
        Assert.StartsWith("body: /windowEnd: ", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_sent_it_is_judged_before_what_it_says()
    {
        var bad = new DeliveredWindow([], null, null, null, "acme.chat-eu", null);
        Refused(bad, Identity);
        Refused(bad with { UserId = "acme" }, MissingMessageId);
        Refused(bad with { UserId = "acme", MessageId = Message }, MissingContentType);
    }

    /// <summary>
    /// The reason travels as a header, and a message's headers must fit in one frame of the broker (128 KiB): else it
    /// closes the connection, for every tenant, again and again.
    /// </summary>
    [Fact]
    public void However_long_the_publishers_words_are_the_reason_stays_short()
    {
        var reason = Reason(Good with { Body = Body($$"""{ "{{new string('€', 80_000)}}": 1 }""") });
        Assert.StartsWith("body: ", reason, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(reason!), 1, 16_384);
    }

    private static byte[] Body(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Tenant(DeliveredWindow delivered) =>
        new WindowReception(PlatformUser).TryRead(delivered, Now, out var incoming, out _) ? incoming.Tenant : null;

    private static string? Reason(DeliveredWindow delivered)
    {
        Assert.False(new WindowReception(PlatformUser).TryRead(delivered, Now, out var incoming, out var reason));
        Assert.Null(incoming);
        return reason;
    }

    private static void Refused(DeliveredWindow delivered, string reason) => Assert.Equal(reason, Reason(delivered));
}
