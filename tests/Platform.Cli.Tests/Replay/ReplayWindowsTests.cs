using Platform.Cli.Replay;
using Platform.Cli.Traces;
using Platform.Client;
using Platform.Domain.Contracts;

namespace Platform.Cli.Tests.Replay;

public sealed class ReplayWindowsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Requests_arrive_in_the_windows_of_their_times_and_are_service_when_they_end()
    {
        var trace = new RequestTrace(
            "test",
            [
                At(0),
                At(9.5),
                At(31) with
                {
                    Duration = TimeSpan.FromSeconds(15),
                    GeneratedTokens = 7,
                },
                At(32) with
                {
                    Kind = "other",
                },
            ]
        );
        var replay = new ReplayWindows("chat", trace, it => it.Kind ?? "math", TimeSpan.FromSeconds(10));
        var windows = replay.From(Start).ToList();

        Assert.Equal((5, TimeSpan.FromSeconds(50)), (replay.Count, replay.Length));
        Assert.Equal(
            Enumerable.Range(0, 5).Select(i => Start.AddSeconds(10 * i)),
            windows.Select(it => it.WindowStart)
        );
        Assert.Equal(windows.Skip(1).Select(it => it.WindowStart), windows.SkipLast(1).Select(it => it.WindowEnd));
        Assert.Equal([2, 0, 0, 2, 0], windows.Select(it => it.Tasks.Sum(task => task.Arrivals)));
        Assert.Equal(["math", "other"], windows[3].Tasks.Select(it => it.TaskType));
        var served = windows[4].Tasks.Single().Service!;
        Assert.Equal((1, 7, 15_000), (served.Completions, served.Tokens, served.Millis));
        Assert.All(
            windows,
            window =>
                Assert.True(
                    WorkloadWindowReader.TryRead(
                        WindowMessage.Of(window, default).Body.Span,
                        Start.AddSeconds(50),
                        out _,
                        out _
                    )
                )
        );
    }

    [Theory]
    [InlineData("GPT-4", "GPT-4")]
    [InlineData("Conversation log", "Conversation-log")]
    [InlineData(" /v1/chat: (fast) ", "v1-chat-fast")]
    [InlineData("", "rest")]
    [InlineData("模型", "rest")]
    public void What_a_column_says_becomes_an_id(string kind, string id) =>
        Assert.Equal(id, new ReplayTaskTypes("trace.csv", "rest", "Model").Of(At(0) with { Kind = kind }));

    [Fact]
    public void What_cannot_become_an_id_is_said() =>
        Assert.Equal(
            "trace.csv, column Model: '' cannot be made a task type's id; --task-type names one for such requests",
            Assert.Throws<TraceFormatException>(() => new ReplayTaskTypes("trace.csv", null, "Model").Of(At(0))).Message
        );

    private static TraceRequest At(double seconds) => new(TimeSpan.FromSeconds(seconds), 1, 1);
}
