using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>Seeded problems whose servers share, always with lower bounds that the servers can carry.</summary>
internal static class SharingProblems
{
    /// <summary>A server of a big model at one query a second: α 20.6 ms, δ 0.41 ms.</summary>
    public static AllocationProblem Example { get; } =
        new()
        {
            ArrivalRate = 1,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(0.0206),
            AccuracyWeight = 300,
            TaskTypes =
            [
                Type("math", 0.3, 100, new AccuracyCurve(0.2, 0.6, 0.001)),
                Type("code", 0.3, 300, new AccuracyCurve(0.3, 0.5, 0.0006)),
                Type("chat", 0.4, 200, new AccuracyCurve(0.5, 0.3, 0.003)),
            ],
        };

    private static TaskType Type(string id, double share, double answer, AccuracyCurve accuracy) =>
        new()
        {
            Id = id,
            Share = share,
            MaxTokens = 32_768,
            AnswerTokens = answer,
            Service = new ServiceLine(0.05 + (0.02101 * answer), 0.02101),
            Accuracy = accuracy,
        };

    /// <summary>How the tokens of a problem's types cost.</summary>
    public enum Costs
    {
        /// <summary>The same for every type.</summary>
        Common,

        /// <summary>Within a factor of two of each other.</summary>
        Near,

        /// <summary>Over decades, and growing with the context for some types.</summary>
        Wild,
    }

    /// <summary>A problem of up to <paramref name="most"/> types.</summary>
    public static AllocationProblem Make(int seed, int most, Costs costs, bool capped = false)
    {
        var random = new Random(seed);
        var overhead = Math.Pow(10, Between(random, -3, -1.5));
        var work = overhead * Math.Pow(10, Between(random, -2.5, 0.3));
        double[] raw = [.. Enumerable.Range(0, random.Next(1, most + 1)).Select(_ => Between(random, 0.1, 1))];
        var types = raw.Select((share, k) => Make(random, k, share / raw.Sum(), overhead, work, costs)).ToArray();
        var servers = random.Next(3) == 0 ? random.Next(1, 6) : 1;
        var cap = capped ? random.Next(1, 200) : (int?)null;
        var problem = new AllocationProblem
        {
            ArrivalRate = 1,
            Servers = servers,
            Dispatch = Dispatch.Sharing,
            Sharing = new SharingServer(overhead, cap),
            AccuracyWeight = Math.Pow(10, Between(random, 0, 4)),
            TaskTypes = types,
        };
        return problem with { ArrivalRate = Between(random, 0.01, 0.9) * servers / Load(problem) };
    }

    /// <summary>What one query a second asks of one server at the fewest tokens.</summary>
    private static double Load(AllocationProblem problem)
    {
        var overhead = problem.Sharing!.OverheadSecondsPerToken!.Value;
        return problem.TaskTypes.Sum(type =>
            {
                var output = type.AnswerTokens + type.MinTokens;
                var lone =
                    type.Service.BaseSeconds
                    + (type.Service.SecondsPerToken * type.MinTokens)
                    + (type.Service.SecondsPerTokenSquared * type.MinTokens * type.MinTokens);
                var slots = problem.Sharing.MaxInService is { } cap ? overhead * output / cap : 0;
                return type.Share * (lone - (overhead * output) + slots);
            }) + 1e-9;
    }

    private static TaskType Make(Random random, int k, double share, double overhead, double work, Costs costs)
    {
        var floor = Between(random, 0, 0.6);
        var factor = costs switch
        {
            Costs.Common => 1,
            Costs.Near => Between(random, 0.7, 1.4),
            _ => Math.Pow(10, Between(random, -3, 1)),
        };
        var answer = random.Next(3) == 0 ? 0 : random.Next(1, 500);
        var perToken = overhead + (work * factor);
        var square = costs == Costs.Wild && random.Next(3) == 0 ? work * Math.Pow(10, Between(random, -6, -3)) : 0;
        var most = random.Next(4) == 0 ? random.Next(1, 100) : random.Next(100, 40_000);
        return new TaskType
        {
            Id = $"type-{k}",
            Share = share,
            Weight = random.Next(2) == 0 ? 1 : Math.Pow(10, Between(random, -1, 1)),
            MinTokens = random.Next(5) == 0 ? random.Next(0, Math.Min(most, 50) + 1) : 0,
            MaxTokens = most,
            AnswerTokens = answer,
            Service = new ServiceLine(
                (answer * perToken * (1 + 1e-9)) + Between(random, 0.001, 0.5),
                perToken,
                0,
                square
            ),
            Accuracy = new AccuracyCurve(
                floor,
                Between(random, 0, 1 - floor),
                random.Next(20) == 0 ? 0 : Math.Pow(10, Between(random, -3.5, -1))
            ),
        };
    }

    private static double Between(Random random, double low, double high) => low + ((high - low) * random.NextDouble());
}
