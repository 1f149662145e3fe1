using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;

namespace Platform.Client;

/// <summary>
/// What the client library tells without being asked: events for a listener, and counters for a meter of the same name.
/// </summary>
[EventSource(Name = SourceName)]
internal sealed class ClientEvents : EventSource
{
    /// <summary>Name of the event source and of the meter.</summary>
    public const string SourceName = "Platform.Client";

    /// <summary>The one instance.</summary>
    public static readonly ClientEvents Log = new();

    private static readonly Meter Meter = new(SourceName);

    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "platform.client.windows.refused",
        "{window}",
        "Windows that the platform has refused, set aside."
    );

    private static readonly Counter<long> Losses = Meter.CreateCounter<long>(
        "platform.client.windows.given_up",
        "{window}",
        "Windows that were given up: the platform was away for too long."
    );

    private ClientEvents() { }

    /// <summary>A window was refused and set aside.</summary>
    [Event(1, Level = EventLevel.Error, Message = "A window of {0}, message {1}, was refused and set aside: {2}")]
    public void WindowRefused(string fleet, string messageId, string reason)
    {
        Refusals.Add(1);
        WriteEvent(1, fleet, messageId, reason);
    }

    /// <summary>A window was given up.</summary>
    [Event(2, Level = EventLevel.Error, Message = "A window of {0}, message {1}, was given up: too many wait")]
    public void WindowGivenUp(string fleet, string messageId)
    {
        Losses.Add(1);
        WriteEvent(2, fleet, messageId);
    }
}
