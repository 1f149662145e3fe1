using Platform.Cli.Demo;
using Platform.Domain.Contracts;

namespace Platform.Cli.Tests.Demo;

public sealed class ServerWindowsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_query_counts_where_it_arrived_and_where_it_ended()
    {
        var windows = new ServerWindows(["math", "chat"], TimeSpan.FromSeconds(10), 3);
        Record(
            windows,
            Query(
                task: 0,
                arrived: 9.5,
                ended: 10.0,
                granted: 100,
                used: 80,
                serviceMillis: 500,
                systemMillis: 500,
                correct: true
            )
        );
        Record(
            windows,
            Query(
                task: 0,
                arrived: 11,
                ended: 19.999,
                granted: 100,
                used: 100,
                serviceMillis: 620,
                systemMillis: 8_999,
                correct: false
            )
        );

        var written = Enumerable.Range(0, 3).Select(i => windows.Window(i, "lab", Start)).ToArray();

        Assert.Equal([Start, Start.AddSeconds(10), Start.AddSeconds(20)], written.Select(window => window.WindowStart));
        Assert.All(written, window => Assert.Equal(TimeSpan.FromSeconds(10), window.WindowEnd - window.WindowStart));
        Assert.Equal(new TaskWindow { TaskType = "math", Arrivals = 1 }, Assert.Single(written[0].Tasks));
        Assert.Empty(written[2].Tasks);
        var math = Assert.Single(written[1].Tasks);
        Assert.Equal(1, math.Arrivals);
        var service = new ServiceSums
        {
            Completions = 2,
            Tokens = 180,
            TokensSquared = 16_400,
            TokensGranted = 200,
            Millis = 1_120,
            MillisSquared = 634_400,
            TokenMillis = 102_000,
        };
        Assert.Equal(service, math.Service);
        Assert.Equal(
            new SystemSums
            {
                Completions = 2,
                Millis = 9_499,
                MillisSquared = 250_000 + (8_999 * 8_999),
            },
            math.System
        );
        Assert.Equal(
            [
                new AccuracyCount
                {
                    Tokens = 100,
                    Trials = 2,
                    Correct = 1,
                },
            ],
            math.Accuracy!
        );
    }

    [Fact]
    public void What_ends_after_the_last_window_is_not_reported()
    {
        var windows = new ServerWindows(["math"], TimeSpan.FromSeconds(10), 1);
        Record(
            windows,
            Query(
                task: 0,
                arrived: 9,
                ended: 10,
                granted: 1,
                used: 1,
                serviceMillis: 1_000,
                systemMillis: 1_000,
                correct: true
            )
        );

        Assert.Equal(
            new TaskWindow { TaskType = "math", Arrivals = 1 },
            Assert.Single(windows.Window(0, "lab", Start).Tasks)
        );
    }

    private static void Record(ServerWindows windows, in ServedQuery query)
    {
        windows.RecordArrival(Sent(query));
        windows.RecordEnd(query);
    }

    private static SentQuery Sent(in ServedQuery query) =>
        new()
        {
            Index = query.Index,
            Task = query.Task,
            Server = query.Server,
            Arrived = query.Arrived,
            TokensGranted = query.TokensGranted,
            TokensUsed = query.TokensUsed,
            ServiceDraw = 0,
            IsCorrect = query.IsCorrect,
        };

    private static ServedQuery Query(
        int task,
        double arrived,
        double ended,
        long granted,
        long used,
        long serviceMillis,
        long systemMillis,
        bool correct
    ) =>
        new()
        {
            Index = 0,
            Task = task,
            Server = 0,
            Arrived = TimeSpan.FromSeconds(arrived),
            Ended = TimeSpan.FromSeconds(ended),
            TokensGranted = granted,
            TokensUsed = used,
            ServiceMillis = serviceMillis,
            SystemMillis = systemMillis,
            IsCorrect = correct,
        };
}
