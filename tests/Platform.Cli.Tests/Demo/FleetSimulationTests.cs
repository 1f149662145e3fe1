using Platform.Cli.Demo;
using Platform.Cli.Traces;

namespace Platform.Cli.Tests.Demo;

public sealed class FleetSimulationTests
{
    [Fact]
    public void A_query_starts_when_it_has_arrived_and_the_one_before_it_has_ended()
    {
        var server = new FifoServer();

        // Arrivals 0, 1, 2, 10 s with services 3, 2, 1, 4 s: Lindley's waits by hand are 0, 2, 3, 0.
        double[] ends =
        [
            .. new[] { (0, 3), (1, 2), (2, 1), (10, 4) }.Select(query =>
                server.Serve(Seconds(query.Item1), Seconds(query.Item2)).TotalSeconds
            ),
        ];

        Assert.Equal([3, 5, 6, 14], ends);
    }

    [Fact]
    public void Time_in_the_system_is_the_end_less_the_arrival_to_the_nearest_millisecond()
    {
        var trace = TraceGenerator.Generate(TimeSpan.FromMinutes(10), 1);

        foreach (var query in Serve(Plan(DemoCatalog.Fleets[0]), seed: 1, explores: true, trace, [400, 400, 400, 400]))
        {
            Assert.Equal((query.Ended - query.Arrived).TotalMilliseconds, query.SystemMillis, 0.51);
            Assert.True(query.SystemMillis >= query.ServiceMillis);
            Assert.True(query.TokensUsed <= query.TokensGranted);
        }
    }

    [Fact]
    public void Every_shape_of_request_has_one_task_type_in_every_fleet()
    {
        foreach (var fleet in DemoCatalog.Fleets)
            Assert.Equal(Enum.GetValues<RequestShape>(), fleet.Tasks.SelectMany(task => task.Shapes).Order());
    }

    [Fact]
    public void The_expected_shares_of_every_fleet_sum_to_one()
    {
        foreach (var fleet in DemoCatalog.Fleets)
            Assert.Equal(1.0, fleet.Tasks.Sum(task => task.Share), 1e-12);
    }

    [Fact]
    public void Queries_use_on_average_the_part_of_their_tokens_that_the_scaling_counts_on()
    {
        var random = new Random(1);
        var used =
            Enumerable.Range(0, 100_000).Sum(_ => TokenUse.Of(1_000, random.NextDouble(), random.NextDouble()))
            / 100_000.0;

        Assert.Equal(TokenUse.Mean, used / 1_000, 0.01);
    }

    [Fact]
    public void One_seed_is_the_same_queries_under_every_policy()
    {
        var plan = Plan(DemoCatalog.Fleets[0]);
        var plain = Serve(plan, 3, explores: false, Trace.Take(1_000), [100, 200, 300, 400]);
        var explored = Serve(plan, 3, explores: true, Trace.Take(1_000), [100, 200, 300, 400]);

        var same = plain.Zip(explored).Where(pair => pair.First.TokensGranted == pair.Second.TokensGranted);
        foreach (var (one, other) in same)
            Assert.Equal((one.ServiceMillis, one.IsCorrect), (other.ServiceMillis, other.IsCorrect));
    }

    [Fact]
    public void Where_servers_batch_one_seed_is_the_same_queries_too_but_in_another_order_of_their_ends()
    {
        var plan = Plan(DemoCatalog.Fleets.First(template => template.Model is not null));
        var few = Serve(plan, 3, explores: false, Trace.Take(500), [10, 20, 30]);
        var many = Serve(plan, 3, explores: false, Trace.Take(500), [2_000, 20, 3_000]);

        Assert.NotEqual(few.Select(query => query.Index), many.Select(query => query.Index));
        var pairs = few.OrderBy(query => query.Index).Zip(many.OrderBy(query => query.Index)).ToArray();
        Assert.Equal(500, pairs.Length);
        Assert.Equal(pairs.Select(pair => pair.First.Task), pairs.Select(pair => pair.Second.Task));
    }

    [Fact]
    public void Servers_that_batch_tell_answer_tokens_and_the_queries_in_service_and_queues_do_not()
    {
        var batching = Plan(DemoCatalog.Fleets.First(template => template.Model is not null));
        var batches = Serve(batching, 3, explores: false, Trace.Take(500), [10, 20, 30]);
        var queues = Serve(Plan(DemoCatalog.Fleets[0]), 3, explores: false, Trace.Take(500), [10, 20, 30, 40]);

        Assert.All(batches, query => Assert.Equal(query.TokensUsed + query.AnswerTokens, query.Concurrency!.Tokens));
        Assert.All(batches, query => Assert.True(query.Concurrency!.InService >= query.Concurrency.Tokens));
        Assert.Contains(batches, query => query.Concurrency!.InService > 2 * query.Concurrency.Tokens);
        Assert.All(queues, query => Assert.True(query.AnswerTokens is null && query.Concurrency is null));
    }

    [Fact]
    public void Service_times_scatter_around_the_line_with_the_variance_of_the_truth()
    {
        var (truth, random) = (Plan(DemoCatalog.Fleets[0]).Truth[1], new Random(2));
        double[] seconds =
        [
            .. Enumerable.Range(0, 100_000).Select(_ => truth.ServiceSeconds(100, random.NextDouble())),
        ];
        var mean = seconds.Average();

        Assert.Equal(1, mean / (truth.Service.BaseSeconds + (100 * truth.Service.SecondsPerToken)), 0.01);
        Assert.Equal(1, seconds.Average(it => (it - mean) * (it - mean)) / truth.VarianceSecondsSquared, 0.05);
    }

    [Fact]
    public void Service_times_are_scaled_to_the_utilization_of_the_template()
    {
        foreach (var template in DemoCatalog.Fleets.Where(template => template.Model is null))
        {
            long[] tokens = [.. template.Tasks.Select(_ => (long)template.PolicyTokens)];
            var served = Serve(Plan(template), 3, explores: false, Trace, tokens);
            var busy = served.Sum(query => query.ServiceMillis) / 1_000.0;

            Assert.Equal(template.Utilization, busy / (template.Servers * Length.TotalSeconds), 0.03);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void Where_servers_batch_tokens_are_scaled_to_the_utilization_and_where_too_much_comes_the_machine(int part)
    {
        foreach (var template in DemoCatalog.Fleets.Where(template => template.Model is not null))
        {
            var plan = Plan(template, part);
            Assert.Equal(part == 1, plan.Model!.SecondsPerToken < template.Model!.SecondsPerToken);
            var truth = plan.TrueProblem;
            var lone = truth.TaskTypes.Sum(type =>
                type.Share * (type.Service.BaseSeconds + (type.Service.SecondsPerToken * plan.PolicyTokens))
            );
            var output = truth.TaskTypes.Sum(type => type.Share * (type.AnswerTokens + plan.PolicyTokens));
            var work = lone - (output * truth.Sharing!.OverheadSecondsPerToken!.Value);

            Assert.Equal(template.Utilization, truth.ArrivalRate / truth.Servers * work, 0.001);
        }
    }

    private static List<ServedQuery> Serve(
        FleetPlan plan,
        int seed,
        bool explores,
        IEnumerable<TraceRequest> trace,
        IReadOnlyList<long> tokens
    )
    {
        var served = new List<ServedQuery>();
        var simulation = new FleetSimulation(plan, seed, explores, served.Add);
        foreach (var request in trace)
            simulation.Arrive(request, tokens);
        simulation.AdvanceTo(TimeSpan.MaxValue);
        return served;
    }

    private static readonly TraceRequest[] Trace = [.. TraceGenerator.Generate(TimeSpan.FromHours(1), 2)];
    private static readonly TimeSpan Length = Trace[^1].At;

    private static FleetPlan Plan(FleetTemplate template, int part = 1)
    {
        var counts = new int[RequestShapes.Count];
        foreach (var request in Trace.Where((_, i) => i % part == 0))
            counts[(int)RequestShapes.Of(request)]++;
        return FleetPlan.Create(template, counts, Length, seed: 5);
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
