using Platform.Domain.Allocation;

namespace Platform.Cli.Benchmarks;

/// <summary>A fleet that surges are played against.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Problem">Its problem; the arrival rate does not count.</param>
/// <param name="GreatestRate">Arrivals a second that the fewest tokens just carry.</param>
internal sealed record SurgeFleet(string Name, AllocationProblem Problem, double GreatestRate)
{
    /// <summary>The problem at a part of the greatest load.</summary>
    public AllocationProblem At(double part) => Problem with { ArrivalRate = part * GreatestRate };
}

/// <summary>
/// The fleets: the quick start's, one queue for four servers, and a model as measured on one that batches.
/// </summary>
internal static class SurgeFleets
{
    public static IReadOnlyList<SurgeFleet> All { get; } = [Split(), Shared(), Sharing()];

    private static SurgeFleet Split()
    {
        var problem = Problem(
            30,
            Type("math", 0.4, new(0.4, 0.02), new(0.2, 0.6, 0.001)),
            Type("chat", 0.6, new(0.2, 0.02), new(0.5, 0.3, 0.004))
        );
        return new SurgeFleet("split, 1 server", problem, 1 / MeanBase(problem));
    }

    private static SurgeFleet Shared()
    {
        var problem = Problem(
            60,
            Type("math", 0.3, new(2, 0.01), new(0.2, 0.6, 0.001)),
            Type("code", 0.3, new(1.5, 0.01), new(0.3, 0.5, 0.0015)),
            Type("chat", 0.4, new(1, 0.01), new(0.5, 0.3, 0.004))
        ) with
        {
            Servers = 4,
            Dispatch = Dispatch.Shared,
        };
        return new SurgeFleet("shared, 4 servers", problem, problem.Servers / MeanBase(problem));
    }

    /// <summary>
    /// α, δ as of Llama-3.1-8B on one H100 (docs/concepts.md); answers of 150 tokens after prompts of 800.
    /// </summary>
    private static SurgeFleet Sharing()
    {
        const double Overhead = 0.0066,
            Added = 0.00006;
        const double Base = 0.016 + (150 * (Overhead + Added));
        var line = new ServiceLine(Base, Overhead + Added);
        var problem = Problem(
            60,
            Type("math", 0.4, line, new(0.2, 0.6, 0.001)) with
            {
                AnswerTokens = 150,
            },
            Type("chat", 0.6, line, new(0.5, 0.3, 0.004)) with
            {
                AnswerTokens = 150,
            }
        ) with
        {
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(Overhead, 256),
        };
        var work = Base - (150 * Overhead) + (150 * Overhead / 256);
        return new SurgeFleet("batching, 1 server", problem, 1 / work);
    }

    private static double MeanBase(AllocationProblem problem) =>
        problem.TaskTypes.Sum(type => type.Share * type.Service.BaseSeconds);

    private static AllocationProblem Problem(double weight, params TaskType[] types) =>
        new()
        {
            ArrivalRate = 0,
            AccuracyWeight = weight,
            TaskTypes = types,
        };

    private static TaskType Type(string id, double share, ServiceLine line, AccuracyCurve curve) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 32_768,
            Service = line,
            Accuracy = curve,
        };
}
