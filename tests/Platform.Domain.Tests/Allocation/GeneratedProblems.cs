using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>Seeded problems, mild and wild, always with lower bounds that the queue can carry.</summary>
internal static class GeneratedProblems
{
    /// <summary>
    /// A problem of up to <paramref name="most"/> types; the wild ones span eight decades in each coefficient.
    /// </summary>
    public static AllocationProblem Make(int seed, int most, bool wild)
    {
        var random = new Random(seed);
        var shares = Shares(random, random.Next(1, most + 1), wild);
        var scatter = new Random(~seed);
        var types = shares.Select((share, k) => Scattered(scatter, Type(random, k, share, wild))).ToArray();
        var problem = new AllocationProblem
        {
            ArrivalRate = 1,
            Servers = random.Next(4) == 0 ? random.Next(1, 6) : 1,
            AccuracyWeight = Math.Pow(10, wild ? Between(random, -2, 8) : Between(random, 0, 3)),
            TaskTypes = types,
        };
        var least = types.Sum(t => t.Share * (t.Service.BaseSeconds + (t.Service.SecondsPerToken * t.MinTokens)));
        var load = wild && random.Next(3) == 0 ? 1 - Math.Pow(10, -Between(random, 1, 8)) : Between(random, 0.01, 0.9);
        return problem with { ArrivalRate = load * problem.Servers / Math.Max(least, 1e-6) };
    }

    private static double[] Shares(Random random, int count, bool wild)
    {
        var raw = Enumerable
            .Range(0, count)
            .Select(_ => wild ? Math.Pow(10, Between(random, -8, 0)) : Between(random, 0.1, 1))
            .ToArray();
        var sum = raw.Sum();
        return [.. raw.Select(r => r / sum)];
    }

    private static TaskType Type(Random random, int k, double share, bool wild)
    {
        var floor = Between(random, 0, 0.6);
        var most = random.Next(4) == 0 ? random.Next(1, 100) : random.Next(100, 40_000);
        var least = random.Next(5) == 0 ? random.Next(0, Math.Min(most, 50) + 1) : 0;
        return new()
        {
            Id = $"type-{k}",
            Share = share,
            Weight = random.Next(2) == 0 ? 1 : Math.Pow(10, Between(random, -1, 1)),
            MinTokens = least,
            MaxTokens = most,
            Service = new(
                Between(random, 0, 1),
                wild && random.Next(12) == 0
                    ? 0
                    : Math.Pow(10, wild ? Between(random, -8, 0) : Between(random, -4, -1.5))
            ),
            Accuracy = new(
                floor,
                wild && random.Next(12) == 0 ? 0 : Between(random, 0, 1 - floor),
                wild && random.Next(12) == 0
                    ? 0
                    : Math.Pow(10, wild ? Between(random, -8, 0) : Between(random, -3.5, -1))
            ),
        };
    }

    // Two of three problems have service times that scatter, and one of six curves begins lower, at 0 mostly.
    private static TaskType Scattered(Random random, TaskType type)
    {
        var deviation =
            random.Next(3) == 0
                ? 0
                : Between(random, 0, 2) * (type.Service.BaseSeconds + (type.Service.SecondsPerToken * 100));
        var below =
            random.Next(6) == 0 && type.Accuracy.Gain > 0
                ? Between(random, 0, type.Accuracy.Floor + type.Accuracy.Gain)
                : 0;
        return type with
        {
            Service = type.Service with { VarianceSecondsSquared = deviation * deviation },
            Accuracy = type.Accuracy with { Floor = Math.Max(type.Accuracy.Floor - below, 0) },
        };
    }

    private static double Between(Random random, double low, double high) => low + ((high - low) * random.NextDouble());
}
