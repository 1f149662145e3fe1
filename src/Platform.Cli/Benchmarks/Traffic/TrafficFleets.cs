using Platform.Domain.Allocation;
using Platform.Domain.Fleets;

namespace Platform.Cli.Benchmarks.Traffic;

/// <summary>
/// The benchmark's fleets. Their accuracy weights are such that the best allocation lies between the bounds and makes
/// the servers about 0.6 busy at the mean rate.
/// </summary>
internal static class TrafficFleets
{
    /// <summary>Arrivals per second at each server of <see cref="Queue"/>.</summary>
    public const double QueueRate = 0.08;

    /// <summary>Arrivals per second at each server of <see cref="Sharing"/>.</summary>
    public const double SharingRate = 3;

    /// <summary>Variance of a service time around its line, seconds².</summary>
    private const double Variance = 0.04;

    /// <summary>Llama-3.1-8B on one H100: seconds that all share, of an output token, of a prompt's.</summary>
    private const double Overhead = 0.00658,
        PerToken = 0.0002,
        PerPromptToken = 0.0000194;

    /// <summary>Servers with a queue each, and four task types.</summary>
    /// <param name="servers">Number of servers.</param>
    public static FleetDefinition Queue(int servers) =>
        new()
        {
            DisplayName = "Queue",
            Servers = servers,
            Objective = new FleetObjective { AccuracyWeight = 200, MaxUtilization = 0.9 },
            ArrivalRate = servers * QueueRate,
            TaskTypes =
            [
                Queued("math", 0.25, new ServiceLine(0.4, 0.02, Variance), new AccuracyCurve(0.2, 0.6, 0.001)),
                Queued("chat", 0.45, new ServiceLine(0.2, 0.02, Variance), new AccuracyCurve(0.5, 0.3, 0.004)),
                Queued("code", 0.2, new ServiceLine(0.3, 0.02, Variance), new AccuracyCurve(0.3, 0.5, 0.002)),
                Queued("lookup", 0.1, new ServiceLine(0.2, 0.018, Variance), new AccuracyCurve(0.7, 0.2, 0.006)),
            ],
        };

    /// <summary>Servers that batch, and three task types.</summary>
    /// <param name="servers">Number of servers.</param>
    public static FleetDefinition Sharing(int servers) =>
        new()
        {
            DisplayName = "Sharing",
            Servers = servers,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(Overhead, 256),
            Objective = new FleetObjective { AccuracyWeight = 150, MaxUtilization = 0.9 },
            ArrivalRate = servers * SharingRate,
            TaskTypes =
            [
                Batched("lookup", 0.35, 600, 60, new AccuracyCurve(0.7, 0.25, 0.006)),
                Batched("dialogue", 0.45, 900, 250, new AccuracyCurve(0.4, 0.5, 0.002)),
                Batched("analysis", 0.2, 3_500, 300, new AccuracyCurve(0.2, 0.65, 0.001)),
            ],
        };

    /// <summary>
    /// The same fleet on servers that take a part of the time, so that another rate makes it as busy. Tokens stay.
    /// </summary>
    /// <param name="definition">The fleet.</param>
    /// <param name="rate">The new mean rate, per second.</param>
    public static FleetDefinition ScaledTo(FleetDefinition definition, double rate)
    {
        var part = definition.ArrivalRate / rate;
        var objective = definition.Objective;
        return definition with
        {
            ArrivalRate = rate,
            Objective = objective with { AccuracyWeight = part * objective.AccuracyWeight },
            TaskTypes = [.. definition.TaskTypes.Select(type => type with { Service = Scaled(type.Service, part) })],
        };
    }

    private static ServiceLine Scaled(ServiceLine line, double part) =>
        new(part * line.BaseSeconds, part * line.SecondsPerToken, part * part * line.VarianceSecondsSquared);

    private static TaskType Queued(string id, double share, ServiceLine line, AccuracyCurve curve) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 32_768,
            Service = line,
            Accuracy = curve,
        };

    private static TaskType Batched(string id, double share, int prompt, int answer, AccuracyCurve curve)
    {
        const double Alone = Overhead + PerToken;
        return new TaskType
        {
            Id = id,
            Share = share,
            MaxTokens = 32_768,
            AnswerTokens = answer,
            Service = new ServiceLine((prompt * PerPromptToken) + (answer * Alone), Alone),
            Accuracy = curve,
        };
    }
}
