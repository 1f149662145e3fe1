using Platform.Cli.Traces;

namespace Platform.Cli.Demo;

/// <summary>A fleet with its part of the trace.</summary>
internal sealed record FleetWorkload
{
    public required FleetPlan Plan { get; init; }

    /// <summary>Its requests, in order of time.</summary>
    public required IReadOnlyList<TraceRequest> Requests { get; init; }

    /// <summary>Seed of what happens to its queries.</summary>
    public required int Seed { get; init; }

    /// <summary>When the first window starts: the trace's times count from here.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>Windows that each of its servers reports.</summary>
    public required int WindowsOfServer { get; init; }

    /// <summary>Windows that it reports.</summary>
    public int Windows => WindowsOfServer * Plan.Template.Servers;
}

/// <summary>
/// The demo's input: a trace, divided over simulated fleets. The same trace, seed and end give the same.
/// </summary>
internal sealed record DemoWorkload
{
    /// <summary>Length of a window of event time.</summary>
    public static readonly TimeSpan WindowLength = TimeSpan.FromSeconds(10);

    /// <summary>Fewest requests, and shortest trace, that say anything about the fleets.</summary>
    private const int FewestRequests = 100;

    private static readonly TimeSpan ShortestTrace = TimeSpan.FromMinutes(1);

    public required IReadOnlyList<FleetWorkload> Fleets { get; init; }

    /// <summary>Requests in the trace.</summary>
    public required int Requests { get; init; }

    /// <summary>From the first request of the trace to the last.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>Number of windows over all fleets.</summary>
    public int Windows => Fleets.Sum(fleet => fleet.Windows);

    /// <summary>The part of the trace's requests that was meant for a fleet.</summary>
    public double PartOf(FleetWorkload fleet) =>
        fleet.Plan.Template.Traffic / Fleets.Sum(other => other.Plan.Template.Traffic);

    /// <summary>Divides a trace over the demo's fleets.</summary>
    /// <param name="trace">The trace, in order of time.</param>
    /// <param name="name">How to call it in a fault's message.</param>
    /// <param name="seed">Seed of every random choice.</param>
    /// <param name="endsAt">When the last window ends: the trace's times are shifted to that.</param>
    /// <exception cref="TraceFormatException">There is too little of it.</exception>
    public static DemoWorkload Create(IReadOnlyList<TraceRequest> trace, string name, int seed, DateTimeOffset endsAt)
    {
        var length = CheckedLength(trace, name);
        var parts = Divide(trace, new Random(seed));
        return new DemoWorkload
        {
            Requests = trace.Count,
            Length = length,
            Fleets =
            [
                .. DemoCatalog.Fleets.Select(
                    (template, i) => Fleet(template, parts[i], length, unchecked(seed + (7_919 * (i + 1))), endsAt)
                ),
            ],
        };
    }

    /// <summary>The length of a trace of which there is enough.</summary>
    /// <exception cref="TraceFormatException">There is too little of it.</exception>
    public static TimeSpan CheckedLength(IReadOnlyList<TraceRequest> trace, string name)
    {
        var length = trace.Count == 0 ? TimeSpan.Zero : trace[^1].At;
        if (trace.Count >= FewestRequests && length >= ShortestTrace)
            return length;
        throw new TraceFormatException(
            $"{name}: holds {trace.Count} requests over {length.TotalSeconds:0.#} s; "
                + $"the demo needs at least {FewestRequests} over {ShortestTrace.TotalSeconds:0} s"
        );
    }

    private static List<TraceRequest>[] Divide(IReadOnlyList<TraceRequest> trace, Random random)
    {
        var fleets = DemoCatalog.Fleets;
        var parts = Array.ConvertAll(fleets, _ => new List<TraceRequest>());
        var total = fleets.Sum(fleet => fleet.Traffic);
        foreach (var request in trace)
        {
            var (draw, i) = (random.NextDouble() * total, 0);
            for (; i < fleets.Length - 1 && draw >= fleets[i].Traffic; i++)
                draw -= fleets[i].Traffic;
            parts[i].Add(request);
        }

        return parts;
    }

    private static FleetWorkload Fleet(
        FleetTemplate template,
        List<TraceRequest> requests,
        TimeSpan length,
        int seed,
        DateTimeOffset endsAt
    )
    {
        var requestsOfShape = new int[RequestShapes.Count];
        foreach (var request in requests)
            requestsOfShape[(int)RequestShapes.Of(request)]++;
        var windows = (int)(length.Ticks / WindowLength.Ticks) + 1;
        return new FleetWorkload
        {
            Plan = FleetPlan.Create(template, requestsOfShape, length, seed),
            Requests = requests,
            Seed = unchecked(seed + 1),
            StartsAt = endsAt - (WindowLength * windows),
            WindowsOfServer = windows,
        };
    }
}
