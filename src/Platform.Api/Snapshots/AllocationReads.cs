using System.Diagnostics.Metrics;

namespace Platform.Api.Snapshots;

/// <summary>
/// Counts what is asked of the allocation in force. Two numbers that are read with each scrape: ASP.NET Core's own
/// figures of a request take as long as the answer from memory, and are left out for this route.
/// </summary>
internal static class AllocationReads
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Platform.Api.Allocations";

    private static readonly Meter Meter = new(MeterName);
    private static readonly KeyValuePair<string, object?> ServedTag = new("outcome", "served"),
        HeldTag = new("outcome", "held"),
        NoneTag = new("outcome", "none");
    private static long _served,
        _held,
        _none;

    static AllocationReads() =>
        Meter.CreateObservableCounter(
            "platform.allocations.reads",
            () =>
                (Measurement<long>[])
                    [
                        new(Interlocked.Read(ref _served), ServedTag),
                        new(Interlocked.Read(ref _held), HeldTag),
                        new(Interlocked.Read(ref _none), NoneTag),
                    ],
            "{read}",
            "Reads of the allocation in force: served, held already (304), or none there."
        );

    /// <summary>One was served with its body.</summary>
    public static void Served() => Interlocked.Increment(ref _served);

    /// <summary>The client had it already.</summary>
    public static void Held() => Interlocked.Increment(ref _held);

    /// <summary>There was none, or no such fleet.</summary>
    public static void None() => Interlocked.Increment(ref _none);
}
