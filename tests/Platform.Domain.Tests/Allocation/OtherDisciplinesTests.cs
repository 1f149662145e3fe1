using Platform.Domain.Allocation;

namespace Platform.Domain.Tests.Allocation;

/// <summary>What the disciplines that serve one query at a time make of a server that batches.</summary>
public sealed class OtherDisciplinesTests(ITestOutputHelper output)
{
    private static readonly AllocationProblem Truth = SharingProblems.Example;

    /// <summary>
    /// Seen as a queue of many servers, whose times are those that queries take under its own allocation, a token is
    /// priced at c/(1 − ρ) where it costs c/(1 − ρ)²: worse than one budget for all.
    /// </summary>
    [Fact]
    public void A_queue_of_many_servers_grants_more_than_the_best_single_budget_would_lose()
    {
        var best = AllocationSolver.Solve(Truth);
        long[] tokens = [.. best.Allocation!.Select(type => type.Tokens)];
        for (var round = 0; round < 40; round++)
            tokens = Halfway(tokens, SharedAt(tokens));
        var shared = best.Objective!.Value - AllocationSolver.Objective(Truth, tokens);
        var uniform = best.Objective.Value - best.Uniform!.Objective;
        output.WriteLine($"short of the optimum: shared {shared:0.00} s, the best single budget {uniform:0.00} s");
        Assert.InRange(uniform, 2, 4);
        Assert.InRange(shared, 1.5 * uniform, 10);
    }

    [Fact]
    public void One_query_at_a_time_is_unstable_and_says_that_the_servers_may_batch()
    {
        var split = AllocationSolver.Solve(SeenAs(Dispatch.Split, 1, 1));
        Assert.Equal(InfeasibilityReason.Unstable, split.Reason);
        Assert.Contains("dispatch should be sharing", split.Detail, StringComparison.Ordinal);
    }

    private static long[] Halfway(long[] from, long[] to) => [.. from.Zip(to, (one, other) => (one + other) / 2)];

    /// <summary>What shared grants with the times that queries take under an allocation.</summary>
    private static long[] SharedAt(long[] tokens)
    {
        var work = Truth.TaskTypes.Zip(tokens, WorkOf).Sum();
        var stretch = 1 / (1 - (Truth.ArrivalRate * work));
        var solution = AllocationSolver.Solve(SeenAs(Dispatch.Shared, 500, stretch));
        return [.. solution.Allocation!.Select(type => type.Tokens)];
    }

    private static double WorkOf(TaskType type, long tokens)
    {
        var overhead = Truth.Sharing!.OverheadSecondsPerToken!.Value * (type.AnswerTokens + tokens);
        return type.Share * (type.Service.BaseSeconds + (type.Service.SecondsPerToken * tokens) - overhead);
    }

    private static AllocationProblem SeenAs(Dispatch dispatch, int servers, double stretch) =>
        Truth with
        {
            Dispatch = dispatch,
            Servers = servers,
            Sharing = null,
            TaskTypes =
            [
                .. Truth.TaskTypes.Select(type =>
                    type with
                    {
                        Service = new ServiceLine(
                            type.Service.BaseSeconds * stretch,
                            type.Service.SecondsPerToken * stretch
                        ),
                    }
                ),
            ],
        };
}
