using Platform.Cli.Demo;

namespace Platform.Cli.Tests.Demo;

public sealed class TraceGeneratorTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void The_same_seed_gives_the_same_trace_and_another_seed_another()
    {
        Assert.Equal(TraceGenerator.Generate(Hour, 7), TraceGenerator.Generate(Hour, 7));
        Assert.NotEqual(TraceGenerator.Generate(Hour, 7), TraceGenerator.Generate(Hour, 8));
    }

    [Fact]
    public void Arrivals_come_in_order_at_the_mean_rate_and_swell_in_the_middle()
    {
        var trace = TraceGenerator.Generate(Hour, 1).ToArray();

        Assert.Equal(TimeSpan.Zero, trace[0].At);
        Assert.Equal(trace.Select(request => request.At).Order(), trace.Select(request => request.At));
        // 5.5 a second: 19,800 with a standard deviation of 141.
        Assert.InRange(trace.Length, 19_800 - 700, 19_800 + 700);
        var inTheMiddle = trace.Count(request => request.At > Hour / 3 && request.At < Hour * 2 / 3);
        Assert.InRange(inTheMiddle / (double)trace.Length, 0.35, 0.40);
    }

    [Fact]
    public void Lengths_of_prompts_and_answers_spread_over_all_shapes()
    {
        var shapes = TraceGenerator.Generate(Hour, 1).CountBy(RequestShapes.Of).ToDictionary();

        Assert.Equal(RequestShapes.Count, shapes.Count);
        Assert.All(shapes.Values, count => Assert.True(count > 500));
    }
}
