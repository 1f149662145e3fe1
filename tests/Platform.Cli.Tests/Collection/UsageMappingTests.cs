using Platform.Cli.Collection;
using Platform.Client;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Cli.Tests.Collection;

public sealed class UsageMappingTests
{
    private const string Reasoning = "gen_ai.usage.reasoning.output_tokens";
    private const string Output = "gen_ai.usage.output_tokens";

    private static readonly UsageNames Names = new()
    {
        TaskType = "task",
        DefaultTaskType = null,
        Tokens = UsageNames.KnownTokens,
        Granted = "granted",
        QueueSeconds = "queue",
    };

    private readonly ManualTime _time = new();
    private readonly WindowBuilder _windows;

    public UsageMappingTests() => _windows = new WindowBuilder("chat", _time);

    [Fact]
    public void A_span_is_a_query_with_its_tokens_and_its_duration()
    {
        var window = WindowOf(
            Names,
            Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L), ("granted", 900L))
        );
        var math = Assert.Single(window.Tasks);
        Assert.Equal(
            ("math", 1L, 1L, 800L, 900L, 2_000L),
            (
                math.TaskType,
                math.Arrivals,
                math.Service!.Completions,
                math.Service.Tokens,
                math.Service.TokensGranted!.Value,
                math.Service.Millis
            )
        );
        Assert.Null(math.System);
    }

    [Fact]
    public void Where_the_wait_is_told_the_rest_is_service()
    {
        var math = Assert.Single(
            WindowOf(
                Names,
                Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L), ("queue", 0.5))
            ).Tasks
        );
        Assert.Equal((1_500L, 2_000L, null), (math.Service!.Millis, math.System!.Millis, math.Service.TokensGranted));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(2.1)]
    [InlineData(double.NaN)]
    public void A_wait_that_cannot_be_is_none(double seconds)
    {
        var math = Assert.Single(
            WindowOf(
                Names,
                Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L), ("queue", seconds))
            ).Tasks
        );
        Assert.Equal((2_000L, null), (math.Service!.Millis, math.System));
    }

    [Fact]
    public void A_query_that_was_cut_off_while_it_ran_is_an_arrival_and_service()
    {
        var math = Assert.Single(
            WindowOf(
                Names,
                Span(2_000, ("task", "math"), ("gen_ai.usage.reasoning.output_tokens", 800L)) with
                {
                    IsFailed = true,
                }
            ).Tasks
        );
        Assert.Equal(
            (1L, 1L, 800L, 2_000L),
            (math.Arrivals, math.Service!.Completions, math.Service.Tokens, math.Service.Millis)
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0L)]
    public void A_query_that_failed_before_it_ran_has_come_and_nothing_more(long? tokens)
    {
        var span = tokens is null
            ? Span(2_000, ("task", "math"))
            : Span(2_000, ("task", "math"), ("gen_ai.usage.output_tokens", tokens));
        var math = Assert.Single(WindowOf(Names, span with { IsFailed = true }).Tasks);
        Assert.Equal((1L, null), (math.Arrivals, math.Service));
    }

    [Theory]
    [InlineData("gen_ai.usage.reasoning.output_tokens")]
    [InlineData("gen_ai.usage.reasoning_tokens")]
    [InlineData("llm.usage.reasoning_tokens")]
    [InlineData("llm.token_count.completion_details.reasoning")]
    [InlineData("gen_ai.usage.output_tokens")]
    [InlineData("gen_ai.usage.completion_tokens")]
    [InlineData("llm.usage.completion_tokens")]
    [InlineData("llm.token_count.completion")]
    public void Tokens_are_read_in_the_spellings_of_the_wild(string name)
    {
        Assert.Equal(
            300,
            Assert.Single(WindowOf(Names, Span(5, ("task", "math"), (name, 300L))).Tasks).Service!.Tokens
        );
        Assert.Equal(
            300,
            Assert.Single(WindowOf(Names, Span(5, ("task", "math"), (name, "300"))).Tasks).Service!.Tokens
        );
    }

    [Fact]
    public void Reasoning_tokens_count_before_output_tokens()
    {
        var span = Span(
            5,
            ("task", "math"),
            ("gen_ai.usage.output_tokens", 500L),
            ("gen_ai.usage.reasoning.output_tokens", 300L)
        );
        Assert.Equal(300, Assert.Single(WindowOf(Names, span).Tasks).Service!.Tokens);
    }

    [Theory]
    [InlineData("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.output_tokens")]
    [InlineData("gen_ai.usage.reasoning_tokens", "gen_ai.usage.completion_tokens")]
    [InlineData("llm.usage.reasoning_tokens", "llm.usage.completion_tokens")]
    [InlineData("llm.token_count.completion_details.reasoning", "llm.token_count.completion")]
    public void Output_tokens_beside_the_reasoning_ones_are_those_of_the_answer(string reasoning, string output)
    {
        Assert.Equal((300L, 200L), TokensOf(Names, (reasoning, 300L), (output, 500L)));
        Assert.Equal((300L, 200L), TokensOf(Names, (reasoning, "300"), (output, "500")));
        Assert.Equal((500L, 0L), TokensOf(Names, (reasoning, 500L), (output, 500L)));
    }

    [Fact]
    public void All_output_of_a_query_that_did_not_think_is_answer() =>
        Assert.Equal((0L, 500L), TokensOf(Names, (Reasoning, 0L), (Output, 500L)));

    [Fact]
    public void Answer_tokens_that_a_span_does_not_tell_are_left_out()
    {
        Assert.Equal((300L, null), TokensOf(Names, (Reasoning, 300L)));
        Assert.Equal((500L, null), TokensOf(Names, (Output, 500L)));
        Assert.Equal((500L, null), TokensOf(Names, (Reasoning, -1L), (Output, 500L)));
        Assert.Equal((300L, null), TokensOf(Names, (Reasoning, 300L), (Output, "many")));
    }

    [Fact]
    public void Fewer_output_tokens_than_reasoning_ones_tell_no_answer() =>
        Assert.Equal((300L, null), TokensOf(Names, (Reasoning, 300L), (Output, 200L)));

    [Fact]
    public void Answer_tokens_are_told_of_a_named_attribute_that_has_reasoning_tokens_by_a_convention()
    {
        var thoughts = Names with { Tokens = ["thoughts"] };
        Assert.Equal((300L, null), TokensOf(thoughts, ("thoughts", 300L), (Output, 500L)));
        var reasoning = Names with { Tokens = [Reasoning] };
        Assert.Equal((300L, 200L), TokensOf(reasoning, (Reasoning, 300L), (Output, 500L)));
        var output = Names with { Tokens = [Output] };
        Assert.Equal((500L, null), TokensOf(output, (Reasoning, 300L), (Output, 500L)));
    }

    [Fact]
    public void One_span_without_answer_tokens_leaves_them_out_of_its_window()
    {
        var mapping = new UsageMapping(_windows, Names, _time);
        _time.Now += TimeSpan.FromMinutes(1);
        mapping.Add(Span(5, ("task", "math"), (Reasoning, 300L), (Output, 500L)));
        mapping.Add(Span(5, ("task", "math"), (Reasoning, 300L)));
        mapping.Add(Span(5, ("task", "chat"), (Reasoning, 300L), (Output, 500L)));
        var tasks = Assert.Single(_windows.TakeAll()).Tasks;
        Assert.Equal([200L, null], tasks.Select(it => it.Service!.AnswerTokens));
    }

    [Fact]
    public void The_one_attribute_that_is_named_is_the_one_that_counts()
    {
        var names = Names with { Tokens = ["thoughts"] };
        var span = Span(5, ("task", "math"), ("gen_ai.usage.output_tokens", 500L), ("thoughts", 300L));
        Assert.Equal(300, Assert.Single(WindowOf(names, span).Tasks).Service!.Tokens);
        Assert.Equal(
            SpanOutcome.NoTokens,
            new UsageMapping(_windows, names, _time).Add(
                Span(5, ("task", "math"), ("gen_ai.usage.output_tokens", 500L))
            )
        );
    }

    [Theory]
    [InlineData("gen_ai.operation.name", "generate_content")]
    [InlineData("openinference.span.kind", "LLM")]
    [InlineData("llm.request.type", "completion")]
    [InlineData("anything", "else")]
    public void A_span_is_a_query_by_any_of_the_conventions(string name, string value) =>
        Assert.Equal(
            1,
            Assert
                .Single(
                    WindowOf(Names, Bare(5, (name, value), ("task", "math"), ("gen_ai.usage.output_tokens", 1L))).Tasks
                )
                .Arrivals
        );

    [Fact]
    public void A_span_of_vLLM_has_the_wait_apart()
    {
        var names = Names with { DefaultTaskType = "chat", QueueSeconds = "gen_ai.latency.time_in_queue" };
        var span = Bare(
            5_000,
            ("gen_ai.usage.completion_tokens", 812L),
            ("gen_ai.latency.time_in_queue", 0.21),
            ("gen_ai.latency.e2e", 4.9)
        ) with
        {
            Name = "llm_request",
        };
        var chat = Assert.Single(WindowOf(names, span).Tasks);
        Assert.Equal((812L, 4_690L, 4_900L), (chat.Service!.Tokens, chat.Service.Millis, chat.System!.Millis));
    }

    [Fact]
    public void Where_vLLM_tells_the_time_in_the_model_alone_that_is_service()
    {
        var span = Bare(
            5_000,
            ("task", "math"),
            ("gen_ai.usage.completion_tokens", 812L),
            ("gen_ai.latency.time_in_model_inference", 4.0)
        );
        var math = Assert.Single(WindowOf(Names, span).Tasks);
        Assert.Equal((4_000L, 5_000L), (math.Service!.Millis, math.System!.Millis));
    }

    [Fact]
    public void An_arrival_counts_when_the_query_started_and_its_service_when_it_ended()
    {
        _time.Now += TimeSpan.FromSeconds(10);
        var sent = _windows.Take()!;
        _time.Now += TimeSpan.FromSeconds(30);
        var outcome = new UsageMapping(_windows, Names, _time).Add(
            Span(25_000, ("task", "math"), ("gen_ai.usage.output_tokens", 1L))
        );
        var windows = _windows.TakeAll();
        Assert.Equal(SpanOutcome.Counted, outcome);
        Assert.Equal([1L, 0L], windows.Select(it => it.Tasks[0].Arrivals));
        Assert.Equal((sent.WindowStart, sent.WindowEnd), (windows[0].WindowStart, windows[0].WindowEnd));
        Assert.Null(windows[0].Tasks[0].Service);
        Assert.Equal(25_000, windows[1].Tasks[0].Service!.Millis);
    }

    [Fact]
    public void What_is_no_query_tells_too_little_or_cannot_be_is_left_out_by_its_reason()
    {
        const ulong Second = 1_000_000_000;
        var query = Span(1, ("task", "math"), ("gen_ai.usage.output_tokens", 1L));
        (SpanOutcome Reason, UsageSpan Span)[] spans =
        [
            (
                SpanOutcome.OtherWork,
                Span(1, ("gen_ai.operation.name", "embeddings"), ("task", "math"), ("gen_ai.usage.output_tokens", 1L))
            ),
            (SpanOutcome.OtherWork, Bare(1, ("task", "math"), ("http.route", "/"))),
            (
                SpanOutcome.OtherWork,
                Bare(1, ("task", "math"), ("openinference.span.kind", "CHAIN"), ("llm.token_count.completion", 1L))
            ),
            (SpanOutcome.NoTokens, Span(1, ("task", "math"))),
            (SpanOutcome.NoTaskType, Span(1, ("gen_ai.usage.output_tokens", 1L))),
            (SpanOutcome.BadTaskType, Span(1, ("task", "no id"), ("gen_ai.usage.output_tokens", 1L))),
            (SpanOutcome.BadTokens, Span(1, ("task", "math"), ("gen_ai.usage.output_tokens", -1L))),
            (SpanOutcome.BadTokens, Span(1, ("task", "math"), ("gen_ai.usage.output_tokens", 1e300))),
            (SpanOutcome.BadTokens, Span(1, ("task", "math"), ("gen_ai.usage.output_tokens", 100_000_000L))),
            (SpanOutcome.BadTokens, Span(1, ("task", "math"), ("gen_ai.usage.output_tokens", 1.5))),
            (SpanOutcome.BadTokens, Span(1, ("task", "math"), ("gen_ai.usage.output_tokens", "many"))),
            (SpanOutcome.NoTimes, query with { Start = 0 }),
            (SpanOutcome.NoTimes, query with { End = 0 }),
            (SpanOutcome.EndsBeforeStart, query with { Start = query.End + 1 }),
            (SpanOutcome.TooOld, query with { Start = Second }),
            (
                SpanOutcome.TooOld,
                query with
                {
                    Start = query.Start - (8 * 86_400 * Second),
                    End = query.End - (8 * 86_400 * Second),
                }
            ),
            (
                SpanOutcome.InTheFuture,
                query with
                {
                    Start = query.Start + (310 * Second),
                    End = query.End + (310 * Second),
                }
            ),
            (SpanOutcome.InTheFuture, query with { Start = ulong.MaxValue, End = ulong.MaxValue }),
            (SpanOutcome.TooLong, query with { Start = query.Start - (86_401 * Second) }),
            (SpanOutcome.Unreadable, UsageSpan.Unreadable),
        ];
        var mapping = new UsageMapping(_windows, Names, _time);
        Assert.All(spans, it => Assert.Equal(it.Reason, mapping.Add(it.Span)));
        Assert.Equal((0L, (long)spans.Length), (mapping.Counted, mapping.LeftOut));
        Assert.All(spans.GroupBy(it => it.Reason), group => Assert.Equal(group.Count(), mapping.Count(group.Key)));
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.Empty(_windows.Take()!.Tasks);
    }

    [Fact]
    public void A_span_without_a_task_type_is_of_the_one_that_is_named() =>
        Assert.Equal(
            "all",
            Assert
                .Single(
                    WindowOf(
                        Names with
                        {
                            DefaultTaskType = "all",
                        },
                        Span(5, ("gen_ai.usage.reasoning.output_tokens", 1L))
                    ).Tasks
                )
                .TaskType
        );

    private static (long Used, long? Answer) TokensOf(UsageNames names, params (string Name, object Value)[] tokens)
    {
        var window = WindowOf(names, Span(5, [("task", "math"), .. tokens]));
        var service = Assert.Single(window.Tasks).Service!;
        return (service.Tokens, service.AnswerTokens);
    }

    private static WorkloadWindow WindowOf(UsageNames names, UsageSpan span)
    {
        var time = new ManualTime();
        var windows = new WindowBuilder("chat", time);
        var mapping = new UsageMapping(windows, names, time);
        time.Now += TimeSpan.FromMinutes(1);
        Assert.Equal(SpanOutcome.Counted, mapping.Add(span));
        Assert.Equal((1L, 0L), (mapping.Counted, mapping.LeftOut));
        return Assert.Single(windows.TakeAll());
    }

    private static UsageSpan Span(int millis, params (string Name, object Value)[] attributes) =>
        Bare(millis, [("gen_ai.operation.name", "chat"), .. attributes]);

    /// <summary>
    /// A span that ends half a minute after the clock of the tests begins, whatever operation it is of.
    /// </summary>
    private static UsageSpan Bare(int millis, params (string Name, object Value)[] attributes)
    {
        var all = new Dictionary<string, object>();
        foreach (var (name, value) in attributes)
            all[name] = value;
        var end = (ulong)new ManualTime().Now.AddSeconds(30).ToUnixTimeMilliseconds() * 1_000_000;
        return new UsageSpan(end - ((ulong)millis * 1_000_000), end, IsFailed: false, all);
    }
}
