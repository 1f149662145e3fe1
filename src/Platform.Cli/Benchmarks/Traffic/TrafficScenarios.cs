using Platform.Cli.Traces;
using Platform.Domain.Fleets;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>The benchmark's scenarios by name, each made when it is asked for.</summary>
internal static class TrafficScenarios
{
    /// <summary>The clients of the ServeGen day that get a fleet each: those with the most requests.</summary>
    private static readonly string[] Clients = ["35", "48", "3"];

    private static readonly Generated[] AllGenerated =
    [
        new("steady", 24, TrafficFleets.Queue(10), TrafficProfiles.Steady),
        new("week", 168, TrafficFleets.Queue(10), TrafficProfiles.Steady),
        new("night", 16, TrafficFleets.Queue(1), TrafficProfiles.Night),
        new("night-large", 16, TrafficFleets.Queue(50), TrafficProfiles.Night),
        new("steps-1.5", 12, TrafficFleets.Queue(10), hours => TrafficProfiles.Steps(hours, 1.5)),
        new("steps-2", 12, TrafficFleets.Queue(10), hours => TrafficProfiles.Steps(hours, 2)),
        new("steps-5", 12, TrafficFleets.Queue(10), hours => TrafficProfiles.Steps(hours, 5)),
        new("ramps", 9, TrafficFleets.Queue(10), TrafficProfiles.Ramps),
        new("days", 96, TrafficFleets.Queue(10), TrafficProfiles.Days),
        new("offices", 144, TrafficFleets.Queue(10), TrafficProfiles.Offices),
        new("sharing-night", 16, TrafficFleets.Sharing(1), TrafficProfiles.Night),
        new("sharing-steps-2", 12, TrafficFleets.Sharing(2), hours => TrafficProfiles.Steps(hours, 2)),
        new("sharing-days", 96, TrafficFleets.Sharing(2), TrafficProfiles.Days),
    ];

    /// <summary>Names of the generated ones.</summary>
    public static IReadOnlyList<string> GeneratedNames { get; } = [.. AllGenerated.Select(it => it.Name)];

    /// <summary>Names of those that need recorded data.</summary>
    public static IReadOnlyList<string> RecordedNames { get; } =
    ["azure-conv", "azure-code", "servegen", .. Clients.Select(client => $"servegen-{client}")];

    /// <summary>Makes a scenario.</summary>
    /// <param name="name">One of the names.</param>
    /// <param name="hours">Its length in hours; null for its own. A recorded one is cut, never longer.</param>
    /// <param name="data">The folder of recorded data.</param>
    public static TrafficScenario Create(string name, int? hours, string data)
    {
        var made = AllGenerated.SingleOrDefault(it => it.Name == name) is { } generated
            ? Generate(generated, hours ?? generated.Hours)
            : Record(name, data);
        return hours is { } most && made.RateByMinute.Length > most * 60
            ? made with
            {
                RateByMinute = made.RateByMinute[..(most * 60)],
            }
            : made;
    }

    private static TrafficScenario Generate(Generated generated, int hours)
    {
        var fleet = generated.Fleet;
        return new(generated.Name, fleet, [.. generated.Profile(hours).Select(part => part * fleet.ArrivalRate)]);
    }

    private static TrafficScenario Record(string name, string data)
    {
        if (name.StartsWith("azure-", StringComparison.Ordinal))
        {
            var file = $"AzureLLMInferenceTrace_{name["azure-".Length..]}.csv";
            return Recorded(name, TraceReader.ReadFile(Path.Combine(data, "azure-llm-2023", file)).Requests);
        }

        var clients = Path.Combine(data, "servegen-deepseek-r1", "traces_all_clients.csv");
        var all = TraceReader.ReadFile(clients, "client").Requests;
        return name == "servegen"
            ? Recorded(name, all)
            : Recorded(name, [.. all.Where(request => request.Kind == name["servegen-".Length..])]);
    }

    private static TrafficScenario Recorded(string name, IReadOnlyList<TraceRequest> requests)
    {
        var minutes = (int)requests[^1].At.TotalMinutes;
        var arrivals = new int[minutes * 60];
        var seconds = requests.Select(request => (int)request.At.TotalSeconds);
        foreach (var second in seconds.Where(it => it < arrivals.Length))
            arrivals[second]++;
        var definition = TrafficFleets.ScaledTo(TrafficFleets.Queue(1), arrivals.Average());
        return new TrafficScenario(name, definition, RecordedRates.Of(arrivals)) { ArrivalsBySecond = arrivals };
    }

    /// <summary>A scenario before it is made.</summary>
    private sealed record Generated(string Name, int Hours, FleetDefinition Fleet, Func<int, double[]> Profile);
}

/// <summary>What is taken for the true rate of recorded arrivals, of which nobody knows it.</summary>
internal static class RecordedRates
{
    /// <summary>Seconds around the middle of a minute whose arrivals make its rate.</summary>
    public const int AroundSeconds = 300;

    /// <summary>λ of each whole minute.</summary>
    /// <param name="arrivals">Arrivals of each second.</param>
    public static double[] Of(int[] arrivals)
    {
        var rates = new double[arrivals.Length / 60];
        for (var minute = 0; minute < rates.Length; minute++)
        {
            var middle = (minute * 60) + 30;
            var from = Math.Max(middle - (AroundSeconds / 2), 0);
            var to = Math.Min(middle + (AroundSeconds / 2), arrivals.Length);
            rates[minute] = arrivals[from..to].Average();
        }

        return rates;
    }
}
