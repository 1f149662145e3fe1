using System.Diagnostics;
using Platform.Domain.Allocation;

namespace Platform.Cli.Benchmarks;

/// <summary>What 16 rungs cost beside the solve of the allocation itself.</summary>
/// <param name="Dispatch">How queries find a server.</param>
/// <param name="TaskTypes">Task types of each problem.</param>
/// <param name="SolveMicros">Median time of a whole solve, as a snapshot has it.</param>
/// <param name="LadderMicros">Median time of its ladder.</param>
/// <param name="Ratio">Median of the ladder's time over the solve's, problem by problem.</param>
/// <param name="WorstRatio">The greatest of them.</param>
internal sealed record LadderCost(
    Dispatch Dispatch,
    int TaskTypes,
    double SolveMicros,
    double LadderMicros,
    double Ratio,
    double WorstRatio
);

/// <summary>Takes those times, on generated problems.</summary>
internal static class LadderCosts
{
    private const int Problems = 9;
    private const int Repeats = 3;

    private static readonly int[] Sizes = [2, 6, 30, 100];

    public static IReadOnlyList<LadderCost> Measure() =>
        [.. Enum.GetValues<Dispatch>().SelectMany(dispatch => Sizes.Select(size => Measure(dispatch, size)))];

    private static LadderCost Measure(Dispatch dispatch, int size)
    {
        var times = Enumerable.Range(0, Problems).Select(seed => Times(Problem(dispatch, size, seed))).ToArray();
        return new LadderCost(
            dispatch,
            size,
            Median.Of(times, it => it.Solve),
            Median.Of(times, it => it.Ladder),
            Median.Of(times, it => it.Ladder / it.Solve),
            times.Max(it => it.Ladder / it.Solve)
        );
    }

    private static (double Solve, double Ladder) Times(AllocationProblem problem)
    {
        var solution = AllocationSolver.Solve(problem);
        SentTokens[] granted = [.. solution.Allocation!.Select(type => new SentTokens(type.TaskType, type.Tokens))];
        var solve = Micros(() => AllocationSolver.Solve(problem));
        var ladder = Micros(() => LadderDerivation.Of(problem, granted, null, SurgeLadder.MostRungs));
        return (solve, ladder);
    }

    private static double Micros(Action run)
    {
        run();
        var times = new double[Repeats];
        for (var i = 0; i < times.Length; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            run();
            times[i] = Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
        }

        return Median.Of(times, it => it);
    }

    private static AllocationProblem Problem(Dispatch dispatch, int size, int seed)
    {
        var random = new Random(seed);
        var shares = Enumerable.Range(0, size).Select(_ => 0.2 + random.NextDouble()).ToArray();
        var isSharing = dispatch == Dispatch.Sharing;
        var servers = 1 + random.Next(8);
        var slope = isSharing ? 0.0068 : 0.001 + (0.02 * random.NextDouble());
        TaskType[] types =
        [
            .. shares.Select(
                (share, k) =>
                    new TaskType
                    {
                        Id = $"type-{k}",
                        Share = share / shares.Sum(),
                        MaxTokens = 32_768,
                        Service = new ServiceLine(
                            0.2 + random.NextDouble(),
                            slope * (isSharing ? 1 : 0.5 + random.NextDouble())
                        ),
                        Accuracy = new AccuracyCurve(
                            0.1 + (0.3 * random.NextDouble()),
                            0.5,
                            0.0005 + (0.003 * random.NextDouble())
                        ),
                    }
            ),
        ];
        var busy = types.Sum(type => type.Share * type.Service.BaseSeconds);
        return new AllocationProblem
        {
            ArrivalRate = (0.05 + (0.3 * random.NextDouble())) * servers / busy,
            Servers = servers,
            Dispatch = dispatch,
            Sharing = isSharing ? new SharingServer(0.0066) : null,
            AccuracyWeight = 60,
            MaxUtilization = 0.95,
            TaskTypes = types,
        };
    }
}
