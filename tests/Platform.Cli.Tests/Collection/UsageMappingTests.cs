using Platform.Cli.Collection;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Cli.Tests.Collection;

public sealed class UsageMappingTests
{
    private static readonly UsageNames Names = new()
    {
        TaskType = "task",
        DefaultTaskType = null,
        Tokens = "gen_ai.usage.reasoning.output_tokens",
        Granted = "granted",
        QueueSeconds = "queue",
    };

    private readonly ManualTime _time = new();
    private readonly WindowBuilder _windows;

    public UsageMappingTests() => _windows = new WindowBuilder("chat", _time);

    [Fact]
    public void A_span_is_a_query_with_its_tokens_and_its_duration()
    {
        var window = WindowOf(Names, Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L), ("granted", 900L)));
        var math = Assert.Single(window.Tasks);
        Assert.Equal(("math", 1L, 1L, 800L, 900L, 2_000L), (math.TaskType, math.Arrivals, math.Service!.Completions, math.Service.Tokens, math.Service.TokensGranted!.Value, math.Service.Millis));
        Assert.Null(math.System);
    }

    [Fact]
    public void Where_the_wait_is_told_the_rest_is_service()
    {
        var math = Assert.Single(WindowOf(Names, Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L), ("queue", 0.5))).Tasks);
        Assert.Equal((1_500L, 2_000L, null), (math.Service!.Millis, math.System!.Millis, math.Service.TokensGranted));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(2.1)]
    [InlineData(double.NaN)]
    public void A_wait_that_cannot_be_is_none(double seconds)
    {
        var math = Assert.Single(WindowOf(Names, Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L), ("queue", seconds))).Tasks);
        Assert.Equal((2_000L, null), (math.Service!.Millis, math.System));
    }

    [Fact]
    public void A_query_that_failed_has_come_and_nothing_more_is_known_of_it()
    {
        var math = Assert.Single(WindowOf(Names, Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L)) with { IsFailed = true }).Tasks);
        Assert.Equal((1L, null), (math.Arrivals, math.Service));
    }

    [Fact]
    public void What_is_no_query_or_tells_too_little_is_left_out()
    {
        UsageSpan[] others =
        [
            Span(1, ("gen_ai.operation.name", "embeddings"), ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 1L)),
            Span(1, ("task", "math")),
            Span(1, ("gen_ai.usage.reasoning.output_tokens", 1L)),
            Span(1, ("task", "no id"), ("gen_ai.usage.reasoning.output_tokens", 1L)),
            Span(1, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", -1L)),
            Span(1, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 1e300)),
            Span(1, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 1L)) with { End = 0 },
            new(0, 1, false, new Dictionary<string, object> { ["task"] = "math", ["gen_ai.usage.reasoning.output_tokens"] = 1L }),
        ];
        var mapping = new UsageMapping(_windows, Names);
        Assert.All(others, mapping.Add);
        Assert.Equal((0L, (long)others.Length), (mapping.Counted, mapping.LeftOut));
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.Empty(_windows.Take()!.Tasks);
    }

    [Fact]
    public void A_span_without_a_task_type_is_of_the_one_that_is_named() => Assert.Equal(
        "all", Assert.Single(WindowOf(Names with { DefaultTaskType = "all" }, Span(5, ("gen_ai.usage.reasoning.output_tokens", 1L))).Tasks).TaskType);

    private WorkloadWindow WindowOf(UsageNames names, UsageSpan span)
    {
        var mapping = new UsageMapping(_windows, names);
        mapping.Add(span);
        Assert.Equal((1L, 0L), (mapping.Counted, mapping.LeftOut));
        _time.Now += TimeSpan.FromSeconds(1);
        return _windows.Take()!;
    }

    private static UsageSpan Span(int millis, params (string Name, object Value)[] attributes)
    {
        var all = new Dictionary<string, object> { ["gen_ai.operation.name"] = "chat" };
        foreach (var (name, value) in attributes)
            all[name] = value;
        return new UsageSpan(1_000_000_000, 1_000_000_000 + ((ulong)millis * 1_000_000), IsFailed: false, all);
    }
}
