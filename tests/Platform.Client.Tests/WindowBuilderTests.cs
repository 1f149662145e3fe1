using System.Text;
using Platform.Domain.Contracts;
using Platform.Testing;

namespace Platform.Client.Tests;

public sealed class WindowBuilderTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Observations_add_up_to_a_window_that_the_platform_takes()
    {
        var builder = new WindowBuilder("chat-eu", _time);
        builder.Arrived("math");
        builder.Arrived("math");
        builder.Completed("math", 800, 812, TimeSpan.FromMilliseconds(16_400.4), TimeSpan.FromMilliseconds(20_000));
        builder.Completed("math", 600, 812, TimeSpan.FromMilliseconds(12_399.6), TimeSpan.FromMilliseconds(13_000));
        builder.Judged("math", 812, isCorrect: true);
        builder.Judged("math", 812, isCorrect: false);
        builder.Judged("math", 400, isCorrect: true);
        builder.Arrived("chat");
        var window = TakeAfter(builder, TimeSpan.FromSeconds(10));

        Assert.Equal(
            ("chat-eu", _time.Now.AddSeconds(-10), _time.Now),
            (window.Fleet, window.WindowStart, window.WindowEnd)
        );
        Assert.Equal(["chat", "math"], window.Tasks.Select(it => it.TaskType));
        Assert.Equal(new TaskWindow { TaskType = "chat", Arrivals = 1 }, window.Tasks[0]);
        var math = window.Tasks[1];
        Assert.Equal(2, math.Arrivals);
        Assert.Equal(
            new ServiceSums
            {
                Completions = 2,
                Tokens = 1_400,
                TokensSquared = 640_000 + 360_000,
                TokensGranted = 1_624,
                Millis = 16_400 + 12_400,
                MillisSquared = (16_400L * 16_400) + (12_400L * 12_400),
                TokenMillis = (800L * 16_400) + (600L * 12_400),
            },
            math.Service
        );
        Assert.Equal(
            new SystemSums
            {
                Completions = 2,
                Millis = 33_000,
                MillisSquared = 400_000_000L + 169_000_000L,
            },
            math.System
        );
        Assert.Equal(
            [
                new AccuracyCount
                {
                    Tokens = 400,
                    Trials = 1,
                    Correct = 1,
                },
                new AccuracyCount
                {
                    Tokens = 812,
                    Trials = 2,
                    Correct = 1,
                },
            ],
            math.Accuracy
        );
        AssertTaken(window);
    }

    [Fact]
    public void A_window_in_which_nothing_happened_is_one_too_and_the_next_begins_where_it_ends()
    {
        var builder = new WindowBuilder("chat", _time);
        var first = TakeAfter(builder, TimeSpan.FromMilliseconds(1_234.567));
        Assert.Empty(first.Tasks);
        AssertTaken(first);
        Assert.Null(builder.Take());
        Assert.Equal(first.WindowEnd, TakeAfter(builder, TimeSpan.FromSeconds(1)).WindowStart);
    }

    [Fact]
    public void A_window_of_more_than_a_day_is_cut_so_that_it_is_taken()
    {
        var builder = new WindowBuilder("chat", _time);
        builder.Arrived("math");
        AssertTaken(TakeAfter(builder, TimeSpan.FromDays(3)));
    }

    [Fact]
    public void What_is_not_known_is_left_out()
    {
        var builder = new WindowBuilder("chat", _time);
        builder.Completed("math", 10, tokensGranted: 20, TimeSpan.FromSeconds(1));
        builder.Completed("math", 10, tokensGranted: null, TimeSpan.FromSeconds(1));
        var task = TakeAfter(builder, TimeSpan.FromSeconds(1)).Tasks.Single();
        Assert.Null(task.Service!.TokensGranted);
        Assert.Null(task.System);
        Assert.Null(task.Accuracy);
    }

    [Fact]
    public void Answer_tokens_add_up_whether_a_query_is_heard_of_at_once_or_late()
    {
        var builder = new WindowBuilder("chat", _time);
        var second = TimeSpan.FromSeconds(1);
        builder.Completed("math", 10, 20, second, answerTokens: 300);
        builder.Completed("math", 10, 20, second, second, _time.Now, answerTokens: 120);
        builder.Completed("chat", 10, 20, second, second, answerTokens: 0);
        var window = TakeAfter(builder, second);
        Assert.Equal([0L, 420L], window.Tasks.Select(it => it.Service!.AnswerTokens!.Value));
        AssertTaken(window);
        AssertTellsAnswers(true, window);
    }

    [Theory]
    [InlineData(null, 300L)]
    [InlineData(300L, null)]
    [InlineData(null, null)]
    public void Answer_tokens_that_one_query_does_not_tell_are_left_out(long? first, long? second)
    {
        var builder = new WindowBuilder("chat", _time);
        builder.Completed("math", 10, 20, TimeSpan.FromSeconds(1), answerTokens: first);
        builder.Completed("math", 10, 20, TimeSpan.FromSeconds(1), answerTokens: second);
        var window = TakeAfter(builder, TimeSpan.FromSeconds(1));
        var service = window.Tasks.Single().Service!;
        Assert.Equal((2L, null), (service.Completions, service.AnswerTokens));
        AssertTaken(window);
        AssertTellsAnswers(false, window);
    }

    [Fact]
    public void Queries_in_service_add_up_over_the_queries_that_tell_them()
    {
        var builder = new WindowBuilder("chat", _time);
        var second = TimeSpan.FromSeconds(1);
        builder.Completed("math", 10, 20, second, concurrency: Concurrency(30, 120));
        builder.Completed("math", 10, 20, second, second, _time.Now, concurrency: Concurrency(1, 7));
        builder.Completed("math", 10, 20, second);
        builder.Completed("chat", 10, 20, second, concurrency: Concurrency(0, 0));
        var window = TakeAfter(builder, second);
        Assert.Equal([null, Concurrency(31, 127)], window.Tasks.Select(it => it.Service!.Concurrency));
        AssertTaken(window);
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(2, 1)]
    [InlineData(0, 1)]
    [InlineData(1, WorkloadWindowReader.MaxSum + 1)]
    public void Queries_in_service_that_cannot_be_are_refused(long tokens, long inService)
    {
        var builder = new WindowBuilder("chat", _time);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            builder.Completed("math", 10, 20, TimeSpan.FromSeconds(1), concurrency: Concurrency(tokens, inService))
        );
    }

    [Fact]
    public void More_queries_in_service_than_one_window_can_tell_go_into_further_ones()
    {
        var builder = new WindowBuilder("chat", _time);
        var most = Concurrency(1, WorkloadWindowReader.MaxSum);
        for (var i = 0; i < 3; i++)
            builder.Completed("math", 1, 1, TimeSpan.FromSeconds(1), concurrency: most);
        _time.Now += TimeSpan.FromSeconds(1);
        var windows = builder.TakeAll();
        Assert.Equal(3, windows.Count);
        Assert.All(windows, it => Assert.Equal(most, it.Tasks.Single().Service!.Concurrency));
        Assert.All(windows, AssertTaken);
    }

    private static ConcurrencySums Concurrency(long tokens, long inService) =>
        new() { Tokens = tokens, InService = inService };

    [Fact]
    public void More_answer_tokens_than_one_window_can_tell_go_into_further_ones()
    {
        var builder = new WindowBuilder("chat", _time);
        for (var i = 0; i < 3; i++)
            builder.Completed("math", 1, 1, TimeSpan.FromSeconds(1), answerTokens: WorkloadWindowReader.MaxSum);
        _time.Now += TimeSpan.FromSeconds(1);
        var windows = builder.TakeAll();
        Assert.Equal(3, windows.Count);
        Assert.All(windows, it => Assert.Equal(WorkloadWindowReader.MaxSum, it.Tasks.Single().Service!.AnswerTokens));
        Assert.All(windows, AssertTaken);
    }

    [Fact]
    public void Sums_without_room_for_answer_tokens_count_nothing()
    {
        var sums = new TaskSums();
        sums.AddCompletion(1, 1, 1, null, WorkloadWindowReader.MaxSum);
        var before = sums.ToWindow("math");
        Assert.False(sums.TryAddCompletion(1, 1, 1, null, 1));
        Assert.Throws<OverflowException>(() => sums.AddCompletion(1, 1, 1, null, 1));
        Assert.Equal(before, sums.ToWindow("math"));
    }

    [Fact]
    public void Threads_lose_nothing()
    {
        var builder = new WindowBuilder("chat", _time);
        Parallel.For(
            0,
            10_000,
            i =>
            {
                builder.Arrived($"type-{i % 3}");
                builder.Completed($"type-{i % 3}", 1, 1, TimeSpan.FromMilliseconds(2));
            }
        );
        var window = TakeAfter(builder, TimeSpan.FromSeconds(1));
        Assert.Equal(
            (10_000, 20_000),
            (window.Tasks.Sum(it => it.Arrivals), window.Tasks.Sum(it => it.Service!.Millis))
        );
    }

    [Fact]
    public void An_arrival_that_is_heard_of_late_is_told_in_a_window_that_holds_it()
    {
        var builder = new WindowBuilder("chat", _time);
        var arrived = _time.Now + TimeSpan.FromSeconds(3);
        TakeAfter(builder, TimeSpan.FromSeconds(12));
        _time.Now += TimeSpan.FromSeconds(12);
        builder.Arrived("math", arrived);
        builder.Completed("math", 10, null, TimeSpan.FromSeconds(1), null, _time.Now - TimeSpan.FromSeconds(2));
        builder.Arrived("chat", _time.Now + TimeSpan.FromMinutes(1));
        var windows = builder.TakeAll();

        Assert.Equal(2, windows.Count);
        Assert.InRange(arrived, windows[0].WindowStart, windows[0].WindowEnd);
        Assert.Equal(new TaskWindow { TaskType = "math", Arrivals = 1 }, Assert.Single(windows[0].Tasks));
        Assert.Equal(["chat", "math"], windows[1].Tasks.Select(it => it.TaskType));
        Assert.Equal((0, 1), (windows[1].Tasks[1].Arrivals, windows[1].Tasks[1].Service!.Completions));
        Assert.All(windows, AssertTaken);
    }

    [Fact]
    public void A_window_of_an_earlier_time_ends_before_the_one_that_is_open()
    {
        var builder = new WindowBuilder("chat", _time);
        var open = TakeAfter(builder, TimeSpan.FromSeconds(12)).WindowEnd;
        builder.Arrived("math", open - TimeSpan.FromSeconds(1));
        _time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal([open, open + TimeSpan.FromSeconds(10)], builder.TakeAll().Select(it => it.WindowEnd));
    }

    [Fact]
    public void What_one_window_cannot_tell_goes_into_further_ones()
    {
        var builder = new WindowBuilder("chat", _time);
        for (var i = 0; i < 3; i++)
        {
            builder.Arrived("math");
            builder.Completed("math", TaskSums.MostTokens, 1, TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        }

        _time.Now += TimeSpan.FromSeconds(1);
        var windows = builder.TakeAll();
        Assert.Equal(
            (3, 3),
            (
                windows.Sum(it => it.Tasks.Sum(task => task.Arrivals)),
                windows.Sum(it => it.Tasks.Sum(task => task.Service?.Completions ?? 0))
            )
        );
        Assert.Single(windows.Select(it => (it.WindowStart, it.WindowEnd)).Distinct());
        Assert.All(windows, AssertTaken);
    }

    [Fact]
    public void A_window_with_more_task_types_than_a_message_holds_goes_in_several()
    {
        var builder = new WindowBuilder("chat", _time);
        for (var i = 0; i < 2_500; i++)
            builder.Completed(
                $"a-task-type-with-rather-a-long-name-{i}",
                1_000_000,
                1_000_000,
                TimeSpan.FromHours(1),
                TimeSpan.FromHours(2)
            );
        var messages = WindowMessage.AllOf(TakeAfter(builder, TimeSpan.FromSeconds(1)));
        var windows = messages
            .Select(message =>
                WorkloadWindowReader.TryRead(message.Body.Span, _time.Now, out var window, out _) ? window : null
            )
            .ToList();
        Assert.DoesNotContain(null, windows);
        Assert.Equal(2_500, windows.Sum(it => it!.Tasks.Count));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Chat")]
    [InlineData("a b")]
    public void What_is_no_fleets_id_is_refused_at_once(string fleet) =>
        Assert.Throws<ArgumentException>(() => new WindowBuilder(fleet, _time));

    [Fact]
    public void What_cannot_be_is_refused_at_once()
    {
        var builder = new WindowBuilder("chat", _time);
        Assert.Throws<ArgumentException>(() => builder.Arrived("a/b"));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Completed("math", -1, 1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Completed("math", 1, -1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Completed("math", 1, 1, TimeSpan.FromTicks(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            builder.Completed("math", 1, 1, TimeSpan.Zero, TimeSpan.FromTicks(-1))
        );
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            builder.Completed("math", TaskSums.MostTokens + 1, 1, TimeSpan.Zero)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Completed("math", 1, long.MaxValue, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Completed("math", 1, 1, TimeSpan.FromDays(20_000)));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            builder.Completed("math", 1, 1, TimeSpan.Zero, answerTokens: -1)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            builder.Completed("math", 1, 1, TimeSpan.Zero, answerTokens: WorkloadWindowReader.MaxSum + 1)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Judged("math", -1, true));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.Judged("math", long.MaxValue, true));
        Assert.Empty(TakeAfter(builder, TimeSpan.FromSeconds(1)).Tasks);
    }

    private WorkloadWindow TakeAfter(WindowBuilder builder, TimeSpan passed)
    {
        _time.Now += passed;
        return builder.Take()!;
    }

    /// <summary>A member that is not known is no member of the JSON, not one that is null.</summary>
    private static void AssertTellsAnswers(bool isTold, WorkloadWindow window)
    {
        var json = Encoding.UTF8.GetString(WindowMessage.Of(window, Guid.NewGuid()).Body.Span);
        Assert.Equal(isTold, json.Contains("\"answerTokens\"", StringComparison.Ordinal));
    }

    private void AssertTaken(WorkloadWindow window)
    {
        var message = WindowMessage.Of(window, Guid.NewGuid());
        Assert.True(
            WorkloadWindowReader.TryRead(message.Body.Span, _time.Now, out _, out var errors),
            string.Join("; ", errors ?? [])
        );
    }
}
