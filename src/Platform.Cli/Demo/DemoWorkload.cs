using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.Domain.Contracts;

namespace Platform.Cli.Demo;

/// <summary>A fleet with all that its gateways will publish.</summary>
/// <param name="Plan">The fleet.</param>
/// <param name="Requests">Requests of the trace that it served.</param>
/// <param name="Windows">Its windows, in order of time.</param>
internal sealed record FleetWorkload(FleetPlan Plan, int Requests, IReadOnlyList<WorkloadWindow> Windows);

/// <summary>The demo's input: what simulated fleets saw when they served a trace. The same trace, seed and end give the same windows.</summary>
internal sealed record DemoWorkload
{
    /// <summary>Length of a window of event time.</summary>
    public static readonly TimeSpan WindowLength = TimeSpan.FromSeconds(10);

    /// <summary>Fewest requests, and shortest trace, that say anything about six fleets.</summary>
    private const int FewestRequests = 100;

    private static readonly TimeSpan ShortestTrace = TimeSpan.FromMinutes(1);

    // What the contract lets a publisher leave out is left out.
    private static readonly JsonSerializerOptions Wire = new(StrictJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public required IReadOnlyList<FleetWorkload> Fleets { get; init; }

    /// <summary>Requests in the trace.</summary>
    public required int Requests { get; init; }

    /// <summary>From the first request of the trace to the last.</summary>
    public required TimeSpan Length { get; init; }

    /// <summary>Number of windows over all fleets.</summary>
    public int Windows => Fleets.Sum(fleet => fleet.Windows.Count);

    /// <summary>The JSON of a window, as any publisher would write it.</summary>
    public static byte[] Write(WorkloadWindow window) => JsonSerializer.SerializeToUtf8Bytes(window, Wire);

    /// <summary>Divides a trace over the demo's fleets and lets them serve it.</summary>
    /// <param name="trace">The trace, in order of time.</param>
    /// <param name="name">How to call it in a fault's message.</param>
    /// <param name="seed">Seed of every random choice.</param>
    /// <param name="endsAt">When the last window ends: the trace's times are shifted to that.</param>
    /// <exception cref="TraceFormatException">There is too little of it.</exception>
    public static DemoWorkload Create(IReadOnlyList<TraceRequest> trace, string name, int seed, DateTimeOffset endsAt)
    {
        var length = trace.Count == 0 ? TimeSpan.Zero : trace[^1].At;
        if (trace.Count < FewestRequests || length < ShortestTrace)
            throw new TraceFormatException(
                $"{name}: holds {trace.Count} requests over {length.TotalSeconds:0.#} s; the demo needs at least {FewestRequests} over {ShortestTrace.TotalSeconds:0} s");
        var parts = Divide(trace, new Random(seed));
        return new DemoWorkload
        {
            Requests = trace.Count,
            Length = length,
            Fleets = [.. DemoCatalog.Fleets.Select((template, i) => Serve(template, parts[i], length, unchecked(seed + (7_919 * (i + 1))), endsAt))],
        };
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

    private static FleetWorkload Serve(FleetTemplate template, List<TraceRequest> requests, TimeSpan length, int seed, DateTimeOffset endsAt)
    {
        var requestsOfShape = new int[RequestShapes.Count];
        foreach (var request in requests)
            requestsOfShape[(int)RequestShapes.Of(request)]++;
        var plan = FleetPlan.Create(template, requestsOfShape, length, seed);
        var simulation = new FleetSimulation(plan, unchecked(seed + 1));

        var count = (int)(length.Ticks / WindowLength.Ticks) + 1;
        string[] taskTypes = [.. template.Tasks.Select(task => task.Id)];
        ServerWindows[] servers = [.. Enumerable.Range(0, template.Servers).Select(_ => new ServerWindows(taskTypes, WindowLength, count))];
        foreach (var request in requests)
        {
            var query = simulation.Serve(request);
            servers[query.Server].Record(query);
        }

        var windows = servers.SelectMany(server => server.ToWindows(template.Id, endsAt - (WindowLength * count)));
        return new FleetWorkload(plan, requests.Count, [.. windows.OrderBy(window => window.WindowStart)]);
    }
}
