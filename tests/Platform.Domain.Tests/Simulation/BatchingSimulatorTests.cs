using Platform.Domain.Allocation;
using Platform.Domain.Simulation;

namespace Platform.Domain.Tests.Simulation;

public sealed class BatchingSimulatorTests
{
    [Fact]
    public void A_tiny_trace_is_measured_as_by_hand()
    {
        // The first alone until 1.5, both until 3.5, the second alone until 6.5; a third at 8 ends the time.
        var fleet = Fleet(1, Type("a", answer: 2), Type("b", reasoning: 2, answer: 1), Type("c", answer: 1));
        var result = BatchingSimulator.Simulate(fleet, new ArrivalTrace([0, 0.25, 8], [0, 1, 2]), new());
        Assert.Equal((3.5 + 6.25 + 1.5) / 3, result.SystemTime.MeanSeconds, 1e-12);
        Assert.Equal(1.25 / 3, result.Wait.MeanSeconds, 1e-12);
        Assert.Equal((1.5 + 6.25 + 1.5) / 3, result.TimeToFirstAnswerToken!.MeanSeconds, 1e-12);
        Assert.Equal((2 + 3) / 3.0, result.InterToken!.MeanSeconds, 1e-12);
        Assert.Equal((3 + 4.5 + 1.5) / 3, result.MeanServiceSeconds, 1e-12);
        Assert.Equal((1.5 + (2 * 2) + 3) / 8, result.InService!.Mean, 1e-12);
        Assert.Equal((3.5 + 6.25) / 8, result.InSystem!.Mean, 1e-12);
        Assert.Equal(6.5 / 8, result.BusyShare!.Mean, 1e-12);
        Assert.Equal(2 / 8.0, result.QueriesPerSecond!.Mean, 1e-12);
        Assert.Equal(5 / 8.0, result.OutputTokensPerSecond!.Mean, 1e-12);
        Assert.Equal(5 * 0.5 / 8, result.Utilization, 1e-12);
        Assert.Equal(5 * 0.5 / 8, result.OfferedLoad!.Value, 1e-12);
        Assert.Equal((4L, 3L, 0), (result.Iterations, result.MeasuredArrivals, result.Batches));
        Assert.Equal([3.5, 6.25, 1.5], result.TaskTypes.Select(type => type.MeanSystemTimeSeconds));
        Assert.Null(result.SystemTime.LowSeconds);
    }

    [Fact]
    public void A_time_that_ends_in_an_iteration_counts_its_part()
    {
        var result = BatchingSimulator.Simulate(Fleet(1, Type("a", answer: 2)), new ArrivalTrace([0, 2]), new());
        Assert.Equal(1, result.InService!.Mean, 1e-12);
        Assert.Equal((2 - (2 / 1.5)) / 2, result.Utilization, 1e-12);
        Assert.Equal(2 / 1.5 / 2, result.OutputTokensPerSecond!.Mean, 1e-12);
        Assert.Equal(0, result.QueriesPerSecond!.Mean);
    }

    [Fact]
    public void Equal_seeds_give_equal_results_and_others_do_not()
    {
        var fleet = Fleet(3, Type("a", reasoning: 10, answer: 5), Type("b", answer: 3));
        Assert.Equivalent(Run(7), Run(7), strict: true);
        Assert.NotEqual(Run(7).SystemTime.MeanSeconds, Run(8).SystemTime.MeanSeconds);

        SimulationResult Run(ulong seed) =>
            BatchingSimulator.Simulate(fleet, 0.2, new() { Arrivals = 10_000, Seed = seed });
    }

    [Fact]
    public void Without_arrivals_every_query_is_alone()
    {
        var result = BatchingSimulator.Simulate(Fleet(2, Type("a", answer: 4)), 0, new() { Arrivals = 1000 });
        Assert.Equal((6, 0), (result.SystemTime.MeanSeconds, result.Wait.MeanSeconds));
        Assert.Equal((0, true), (result.Utilization, result.Stable));
        Assert.Equal((0, 0), (result.InService!.Mean, result.BusyShare!.Mean));
    }

    [Fact]
    public void More_work_than_the_servers_can_do_is_unstable()
    {
        var result = BatchingSimulator.Simulate(Fleet(2, Type("a", answer: 4)), 1.2, new() { Arrivals = 10_000 });
        Assert.Equal(1.2, result.OfferedLoad!.Value, 0.05);
        Assert.False(result.Stable);
    }

    [Fact]
    public void With_a_cap_a_query_also_takes_its_part_of_the_overhead()
    {
        // A full server makes two tokens in 2 s: four tokens take 4 s of it.
        var fleet = new BatchingFleet(1, new(1, MaxInService: 2), [Type("a", answer: 4)]);
        var result = BatchingSimulator.Simulate(fleet, 0.3, new() { Arrivals = 10_000 });
        Assert.Equal(1.2, result.OfferedLoad!.Value, 0.05);
        Assert.Equal(1, result.Utilization, 0.001);
        Assert.False(result.Stable);
        Assert.Equal(2, result.InService!.Mean, 0.01);
    }

    [Fact]
    public void Batches_are_cut_and_told_as_for_the_other_queues()
    {
        var told = new List<long>();
        var options = new SimulationOptions { Arrivals = 1007, Progress = told.Add };
        var result = BatchingSimulator.Simulate(Fleet(1, Type("a", answer: 4)), 0.1, options);
        Assert.Equal((30, 107L, 900L), (result.Batches, result.WarmUpArrivals, result.MeasuredArrivals));
        Assert.Equal(900, result.TaskTypes.Sum(type => type.Count));
        Assert.True(result.TaskTypes[0].SystemTime!.LowSeconds < result.SystemTime.MeanSeconds);
        Assert.Equal(1007, told[^1]);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_query()
    {
        var fleet = Fleet(2, Type("a", reasoning: 3, answer: 4));
        long Allocated(long arrivals)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            BatchingSimulator.Simulate(fleet, 0.3, new() { Arrivals = arrivals });
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated(1000);
        Assert.InRange(Allocated(200_000) - Allocated(1000), -100_000, 100_000);
    }

    /// <summary>A query alone takes what the line says, and adds all of it but the overhead of its tokens.</summary>
    [Theory]
    [InlineData(3, 0, 7)]
    [InlineData(3, 10, 7)]
    [InlineData(0.5, 0, 7)]
    [InlineData(0.5, 0, 0)]
    [InlineData(3, 10.5, 7)]
    [InlineData(1.2, 10, 7)]
    [InlineData(3, 10, 7, 0.001)]
    [InlineData(3, 0, 7, 0.001)]
    [InlineData(1.2, 10, 7, 0.1)]
    public void A_problem_is_simulated_with_its_lone_time_and_its_work(
        double baseSeconds,
        double answerTokens,
        long tokens,
        double squared = 0
    )
    {
        const double Overhead = 0.1;
        var line = new ServiceLine(baseSeconds, 0.25, 0, squared);
        var problem = Problem(line, answerTokens, Overhead);
        var result = QueueSimulator.Simulate(problem, [tokens], new SimulationOptions { Arrivals = 10_000 });
        var lone = baseSeconds + (0.25 * tokens) + (squared * tokens * tokens);
        Assert.Equal(lone, result.SystemTime.MeanSeconds, answerTokens % 1 == 0 ? 1e-9 : 0.01);
        Assert.Equal(lone, result.MeanServiceSeconds, answerTokens % 1 == 0 ? 1e-9 : 0.01);

        var work = lone - (Overhead * (answerTokens + tokens));
        var loaded = problem with { ArrivalRate = 0.5 / lone };
        var busy = QueueSimulator.Simulate(loaded, [tokens], new SimulationOptions { Arrivals = 100_000 });
        Assert.Equal(0.5 / lone * work, busy.OfferedLoad!.Value, 0.01);
    }

    [Fact]
    public void A_trace_of_a_problem_is_simulated_on_its_servers()
    {
        var problem = Problem(new(0.5, 0.5), answerTokens: 0, overhead: 0.25);
        var result = QueueSimulator.Simulate(problem, [4], new ArrivalTrace([0, 10, 20]), new());
        Assert.Equal(2.5, result.SystemTime.MeanSeconds, 1e-12);
        Assert.Equal("t0", result.TaskTypes[0].TaskType);

        var unknownType = new ArrivalTrace([0], [1]);
        Assert.Throws<ArgumentException>(() => QueueSimulator.Simulate(problem, [4], unknownType, new()));
        Assert.Throws<ArgumentException>(() => QueueSimulator.Simulate(problem, [4, 4], new SimulationOptions()));
    }

    private static AllocationProblem Problem(ServiceLine line, double answerTokens, double overhead)
    {
        var problem = QueueSimulatorTests.Problem(0, [1], [0], dispatch: Dispatch.Sharing);
        var type = problem.TaskTypes[0] with { Service = line, AnswerTokens = answerTokens };
        return problem with { Sharing = new(overhead), TaskTypes = [type] };
    }

    private static BatchingFleet Fleet(int servers, params BatchedType[] types) =>
        new(servers, new(OverheadSeconds: 1), types);

    private static BatchedType Type(string id, double reasoning = 0, double answer = 0) =>
        new()
        {
            Id = id,
            Share = 1,
            ReasoningTokens = TokenLaw.Fixed(reasoning),
            AnswerTokens = TokenLaw.Fixed(answer),
            Costs = new(0.5),
        };
}
