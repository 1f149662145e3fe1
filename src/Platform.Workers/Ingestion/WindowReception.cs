using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using Platform.Domain.Contracts;
using Platform.Persistence.Ingestion;

namespace Platform.Workers.Ingestion;

/// <summary>Judges one message by itself: who sent it, and is it a workload window?</summary>
/// <param name="platformUser">The platform's own broker user, which alone may speak for a tenant.</param>
internal sealed class WindowReception(string platformUser)
{
    /// <summary>
    /// Longest reason, in characters. It may hold words of the publisher's, up to a message's length, and travels as a
    /// header, which must fit in one frame of the broker (128 KiB): the broker would close the connection, for every
    /// tenant, again and again.
    /// </summary>
    private const int MaxReasonLength = 4_000;

    /// <summary>Reads a message.</summary>
    /// <param name="delivered">The message.</param>
    /// <param name="now">The moment that the window's end is held against.</param>
    /// <param name="incoming">The window with its proven tenant.</param>
    /// <param name="reason">Why it cannot be taken.</param>
    public bool TryRead(
        DeliveredWindow delivered,
        DateTimeOffset now,
        [NotNullWhen(true)] out IncomingWindow? incoming,
        [NotNullWhen(false)] out string? reason
    )
    {
        incoming = null;
        if (Tenant(delivered) is not { } tenant)
            reason = "identity: the property user-id is missing, or names no tenant";
        else if (!delivered.RoutingKey.StartsWith($"{tenant}.", StringComparison.Ordinal))
            reason = "routing-key: it must begin with the tenant that the property user-id proves, and a dot";
        else if (string.IsNullOrEmpty(delivered.MessageId))
            reason = "message-id: the property is missing; it must be a UUID, a new one for each window";
        else if (!Guid.TryParseExact(delivered.MessageId, "D", out var messageId) || messageId == Guid.Empty)
            reason = "message-id: the property must be a UUID such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        else if (string.IsNullOrEmpty(delivered.ContentType))
            reason = "content-type: the property is missing; it must be application/json";
        else if (!IsJson(delivered.ContentType))
            reason = "content-type: the property must be application/json";
        else if (!WorkloadWindowReader.TryRead(delivered.Body, now, out var window, out var errors))
            reason = Shortened("body: " + string.Join("; ", errors));
        else
            (incoming, reason) = (
                new IncomingWindow(tenant, messageId, window) { TraceParent = RecordedTrace(delivered.TraceParent) },
                null
            );
        return incoming is not null;
    }

    /// <summary>The tenant that a message proves, or null.</summary>
    public string? Tenant(DeliveredWindow delivered)
    {
        var name = delivered.UserId == platformUser ? delivered.OnBehalfOf : delivered.UserId;
        return name is not null && Identifiers.IsTenant(name) ? name : null;
    }

    // A trace is a help to find one's way, and no reason to refuse a window. One that nobody records leads nowhere.
    private static string? RecordedTrace(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, out var trace)
        && trace.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
            ? $"00-{trace.TraceId}-{trace.SpanId}-01"
            : null;

    // Parameters, such as the charset that some clients add, say nothing that JSON does not say itself.
    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && type.MediaType is "application/json";

    /// <summary>A reason, short enough to travel as a header.</summary>
    public static string Shortened(string reason) =>
        reason.Length <= MaxReasonLength ? reason : $"{reason.AsSpan(0, MaxReasonLength - 1)}…";
}
