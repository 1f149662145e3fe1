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
        double[] ends = [.. new[] { (0, 3), (1, 2), (2, 1), (10, 4) }.Select(query => server.Serve(Seconds(query.Item1), Seconds(query.Item2)).TotalSeconds)];

        Assert.Equal([3, 5, 6, 14], ends);
    }

    [Fact]
    public void Time_in_the_system_is_the_end_less_the_arrival_to_the_nearest_millisecond()
    {
        var simulation = new FleetSimulation(Plan(DemoCatalog.Fleets[0]), seed: 1, explores: true);

        foreach (var request in TraceGenerator.Generate(TimeSpan.FromMinutes(10), 1))
        {
            var query = simulation.Serve(request, [400, 400, 400, 400]);

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
        var used = Enumerable.Range(0, 100_000).Sum(_ => TokenUse.Of(1_000, random.NextDouble(), random.NextDouble())) / 100_000.0;

        Assert.Equal(TokenUse.Mean, used / 1_000, 0.01);
    }

    [Fact]
    public void One_seed_is_the_same_queries_under_every_policy()
    {
        var plan = Plan(DemoCatalog.Fleets[0]);
        var (one, other) = (new FleetSimulation(plan, 3, explores: false), new FleetSimulation(plan, 3, explores: true));

        foreach (var request in Trace.Take(1_000))
        {
            var (plain, explored) = (one.Serve(request, [100, 200, 300, 400]), other.Serve(request, [100, 200, 300, 400]));
            if (plain.TokensGranted == explored.TokensGranted)
                Assert.Equal((plain.ServiceMillis, plain.IsCorrect), (explored.ServiceMillis, explored.IsCorrect));
        }
    }

    [Fact]
    public void Service_times_scatter_around_the_line_with_the_variance_of_the_truth()
    {
        var (truth, random) = (Plan(DemoCatalog.Fleets[0]).Truth[1], new Random(2));
        double[] seconds = [.. Enumerable.Range(0, 100_000).Select(_ => truth.ServiceSeconds(100, random.NextDouble()))];
        var mean = seconds.Average();

        Assert.Equal(1, mean / (truth.Service.BaseSeconds + (100 * truth.Service.SecondsPerToken)), 0.01);
        Assert.Equal(1, seconds.Average(it => (it - mean) * (it - mean)) / truth.VarianceSecondsSquared, 0.05);
    }

    [Fact]
    public void Service_times_are_scaled_to_the_utilization_of_the_template()
    {
        foreach (var template in DemoCatalog.Fleets)
        {
            var simulation = new FleetSimulation(Plan(template), seed: 3, explores: false);
            long[] tokens = [.. template.Tasks.Select(_ => (long)template.PolicyTokens)];
            var busy = Trace.Sum(request => simulation.Serve(request, tokens).ServiceMillis) / 1_000.0;

            Assert.Equal(template.Utilization, busy / (template.Servers * Length.TotalSeconds), 0.03);
        }
    }

    private static readonly TraceRequest[] Trace = [.. TraceGenerator.Generate(TimeSpan.FromHours(1), 2)];
    private static readonly TimeSpan Length = Trace[^1].At;

    private static FleetPlan Plan(FleetTemplate template)
    {
        var counts = new int[RequestShapes.Count];
        foreach (var request in Trace)
            counts[(int)RequestShapes.Of(request)]++;
        return FleetPlan.Create(template, counts, Length, seed: 5);
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
