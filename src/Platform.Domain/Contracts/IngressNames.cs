namespace Platform.Domain.Contracts;

/// <summary>
/// The names on the broker, in the virtual host that tenants publish to. API and workers both declare what they need
/// under them, so that a window finds its queue whichever of them was there first.
/// </summary>
public static class IngressNames
{
    /// <summary>The durable topic exchange that tenants publish to, with the routing key <c>tenant.fleet</c>.</summary>
    public const string Exchange = "workload-statistics";

    /// <summary>The quorum queue that all workers share, and the fanout exchange before it.</summary>
    public const string Intake = "workload-statistics.intake";

    /// <summary>Where messages go that cannot be taken: a fanout exchange and a quorum queue of this name.</summary>
    public const string Rejected = "workload-statistics.rejected";

    /// <summary>
    /// Where each change of what is in force is told: a topic exchange, routed by <c>tenant.fleet</c>.
    /// </summary>
    public const string Allocations = "allocations";

    /// <summary>The queue of a tenant's notices, which it alone may read.</summary>
    public static string AllocationsOf(string tenant) => $"{Allocations}.{tenant}";

    /// <summary>The header by which the platform's own user, having checked a key, names the tenant.</summary>
    public const string OnBehalfOfHeader = "on-behalf-of";

    /// <summary>The header by which a publisher may name the trace that it is part of (W3C Trace Context).</summary>
    public const string TraceParentHeader = "traceparent";

    /// <summary>
    /// How often the broker hands out a message of the intake that no consumer has ended with. Each death of a worker
    /// counts for every message that it held, so this is no measure of the message: those that are bad are set aside by
    /// the consumer, at once.
    /// </summary>
    public const int DeliveryLimit = 20;
}
